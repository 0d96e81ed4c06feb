// The contract's payload shapes as checks: every field that it names is there with its type. More fields
// than these may come (that is the compatibility rule), so none is refused.
import assert from 'node:assert/strict';

const say = (value) => JSON.stringify(value)?.slice(0, 400);
const check = (name, accept) => (value, path) => assert.ok(accept(value), `${path} should be ${name}, is ${say(value)}`);

const text = check('a string', (value) => typeof value === 'string');
const integer = check('an integer', Number.isInteger);
const flag = check('a boolean', (value) => typeof value === 'boolean');
const hexId = check('24 lower-case hex digits', (value) => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value));
const time = check('RFC 3339 in UTC with milliseconds', (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value));
const oneOf = (...names) => check(names.join(' or '), (value) => names.includes(value));
const exactly = (expected) => check(say(expected), (value) => value === expected);
const nullable = (inner) => (value, path) => value === null || inner(value, path);
const listOf = (inner) => (value, path) => {
  assert.ok(Array.isArray(value), `${path} should be a list, is ${say(value)}`);
  value.forEach((item, index) => inner(item, `${path}[${index}]`));
};
const object = (fields) => (value, path) => {
  assert.ok(value !== null && typeof value === 'object' && !Array.isArray(value), `${path} should be an object, is ${say(value)}`);
  for (const [name, inner] of Object.entries(fields)) {
    assert.ok(name in value, `${path}.${name} is missing in ${say(value)}`);
    inner(value[name], `${path}.${name}`);
  }
};

const talentbridgeUser = object({ _id: text, fullName: text, profilePicture: nullable(text) });
const ulearnUser = object({ _id: text, name: text, profileImage: nullable(text) });
const plainUser = object({ id: text, name: text, avatar: nullable(text) });

export const users = {
  talentbridge: talentbridgeUser,
  ulearn: ulearnUser,
  gateway: plainUser,
  marketplace: plainUser,
  nextchat: text,
};

const medium = object({ url: text, type: oneOf('image', 'video', 'file'), filename: nullable(text), size: nullable(integer), thumbnailUrl: nullable(text) });
const reactions = listOf(object({ emoji: text, count: integer, userIds: listOf(text) }));
const status = oneOf('sent', 'delivered', 'read');
const history = { createdAt: time, updatedAt: time, editedAt: nullable(time), deletedAt: nullable(time) };
const position = { conversationId: hexId, seq: integer, rev: integer, clientMessageId: nullable(text), reactions };
const messageType = oneOf('text', 'image', 'video', 'file', 'system');

const talentbridgeMessage = object({
  _id: hexId,
  id: hexId,
  ...position,
  sender: talentbridgeUser,
  text: nullable(text),
  messageType,
  media: listOf(medium),
  replyTo: nullable(object({ _id: hexId, text: nullable(text), sender: talentbridgeUser })),
  status,
  ...history,
});
const modernMessage = object({
  id: hexId,
  ...position,
  senderId: text,
  sender: plainUser,
  content: nullable(text),
  type: messageType,
  attachments: listOf(medium),
  replyTo: nullable(object({ id: hexId, content: nullable(text), senderId: text })),
  status,
  isRead: flag,
  ...history,
});

export const messages = {
  talentbridge: talentbridgeMessage,
  ulearn: object({
    _id: hexId,
    ...position,
    senderId: ulearnUser,
    text: nullable(text),
    media: listOf(medium),
    messageType,
    status,
    replyTo: nullable(object({ _id: hexId, text: nullable(text), senderId: ulearnUser })),
    ...history,
  }),
  gateway: modernMessage,
  marketplace: modernMessage,
  nextchat: object({
    id: hexId,
    conversationId: hexId,
    senderId: text,
    message: nullable(text),
    timestamp: time,
    seq: integer,
    clientMessageId: nullable(text),
  }),
};

const anything = () => {};
const told = { type: text, title: text, message: text, link: nullable(text), data: anything, createdAt: time };
const talentbridgeNotification = object({ _id: hexId, ...told, conversationId: nullable(hexId), read: flag });
const plainNotification = object({ id: hexId, ...told, isRead: flag });

export const notifications = {
  talentbridge: talentbridgeNotification,
  ulearn: talentbridgeNotification,
  gateway: plainNotification,
  marketplace: plainNotification,
  nextchat: talentbridgeNotification,
};

export const conversation = object({
  _id: hexId,
  id: hexId,
  type: oneOf('direct', 'group'),
  title: nullable(text),
  groupImage: nullable(text),
  participants: listOf(object({ user: talentbridgeUser, role: oneOf('owner', 'admin', 'member') })),
  participantUsers: listOf(talentbridgeUser),
  lastMessage: nullable(talentbridgeMessage),
  unreadCount: integer,
  rev: integer,
  createdAt: time,
  updatedAt: time,
});

/** Payloads of the events that every dialect has in its own shape: arguments → check. */
export const events = {
  message: {
    talentbridge: object({ message: talentbridgeMessage, conversationId: hexId }),
    ulearn: object({ message: messages.ulearn }),
    gateway: modernMessage,
    marketplace: modernMessage,
    nextchat: messages.nextchat,
  },
  read: {
    talentbridge: object({ conversationId: hexId, userId: text, upToMessageId: hexId, messageIds: listOf(hexId) }),
    ulearn: object({ messageIds: listOf(hexId), readBy: text, conversationId: hexId }),
    gateway: object({ conversationId: hexId, messageIds: listOf(hexId), userId: text }),
    marketplace: object({ conversationId: hexId, messageIds: listOf(hexId), userId: text }),
    nextchat: object({ conversationId: hexId, messageIds: listOf(hexId), userId: text }),
  },
  typing: {
    talentbridge: object({ conversationId: hexId, userId: text, userInfo: talentbridgeUser }),
    ulearn: object({ userId: text, conversationId: hexId }),
    gateway: object({ userId: text, conversationId: hexId }),
    marketplace: object({ conversationId: hexId, userId: text }),
    nextchat: object({ userId: text, isTyping: flag, conversationId: hexId }),
  },
  deleted: object({ messageId: hexId, conversationId: hexId }),
  edited: (dialect) => object({ conversationId: hexId, message: messages[dialect] }),
  reaction: object({ conversationId: hexId, messageId: hexId, emoji: text, userId: text, action: oneOf('added', 'removed'), reactions }),
  conversation: object({ conversation }),
  photo: object({ groupId: hexId, groupImage: text, updatedBy: text }),
  photoRemoved: object({ groupId: hexId, groupImage: exactly(null), removedBy: text }),
  failure: object({ message: text, code: text }),
  callStep: object({ callId: text, conversationId: hexId, userId: text, reason: nullable(text) }),
};

/** The envelope of a successful HTTP answer. */
export const envelope = object({ success: exactly(true), data: object({}), message: text });
/** The envelope of a failed one. */
export const failure = object({ success: exactly(false), message: text, code: text });
export const pagination = object({ hasMore: flag, nextCursor: nullable(text) });

/** Checks `value`; `path` names it in the complaint. */
export function conforms(shape, value, path = 'payload') {
  shape(value, path);
}
