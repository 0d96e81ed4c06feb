// Names, ids and search texts that mean something to a database: they are what they say and nothing else. What is
// found is what an own reckoning of the same words says, data of others is never among it, and nothing is a 500. Runs on
// each storage (E2E_STORAGE), since each has a language of its own to break out of.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { STRANGE } from '../support/hostile.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const chat = '/api/v1/chat';
const printable = (text) => text !== '' && !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= 64 && text.trim() === text;
const short = STRANGE.filter(printable);
const query = (fields) => new URLSearchParams(fields).toString();

/** Texts with a fox in them, dressed in the operators of FTS5, tsquery, LIKE and MongoDB. */
const DRESSED = [
  'fox AND hound', 'fox OR hound', 'fox NOT hound', 'NEAR(fox hound, 5)', '"fox hound"', 'words:fox', 'conversation_id:fox', '^fox', 'fox*', '-fox', '{fox hound}: x', 'fox + hound',
  'fox & hound', 'fox | hound', '!fox', 'fox <-> hound', 'fox <2> hound', 'fox:*', 'fox:ABCD', "'fox' & 'hound'", "fox''", '(fox', 'fox)', '\\fox', "$$fox$$",
  '%fox%', 'f_x', 'fo%', '100% fox_hound', 'fox\\', '{"$regex":"fox"}', '{"$where":"fox"}', '$text fox', '/fox/i', 'fox.hound', '[a-z]fox', "fox'); DROP TABLE messages; --", "' OR 'fox'='fox",
  'fox\u0001hound', 'fox\u202ednuoh', '🦊 fox', 'fóx', 'FOX', 'f\u00adox', 'foxhound', 'hound', 'a b c d e f g h i j fox', '<b>fox</b>', '__proto__ fox', 'ﬁx fox', 'ß fox', 'İ fox',
];
/** Texts without one. */
const NAKED = ['*', '"', '%', '_', '\\', '$', '.', '.*', '()', '""', "''", '--', '&', '|', '!', ':*', '<->', '{}', '[]', '🦊', '\u202e', '#', '~', '\u0001'];

/** What the contract's search finds: messages with every word of the text, or its beginning, without case and accents. */
const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
const words = (text) => text.split(/[^\p{Alphabetic}\p{N}]+/u).filter(Boolean);
function finds(asked, text) {
  const held = words(fold(text));
  return [...new Set(words(asked).map(fold))].slice(0, 10).every((word) => held.some((other) => other.startsWith(word)));
}

describe('hostile names', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(async () => {
    await server.close();
    assert.doesNotMatch(server.log, /panicked|ERROR/);
  });

  /** Somebody with this very id. */
  const called = async (id, name = 'Somebody') => {
    const person = server.stranger(name, { sub: id });
    person.id = id;
    await person.introduce();
    return person;
  };

  it('search finds the words that were typed, and nothing of others', async () => {
    const [ann, ben, eve, dan] = await server.people('Ann', 'Ben', 'Eve', 'Dan');
    const [own, foreign] = await Promise.all([ann.direct(ben), eve.direct(dan)]);
    const texts = [...DRESSED, ...NAKED];
    for (const text of texts) {
      await ann.say(own, text);
      await eve.say(foreign, text);
    }
    await eve.say(foreign, 'secretword');
    assert.deepEqual((await ben.talk(own)).map(({ text }) => text), texts, 'what was said is what is read');
    await inFlight(6, [...texts, 'fox', 'f', 'fox hound', 'hound fox', 'fo x', 'FÓX', 'fox cat', 'secretword', 'OR', 'and', 'near', 'where', 'regex', '1=1 fox'], async (asked) => {
      const { status, data, body } = await ben.rest.get(`${chat}/messages/search?${query({ q: asked, limit: 200 })}`);
      if (words(asked).length === 0) return assert.deepEqual([status, body.code], [400, 'VALIDATION_FAILED'], asked);
      assert.equal(status, 200, `${asked}: ${JSON.stringify(body)}`);
      assert.ok(data.messages.every(({ conversationId }) => conversationId === own), asked);
      assert.deepEqual(data.messages.map(({ text }) => text).sort(), texts.filter((text) => finds(asked, text)).sort(), asked);
    });
  });

  it('search does not reach into a conversation by its id, however it is written', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    await ann.say(await ann.direct(ben), 'nothing to see');
    const secret = await eve.direct(ben);
    await eve.say(secret, 'secretword');
    const upper = secret.toUpperCase();
    // An index that holds words with the id of their conversation must not be asked for one by somebody else.
    const forms = [
      secret, upper, `${secret}secretword`, `${secret} secretword`, `${secret}:secretword`, `${secret}_secretword`, `secretword ${secret}`, `c${secret}`,
      `x${secret}secretword`, `\u0001secretword`,
    ];
    for (const q of forms) assert.deepEqual((await ann.rest.get(`${chat}/messages/search?${query({ q })}`)).data.messages, [], q);
    const foreign = await ann.rest.get(`${chat}/messages/search?${query({ q: 'secretword', conversationId: secret })}`);
    assert.deepEqual([foreign.status, foreign.body.code], [403, 'NOT_PARTICIPANT']);
  });

  it('an id, a cursor or a number that is none is refused on every route', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const { _id: messageId } = await ann.say(conversationId, 'here');
    const objects = [{ $ne: null }, { $gt: '' }, { $regex: '.*' }, { $where: '1' }, [conversationId], { $oid: conversationId }, 7, true];
    const attempts = [];
    const attempt = (method, path, codes, body) => attempts.push({ method, path, codes, body });
    for (const odd of STRANGE.filter((text) => text !== '' && text.length < 2_000)) {
      // A path may not begin with what the client would resolve, so dots are written out.
      const id = encodeURIComponent(odd).replaceAll('.', '%2E');
      for (const path of ['', '/online', '/changes']) attempt('GET', `${chat}/conversations/${id}${path}`, ['CONVERSATION_NOT_FOUND', 'VALIDATION_FAILED']);
      for (const [method, path] of [['PATCH', ''], ['POST', '/participants'], ['PUT', '/photo'], ['POST', '/read']]) {
        attempt(method, `${chat}/conversations/${id}${path}`, ['CONVERSATION_NOT_FOUND'], { title: 'x', userIds: [ben.id], url: 'https://files.example/a.png' });
      }
      for (const path of [`/participants/${ben.id}`, '/photo']) attempt('DELETE', `${chat}/conversations/${id}${path}`, ['CONVERSATION_NOT_FOUND']);
      attempt('GET', `${chat}/messages/all/${id}`, ['CONVERSATION_NOT_FOUND']);
      attempt('GET', `/api/messages/${id}`, ['CONVERSATION_NOT_FOUND', 'VALIDATION_FAILED']);
      attempt('PATCH', `${chat}/messages/${id}`, ['MESSAGE_NOT_FOUND'], { text: 'x' });
      attempt('DELETE', `${chat}/messages/${id}`, ['MESSAGE_NOT_FOUND']);
      attempt('PUT', `${chat}/messages/${id}/reactions/x`, ['MESSAGE_NOT_FOUND']);
      attempt('PUT', `/api/v1/notifications/${id}/read`, ['NOT_FOUND']);
      attempt('DELETE', `/api/v1/notifications/${id}`, ['NOT_FOUND']);
      attempt('GET', `/api/v1/users/${id}`, ['USER_NOT_FOUND']);
      attempt('PUT', `/api/v1/users/${id}/block`, ['USER_NOT_FOUND', 'VALIDATION_FAILED']);
      attempt('GET', `/media/${id}/a.png`, ['NOT_FOUND']);
      attempt('POST', `${chat}/messages`, ['CONVERSATION_NOT_FOUND'], { conversationId: odd, text: 'x' });
      attempt('POST', `${chat}/messages`, ['MESSAGE_NOT_FOUND'], { conversationId, text: 'x', replyTo: odd });
      attempt('POST', `${chat}/conversations/start`, ['USER_NOT_FOUND', 'VALIDATION_FAILED'], { targetUserId: odd });
      attempt('POST', `${chat}/conversations/group`, ['USER_NOT_FOUND', 'VALIDATION_FAILED'], { title: 'x', participantIds: [odd] });
      attempt('POST', `${chat}/conversations/${conversationId}/read`, ['MESSAGE_NOT_FOUND'], { upToMessageId: odd });
      for (const path of ['conversations', `messages/all/${conversationId}`]) {
        for (const field of ['cursor', 'limit']) if (odd.trim()) attempt('GET', `${chat}/${path}?${query({ [field]: odd })}`, ['VALIDATION_FAILED']);
      }
      if (odd.trim()) attempt('GET', `${chat}/messages/search?${query({ q: 'x', cursor: odd })}`, ['VALIDATION_FAILED']);
      if (odd.trim()) attempt('GET', `${chat}/messages/search?${query({ q: 'x', conversationId: odd })}`, ['CONVERSATION_NOT_FOUND']);
      if (odd.trim() && odd !== '0') attempt('GET', `${chat}/conversations/${conversationId}/changes?${query({ since: odd })}`, ['VALIDATION_FAILED']);
    }
    for (const odd of objects) {
      attempt('POST', `${chat}/messages`, ['VALIDATION_FAILED'], { conversationId: odd, text: 'x' });
      attempt('POST', `${chat}/messages`, ['VALIDATION_FAILED'], { conversationId, text: odd });
      attempt('POST', `${chat}/messages`, ['VALIDATION_FAILED'], { conversationId, text: 'x', clientMessageId: odd });
      attempt('PATCH', `${chat}/messages/${messageId}`, ['VALIDATION_FAILED'], { text: odd });
      attempt('POST', `${chat}/conversations/start`, ['VALIDATION_FAILED'], { targetUserId: odd });
      attempt('POST', `${chat}/conversations/group`, ['VALIDATION_FAILED'], { title: odd, participantIds: [ben.id] });
      attempt('POST', `${chat}/conversations/group`, ['VALIDATION_FAILED'], { title: 'x', participantIds: [odd] });
      attempt('POST', `${chat}/conversations/${conversationId}/read`, ['VALIDATION_FAILED'], { upToMessageId: odd });
      attempt('PATCH', '/api/v1/users/me', ['VALIDATION_FAILED'], { fullName: odd });
      attempt('PUT', '/api/v1/notifications/preferences', ['VALIDATION_FAILED'], { chatNotifications: odd === true ? 'true' : odd });
      attempt('POST', '/api/messages/read', ['VALIDATION_FAILED'], { conversationId: odd });
    }
    await inFlight(6, attempts, async ({ method, path, codes, body }) => {
      const { status, body: answer } = await ann.rest.request(method, path, { body });
      const what = `${method} ${path} ${JSON.stringify(body)} → ${status} ${JSON.stringify(answer)}`.slice(0, 600);
      assert.ok(status >= 400 && status < 500 && codes.includes(answer.code), what);
    });
    assert.deepEqual((await ben.talk(conversationId)).map(({ text }) => text), ['here']);
    assert.equal((await ann.rest.get(`${chat}/conversations`)).data.conversations.length, 1);
  });

  it('people whose ids are operators chat like anybody', async () => {
    const tail = server.stranger().id;
    const operators = [
      '$where', '$set', 'a.b.c', '.', '$', '__proto__', 'constructor', 'toString', "' OR '1'='1", '%', '_', '*', '\\', '"',
      '{"$ne":null}', 'ü\u202eü', '👩‍👩‍👧‍👧', '\ufeff', 'null', '0',
    ];
    const ids = operators.map((id) => `${id}${id.length < 3 ? '' : tail}`);
    const people = await Promise.all(ids.map((id) => called(id, 'Operator')));
    const owner = await server.person('Owner');
    const group = await owner.group('operators', people);
    const client = await owner.enter('gateway', group);
    const said = new Map();
    for (const person of people) said.set(person.id, await person.say(group, `said by ${person.id}`, { clientMessageId: 'the same' }));
    const last = [...said.values()].at(-1);
    for (const person of people) {
      const again = await person.say(group, 'not said', { clientMessageId: 'the same' });
      assert.equal(again._id, said.get(person.id)._id, person.id);
      assert.equal((await person.rest.put(`${chat}/messages/${last._id}/reactions/x`)).status, 200, person.id);
      const { data } = await person.rest.post(`${chat}/conversations/${group}/read`, {});
      assert.deepEqual(data, { unreadCount: 0 }, person.id);
      // A path that ends in a dot is no path: fetch, as every browser, takes it away, however it is written.
      if (person.id !== '.') {
        const path = `/api/v1/users/${encodeURIComponent(person.id).replaceAll('.', '%2E')}`;
        assert.equal((await owner.rest.get(path)).data.user._id, person.id);
      }
      assert.deepEqual(await client.call('user:get-status', person.id), { userId: person.id, status: 'offline' });
    }
    assert.equal(await owner.unread(group), people.length);
    const history = await owner.talk(group);
    assert.deepEqual(history.map(({ sender, text }) => [sender._id, text]), ids.map((id) => [id, `said by ${id}`]));
    assert.deepEqual(history.at(-1).reactions.map(({ emoji, count, userIds }) => [emoji, count, [...userIds].sort()]), [['x', ids.length, [...ids].sort()]]);
    await fence(client);
    assert.deepEqual(client.received('newMessage').filter(({ conversationId, type }) => conversationId === group && type !== 'system').map(({ senderId }) => senderId), ids);

    const [blocker, blocked] = people;
    const id = await blocker.direct(blocked);
    assert.equal((await blocker.rest.put(`/api/v1/users/${encodeURIComponent(blocked.id)}/block`)).status, 200);
    assert.deepEqual((await blocker.rest.get('/api/v1/users/blocked')).data.users.map(({ _id }) => _id), [blocked.id]);
    assert.equal((await blocked.rest.post(`${chat}/messages`, { conversationId: id, text: 'x' })).body.code, 'BLOCKED');
    const gone = people.at(-1);
    assert.equal((await owner.rest.delete(`${chat}/conversations/${group}/participants/${encodeURIComponent(gone.id)}`)).status, 200);
    assert.deepEqual((await owner.conversation(group)).participants.map(({ user }) => user._id).sort(), [owner.id, ...ids.filter((other) => other !== gone.id)].sort());
  });

  it('clientMessageIds and reactions that are operators are what they say', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    for (const clientMessageId of short) {
      const first = await ann.say(conversationId, 'once', { clientMessageId });
      const [again, other] = [await ann.say(conversationId, 'twice', { clientMessageId }), await ben.say(conversationId, 'mine', { clientMessageId })];
      assert.deepEqual([again._id, again.clientMessageId, other.clientMessageId], [first._id, clientMessageId, clientMessageId]);
      assert.notEqual(other._id, first._id);
    }
    assert.equal((await ben.talk(conversationId)).length, short.length * 2);
    for (let at = 0; at < short.length; at += 20) {
      const emojis = short.slice(at, at + 20);
      const { _id } = await ann.say(conversationId, 'react');
      const client = await ben.connect('ulearn');
      for (const emoji of emojis) await client.ok('message:react', { messageId: _id, emoji });
      const reactions = async () => (await ann.talk(conversationId)).at(-1).reactions.map(({ emoji, userIds }) => [emoji, ...userIds]);
      assert.deepEqual((await reactions()).sort(), emojis.map((emoji) => [emoji, ben.id]).sort());
      for (const emoji of emojis.slice(1)) await client.ok('message:unreact', { messageId: _id, emoji });
      assert.deepEqual(await reactions(), [[emojis[0], ben.id]]);
    }
  });

  it('names and titles that are patterns are found as what they are', async () => {
    const names = [...short, '100% Anna', 'Anna_Bea', 'AnnaXBea', 'Ann\\a', "O'Brien", 'Anna "Bea"', 'Anna.*', '\u202eannA', 'ann$'];
    const people = await Promise.all(names.map((name) => called(`named-${server.stranger().id}`, name)));
    const owner = await server.person('Owner of groups');
    const groups = await inFlight(4, names, (title, at) => owner.group(title, [people[(at + 1) % people.length]]));
    for (const [at, text] of names.entries()) {
      const { status, data } = await owner.rest.get(`/api/v1/users?${query({ search: text, limit: 100 })}`);
      assert.equal(status, 200, text);
      const holds = (name) => name.toLowerCase().includes(text.toLowerCase());
      assert.deepEqual(data.users.filter(({ _id }) => _id.startsWith('named-')).map(({ fullName }) => fullName).sort(), names.filter(holds).sort(), text);
      const listed = await owner.rest.get(`${chat}/conversations?${query({ search: text, limit: 100 })}`);
      assert.equal(listed.status, 200, text);
      const expected = groups.filter((_, index) => holds(names[index]) || holds(names[(index + 1) % names.length]) || holds(owner.name));
      assert.deepEqual(listed.data.conversations.map(({ _id }) => _id).sort(), expected.sort(), `${at}: ${text}`);
    }
    for (const nothing of ['a\0b', '\0']) {
      assert.equal((await owner.rest.post(`${chat}/conversations/group`, { title: nothing, participantIds: [people[0].id] })).status, 400);
      assert.equal((await owner.rest.get(`/api/v1/users?${query({ search: nothing })}`)).status, 400);
      assert.equal((await owner.rest.get(`${chat}/conversations?${query({ search: nothing })}`)).status, 400);
    }
  });

  it('a name with NUL in it is none', async () => {
    for (const name of ['a\0b', '\0']) {
      const ann = await server.person('Ann');
      const { status, body } = await ann.rest.patch('/api/v1/users/me', { fullName: name });
      assert.deepEqual([status, body.code], [400, 'VALIDATION_FAILED'], JSON.stringify(body));
      const pictured = await ann.rest.patch('/api/v1/users/me', { profilePicture: `https://files.example/${name}` });
      assert.ok([200, 400].includes(pictured.status), JSON.stringify(pictured.body));
      // Who signs tokens may let anybody choose their name: it is made fit, and lets them in.
      const odd = await called(`odd-${server.stranger().id}`, name);
      const found = await ann.rest.get(`/api/v1/users/${odd.id}`);
      assert.deepEqual([found.status, found.data?.user.fullName.includes('\0')], [200, false], JSON.stringify(found.body));
    }
  });
});
