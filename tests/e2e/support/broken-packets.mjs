// Packets and frames that no library sends, and what the server makes of each on a WebSocket whose user has signed in:
// it closes the connection, or answers (or overlooks) what it was and goes on. `frames.mjs` sends them.
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, bytewise, frame } from './frames.mjs';

/** `MAX_PACKET_BYTES` of the server that these are for. */
export const MAX_PACKET = 64 * 1024;
export const ASK = '42["notifications:read-all"]';

export const deep = (open, close, times) => open.repeat(times) + close.repeat(times);
export const times = (count, bytes) => Buffer.concat(Array.from({ length: count }, () => bytes));
/** What is done to a `RawSocket`. */
export const text = (packet) => (raw) => raw.send(packet);
export const bytes = (...parts) => (raw) => raw.write(Buffer.concat(parts));
export const attached = (packet, ...binaries) => bytes(frame(TEXT, packet), ...binaries.map((binary) => frame(BINARY, binary)));

/** Engine.IO and Socket.IO packets, each in a proper frame. */
const PACKETS = {
  closed: [
    // Engine.IO: nothing, no such type, what only servers send, what belongs to an upgrade, base64, goodbye.
    '', 'x', '7', '99', '0{}', '6', '5', '2probe', '3probe', 'bAAAA', 'b!!', '1', '\ufeff42["a"]', ' 42["a"]',
    // Socket.IO: nothing, no such type, no event, no name, no JSON, an ack to nothing, goodbye.
    '4', '47', '48["a"]', '4é', '42', '42null', '42{}', '42[]', '42[1]', '42[null]', '42[[]]', '42["a"', '42["a",]', '42[,]', '42["a" "b"]',
    // The library looks names up as they stand, and takes one with escapes for no name.
    '42["message\\u003asend",{}]', '42["a\\n"]', '4212["\\u0061"]', '42["a","\\u12"]', '42["a","\0"]', '42-1["a"]', '43["a"]', '439999999999999999999999["a"]', '461-["a"]', '44{"message":"a"}', '41', `42["a",${'['.repeat(10_000)}`, `42${deep('[', ']', 10_000)}`,
    // Attachments: more than allowed, no number of them, none where one is announced and a text instead.
    '4517-["a"]', '45["a"]', '45-["a"]', '45-1-[]', '4599999999999999999999-[]', '451-["a"]', '451-[', '4611-1["a"]',
    '451-["message:send",{"_placeholder":true,"num":0}]',
  ],
  usable: [
    '2', '3', '40', '40{', '40[]', `40${deep('[', ']', 10_000)}`, '40/nowhere,{}', '41/nowhere,', '42/nowhere,["a"]', `42/,${ASK.slice(2)}`,
    `42["sync",${deep('[', ']', 10_000)}]`, `42["sync",${deep('{"a":', '}', 5_000).replace('}', '1}')}]`, `4312${deep('[', ']', 10_000)}`,
    '42["a"]x', '42 ["a"]', '42["sync",1e400]', '42["sync",{"conversations":{"a":1e-400}}]', '42["sync",{"conversations":{},"conversations":5}]',
    '42["a","\\ud83d"]', '42["disconnect"]', '42["connect"]', '42["error"]', '4312["a"]', `4299999999999999999999${ASK.slice(2)}`,
    '450-["a"]', '42["message:send",{"_placeholder":true,"num":0}]',
  ],
};

/** Frames, and packets of more than one. */
const FRAMES = {
  closed: {
    'a frame without a mask': bytes(frame(TEXT, ASK, { masked: false })),
    'the first reserved bit': bytes(frame(TEXT, ASK, { bits: 0x40 })),
    'the second reserved bit': bytes(frame(TEXT, ASK, { bits: 0x20 })),
    'the third reserved bit': bytes(frame(TEXT, ASK, { bits: 0x10 })),
    'a data frame of no kind': bytes(frame(3, ASK)),
    'a control frame of no kind': bytes(frame(11, '')),
    'a ping of 126 bytes': bytes(frame(PING, 'x'.repeat(126))),
    'a ping in pieces': bytes(frame(PING, 'x', { fin: false })),
    'bytes that are no UTF-8': bytes(frame(TEXT, [0x34, 0x32, 0xff, 0xfe])),
    'half a character': bytes(frame(TEXT, [0x34, 0x32, 0xc3])),
    'a surrogate in UTF-8': bytes(frame(TEXT, [0x34, 0x32, 0xed, 0xa0, 0xbd])),
    'an overlong slash': bytes(frame(TEXT, [0x34, 0x32, 0xc0, 0xaf])),
    'a message that never ends and another one': bytes(frame(TEXT, '42["a', { fin: false }), frame(TEXT, ASK)),
    'the rest of a message that never began': bytes(frame(CONTINUATION, ASK)),
    'a length of 2^63 - 1': bytes(frame(TEXT, 'x', { length: 2n ** 63n - 1n })),
    'a length of 2^64 - 1': bytes(frame(TEXT, 'x', { length: 2n ** 64n - 1n })),
    'a frame over the limit': bytes(frame(TEXT, `42["${'x'.repeat(MAX_PACKET)}"]`)),
    'pieces that are over the limit together': bytes(...Array.from({ length: 8 }, (_, at) => frame(at ? CONTINUATION : TEXT, 'x'.repeat(MAX_PACKET / 7), { fin: false }))),
    'a goodbye': bytes(frame(CLOSE, [3, 232])),
    'a goodbye of one byte': bytes(frame(CLOSE, 'x')),
    'a goodbye with a code that is none': bytes(frame(CLOSE, [0, 1])),
    'another request': bytes(Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')),
    noise: bytes(Buffer.alloc(1_000, 0xff)),
    'binary where text belongs': bytes(frame(BINARY, ASK)),
    'no binary where text belongs': bytes(frame(BINARY, '')),
    'an attachment too many': attached('451-["a",{"_placeholder":true,"num":0}]', 'one', 'two'),
    'attachments over the limit together': attached('452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.alloc(40_000), Buffer.alloc(40_000)),
  },
  usable: {
    'a packet in frames of one byte': bytes(bytewise(ASK)),
    'a frame that comes byte by byte': (raw) => frame(TEXT, ASK).forEach((byte) => raw.write(Buffer.from([byte]))),
    'a packet in pieces with a ping between': bytes(frame(TEXT, '42["notifi', { fin: false }), frame(PING, 'x'), frame(CONTINUATION, 'cations:read-all"]')),
    'five thousand empty pieces': bytes(frame(TEXT, '4', { fin: false }), times(5_000, frame(CONTINUATION, '', { fin: false })), frame(CONTINUATION, '2["notifications:read-all"]')),
    'a character in two frames': bytes(frame(TEXT, Buffer.from('42["é"]').subarray(0, 5), { fin: false }), frame(CONTINUATION, Buffer.from('42["é"]').subarray(5))),
    'a short frame with a long length': bytes(frame(TEXT, ASK, { wide: true })),
    'two thousand pings': bytes(times(2_000, frame(PING, 'x'))),
    'two thousand pongs': bytes(times(2_000, frame(PONG, 'x'))),
    'two thousand pings of Engine.IO': bytes(times(2_000, frame(TEXT, '2'))),
    'two thousand sign-ins': bytes(times(2_000, frame(TEXT, '40{}'))),
    'an attachment for a field that wants text': attached('451-["conversation:join",{"conversationId":{"_placeholder":true,"num":0}}]', 'abc'),
    'attachments with numbers that are none': attached('452-["conversation:join",{"_placeholder":true,"num":-1},{"_placeholder":true,"num":1e30}]', 'abc', 'def'),
  },
};

/** Everything after which a user's connection is `closed`, or `usable`: [name, act]. */
export const cases = (verdict) => [...PACKETS[verdict].map((packet) => [JSON.stringify(packet).slice(0, 80), text(packet)]), ...Object.entries(FRAMES[verdict])];
