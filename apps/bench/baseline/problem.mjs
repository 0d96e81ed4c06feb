// What a client is told when something may not be done: the codes, texts and HTTP statuses of the contract.

export class Problem extends Error {
  constructor(code, message, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const problems = {
  invalid: (message) => new Problem('VALIDATION_FAILED', message, 400),
  noConversation: () => new Problem('CONVERSATION_NOT_FOUND', 'Conversation not found', 404),
  notParticipant: (what) => new Problem('NOT_PARTICIPANT', `Not authorized to ${what}`, 403),
  blockedByYou: () => new Problem('BLOCKED_BY_YOU', 'You cannot send messages to a blocked user', 403),
  blocked: () => new Problem('BLOCKED', 'Action not available', 403),
  noUser: () => new Problem('USER_NOT_FOUND', 'User not found', 404),
};

// The answer to a failed call. What is not a Problem is a bug: the client is not told its details.
export function failure(error) {
  if (error instanceof Problem) return { success: false, error: error.message, code: error.code };
  console.error(error);
  return { success: false, error: 'Internal error', code: 'INTERNAL' };
}
