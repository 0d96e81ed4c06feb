// The HTTP API's conversation routes: envelope, statuses, paging, search, what an outsider gets.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { conforms, conversation as conversationShape, envelope, failure, messages, pagination } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const chat = '/api/v1/chat/conversations';
const UNKNOWN_ID = '64f123abc456def789012345';

describe('REST conversations', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  const refused = (answer, status, code) => {
    conforms(failure, answer.body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
  };

  it('starting: created once with 201, then found with 200, from both sides', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const first = await ann.rest.post(`${chat}/start`, { targetUserId: ben.id });
    conforms(envelope, first.body);
    conforms(conversationShape, first.data.conversation);
    assert.equal(first.status, 201);
    assert.deepEqual(first.data.conversation.participantUsers.map(({ fullName }) => fullName).sort(), ['Ann', 'Ben']);
    assert.deepEqual([first.data.conversation.type, first.data.conversation.lastMessage, first.data.conversation.unreadCount], ['direct', null, 0]);
    for (const [who, whom] of [[ann, ben], [ben, ann]]) {
      const again = await who.rest.post(`${chat}/start`, { targetUserId: whom.id });
      assert.deepEqual([again.status, again.data.conversation._id], [200, first.data.conversation._id]);
    }
  });

  it('starting with nobody, oneself or somebody unknown is refused', async () => {
    const ann = await server.person('Ann');
    for (const targetUserId of [undefined, 5, '', ann.id]) {
      const answer = await ann.rest.post(`${chat}/start`, { targetUserId });
      refused(answer, 400, 'VALIDATION_FAILED');
      assert.equal(answer.body.errors[0].field, 'targetUserId');
    }
    refused(await ann.rest.post(`${chat}/start`, { targetUserId: 'nobody-knows' }), 404, 'USER_NOT_FOUND');
    refused(await ann.rest.post(`${chat}/start`, '{"targetUserId":'), 400, 'VALIDATION_FAILED');
    refused(await ann.rest.post(`${chat}/start`, '[]'), 400, 'VALIDATION_FAILED');
  });

  it('the list comes latest activity first, in pages that cover everything once', async () => {
    const ann = await server.person('Ann');
    const others = await server.people(...Array.from({ length: 25 }, (_, index) => `Friend${index}`));
    const ids = [];
    for (const other of others) ids.push(await ann.direct(other));
    await others[3].say(ids[3], 'ping');
    await ann.say(ids[17], 'pong');
    const seen = [];
    for (let cursor = null; ; ) {
      const query = new URLSearchParams({ limit: 10, ...(cursor ? { cursor } : {}) });
      const { status, data } = await ann.rest.get(`${chat}?${query}`);
      assert.equal(status, 200);
      conforms(pagination, data.pagination);
      data.conversations.forEach((conversation) => conforms(conversationShape, conversation));
      seen.push(...data.conversations);
      if (!data.pagination.hasMore) {
        assert.equal(data.pagination.nextCursor, null);
        break;
      }
      assert.equal(data.conversations.length, 10);
      cursor = data.pagination.nextCursor;
    }
    assert.deepEqual(seen.slice(0, 2).map(({ _id }) => _id), [ids[17], ids[3]]);
    assert.deepEqual(seen.map(({ _id }) => _id).sort(), [...ids].sort());
    assert.deepEqual([seen[1].unreadCount, seen[1].lastMessage.text, seen[0].unreadCount], [1, 'ping', 0]);
    conforms(messages.talentbridge, seen[0].lastMessage);
    const byDefault = await ann.rest.get(chat);
    assert.deepEqual([byDefault.data.conversations.length, byDefault.data.pagination.hasMore], [20, true]);
  });

  it('the list is searched by title and by the others’ names', async () => {
    const [ann, marta, omar] = await server.people('Ann', 'Márta Kovács', 'Omar');
    const [direct, group] = [await ann.direct(marta), await ann.group('Mountain Hikers', [omar])];
    const search = async (text) => (await ann.rest.get(`${chat}?search=${encodeURIComponent(text)}`)).data.conversations.map(({ _id }) => _id);
    assert.deepEqual(await search('kovács'), [direct]);
    assert.deepEqual(await search('hiker'), [group]);
    assert.deepEqual(await search('omar'), [group]);
    assert.deepEqual(await search('%'), []);
    assert.deepEqual(await search('nothing of the kind'), []);
  });

  it('a limit out of range and a bad cursor are 400', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    for (const [path, top] of [
      [`${chat}?`, 100],
      [`/api/v1/chat/messages/all/${conversationId}?`, 200],
      [`${chat}/${conversationId}/changes?since=0&`, 200],
      [`/api/v1/chat/messages/search?q=x&`, 100],
    ]) {
      for (const limit of [0, -1, top + 101, 'many', '1.5']) {
        const answer = await ann.rest.get(`${path}limit=${limit}`);
        refused(answer, 400, 'VALIDATION_FAILED');
        assert.equal(answer.body.errors[0].field, 'limit', path);
      }
      assert.equal((await ann.rest.get(`${path}limit=1`)).status, 200);
    }
    for (const top of [100, 200]) {
      const path = top === 100 ? `${chat}?limit=` : `/api/v1/chat/messages/all/${conversationId}?limit=`;
      assert.equal((await ann.rest.get(`${path}${top}`)).status, 200);
      refused(await ann.rest.get(`${path}${top + 1}`), 400, 'VALIDATION_FAILED');
    }
    refused(await ann.rest.get(`${chat}?cursor=rubbish`), 400, 'VALIDATION_FAILED');
    refused(await ann.rest.get(`/api/v1/chat/messages/all/${conversationId}?cursor=rubbish`), 400, 'VALIDATION_FAILED');
  });

  it('one conversation, as each participant sees it', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    await ann.say(conversationId, 'hello');
    const { status, body, data } = await ben.rest.get(`${chat}/${conversationId}`);
    assert.equal(status, 200);
    conforms(envelope, body);
    conforms(conversationShape, data.conversation);
    assert.deepEqual([data.conversation.unreadCount, data.conversation.lastMessage.text], [1, 'hello']);
    assert.equal((await ann.conversation(conversationId)).unreadCount, 0);
  });

  it('unknown, malformed and foreign conversations are 404, 404 and 403 on every route', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const foreign = await ann.direct(ben);
    const attempts = (id) => [
      eve.rest.get(`${chat}/${id}`),
      eve.rest.patch(`${chat}/${id}`, { title: 'x' }),
      eve.rest.post(`${chat}/${id}/participants`, { userIds: [eve.id] }),
      eve.rest.delete(`${chat}/${id}/participants/${ann.id}`),
      eve.rest.patch(`${chat}/${id}/participants/${ann.id}`, { role: 'member' }),
      eve.rest.put(`${chat}/${id}/photo`, { url: 'https://files.example/a.png' }),
      eve.rest.delete(`${chat}/${id}/photo`),
      eve.rest.get(`${chat}/${id}/online`),
      eve.rest.post(`${chat}/${id}/read`, {}),
      eve.rest.get(`${chat}/${id}/changes?since=0`),
      eve.rest.get(`/api/v1/chat/messages/all/${id}`),
      eve.rest.get(`/api/messages/${id}`),
      eve.rest.post('/api/v1/chat/messages', { conversationId: id, text: 'x' }),
      eve.rest.post('/api/messages/read', { conversationId: id }),
      eve.rest.get(`/api/v1/chat/messages/search?q=x&conversationId=${id}`),
    ];
    for (const answer of await Promise.all(attempts(UNKNOWN_ID))) refused(answer, 404, 'CONVERSATION_NOT_FOUND');
    for (const answer of await Promise.all(attempts('not-an-id'))) refused(answer, 404, 'CONVERSATION_NOT_FOUND');
    for (const answer of await Promise.all(attempts(foreign))) refused(answer, 403, 'NOT_PARTICIPANT');
  });

  it('reading over REST: up to a message, single ones, or everything', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const ids = [];
    for (const text of ['1', '2', '3', '4', '5']) ids.push((await ann.say(conversationId, text))._id);
    const read = async (body) => (await ben.rest.post(`${chat}/${conversationId}/read`, body)).data.unreadCount;
    assert.equal(await read({ messageIds: [ids[3]] }), 4);
    assert.equal(await read({ upToMessageId: ids[1] }), 2);
    assert.equal(await read({ messageIds: [ids[2]] }), 1);
    assert.equal(await read({}), 0);
  });

  it('changes since a revision come in rev order, in pages', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const sent = [];
    for (const text of ['a', 'b', 'c', 'd', 'e']) sent.push(await ann.say(conversationId, text));
    await ann.rest.patch(`/api/v1/chat/messages/${sent[0]._id}`, { text: 'a, edited' });
    await ann.rest.delete(`/api/v1/chat/messages/${sent[1]._id}`);
    await ben.rest.put(`/api/v1/chat/messages/${sent[2]._id}/reactions/${encodeURIComponent('🎉')}`);
    const changes = async (since, limit) => (await ben.rest.get(`${chat}/${conversationId}/changes?since=${since}&limit=${limit}`)).data;

    const pages = [];
    for (let since = 0; ; ) {
      const page = await changes(since, 2);
      pages.push(page);
      page.messages.forEach((message) => conforms(messages.talentbridge, message));
      if (!page.hasMore) break;
      assert.equal(page.messages.length, 2);
      since = page.rev;
    }
    const all = pages.flatMap((page) => page.messages);
    assert.deepEqual(all.map(({ _id }) => _id), [sent[3], sent[4], sent[0], sent[1], sent[2]].map(({ _id }) => _id));
    const revs = all.map(({ rev }) => rev);
    assert.deepEqual(revs, [...revs].sort((a, b) => a - b));
    assert.equal(pages.at(-1).rev, (await ben.conversation(conversationId)).rev);
    assert.deepEqual([all[2].text, all[3].text, all[4].reactions[0].emoji], ['a, edited', null, '🎉']);
    const nothing = await changes(pages.at(-1).rev, 2);
    assert.deepEqual([nothing.messages, nothing.rev, nothing.hasMore], [[], pages.at(-1).rev, false]);
    refused(await ben.rest.get(`${chat}/${conversationId}/changes?since=-1`), 400, 'VALIDATION_FAILED');
    refused(await ben.rest.get(`${chat}/${conversationId}/changes?since=x`), 400, 'VALIDATION_FAILED');
  });

  it('an unknown route and a wrong method are answered in the envelope', async () => {
    const ann = await server.person('Ann');
    refused(await ann.rest.get('/api/v1/chat/nowhere'), 404, 'NOT_FOUND');
    refused(await ann.rest.get('/nowhere'), 404, 'NOT_FOUND');
    const { status, body } = await ann.rest.put(chat, {});
    assert.ok(status === 405 || status === 404);
    conforms(failure, body);
  });

  it('every route wants a token', async () => {
    const nobody = server.stranger();
    const routes = [
      ['POST', `${chat}/start`], ['POST', `${chat}/group`], ['GET', chat], ['GET', `${chat}/${UNKNOWN_ID}`], ['PATCH', `${chat}/${UNKNOWN_ID}`],
      ['POST', `${chat}/${UNKNOWN_ID}/participants`], ['DELETE', `${chat}/${UNKNOWN_ID}/participants/x`], ['PATCH', `${chat}/${UNKNOWN_ID}/participants/x`],
      ['PUT', `${chat}/${UNKNOWN_ID}/photo`], ['DELETE', `${chat}/${UNKNOWN_ID}/photo`], ['GET', `${chat}/${UNKNOWN_ID}/online`],
      ['POST', `${chat}/${UNKNOWN_ID}/read`], ['GET', `${chat}/${UNKNOWN_ID}/changes`], ['POST', '/api/v1/chat/messages'],
      ['GET', `/api/v1/chat/messages/all/${UNKNOWN_ID}`], ['GET', '/api/v1/chat/messages/search?q=x'], ['PATCH', `/api/v1/chat/messages/${UNKNOWN_ID}`],
      ['DELETE', `/api/v1/chat/messages/${UNKNOWN_ID}`], ['PUT', `/api/v1/chat/messages/${UNKNOWN_ID}/reactions/x`],
      ['DELETE', `/api/v1/chat/messages/${UNKNOWN_ID}/reactions/x`], ['GET', '/api/v1/chat/unread'], ['GET', '/api/v1/users/me'],
      ['PATCH', '/api/v1/users/me'], ['GET', '/api/v1/users/x'], ['GET', '/api/v1/users?search=x'], ['GET', '/api/v1/users/blocked'],
      ['PUT', '/api/v1/users/x/block'], ['DELETE', '/api/v1/users/x/block'], ['POST', '/api/messages'], ['GET', `/api/messages/${UNKNOWN_ID}`],
      ['DELETE', `/api/messages/${UNKNOWN_ID}`], ['POST', '/api/messages/read'], ['GET', '/api/messages/unread-count'],
    ];
    await inFlight(8, routes, async ([method, path]) => {
      const body = ['POST', 'PUT', 'PATCH'].includes(method) ? {} : undefined;
      const answer = await nobody.rest.request(method, path, { body, headers: { authorization: 'Bearer rubbish' } });
      assert.deepEqual([answer.status, answer.body.code], [401, 'INVALID_TOKEN'], `${method} ${path}`);
    });
  });
});
