// Rows to what clients see: the talentbridge vocabulary.

export const userShape = (user) => ({ _id: user.id, fullName: user.name, profilePicture: user.picture });

export function messageShape(row, sender, replyTo = null) {
  const createdAt = new Date(row.createdAt).toISOString();
  return {
    _id: row.id,
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    rev: row.rev,
    sender: userShape(sender),
    text: row.text,
    messageType: 'text',
    media: [],
    replyTo: replyTo && { _id: replyTo.id, text: replyTo.text, sender: replyTo.senderId },
    status: 'sent',
    clientMessageId: row.clientMessageId,
    reactions: [],
    createdAt,
    updatedAt: createdAt,
    editedAt: null,
    deletedAt: null,
  };
}

export function conversationShape(conversation, participants, lastMessage, unreadCount) {
  return {
    _id: conversation.id,
    id: conversation.id,
    type: conversation.type,
    title: conversation.title,
    groupImage: null,
    participants: participants.map((user) => ({ user: userShape(user), role: user.role })),
    participantUsers: participants.map(userShape),
    lastMessage,
    unreadCount,
    rev: conversation.rev,
    createdAt: new Date(conversation.createdAt).toISOString(),
    updatedAt: new Date(conversation.updatedAt).toISOString(),
  };
}
