// How many messages one person may send: on all nodes together while these hear each other, on each by itself while they
// do not. Nobody waits for another node to be allowed to send. These nodes speak over NATS, those of the other suites over
// Redis (E2E_LINK=nats: NATS as well).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { eventually } from '../support/wait.mjs';

/** So many at once, and one more each second: slow enough for any machine. */
const BURST = 12;
const RATES = { RATE_LIMITS: 'on', RATE_SENDS: `1/${BURST}`, RATE_EVENTS: '1000/1000', RATE_REST: '1000/1000' };

// One file is for one process.
if (STORAGE !== 'sqlite') {
  describe(`the limit of sends on two nodes on one ${STORAGE}`, () => {
    let cluster;
    let one;
    let two;
    before(async () => {
      cluster = await Cluster.start({ count: 2, env: RATES, link: 'nats' });
      [one, two] = cluster.nodes;
      await cluster.whole();
    });
    after(() => cluster.close());

    /** Somebody with a socket on each node, and a conversation. */
    const sender = async () => {
      const [ann, ben] = [await one.person('Ann'), await two.person('Ben')];
      const conversationId = await ann.direct(ben);
      const [here, there] = [await ann.connect(), await ann.connect('talentbridge', { url: two.url })];
      return { ann, conversationId, here, there };
    };
    const send = (client, conversationId, text) => client.call('message:send', { conversationId, text });
    const burst = (client, conversationId) =>
      Promise.all(Array.from({ length: BURST }, (_, n) => send(client, conversationId, `m${n}`)));
    const allowed = (answers) => answers.filter(({ success }) => success).length;

    it('what one node has let through the other does not let through again', async () => {
      const { ann, conversationId, here, there } = await sender();
      assert.equal(allowed(await burst(here, conversationId)), BURST);
      const refused = await eventually('the other node refuses', () => send(there, conversationId, 'more'), ({ success }) => !success);
      assert.equal(refused.code, 'RATE_LIMITED');
      assert.ok(refused.retryAfterMs > 0, JSON.stringify(refused));
      const posted = await fetch(`${two.url}/api/v1/chat/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ conversationId, text: 'by HTTP' }),
      });
      assert.equal(posted.status, 429);
    });

    it('what two nodes let through at the same moment comes off later', async () => {
      const { conversationId, here, there } = await sender();
      const began = Date.now();
      const answers = await Promise.all([burst(here, conversationId), burst(there, conversationId)]);
      const spent = answers.reduce((sum, some) => sum + allowed(some), 0);
      assert.ok(spent >= BURST && spent <= 2 * BURST, `${spent}`);
      // Either node makes them wait until one node alone would have let through as much, and one more.
      for (const client of [here, there]) {
        const owes = ({ retryAfterMs }) => retryAfterMs > (spent + 1 - BURST) * 1_000 - (Date.now() - began) - 100;
        await eventually('what is owed', () => send(client, conversationId, 'on'), (answer) => !answer.success && owes(answer));
      }
    });

    it('while nodes do not hear each other each counts for itself, and nobody waits', async () => {
      const { conversationId, here, there } = await sender();
      for (const { line } of [one, two]) line.hold();
      try {
        const began = Date.now();
        const answers = await Promise.all([burst(here, conversationId), burst(there, conversationId)]);
        assert.deepEqual(answers.map(allowed), [BURST, BURST]);
        assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
        await eventually('its own limit holds', () => send(here, conversationId, 'more'), ({ code }) => code === 'RATE_LIMITED');
      } finally {
        for (const { line } of [one, two]) line.release();
      }
      await cluster.whole();
    });
  });
}
