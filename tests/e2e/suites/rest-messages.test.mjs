// The HTTP API's message routes and their aliases in the other guides' paths.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { DIALECTS, plainMessage } from '../support/dialects.mjs';
import { conforms, envelope, failure, messages, pagination, users } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

const api = '/api/v1/chat/messages';

describe('REST messages', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  const refused = (answer, status, code) => {
    conforms(failure, answer.body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
  };
  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    return { ann, ben, conversationId: await ann.direct(ben) };
  }

  it('sending: 201 with the message, 200 when the clientMessageId repeats', async () => {
    const { ann, ben, conversationId } = await pair();
    const listener = await ben.connect('talentbridge');
    const body = { conversationId, text: ' hello ', clientMessageId: randomUUID() };
    const first = await ann.rest.post(api, body);
    assert.equal(first.status, 201);
    conforms(envelope, first.body);
    conforms(messages.talentbridge, first.data.message);
    assert.deepEqual([first.data.message.text, first.data.message.seq], ['hello', 1]);
    const again = await ann.rest.post(api, body);
    assert.deepEqual([again.status, again.data.message._id], [200, first.data.message._id]);
    await listener.untilText('hello');
  });

  for (const name of ['text', 'content', 'message']) {
    it(`a body is accepted as ${name}, on both paths`, async () => {
      const { ann, conversationId } = await pair();
      for (const path of [api, '/api/messages']) {
        const { status, data } = await ann.rest.post(path, { conversationId, [name]: `as ${name}` });
        assert.equal(status, 201);
        assert.equal(data.message.text, `as ${name}`);
      }
    });
  }

  for (const dialect of DIALECTS) {
    it(`?dialect=${dialect} and X-Dialect shape messages and users`, async () => {
      const { ann, ben, conversationId } = await pair();
      const sent = await ann.rest.in(dialect).post(api, { conversationId, text: 'shaped' });
      conforms(messages[dialect], sent.data.message);
      const byQuery = await ben.rest.get(`${api}/all/${conversationId}?dialect=${dialect}`);
      const byHeader = await ben.rest.in(dialect).get(`${api}/all/${conversationId}`);
      assert.deepEqual(byQuery.data, byHeader.data);
      conforms(messages[dialect], byQuery.data.messages[0]);
      assert.equal(plainMessage(dialect, byQuery.data.messages[0]).text, 'shaped');
      conforms(users[dialect], (await ann.rest.get(`/api/v1/users/me?dialect=${dialect}`)).data.user);
      conforms(users[dialect], (await ann.rest.in(dialect).get(`/api/v1/users/${ben.id}`)).data.user);
      const changes = await ann.rest.in(dialect).get(`/api/v1/chat/conversations/${conversationId}/changes?since=0`);
      changes.data.messages.forEach((message) => conforms(messages[dialect], message));
    });
  }

  it('history: newest page first, oldest first inside a page, by message id and by nextCursor alike', async () => {
    const { ann, ben, conversationId } = await pair();
    for (let index = 1; index <= 25; index++) await ann.say(conversationId, `${index}`);
    const page = async (query) => (await ben.rest.get(`${api}/all/${conversationId}?${query}`)).data;
    const texts = ({ messages }) => messages.map(({ text }) => text);
    const span = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

    const first = await page('limit=10');
    conforms(pagination, first.pagination);
    assert.deepEqual([texts(first), first.pagination.hasMore], [span(16, 25), true]);
    for (const cursor of [first.pagination.nextCursor, first.messages[0]._id]) {
      const second = await page(`limit=10&cursor=${cursor}`);
      assert.deepEqual([texts(second), second.pagination.hasMore], [span(6, 15), true]);
      const last = await page(`limit=10&cursor=${second.messages[0]._id}`);
      assert.deepEqual([texts(last), last.pagination], [span(1, 5), { hasMore: false, nextCursor: null }]);
    }
    assert.equal((await page('')).messages.length, 25);
    const exact = await page('limit=25');
    assert.deepEqual([exact.messages.length, exact.pagination.hasMore], [25, false]);
  });

  it('history pages stay steady while new messages come', async () => {
    const { ann, ben, conversationId } = await pair();
    for (let index = 1; index <= 6; index++) await ann.say(conversationId, `${index}`);
    const first = (await ben.rest.get(`${api}/all/${conversationId}?limit=3`)).data;
    await ann.say(conversationId, '7');
    const second = (await ben.rest.get(`${api}/all/${conversationId}?limit=3&cursor=${first.pagination.nextCursor}`)).data;
    assert.deepEqual(second.messages.map(({ text }) => text), ['1', '2', '3']);
  });

  it('the default page has fifty messages', async () => {
    const { ann, ben, conversationId } = await pair();
    const client = await ann.connect('talentbridge');
    await Promise.all(Array.from({ length: 60 }, (_, index) => client.send(conversationId, `${index}`)));
    assert.equal((await ben.rest.get(`${api}/all/${conversationId}`)).data.messages.length, 50);
  });

  it('editing: own text only, with editedAt; not others’, not empty, not deleted', async () => {
    const { ann, ben, conversationId } = await pair();
    const message = await ann.say(conversationId, 'draft');
    const { status, data } = await ann.rest.patch(`${api}/${message._id}`, { text: 'final' });
    assert.equal(status, 200);
    conforms(messages.talentbridge, data.message);
    assert.equal(data.message.text, 'final');
    assert.notEqual(data.message.editedAt, null);
    assert.deepEqual([data.message.seq, data.message.rev > message.rev], [message.seq, true]);
    refused(await ben.rest.patch(`${api}/${message._id}`, { text: 'forged' }), 403, 'FORBIDDEN');
    for (const text of ['', '  ', 5, undefined, 'x'.repeat(10_001)]) refused(await ann.rest.patch(`${api}/${message._id}`, { text }), 400, 'VALIDATION_FAILED');
    await ann.rest.delete(`${api}/${message._id}`);
    refused(await ann.rest.patch(`${api}/${message._id}`, { text: 'back again' }), 409, 'CONFLICT');
  });

  it('deleting leaves a tombstone in its place', async () => {
    const { ann, ben, conversationId } = await pair();
    await ann.say(conversationId, 'one');
    const media = [{ url: 'https://files.example/a.jpg', type: 'image' }];
    const message = await ann.say(conversationId, 'two', { media, messageType: 'image' });
    await ann.say(conversationId, 'three');
    const { status, data } = await ann.rest.delete(`${api}/${message._id}`);
    assert.equal(status, 200);
    conforms(messages.talentbridge, data.message);
    assert.deepEqual([data.message.text, data.message.media], [null, []]);
    assert.notEqual(data.message.deletedAt, null);
    const history = await ben.history(conversationId);
    assert.deepEqual(history.map(({ seq, text }) => [seq, text]), [[1, 'one'], [2, null], [3, 'three']]);
    assert.equal((await ann.rest.get(`${api}/all/${conversationId}`)).body.data.messages[1].media.length, 0);
  });

  it('unknown and foreign messages are 404', async () => {
    const { ann, conversationId } = await pair();
    const outsider = await server.person('Outsider');
    const { _id } = await ann.say(conversationId, 'private');
    for (const id of [_id, '64f123abc456def789012345', 'not-an-id']) {
      for (const answer of [
        await outsider.rest.patch(`${api}/${id}`, { text: 'x' }),
        await outsider.rest.delete(`${api}/${id}`),
        await outsider.rest.put(`${api}/${id}/reactions/x`),
        await outsider.rest.delete(`${api}/${id}/reactions/x`),
        await outsider.rest.delete(`/api/messages/${id}`),
      ]) refused(answer, 404, 'MESSAGE_NOT_FOUND');
    }
  });

  it('reactions: one of each per user, removed again, at most twenty different', async () => {
    const { ann, ben, conversationId } = await pair();
    const { _id } = await ann.say(conversationId, 'react!');
    const path = (emoji) => `${api}/${_id}/reactions/${encodeURIComponent(emoji)}`;
    const first = await ben.rest.put(path('👍'));
    assert.deepEqual([first.status, first.data.reactions], [200, [{ emoji: '👍', count: 1, userIds: [ben.id] }]]);
    await ben.rest.put(path('👍'));
    const both = (await ann.rest.put(path('👍'))).data.reactions;
    assert.deepEqual([both[0].count, [...both[0].userIds].sort()], [2, [ann.id, ben.id].sort()]);
    await ben.rest.put(path('❤️'));
    const left = (await ben.rest.delete(path('👍'))).data.reactions;
    assert.deepEqual(left.map(({ emoji, userIds }) => [emoji, userIds]), [['👍', [ann.id]], ['❤️', [ben.id]]]);
    assert.equal((await ben.rest.delete(path('👍'))).status, 200);
    for (let index = 0; index < 18; index++) assert.equal((await ben.rest.put(path(String.fromCodePoint(0x1f600 + index)))).status, 200);
    refused(await ann.rest.put(path('🦀')), 409, 'CONFLICT');
    assert.equal((await ann.rest.put(path('❤️'))).status, 200, 'one that is there already may still be joined');
    assert.equal((await ben.history(conversationId))[0].reactions.length, 20);
  });

  it('a reaction on a tombstone is refused', async () => {
    const { ann, conversationId } = await pair();
    const { _id } = await ann.say(conversationId, 'gone');
    await ann.rest.put(`${api}/${_id}/reactions/x`);
    await ann.rest.delete(`${api}/${_id}`);
    refused(await ann.rest.put(`${api}/${_id}/reactions/y`), 409, 'CONFLICT');
  });

  it('search finds words, beginnings of words and several of them, in any script', async () => {
    const { ann, ben, conversationId } = await pair();
    const texts = ['The quick brown fox', 'quick thinking', 'Grüße aus Köln', 'привет мир', 'nothing here', '100% "quoted" AND (odd) *stuff*'];
    for (const text of texts) await ann.say(conversationId, text);
    const search = async (q) => (await ben.rest.get(`${api}/search?q=${encodeURIComponent(q)}`)).data.messages.map(({ text }) => text).sort();
    assert.deepEqual(await search('quick'), ['The quick brown fox', 'quick thinking']);
    assert.deepEqual(await search('QUI'), ['The quick brown fox', 'quick thinking']);
    assert.deepEqual(await search('fox quick'), ['The quick brown fox']);
    assert.deepEqual(await search('grüße'), ['Grüße aus Köln']);
    assert.deepEqual(await search('приве'), ['привет мир']);
    assert.deepEqual(await search('"quoted'), [texts[5]]);
    assert.deepEqual(await search('missing'), []);
    for (const q of ['', '  ']) refused(await ben.rest.get(`${api}/search?q=${encodeURIComponent(q)}`), 400, 'VALIDATION_FAILED');
    refused(await ben.rest.get(`${api}/search`), 400, 'VALIDATION_FAILED');
    for (const q of ['*', '"', 'AND', 'a OR', '(', 'NEAR(a b', 'text:quick', '-fox', '^']) {
      const { status } = await ben.rest.get(`${api}/search?q=${encodeURIComponent(q)}`);
      // What holds no word at all may be refused; nothing is ever taken for the index's own syntax.
      assert.equal(status, /[a-z]/i.test(q) ? 200 : 400, q);
    }
  });

  it('search sees edits at once, deleted messages never, and only the caller’s conversations', async () => {
    const { ann, ben, conversationId } = await pair();
    const outsider = await server.person('Outsider');
    const word = `w${randomUUID().slice(0, 8)}`;
    const [first, second] = [await ann.say(conversationId, `${word} one`), await ann.say(conversationId, `${word} two`)];
    const search = async (who, q = word, more = '') => (await who.rest.get(`${api}/search?q=${q}${more}`)).data.messages.map(({ _id }) => _id).sort();
    assert.deepEqual(await search(ben), [first._id, second._id]);
    assert.deepEqual(await search(outsider), []);
    await ann.rest.patch(`${api}/${first._id}`, { text: 'something else' });
    await ann.rest.delete(`${api}/${second._id}`);
    assert.deepEqual(await search(ben), []);
    assert.deepEqual(await search(ben, 'something', `&conversationId=${conversationId}`), [first._id]);
  });

  it('search can be limited to a conversation and comes in pages', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [withBen, withEve] = [await ann.direct(ben), await ann.direct(eve)];
    const word = `w${randomUUID().slice(0, 8)}`;
    for (let index = 0; index < 5; index++) await ann.say(withBen, `${word} ${index}`);
    await ann.say(withEve, `${word} elsewhere`);
    const found = [];
    for (let cursor = null; ; ) {
      const query = new URLSearchParams({ q: word, conversationId: withBen, limit: 2, ...(cursor ? { cursor } : {}) });
      const { data } = await ann.rest.get(`${api}/search?${query}`);
      conforms(pagination, data.pagination);
      data.messages.forEach((message) => conforms(messages.talentbridge, message));
      found.push(...data.messages.map(({ text }) => text));
      if (!data.pagination.hasMore) break;
      cursor = data.pagination.nextCursor;
    }
    assert.deepEqual([...found].sort(), [0, 1, 2, 3, 4].map((index) => `${word} ${index}`));
    assert.equal((await ann.rest.get(`${api}/search?q=${word}`)).data.messages.length, 6);
  });

  it('unread counts', async () => {
    const { ann, ben, conversationId } = await pair();
    for (const text of ['1', '2', '3']) await ann.say(conversationId, text);
    const { status, data } = await ben.rest.get('/api/v1/chat/unread');
    assert.deepEqual([status, data.total, data.conversations], [200, 3, { [conversationId]: 3 }]);
    const mine = await ann.rest.get('/api/v1/chat/unread');
    assert.equal(mine.data.total, 0);
  });

  it('the /api/messages aliases do what their longer selves do', async () => {
    const { ann, ben, conversationId } = await pair();
    const sent = await ann.rest.in('marketplace').post('/api/messages', { conversationId, content: 'Is it still available?' });
    assert.equal(sent.status, 201);
    conforms(messages.marketplace, sent.data.message);
    const second = await ann.rest.post('/api/messages', { conversationId, message: 'Hello?' });
    const third = await ann.rest.post('/api/messages', { conversationId, text: 'Anybody?' });

    const history = await ben.rest.in('gateway').get(`/api/messages/${conversationId}?limit=2`);
    conforms(pagination, history.data.pagination);
    assert.deepEqual(history.data.messages.map(({ content }) => content), ['Hello?', 'Anybody?']);

    const count = await ben.rest.get('/api/messages/unread-count');
    assert.deepEqual([count.status, count.body.success, count.body.unreadCount, count.data.unreadCount], [200, true, 3, 3]);
    assert.equal((await ben.rest.post('/api/messages/read', { conversationId, messageIds: [second.data.message._id] })).status, 200);
    assert.equal((await ben.rest.get('/api/messages/unread-count')).body.unreadCount, 2);
    await ben.rest.post('/api/messages/read', { conversationId });
    assert.equal((await ben.rest.get('/api/messages/unread-count')).body.unreadCount, 0);

    assert.equal((await ann.rest.delete(`/api/messages/${third.data.message._id}`)).status, 200);
    refused(await ben.rest.delete(`/api/messages/${second.data.message._id}`), 403, 'FORBIDDEN');
    assert.equal((await ben.history(conversationId)).at(-1).text, null);
  });

  it('a body that is no JSON, or too large, is refused and says why', async () => {
    const { ann, conversationId } = await pair();
    refused(await ann.rest.post(api, 'text=hello'), 400, 'VALIDATION_FAILED');
    refused(await ann.rest.post(api, '{"conversationId": "x", '), 400, 'VALIDATION_FAILED');
    refused(await ann.rest.post(api, JSON.stringify({ conversationId, text: 'x'.repeat(3 * 1024 * 1024) })), 413, 'PAYLOAD_TOO_LARGE');
  });

  it('what REST changes, sockets hear: message, edit, reaction, deletion, receipt', async () => {
    const { ann, ben, conversationId } = await pair();
    const client = await ben.enter('gateway', conversationId);
    const { _id } = await ann.say(conversationId, 'over HTTP');
    await client.untilText('over HTTP');
    await ann.rest.patch(`${api}/${_id}`, { text: 'edited over HTTP' });
    assert.equal((await client.until('message:edited')).message.content, 'edited over HTTP');
    await ann.rest.put(`${api}/${_id}/reactions/x`);
    assert.equal((await client.until('message:reaction')).action, 'added');
    await ann.rest.delete(`${api}/${_id}/reactions/x`);
    await client.until('message:reaction', ({ action }) => action === 'removed');
    await ann.rest.delete(`${api}/${_id}`);
    assert.deepEqual(await client.until('message:deleted'), { ...(await client.until('message:deleted')), conversationId, messageId: _id });
  });
});
