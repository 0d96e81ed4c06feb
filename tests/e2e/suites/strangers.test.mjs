// What somebody can find out who is not meant to know: without a token, with one but nothing shared, blocked, or no
// longer a member. Each row of the table in docs/security.md ("What a stranger can learn") names a test, most of them here.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, fence } from '../support/client.mjs';
import { form, png } from '../support/contents.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { Rest } from '../support/rest.mjs';
import { Server } from '../support/server.mjs';
import { mintToken } from '../support/tokens.mjs';
import { eventually, inFlight } from '../support/wait.mjs';

const UNKNOWN_ID = '64f123abc456def789012345';
const NOBODY = 'nobody-knows';
const chat = '/api/v1/chat';

/** Every route that names a conversation, and a body for it. */
const conversationRoutes = (id, user) => [
  ['GET', `${chat}/conversations/${id}`],
  ['PATCH', `${chat}/conversations/${id}`, { title: 'mine' }],
  ['POST', `${chat}/conversations/${id}/participants`, { userIds: [user] }],
  ['DELETE', `${chat}/conversations/${id}/participants/${user}`],
  ['PATCH', `${chat}/conversations/${id}/participants/${user}`, { role: 'admin' }],
  ['PUT', `${chat}/conversations/${id}/photo`, { url: 'https://files.example/a.png' }],
  ['DELETE', `${chat}/conversations/${id}/photo`],
  ['GET', `${chat}/conversations/${id}/online`],
  ['POST', `${chat}/conversations/${id}/read`, {}],
  ['GET', `${chat}/conversations/${id}/changes?since=0`],
  ['POST', `${chat}/messages`, { conversationId: id, text: 'hello' }],
  ['POST', '/api/messages', { conversationId: id, text: 'hello' }],
  ['GET', `${chat}/messages/all/${id}`],
  ['GET', `/api/messages/${id}`],
  ['POST', '/api/messages/read', { conversationId: id }],
  ['GET', `${chat}/messages/search?q=hello&conversationId=${id}`],
];
/** The same by socket, in every dialect's words. */
const conversationEvents = (client, id) => [
  client.words.join(id),
  ...(client.words.send ? [client.sending(id, 'hello')] : []),
  client.words.typingStart(id, client.person.id),
  ['messages:mark_read', { conversationId: id }],
  ['call:invite', { conversationId: id, callId: 'a-call', media: 'audio' }],
];
const messageRoutes = (id) => [
  ['PATCH', `${chat}/messages/${id}`, { text: 'mine' }],
  ['DELETE', `${chat}/messages/${id}`],
  ['DELETE', `/api/messages/${id}`],
  ['PUT', `${chat}/messages/${id}/reactions/x`],
  ['DELETE', `${chat}/messages/${id}/reactions/x`],
];
const messageEvents = (id) => [
  ['message:edit', { messageId: id, text: 'mine' }],
  ['message:delete', { messageId: id }],
  ['message:react', { messageId: id, emoji: 'x' }],
  ['message:unreact', { messageId: id, emoji: 'x' }],
];

const asked = async (rest, routes) => inFlight(4, routes, async ([method, path, body]) => {
  const { status, body: answer } = await rest.request(method, path, { body });
  return [status, answer];
});
const told = (client, events) => inFlight(4, events, ([event, payload]) => client.call(event, payload));
const codes = (answers) => [...new Set(answers.map((answer) => answer.code ?? answer[1]?.code))];

describe('strangers', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { TYPING_TIMEOUT: '120s' } });
  });
  after(() => server.close());

  const upload = async (person) => {
    const body = form([['media', { name: 'holiday.png', content: png(4, 4) }]]);
    const answer = await fetch(new URL('/api/v1/media/upload', server.url), { method: 'POST', headers: { authorization: `Bearer ${person.token}` }, body });
    return (await answer.json()).data.url;
  };
  /** Two people, and what they have: a direct conversation with nothing in it, a group in which much is said. */
  async function company() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const [direct, group] = [await ann.direct(ben), await ann.group('Company', [ben])];
    const messages = [];
    for (const text of ['one', 'two', 'three']) messages.push(await ann.say(group, text));
    await ann.rest.delete(`${chat}/messages/${messages[2]._id}`);
    // Notifications are made apart from messages; from now on none is made while Ben leaves it unread.
    const notified = async () => (await ben.rest.get('/api/v1/notifications')).data.notifications;
    const [notification] = await eventually('a notification for Ben', notified, (all) => all.length > 0);
    return { ann, ben, direct, group, messages, notification };
  }

  it('without a token, what is there and what is not are answered alike', async () => {
    const { ann, group, messages } = await company();
    const routes = (user, conversation, message) => [
      ...conversationRoutes(conversation, user), ...messageRoutes(message),
      ['GET', `/api/v1/users/${user}`], ['GET', `/api/v1/users?search=${user}`], ['PUT', `/api/v1/users/${user}/block`],
      ['POST', `${chat}/conversations/start`, { targetUserId: user }], ['GET', '/api/v1/notifications'], ['PUT', `/api/v1/notifications/${message}/read`],
    ];
    for (const [token, code] of [[undefined, 'TOKEN_REQUIRED'], ['rubbish', 'INVALID_TOKEN']]) {
      const rest = new Rest(server, token);
      const there = await asked(rest, routes(ann.id, group, messages[0]._id));
      const not = await asked(rest, routes(NOBODY, UNKNOWN_ID, UNKNOWN_ID));
      assert.deepEqual(there, not);
      assert.deepEqual(codes(there), [code]);
    }
    const refusals = [];
    for (const sub of [ann.id, NOBODY]) {
      const token = mintToken('not the secret', { sub });
      refusals.push(await Client.connect(ann, { token, reconnection: false }).then(() => 'welcome', (error) => error.message));
    }
    assert.deepEqual(refusals, Array(2).fill('Authentication error: Invalid token'));
  });

  it('a medium is had by its whole link alone', async () => {
    const ann = await server.person('Ann');
    const [url, other] = [await upload(ann), await upload(ann)];
    const status = async (path) => (await fetch(new URL(path, server.url))).status;
    assert.equal(await status(url), 200);
    const [, , id, name] = url.split('/');
    for (const path of [`/media/${id}/other.png`, `/media/${id}/`, `/media/${id}`, `/media/${UNKNOWN_ID}/${name}`, '/media/', '/media', `/media/${id}/..%2F${name}`]) assert.equal(await status(path), 404, path);
    // An id of this kind that follows from another one would show everybody's media to whoever has one.
    assert.ok(id.slice(8, 18) !== other.split('/')[2].slice(8, 18) && id.slice(0, 8) !== other.split('/')[2].slice(0, 8), `${url} ${other}`);
  });

  it('the open routes say nothing of people', async () => {
    const said = () => Promise.all(['/healthz', '/readyz', '/'].map(async (path) => (await fetch(new URL(path, server.url))).text()));
    const earlier = await said();
    const { ann, group } = await company();
    const client = await ann.enter('gateway', group);
    await client.send(group, 'four');
    assert.deepEqual(await said(), earlier);
  });

  it('of another user everybody with a token sees name, picture and status, and no more', async () => {
    const [ann, eve] = [await server.person('Ann', { email: 'ann@mail.example', phone: '555' }), await server.person('Eve')];
    const of = async (id) => (await eve.rest.get(`/api/v1/users/${id}`)).body;
    const user = { _id: ann.id, fullName: 'Ann', profilePicture: null };
    assert.deepEqual((await of(ann.id)).data, { user, status: 'offline' });
    assert.deepEqual((await eve.rest.get(`/api/v1/users?search=${ann.id}`)).data, { users: [user] });
    await ann.connect();
    assert.deepEqual((await of(ann.id)).data, { user, status: 'online' });
    assert.equal((await of(NOBODY)).code, 'USER_NOT_FOUND');
    const client = await eve.connect('marketplace');
    assert.deepEqual(await client.call('users:get-status', [ann.id, NOBODY]), [{ userId: ann.id, status: 'online' }, { userId: NOBODY, status: 'offline' }]);
    const all = (await eve.rest.get('/api/v1/users?limit=100')).data.users;
    assert.ok(all.some(({ _id }) => _id === eve.id), 'without a search, everybody is listed');
  });

  it('a foreign conversation is refused in one way, whatever it is', async () => {
    const eve = await server.person('Eve');
    const { ann, direct, group } = await company();
    const among = async (id) => asked(eve.rest, conversationRoutes(id, ann.id));
    const [ofDirect, ofGroup, ofUnknown] = [await among(direct), await among(group), await among(UNKNOWN_ID)];
    assert.deepEqual([codes(ofDirect), codes(ofUnknown)], [['NOT_PARTICIPANT'], ['CONVERSATION_NOT_FOUND']]);
    assert.deepEqual(ofGroup, ofDirect);
    for (const [status, body] of ofGroup) assert.deepEqual([status, Object.keys(body).sort()], [403, ['code', 'message', 'success']]);
    for (const dialect of DIALECTS) {
      const client = await eve.connect(dialect);
      const events = (id) => told(client, conversationEvents(client, id));
      const [inDirect, inGroup, inUnknown] = [await events(direct), await events(group), await events(UNKNOWN_ID)];
      assert.deepEqual([codes(inDirect), codes(inUnknown)], [['NOT_PARTICIPANT'], ['CONVERSATION_NOT_FOUND']], dialect);
      assert.deepEqual(inGroup, inDirect);
      for (const answer of inGroup) assert.deepEqual(Object.keys(answer).sort(), ['code', 'error', 'success']);
    }
  });

  it('sync, lists and unread counts do not know a foreign conversation', async () => {
    const eve = await server.person('Eve');
    const { direct, group } = await company();
    const client = await eve.connect();
    const { conversations, unknown } = await client.ok('sync', { conversations: { [direct]: 0, [group]: 2, [UNKNOWN_ID]: 0 } });
    assert.deepEqual([conversations, unknown.sort()], [[], [direct, group, UNKNOWN_ID].sort()]);
    assert.deepEqual((await eve.rest.get(`${chat}/conversations?search=Company`)).data.conversations, []);
    assert.deepEqual((await eve.rest.get(`${chat}/unread`)).data, { total: 0, conversations: {} });
    assert.deepEqual((await eve.rest.get(`${chat}/messages/search?q=one`)).data.messages, []);
  });

  it('a foreign message is answered like one that is not there', async () => {
    const [eve, dan] = await server.people('Eve', 'Dan');
    const { messages } = await company();
    const own = await eve.direct(dan);
    const client = await eve.connect();
    const about = async (id) => {
      const [reply, reading] = [{ conversationId: own, text: 'x', replyTo: id }, { conversationId: own, upToMessageId: id }];
      return [
        ...await asked(eve.rest, [...messageRoutes(id), ['POST', `${chat}/messages`, reply], ['POST', `${chat}/conversations/${own}/read`, reading]]),
        ...await told(client, [...messageEvents(id), ['message:send', reply], ['messages:mark_read', reading]]),
      ];
    };
    const unknown = await about(UNKNOWN_ID);
    assert.deepEqual(codes(unknown), ['MESSAGE_NOT_FOUND']);
    // Where a page begins, and what is read one by one, has to be in the conversation that it is about.
    const within = async (id) => asked(eve.rest, [['GET', `${chat}/messages/all/${own}?cursor=${id}`], ['POST', `${chat}/conversations/${own}/read`, { messageIds: [id] }]]);
    const nowhere = await within(UNKNOWN_ID);
    // The last one was deleted.
    for (const { _id } of messages) assert.deepEqual([await about(_id), await within(_id)], [unknown, nowhere]);
  });

  it('foreign notifications and calls are answered like those that are not there', async () => {
    const { ann, group, notification } = await company();
    const [eve, dan] = await server.people('Eve', 'Dan');
    const [caller, client] = [await ann.connect(), await eve.connect()];
    const callId = `call-${ann.id}`;
    await caller.ok('call:invite', { conversationId: group, callId, media: 'audio' });
    const about = async (note, call) => [
      ...await asked(eve.rest, [['PUT', `/api/v1/notifications/${note}/read`], ['DELETE', `/api/v1/notifications/${note}`]]),
      ...await told(client, [['notification:read', note], ...['accept', 'reject', 'hangup'].map((step) => [`call:${step}`, { callId: call }])]),
      ...await told(client, [['call:signal', { callId: call, to: ann.id, data: 1 }]]),
    ];
    const foreign = await about(notification._id, callId);
    assert.deepEqual([codes(foreign), foreign], [['NOT_FOUND'], await about(UNKNOWN_ID, 'no-call')]);
    // Ids of calls are chosen by clients: a second call with one is refused, so that it can be told that there is one.
    const own = await eve.direct(dan);
    assert.equal((await client.call('call:invite', { conversationId: own, callId, media: 'audio' })).code, 'CONFLICT');
  });

  it('whoever shares nothing hears nothing', async () => {
    const eve = await server.person('Eve');
    const watching = await Promise.all(DIALECTS.map((dialect) => eve.connect(dialect)));
    await fence(...watching);
    const marks = watching.map((client) => client.mark());
    const { ann, ben, direct, group, messages } = await company();
    const [one, other] = [await ann.enter('talentbridge', direct, group), await ben.enter('ulearn', direct, group)];
    await one.startTyping(group);
    await one.ok('message:edit', { messageId: messages[0]._id, text: 'edited' });
    await one.ok('message:react', { messageId: messages[0]._id, emoji: 'x' });
    await other.ok('messages:mark_read', { conversationId: group });
    await ann.rest.patch(`${chat}/conversations/${group}`, { title: 'Renamed' });
    await ann.rest.put(`${chat}/conversations/${group}/photo`, { url: 'https://files.example/a.png' });
    await one.ok('call:invite', { conversationId: direct, callId: `call-${ann.id}`, media: 'audio' });
    await other.ok('call:reject', { callId: `call-${ann.id}` });
    other.close();
    await one.until('user:offline', ({ userId }) => userId === ben.id);
    await fence(...watching);
    for (const [at, client] of watching.entries()) {
      const heard = client.log.slice(marks[at]).filter(({ event, args }) => !JSON.stringify(args).includes('fence') && event !== 'unreadCount');
      assert.deepEqual(heard, [], client.dialect);
    }
  });

  it('a conversation can be started with anybody, who hears of it, and shows presence from then on', async () => {
    const [ann, eve, dan] = await server.people('Ann', 'Eve', 'Dan');
    await ann.direct(dan);
    const [victim, client, witness] = [await ann.connect(), await eve.connect(), await dan.connect()];
    await eve.direct(ann);
    await victim.until('conversation:new');
    victim.close();
    await client.until('user:offline', ({ userId }) => userId === ann.id);
    await witness.until('user:offline', ({ userId }) => userId === ann.id);
    await ann.rest.put(`/api/v1/users/${eve.id}/block`);
    const [since, seen] = [client.mark(), witness.mark()];
    await ann.connect();
    await witness.until('user:online', ({ userId }) => userId === ann.id, { since: seen });
    await client.fence();
    assert.deepEqual(client.received('user:online', { since }).filter(({ userId }) => userId === ann.id), [], 'until they are blocked');
  });

  it('a blocked user hears of it by what they send, start or ring, and nowhere else', async () => {
    const { ann, ben, direct } = await company();
    const before = [await ben.conversation(direct), (await ben.rest.get(`/api/v1/users/${ann.id}`)).body];
    const client = await ben.connect();
    await client.fence();
    const since = client.mark();
    await ann.rest.put(`/api/v1/users/${ben.id}/block`);
    await client.fence();
    assert.deepEqual(client.log.slice(since).filter(({ args }) => !JSON.stringify(args).includes('fence')), []);
    assert.deepEqual([await ben.conversation(direct), (await ben.rest.get(`/api/v1/users/${ann.id}`)).body], before);
    assert.deepEqual((await ben.rest.get('/api/v1/users/blocked')).data.users, []);
    const hears = [
      await client.call('message:send', { conversationId: direct, text: 'hello?' }),
      await client.call('call:invite', { conversationId: direct, callId: 'a-call', media: 'audio' }),
      (await ben.rest.post(`${chat}/conversations/start`, { targetUserId: ann.id })).body,
    ];
    assert.deepEqual(hears.map(({ code, error, message }) => [code, error ?? message]), Array(3).fill(['BLOCKED', 'Action not available']));
  });

  it('a former member is answered like somebody who never was one', async () => {
    const { ann, ben, group } = await company();
    const eve = await server.person('Eve');
    const own = await ben.say(group, 'said while a member');
    await ann.say(group, 'while a member, unread');
    const [client, other] = [await ben.enter('talentbridge', group), await eve.connect()];
    await ann.rest.delete(`${chat}/conversations/${group}/participants/${ben.id}`);
    await client.until('conversation:removed');
    const since = client.mark();
    await ann.say(group, 'said behind their back');
    for (const [one, another] of [
      [await asked(ben.rest, [...conversationRoutes(group, ann.id), ...messageRoutes(own._id)]), await asked(eve.rest, [...conversationRoutes(group, ann.id), ...messageRoutes(own._id)])],
      [await told(client, [...conversationEvents(client, group), ...messageEvents(own._id)]), await told(other, [...conversationEvents(other, group), ...messageEvents(own._id)])],
    ]) assert.deepEqual(one, another);
    assert.deepEqual((await client.ok('sync', { conversations: { [group]: 0 } })).unknown, [group]);
    assert.deepEqual((await ben.rest.get(`${chat}/messages/search?q=member`)).data.messages, []);
    assert.deepEqual((await ben.rest.get(`${chat}/unread`)).data.conversations, {});
    await client.fence();
    assert.deepEqual(client.log.slice(since).filter(({ args }) => JSON.stringify(args).includes(group)), []);
  });
});
