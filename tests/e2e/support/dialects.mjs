// What a client of each family says and hears: the five vocabularies from the client's side, and one plain
// form of a message to compare what reached different families. Shapes are checked in `shapes.mjs`.

export const DIALECTS = ['talentbridge', 'ulearn', 'gateway', 'marketplace', 'nextchat'];

const inObject = (event) => (conversationId) => [event, { conversationId }];
const bare = (event) => (conversationId) => [event, conversationId];
const itself = (data) => data;

/** Typing told by two events, `start` and `stop`. */
const twoEvents = (start, stop) => (event, data) => {
  if (event !== start && event !== stop) return undefined;
  return { conversationId: data.conversationId, userId: data.userId, typing: event === start };
};

const modern = (raw) => ({
  id: raw.id,
  conversationId: raw.conversationId,
  seq: raw.seq,
  rev: raw.rev,
  senderId: raw.senderId,
  text: raw.content,
  type: raw.type,
  status: raw.status,
  clientMessageId: raw.clientMessageId,
  reactions: raw.reactions,
  replyTo: raw.replyTo && { id: raw.replyTo.id, text: raw.replyTo.content, senderId: raw.replyTo.senderId },
  edited: raw.editedAt !== null,
  deleted: raw.deletedAt !== null,
});

export const vocabulary = {
  talentbridge: {
    join: bare('conversation:join'),
    leave: bare('conversation:leave'),
    send: ({ conversationId, text, senderId: _, ...more }) => ['message:send', { conversationId, text, ...more }],
    typingStart: bare('typing:start'),
    typingStop: bare('typing:stop'),
    readTyping: twoEvents('typing:start', 'typing:stop'),
    messageEvent: 'message:new',
    unwrap: (data) => data.message,
    readEvent: 'messages:read',
    reader: (data) => data.userId,
    plain: (raw) => ({
      id: raw._id,
      conversationId: raw.conversationId,
      seq: raw.seq,
      rev: raw.rev,
      senderId: raw.sender._id,
      text: raw.text,
      type: raw.messageType,
      status: raw.status,
      clientMessageId: raw.clientMessageId,
      reactions: raw.reactions,
      replyTo: raw.replyTo && { id: raw.replyTo._id, text: raw.replyTo.text, senderId: raw.replyTo.sender._id },
      edited: raw.editedAt !== null,
      deleted: raw.deletedAt !== null,
    }),
  },

  ulearn: {
    join: inObject('join:conversation'),
    leave: inObject('leave:conversation'),
    send: ({ conversationId, text, senderId: _, ...more }) => ['send:message', { conversationId, text, messageType: 'text', ...more }],
    typingStart: inObject('typing:start'),
    typingStop: inObject('typing:stop'),
    readTyping: twoEvents('typing:start', 'typing:stop'),
    messageEvent: 'new:message',
    unwrap: (data) => data.message,
    readEvent: 'messages:read',
    reader: (data) => data.readBy,
    plain: (raw) => ({
      id: raw._id,
      conversationId: raw.conversationId,
      seq: raw.seq,
      rev: raw.rev,
      senderId: raw.senderId._id,
      text: raw.text,
      type: raw.messageType,
      status: raw.status,
      clientMessageId: raw.clientMessageId,
      reactions: raw.reactions,
      replyTo: raw.replyTo && { id: raw.replyTo._id, text: raw.replyTo.text, senderId: raw.replyTo.senderId._id },
      edited: raw.editedAt !== null,
      deleted: raw.deletedAt !== null,
    }),
  },

  gateway: {
    join: inObject('joinConversation'),
    leave: inObject('leaveConversation'),
    send: ({ conversationId, text, senderId: _, ...more }) => ['sendMessage', { conversationId, content: text, ...more }],
    typingStart: inObject('typing'),
    typingStop: inObject('stopTyping'),
    readTyping: twoEvents('userTyping', 'userStoppedTyping'),
    messageEvent: 'newMessage',
    unwrap: itself,
    readEvent: 'messages:read',
    reader: (data) => data.userId,
    plain: modern,
  },

  marketplace: {
    join: bare('join:conversation'),
    leave: bare('leave:conversation'),
    send: undefined,
    typingStart: inObject('typing:start'),
    typingStop: inObject('typing:stop'),
    readTyping: twoEvents('typing:start', 'typing:stop'),
    messageEvent: 'message:new',
    unwrap: itself,
    readEvent: 'messages:read',
    reader: (data) => data.userId,
    plain: modern,
  },

  nextchat: {
    join: inObject('joinConversation'),
    leave: inObject('leaveConversation'),
    send: ({ conversationId, text, ...more }) => ['sendMessage', { conversationId, message: text, ...more }],
    typingStart: (conversationId, userId) => ['typing', { conversationId, userId }],
    typingStop: undefined,
    readTyping: (event, data) =>
      event === 'typing' ? { conversationId: data.conversationId, userId: data.userId, typing: data.isTyping } : undefined,
    messageEvent: 'newMessage',
    unwrap: itself,
    readEvent: 'messages:read',
    reader: (data) => data.userId,
    plain: (raw) => ({
      id: raw.id,
      conversationId: raw.conversationId,
      seq: raw.seq,
      senderId: raw.senderId,
      text: raw.message,
      clientMessageId: raw.clientMessageId,
    }),
  },
};

/** A message in any dialect's shape, in the plain form. */
export const plainMessage = (dialect, raw) => vocabulary[dialect].plain(raw);
