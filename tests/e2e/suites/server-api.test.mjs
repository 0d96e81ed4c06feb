// What a product's own backend does with a key: users, presence, events of its own, notifications, messages.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { DIALECTS } from '../support/dialects.mjs';
import { Server } from '../support/server.mjs';
import { conforms, conversation as conversationShape, messages } from '../support/shapes.mjs';
import { eventually } from '../support/wait.mjs';

const base = '/api/v1/server';
const [all, presenceOnly] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];

describe('the server API', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { SERVER_API_KEYS: `shop=${all},ops:presence=${presenceOnly}`, RUST_LOG: 'warn,parlance::audit=info' } });
    server.tokens.add(all).add(presenceOnly);
  });
  after(() => server.close());

  async function ask(method, path, body, key = all) {
    const headers = { 'content-type': 'application/json', ...(key && { 'x-api-key': key }) };
    const answer = await fetch(new URL(`${base}${path}`, server.url), { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, ...(await answer.json()) };
  }
  const done = async (...call) => {
    const answer = await ask(...call);
    assert.equal(answer.success, true, JSON.stringify(answer));
    return answer.data;
  };
  const refused = async (...call) => {
    const { status, success, code, message } = await ask(...call);
    assert.equal(success, false);
    return [status, code, message];
  };

  it('a wrong key, a user’s token and none are 401 INVALID_API_KEY, a key without the scope is 403', async () => {
    const ann = await server.person('Ann');
    for (const key of [null, '', 'x'.repeat(48), all.slice(1), ann.token]) {
      assert.deepEqual(await refused('GET', '/online-count', undefined, key), [401, 'INVALID_API_KEY', 'Invalid API key']);
    }
    assert.deepEqual(await refused('POST', '/broadcast', { event: 'news' }, presenceOnly), [403, 'FORBIDDEN', 'This key may not do that']);
    assert.equal((await ask('GET', '/online-count', undefined, presenceOnly)).status, 200);
  });

  it('without keys there is no server API', async () => {
    const closed = await Server.start();
    const { status } = await fetch(new URL(`${base}/online-count`, closed.url), { headers: { 'x-api-key': all } });
    await closed.close();
    assert.equal(status, 404);
  });

  it('PUT /users makes users and changes them; what it leaves out is kept', async () => {
    const id = `made-${randomUUID()}`;
    const made = await done('PUT', `/users/${id}`, { fullName: 'Made Up', profilePicture: 'https://example.com/a.png', email: 'made@example.com' });
    assert.deepEqual([made.user._id, made.user.fullName, made.user.profilePicture], [id, 'Made Up', 'https://example.com/a.png']);
    const renamed = await done('PUT', `/users/${id}`, { fullName: 'Renamed' });
    assert.deepEqual([renamed.user.fullName, renamed.user.profilePicture], ['Renamed', 'https://example.com/a.png']);
    assert.equal((await done('PUT', `/users/${id}`, { profilePicture: null })).user.profilePicture ?? null, null);
    const ann = await server.person('Ann');
    assert.equal((await ann.rest.get(`/api/v1/users/${id}`)).data.user.fullName, 'Renamed');
    assert.deepEqual((await refused('PUT', `/users/${id}`, { fullName: '' })).slice(0, 2), [400, 'VALIDATION_FAILED']);
    assert.deepEqual((await refused('PUT', `/users/${'x'.repeat(129)}`, { fullName: 'Long' })).slice(0, 2), [400, 'VALIDATION_FAILED']);
  });

  it('with AUTH_PROVISION=directory only users made here get in', async () => {
    const own = await Server.start({ env: { SERVER_API_KEYS: `shop=${all}`, AUTH_PROVISION: 'directory' } });
    const ann = own.stranger('Ann');
    assert.equal((await ann.rest.get('/api/v1/users/me')).status, 401);
    const made = await fetch(new URL(`${base}/users/${ann.id}`, own.url), { method: 'PUT', headers: { 'x-api-key': all }, body: '{"fullName":"Ann"}' });
    assert.equal(made.status, 200);
    assert.equal((await ann.rest.get('/api/v1/users/me')).data.user._id, ann.id);
    await own.close();
  });

  it('says who is online, and how many', async () => {
    const ann = await server.person('Ann');
    assert.deepEqual(await done('GET', `/users/${ann.id}/online`), { online: false });
    const { count } = await done('GET', '/online-count');
    const client = await ann.connect();
    assert.deepEqual(await done('GET', `/users/${ann.id}/online`), { online: true });
    assert.deepEqual(await done('GET', '/online-count'), { count: count + 1 });
    client.close();
    await eventually('offline', () => done('GET', `/users/${ann.id}/online`), ({ online }) => !online);
  });

  it('an order update reaches every socket of one user in any dialect, and nobody else', async () => {
    const [buyer, other] = await server.people('Buyer', 'Other');
    const sockets = await Promise.all(DIALECTS.map((dialect) => buyer.connect(dialect)));
    const bystander = await other.connect();
    const data = { orderId: 7, status: 'shipped', lines: [{ sku: 'a', note: null }] };
    assert.deepEqual(await done('POST', `/users/${buyer.id}/emit`, { event: 'order:update', data }), { emitted: true });
    for (const socket of sockets) assert.deepEqual(await socket.until('order:update'), data);
    await bystander.fence();
    assert.deepEqual(bystander.received('order:update'), []);
    assert.deepEqual(await done('POST', '/users/nobody-here/emit', { event: 'order:update' }), { emitted: false });
  });

  it('an event for a conversation reaches who joined it; a broadcast reaches everybody', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const conversationId = await ann.direct(ben);
    const [inside, outside, elsewhere] = [await ann.enter('ulearn', conversationId), await ben.connect('gateway'), await eve.connect('nextchat')];
    assert.deepEqual(await done('POST', `/conversations/${conversationId}/emit`, { event: 'room:note', data: 'hi' }), { emitted: true });
    assert.equal(await inside.until('room:note'), 'hi');
    assert.deepEqual(await done('POST', '/broadcast', { event: 'announcement', data: [1, 2] }), { emitted: true });
    for (const socket of [inside, outside, elsewhere]) assert.deepEqual(await socket.until('announcement'), [1, 2]);
    assert.deepEqual([outside, elsewhere].map((socket) => socket.received('room:note')), [[], []]);
    const unknown = '64f456def789abc123456789';
    assert.deepEqual(await refused('POST', `/conversations/${unknown}/emit`, { event: 'room:note' }), [404, 'CONVERSATION_NOT_FOUND', 'Conversation not found']);
  });

  it('events of the server’s own and of the library cannot be sent, and names and data are bounded', async () => {
    const own = ['message:new', 'newMessage', 'disconnect', 'connect', 'error', 'typing:start', 'notification:new', 'session:expired', 'call:signal'];
    for (const event of [...own, '', 'two words', 'x'.repeat(101), 7, undefined]) {
      assert.deepEqual((await refused('POST', '/broadcast', { event, data: 1 })).slice(0, 2), [400, 'VALIDATION_FAILED'], String(event));
    }
    assert.deepEqual((await refused('POST', '/broadcast', { event: 'big', data: 'x'.repeat(65_536) })).slice(0, 2), [400, 'VALIDATION_FAILED']);
  });

  it('disconnecting ends every connection of a user with the reason, and none of the others’', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const sockets = [await ann.connect('talentbridge', { transports: ['websocket'] }), await ann.connect('ulearn', { transports: ['polling'], upgrade: false })];
    const other = await ben.connect();
    assert.deepEqual(await done('POST', `/users/${ann.id}/disconnect`, { reason: 'account closed' }), { disconnected: true });
    for (const socket of sockets) {
      assert.deepEqual(await socket.until('session:ended'), { reason: 'account closed' });
      assert.equal(await socket.until('disconnect'), 'io server disconnect');
    }
    await other.fence();
    assert.ok(other.socket.connected);
    await eventually('offline', () => done('GET', `/users/${ann.id}/online`), ({ online }) => !online);
    assert.deepEqual(await done('POST', `/users/${ann.id}/disconnect`), { disconnected: false });
    assert.deepEqual((await refused('POST', `/users/${ann.id}/disconnect`, { reason: 'x'.repeat(201) })).slice(0, 2), [400, 'VALIDATION_FAILED']);
  });

  it('notifications reach those who exist, live and in their list', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const client = await ann.connect('gateway');
    const notice = { type: 'job_match', title: 'A match', message: 'Seven jobs', link: '/jobs', data: { score: 0.5 } };
    assert.deepEqual(await done('POST', '/notifications', { userIds: [ann.id, ben.id, 'nobody-here'], ...notice }), { created: 2 });
    assert.equal((await client.until('notification')).title, 'A match');
    assert.equal((await ben.rest.get('/api/v1/notifications')).data.notifications[0].title, 'A match');
    for (const wrong of [{ userIds: [] }, { userIds: 'all' }, { type: 'chat_message' }, { title: '' }, { link: 'javascript:alert(1)' }]) {
      assert.deepEqual((await refused('POST', '/notifications', { userIds: [ann.id], ...notice, ...wrong })).slice(0, 2), [400, 'VALIDATION_FAILED'], JSON.stringify(wrong));
    }
  });

  it('starts conversations and sends in somebody’s name, by the rules that hold for them, once for each clientMessageId', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const { conversation } = await done('POST', '/conversations', { type: 'direct', participantIds: [ann.id, ben.id] });
    conforms(conversationShape, conversation);
    const client = await ben.enter('talentbridge', conversation._id);
    const draft = { conversationId: conversation._id, senderId: ann.id, text: 'from the backend', clientMessageId: randomUUID() };
    const first = await done('POST', '/messages', draft);
    conforms(messages.talentbridge, first.message);
    await client.untilText('from the backend');
    assert.equal((await done('POST', '/messages', draft)).message._id, first.message._id);
    assert.deepEqual((await ben.talk(conversation._id)).map(({ text, sender }) => [text, sender._id]), [['from the backend', ann.id]]);
    assert.deepEqual((await refused('POST', '/messages', { ...draft, senderId: eve.id }))[1], 'NOT_PARTICIPANT');
    assert.deepEqual((await refused('POST', '/messages', { ...draft, senderId: 'nobody-here' }))[1], 'USER_NOT_FOUND');
    for (let count = 0; count < 40; count++) await done('POST', '/messages', { ...draft, text: `burst ${count}`, clientMessageId: randomUUID() });

    const group = await done('POST', '/conversations', { type: 'group', participantIds: [eve.id, ann.id, ben.id], title: 'Order 7' });
    assert.deepEqual([group.conversation.title, group.conversation.participants.length], ['Order 7', 3]);
    for (const wrong of [{ type: 'direct', participantIds: [ann.id] }, { type: 'group', participantIds: [] }, { type: 'crowd', participantIds: [ann.id, ben.id] }, { type: 'group', participantIds: [ann.id] }]) {
      assert.deepEqual((await refused('POST', '/conversations', wrong)).slice(0, 2), [400, 'VALIDATION_FAILED'], JSON.stringify(wrong));
    }
  });

  it('every call is in the audit log with the name of its key', async () => {
    const ann = await server.person('Ann');
    await done('GET', `/users/${ann.id}/online`, undefined, presenceOnly);
    await refused('POST', `/users/${ann.id}/emit`, { event: 'x' }, presenceOnly);
    // The last piece may be half a line.
    const audited = () => server.log.split('\n').slice(0, -1).filter((line) => line.includes('parlance::audit') && line.includes(ann.id));
    const lines = await eventually('the lines', audited, ({ length }) => length >= 2);
    assert.equal(lines.length, 2);
    assert.match(lines[0], /key="ops" method=GET .*outcome="done"/);
    assert.match(lines[1], /key="ops" method=POST .*outcome="FORBIDDEN"/);
  });
});
