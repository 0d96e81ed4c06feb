// The rate limits, switched on: what goes over is refused with a code and a time, typing is dropped in silence.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { Server } from '../support/server.mjs';

describe('rate limits', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { RATE_LIMITS: undefined, TYPING_TIMEOUT: '120s' } });
  });
  after(() => server.close());

  it('sends above the burst are refused with RATE_LIMITED and retryAfterMs, and the socket lives on', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge');
    const acks = await Promise.all(Array.from({ length: 55 }, (_, index) => client.call('message:send', { conversationId, text: `${index}` })));
    const refused = acks.filter(({ success }) => !success);
    assert.ok(refused.length > 0, 'a burst of 55 is over 30 and fifteen a second');
    for (const ack of refused) {
      assert.deepEqual([ack.code, ack.error], ['RATE_LIMITED', 'Too many requests']);
      assert.ok(Number.isInteger(ack.retryAfterMs) && ack.retryAfterMs > 0, JSON.stringify(ack));
    }
    assert.ok(acks.length - refused.length >= 30);
    const stored = await ben.history(conversationId);
    assert.equal(stored.length, acks.length - refused.length);
    await new Promise((resolve) => setTimeout(resolve, Math.max(...refused.map(({ retryAfterMs }) => retryAfterMs)) + 50));
    await client.send(conversationId, 'patience pays');
  });

  it('socket and REST share the limit on sends; HTTP says Retry-After', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge');
    await Promise.all(Array.from({ length: 30 }, (_, index) => client.call('message:send', { conversationId, text: `${index}` })));
    const answers = await Promise.all(Array.from({ length: 40 }, () => ann.rest.post('/api/v1/chat/messages', { conversationId, text: 'over HTTP' })));
    const refused = answers.filter(({ status }) => status !== 201);
    assert.ok(refused.length > 0);
    for (const { status, body, headers } of refused) {
      assert.deepEqual([status, body.code], [429, 'RATE_LIMITED']);
      assert.match(headers.get('retry-after'), /^\d+$/);
    }
  });

  it('typing above its rate is acked and dropped', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('ulearn');
    const watcher = await ben.enter('ulearn', conversationId);
    const calls = Array.from({ length: 40 }, (_, index) => client.call(index % 2 ? 'typing:stop' : 'typing:start', { conversationId }));
    for (const answer of await Promise.all(calls)) assert.equal(answer.success, true, JSON.stringify(answer));
    await watcher.fence();
    assert.ok(watcher.typing(conversationId).length < 40);
    assert.equal(client.received('error').length, 0);
  });

  it('failed handshakes from one address are cut off after thirty a minute', async () => {
    const stranger = server.stranger();
    const attempt = () => Client.connect(stranger, { token: 'rubbish', reconnection: false }).catch((error) => error.message);
    const reasons = [];
    for (let count = 0; count < 31; count++) reasons.push(await attempt());
    assert.deepEqual(reasons.slice(0, 30), Array(30).fill('Authentication error: Invalid token'));
    assert.equal(reasons[30], 'Too many requests');
  });
});
