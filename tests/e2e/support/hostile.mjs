// What no client should send: values of every wrong type and strings that mean something to a parser, a database or a
// language; and for each event of the contract what its fields are, so that each of them can be wrong in turn while
// the others are right. Which events there are is not said here but in `contract-rows.json`.
import { listedRows } from '../contract-rows.mjs';

/** An object of JSON as a client in another language would write it: `__proto__` is a field like any other. */
const parsed = (json) => JSON.parse(json);
const nested = (depth) => parsed('['.repeat(depth) + ']'.repeat(depth));

/** No strings. `null` is apart, since it is as good as absent. */
export const WRONG_TYPES = [
  0, -1, 1.5, 2 ** 53, -1e308, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY, true, false,
  [], [null], [['a']], nested(100), ['64f123abc456def789012345'],
  {}, parsed('{"__proto__":{"admin":true}}'), { constructor: { prototype: { admin: true } } }, { toString: 'a', length: 24 },
  { $gt: '' }, { $ne: null }, { $where: 'sleep(1000)' }, { $regex: '.*' }, { $in: [[]] }, { 'a.b': 1, '': 2 }, { $oid: '64f123abc456def789012345' },
].map((value) => (typeof value === 'number' && !Number.isFinite(value) ? { not: 'finite', is: null } : value));

/** Strings that are nobody's id. */
export const STRANGE = [
  '', ' ', 'NaN', 'null', 'undefined', '0', '-1', '1e400', '[object Object]', '__proto__', 'constructor', '*', '%', '_', '#', '$where',
  "' OR '1'='1", "'; DROP TABLE messages; --", '" UNION SELECT * FROM users --', '{"$gt":""}', '${7*7}', '../../../etc/passwd', '%00', '<script>alert(1)</script>',
  '\0', 'a\0b', '\r\nSet-Cookie: a=b', '\x1b[31m', '\u202egnp.exe', '\ufeff', '\u2028', '👩‍👩‍👧‍👧', '６４f123abc456def789012345', 'z'.repeat(24),
  '64f123abc456def78901234', '64f123abc456def7890123456', ' 64f123abc456def789012345', '64f123abc456def789012345\0', '0x64f123abc456def789012345', 'x'.repeat(20_000),
];

/** Half of a character: JSON writes it, and no text can hold it. Nothing of such an event can be read. */
export const HALF_CHARACTER = 'half \ud83d';

const isUserId = (text) => text !== '' && Buffer.byteLength(text) <= 128 && !/\p{Cc}/u.test(text);
const isShort = (text) => text !== '' && Buffer.byteLength(text) <= 64 && !/\p{Cc}/u.test(text);
const BLANK_OR_LONG = ['', ' \n\t', 'ü'.repeat(10_001), 'a\0b'];
const everyString = (code) => STRANGE.map((text) => [text, code]);
const invalid = (values) => values.map((value) => [value, 'VALIDATION_FAILED']);
/** Of a list: what is no list, and one with each of those in it. */
const listOf = (items) => [...WRONG_TYPES.filter((value) => !Array.isArray(value)), ...STRANGE, ...items.map((item) => [item])];

/**
 * Kinds of fields: what is wrong in them and how it is refused, `null` for what looks strange and is answered.
 * `optional` fields may be `null`.
 */
const KINDS = {
  conversationId: { wrong: [...invalid(WRONG_TYPES), ...everyString('CONVERSATION_NOT_FOUND')] },
  messageId: { wrong: [...invalid(WRONG_TYPES), ...everyString('MESSAGE_NOT_FOUND')] },
  upToMessageId: { optional: true, wrong: [...invalid(WRONG_TYPES), ...everyString('MESSAGE_NOT_FOUND')] },
  replyTo: { optional: true, wrong: [...invalid(WRONG_TYPES), ...everyString('MESSAGE_NOT_FOUND')] },
  notificationId: { wrong: [...invalid(WRONG_TYPES), ...everyString('NOT_FOUND')] },
  // A name that is empty, too long or unprintable is no call's; any other is one of a call that is not there.
  callId: { wrong: [...invalid(WRONG_TYPES), ...STRANGE.map((text) => [text, isShort(text) ? 'NOT_FOUND' : 'VALIDATION_FAILED'])] },
  newCallId: { wrong: invalid([...WRONG_TYPES, ...STRANGE.filter((text) => !isShort(text))]) },
  callMedia: { wrong: invalid([...WRONG_TYPES, ...STRANGE]) },
  data: { wrong: invalid(['d'.repeat(65 * 1024)]) },
  text: { wrong: invalid([...WRONG_TYPES, ...BLANK_OR_LONG]) },
  emoji: { wrong: invalid([...WRONG_TYPES, ...STRANGE.filter((text) => !isShort(text))]) },
  messageType: { wrong: invalid([...WRONG_TYPES, ...STRANGE, 'system']) },
  clientMessageId: { optional: true, wrong: invalid([...WRONG_TYPES, ...STRANGE.filter((text) => !isShort(text))]) },
  media: {
    optional: true,
    wrong: invalid(listOf([...WRONG_TYPES, ...STRANGE, { type: 'image' }, { type: {}, url: 'https://files.example/a.png' }, ...STRANGE.map((url) => ({ type: 'image', url }))])),
  },
  messageIds: { wrong: [...invalid(listOf(WRONG_TYPES)), ...STRANGE.map((text) => [[text], 'MESSAGE_NOT_FOUND'])] },
  ownId: { wrong: [...invalid(WRONG_TYPES), ...STRANGE.map((text) => [text, isUserId(text) ? 'FORBIDDEN' : 'VALIDATION_FAILED'])] },
  callee: { wrong: [...invalid(WRONG_TYPES), ...STRANGE.map((text) => [text, isUserId(text) ? 'NOT_FOUND' : 'VALIDATION_FAILED'])] },
  userId: { wrong: [...invalid(WRONG_TYPES), ...STRANGE.map((text) => [text, isUserId(text) ? null : 'VALIDATION_FAILED'])] },
  userIds: { wrong: [...invalid(listOf(WRONG_TYPES)), ...STRANGE.map((text) => [[text], isUserId(text) ? null : 'VALIDATION_FAILED'])] },
  known: {
    wrong: [
      ...invalid([...WRONG_TYPES.filter((value) => Array.isArray(value) || typeof value !== 'object'), ...STRANGE]),
      ...invalid([...WRONG_TYPES.filter((value) => value !== 0 && value !== 2 ** 53 - 1), ...STRANGE, null].map((rev) => ({ '64f123abc456def789012345': rev }))),
      ...STRANGE.map((id) => [parsed(`{${JSON.stringify(id)}: 0}`), null]),
      ...invalid([Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`c${at}`, 0]))]),
    ],
  },
  token: { wrong: [...invalid(WRONG_TYPES), ...STRANGE.map((text) => [text, /^(INVALID_TOKEN|TOKEN_REQUIRED)$/])] },
};

/** An event whose payload may be its only id, bare. */
const bare = (field, kind = field, more = {}) => ({ bare: kind, fields: { [field]: kind, ...more } });
const fields = (more) => ({ fields: more });
const conversation = bare('conversationId');
const sending = (text) => fields({ conversationId: 'conversationId', [text]: 'text', clientMessageId: 'clientMessageId' });

const EVENTS = {
  'conversation:join': conversation,
  'conversation:leave': conversation,
  'conversation:get_online_users': conversation,
  'conversation:get-online-users': { ...conversation, answer: 'list' },
  'join:conversation': conversation,
  'leave:conversation': conversation,
  joinConversation: conversation,
  leaveConversation: conversation,
  'typing:start': conversation,
  'typing:stop': conversation,
  typing: conversation,
  'nextchat typing': bare('conversationId', 'conversationId', { userId: 'ownId' }),
  stopTyping: conversation,
  'message:send': fields({ ...sending('text').fields, replyTo: 'replyTo' }),
  'send:message': fields({ ...sending('text').fields, messageType: 'messageType', media: 'media', replyTo: 'replyTo' }),
  'gateway sendMessage': sending('content'),
  'nextchat sendMessage': fields({ ...sending('message').fields, senderId: 'ownId' }),
  'messages:mark_read': bare('conversationId', 'conversationId', { upToMessageId: 'upToMessageId' }),
  'message:read': fields({ conversationId: 'conversationId', messageIds: 'messageIds' }),
  'message:edit': bare('messageId', 'messageId', { text: 'text' }),
  'message:delete': bare('messageId'),
  'message:react': bare('messageId', 'messageId', { emoji: 'emoji' }),
  'message:unreact': bare('messageId', 'messageId', { emoji: 'emoji' }),
  'notification:read': bare('notificationId'),
  'notifications:read-all': { anything: true },
  'user:get-status': { ...bare('userId'), answer: 'status' },
  'users:get-status': { ...bare('userIds'), answer: 'list' },
  sync: fields({ conversations: 'known' }),
  'auth:refresh': bare('token'),
  'call:invite': fields({ conversationId: 'conversationId', callId: 'newCallId', media: 'callMedia' }),
  'call:accept': bare('callId'),
  'call:reject': bare('callId'),
  'call:hangup': bare('callId'),
  'call:signal': fields({ callId: 'callId', to: 'callee', data: 'data' }),
};

/** What the contract lets clients of a dialect send. */
export const inbound = (dialect) => [...new Set(listedRows().filter((row) => row.direction === 'in' && [dialect, 'extension'].includes(row.dialect)).map((row) => row.event))];

/** What it lets them hear, of which nothing may be sent. */
export const outbound = (dialect) => [...new Set(listedRows().filter((row) => row.direction === 'out' && [dialect, 'extension'].includes(row.dialect)).map((row) => row.event))];

/** How a failing ack of this event looks: `undefined` for the envelope, else `list` or `status`. */
export const bareAnswer = (event) => EVENTS[event]?.answer;

/**
 * Everything wrong that can be sent as `event`: `{args, code}`, where `code` is the refusal's (or a pattern of it), or
 * `null` where it is answered. `right` has a value of each kind that is beyond reproach.
 */
export function attacks(dialect, event, right) {
  const known = EVENTS[`${dialect} ${event}`] ?? EVENTS[event];
  if (!known) throw new Error(`${dialect}: ${event} is not described`);
  if (known.anything) return [...WRONG_TYPES, ...STRANGE, null].map((value) => ({ args: [value], code: null }));
  const base = Object.fromEntries(Object.entries(known.fields).map(([field, kind]) => [field, right[kind]]));
  const found = [
    { args: [], code: 'VALIDATION_FAILED' },
    { args: [null], code: 'VALIDATION_FAILED' },
    // Only the first argument is looked at, so what is right does not help behind what is wrong.
    { args: [42, base, base], code: 'VALIDATION_FAILED' },
  ];
  if (!known.answer) found.push({ args: [HALF_CHARACTER], code: 'VALIDATION_FAILED' }, { args: [{ ...base, more: HALF_CHARACTER }], code: 'VALIDATION_FAILED' });

  const wrapped = known.bare ? KINDS[known.bare].wrong : invalid([...WRONG_TYPES, ...STRANGE]);
  for (const [value, code] of wrapped) found.push({ args: [value], code });
  for (const [field, kind] of Object.entries(known.fields)) {
    const { wrong, optional } = KINDS[kind];
    for (const [value, code] of wrong) found.push({ args: [{ ...base, [field]: value }], code });
    if (!optional) {
      found.push({ args: [{ ...base, [field]: null }], code: 'VALIDATION_FAILED' });
      found.push({ args: [{ ...base, [field]: undefined }], code: 'VALIDATION_FAILED' });
    }
  }
  return found;
}
