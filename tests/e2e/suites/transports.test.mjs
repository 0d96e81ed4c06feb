// The same chat over each way of carrying it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { Server } from '../support/server.mjs';

const ways = {
  'polling only': { transports: ['polling'], upgrade: false },
  'polling with an upgrade to WebSocket': { transports: ['polling', 'websocket'] },
  'WebSocket only': { transports: ['websocket'] },
};

describe('transports', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  for (const [name, options] of Object.entries(ways)) {
    it(`two people chat over ${name}`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const left = await ann.connect('talentbridge', options);
      const right = await ben.connect('ulearn', options);
      await Promise.all([left.join(conversationId), right.join(conversationId)]);
      if (options.transports.length > 1) {
        await Promise.all([left.upgraded(), right.upgraded()]);
        assert.equal(left.transport, 'websocket');
      }
      const long = 'ü🌍'.repeat(4_000);
      await left.send(conversationId, 'hello');
      await right.untilText('hello');
      await right.send(conversationId, long);
      await left.untilText(long);
      await left.startTyping(conversationId);
      await right.untilTyping(conversationId, ann.id, true);
      assert.deepEqual(left.texts(conversationId), ['hello', long]);
      assert.deepEqual(right.texts(conversationId), ['hello', long]);
      assert.equal(left.transport, options.transports.at(-1));
      left.close();
      await right.until('user:offline', ({ userId }) => userId === ann.id);
    });
  }

  it('nothing is lost or doubled while a connection is being upgraded', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const sender = await ann.connect('talentbridge', ways['WebSocket only']);
    const texts = Array.from({ length: 120 }, (_, index) => `number ${index}`);
    // Sending goes on while the other one connects and upgrades; from the first message on none may be missing.
    const listener = new Client(ben, ways['polling with an upgrade to WebSocket']);
    for (const text of texts) await sender.send(conversationId, text);
    await listener.ready();
    await listener.upgraded();
    await sender.send(conversationId, 'after the upgrade');
    await listener.untilText('after the upgrade');
    const expected = [...texts, 'after the upgrade'];
    const seen = listener.texts(conversationId);
    assert.deepEqual(seen, expected.slice(-seen.length));
  });

  it('a client that loses its transport comes back by itself and chats on', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.enter('gateway', conversationId);
    const since = client.mark();
    client.drop();
    await client.until('connect', undefined, { since });
    await client.join(conversationId);
    await ben.say(conversationId, 'welcome back');
    await client.untilText('welcome back');
  });
});
