// A database server that goes away and comes back: what the chat server says meanwhile, and that it goes on by itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { STORAGE, createDatabase } from '../support/database.mjs';
import { Line } from '../support/line.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const HISTORY = '/api/v1/chat/messages/all/';

// SQLite has no server that could go away.
if (STORAGE !== 'sqlite') {
  describe(`${STORAGE} behind a line that breaks`, () => {
    let database;
    let line;
    let server;
    before(async () => {
      database = await createDatabase();
      const url = new URL(database.url);
      line = await Line.open(url.hostname, Number(url.port));
      url.host = `127.0.0.1:${line.port}`;
      // The driver would ask a replica set for its members, and reach them past the line.
      if (STORAGE === 'mongodb') url.searchParams.set('directConnection', 'true');
      server = await Server.start({ env: { DATABASE_URL: url.href, DATABASE_TIMEOUT: undefined } });
    });
    after(async () => {
      await server.close();
      await line.close();
      await database.drop();
    });

    /** Outcomes of what is asked at once, each of which came in time: 2 s by the contract, and some for a busy machine. */
    async function inTime(...asked) {
      const began = performance.now();
      const outcomes = await Promise.all(asked.map(async (one) => [await one, performance.now() - began]));
      const took = outcomes.map(([, milliseconds]) => Math.round(milliseconds));
      assert.ok(took.every((milliseconds) => milliseconds < 3_500), `answered after ${took.join(', ')} ms`);
      return outcomes.map(([outcome]) => outcome);
    }

    /** Two people who are in a conversation, in which something was said. On a busy machine the database may take too long
     * for that by itself. */
    async function scene() {
      for (let attempt = 1; ; attempt++) {
        try {
          const [ann, ben] = await server.people('Ann', 'Ben');
          const conversationId = await ann.direct(ben);
          const [sender, receiver] = [await ann.enter('ulearn', conversationId), await ben.enter('ulearn', conversationId)];
          await ann.say(conversationId, 'before');
          await receiver.untilText('before');
          return { ann, ben, conversationId, sender, receiver };
        } catch (error) {
          if (attempt === 5) throw error;
        }
      }
    }

    /** The same message until it is stored; how many of it there are in the end is for the caller to look at. */
    async function persistently(sender, conversationId, text, clientMessageId = randomUUID()) {
      const send = () => sender.call(...sender.sending(conversationId, text, { clientMessageId }));
      return eventually(`"${text}" to be stored`, send, ({ success }) => success);
    }

    const texts = async (person, conversationId) => {
      const history = await eventually('the history', () => person.rest.get(HISTORY + conversationId), ({ status }) => status === 200);
      return history.data.messages.map(({ text }) => text);
    };
    const readiness = async () => (await fetch(`${server.url}/readyz`)).status;

    it('/readyz is 503 while it is away, sends and reads are refused, and all works again when it is back', async () => {
      const { ben, conversationId, sender, receiver } = await scene();
      await eventually('ready', readiness, (status) => status === 200);

      line.cut();
      await eventually('not ready', readiness, (status) => status === 503);
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200, 'the process itself is well');
      const [refused, read] = await inTime(sender.call(...sender.sending(conversationId, 'into the void')), ben.rest.get(HISTORY + conversationId));
      assert.deepEqual([refused.success, refused.code], [false, 'UNAVAILABLE'], JSON.stringify(refused));
      assert.deepEqual([read.status, read.body.code], [503, 'UNAVAILABLE']);

      line.mend();
      await eventually('ready', readiness, (status) => status === 200);
      await persistently(sender, conversationId, 'after');
      await receiver.untilText('after');
      assert.deepEqual(await texts(ben, conversationId), ['before', 'after']);
    });

    it('while it hangs, sends and reads are refused instead of waited for, sockets stay, and the message is sent once', async () => {
      const { ben, conversationId, sender, receiver } = await scene();
      const sessions = [sender, receiver].map(({ socket }) => socket.id);

      line.hold();
      const clientMessageId = randomUUID();
      const hanging = () => sender.call(...sender.sending(conversationId, 'into the silence', { clientMessageId }));
      // The second comes while the first is waited for, and is not told later for that.
      for (let round = 0; round < 2; round++) {
        const first = hanging();
        await pause(700);
        const [refused, again, read, list] = await inTime(first, hanging(), ben.rest.get(HISTORY + conversationId), ben.rest.get('/api/v1/chat/conversations'));
        for (const { success, code } of [refused, again]) assert.deepEqual([success, code], [false, 'UNAVAILABLE']);
        for (const { status, body } of [read, list]) assert.deepEqual([status, body.code], [503, 'UNAVAILABLE']);
      }

      line.release();
      await eventually('ready', readiness, (status) => status === 200);
      const sent = await persistently(sender, conversationId, 'into the silence', clientMessageId);
      await receiver.untilText('into the silence');
      assert.deepEqual(await texts(ben, conversationId), ['before', 'into the silence']);
      assert.equal((await persistently(sender, conversationId, 'into the silence', clientMessageId)).messageId, sent.messageId);
      assert.deepEqual([sender, receiver].map(({ socket }) => socket.id), sessions, 'the sockets stayed');
    });

    it('when another machine takes over its address, the server goes on with it by itself', async () => {
      const { ben, conversationId, sender, receiver } = await scene();
      // As many connections as there may be, all of which are used.
      await Promise.all(Array.from({ length: 20 }, () => ben.rest.get(HISTORY + conversationId)));
      line.abandon();
      await persistently(sender, conversationId, 'to the other machine');
      await receiver.untilText('to the other machine');
      const reads = await Promise.all(Array.from({ length: 20 }, () => texts(ben, conversationId)));
      assert.deepEqual(reads, reads.map(() => ['before', 'to the other machine']));
    });
  });
}
