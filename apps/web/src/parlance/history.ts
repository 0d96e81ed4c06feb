// What is known of one conversation's messages: a run of them without holes, oldest first, from somewhere to the
// newest. Plain functions from one value to the next; a message is there once, in its newest `rev`.
import type { Message, MessageStatus, Reaction } from './contract';

export interface History {
  messages: readonly Message[];
  /** Whether the server has earlier ones. */
  hasMore: boolean;
  /** Where the page before begins. */
  cursor: string | null;
}

export const EMPTY: History = { messages: [], hasMore: true, cursor: null };

const RANK: Record<MessageStatus, number> = { sent: 0, delivered: 1, read: 2 };

/** Where a message of this `seq` is, or would be. */
function place(messages: readonly Message[], seq: number): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A status never goes back, and older news of a message do not replace newer ones. */
function newer(known: Message, told: Message): Message {
  const winner = told.rev >= known.rev ? told : known;
  const status = RANK[told.status] > RANK[known.status] ? told.status : known.status;
  return winner.status === status ? winner : { ...winner, status };
}

/** With these messages in it, each where it belongs. Those from before the run are left out: they may leave a hole. */
export function merged(history: History, told: readonly Message[]): History {
  const messages = history.messages.slice();
  const first = messages[0]?.seq ?? 0;
  for (const message of told) {
    const index = place(messages, message.seq);
    const known = messages[index];
    if (known?.seq === message.seq) messages[index] = newer(known, message);
    else if (messages.length === 0 || message.seq > first || !history.hasMore) messages.splice(index, 0, message);
  }
  return { ...history, messages };
}

/** With the page before it. */
export function extended(history: History, page: readonly Message[], hasMore: boolean, cursor: string | null): History {
  const first = history.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  const before = page.filter((message) => message.seq < first);
  return { messages: [...before, ...history.messages], hasMore, cursor };
}

/** With one message changed. */
export function changed(history: History, id: string, change: (message: Message) => Message): History {
  const index = history.messages.findLastIndex((message) => message._id === id);
  const message = history.messages[index];
  if (!message) return history;
  const messages = history.messages.slice();
  messages[index] = change(message);
  return { ...history, messages };
}

/** The tombstone that is left of a message. */
export function tombstone(message: Message): Message {
  const deletedAt = message.deletedAt ?? new Date().toISOString();
  return { ...message, text: null, media: [], reactions: [], deletedAt };
}

export function withReactions(history: History, id: string, reactions: Reaction[]): History {
  return changed(history, id, (message) => ({ ...message, reactions }));
}

/** With somebody's messages raised to a status: those for which `reached` holds, looked at from the newest back. */
export function raised(
  history: History,
  senderId: string,
  status: MessageStatus,
  reached: (message: Message) => boolean,
): History {
  let messages: Message[] | undefined;
  // All before the newest that already has it have it too, but for single reads: those are close to the end.
  let settled = 0;
  for (let index = history.messages.length - 1; index >= 0 && settled < 500; index--) {
    const message = history.messages[index];
    if (!message || message.sender._id !== senderId) continue;
    if (RANK[message.status] >= RANK[status]) {
      settled++;
      continue;
    }
    if (!reached(message)) continue;
    messages ??= history.messages.slice();
    messages[index] = { ...message, status };
  }
  return messages ? { ...history, messages } : history;
}

/** Whether this one follows without a hole on what is known. */
export function follows(history: History, message: Message): boolean {
  const last = history.messages.at(-1);
  // One that is empty to its beginning goes on with the very first.
  return last ? message.seq <= last.seq + 1 : history.hasMore || message.seq === 1;
}
