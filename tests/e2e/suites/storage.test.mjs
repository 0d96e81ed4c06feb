// A database server that goes away and comes back: what the chat server says meanwhile, and that it goes on by itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { STORAGE, createDatabase } from '../support/database.mjs';
import { Line } from '../support/line.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

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
      server = await Server.start({ env: { DATABASE_URL: url.href, DATABASE_ACQUIRE_TIMEOUT: '1s', DATABASE_STATEMENT_TIMEOUT: '3s' } });
    });
    after(async () => {
      await server.close();
      await line.close();
      await database.drop();
    });

    const readiness = async () => (await fetch(`${server.url}/readyz`)).status;

    it('/readyz is 503 while it is away, a send is refused, and both work again when it is back', async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const [sender, receiver] = [await ann.enter('ulearn', conversationId), await ben.enter('ulearn', conversationId)];
      await ann.say(conversationId, 'before');
      await receiver.untilText('before');
      assert.equal(await readiness(), 200);

      line.cut();
      await eventually('not ready', readiness, (status) => status === 503);
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200, 'the process itself is well');
      const refused = await sender.call(...sender.sending(conversationId, 'into the void'));
      assert.deepEqual([refused.success, refused.code], [false, 'UNAVAILABLE'], JSON.stringify(refused));

      line.mend();
      await eventually('ready', readiness, (status) => status === 200);
      await ann.say(conversationId, 'after');
      await receiver.untilText('after');
    });

    it('while it hangs, sends and reads are refused instead of waited for, sockets stay, and the message is sent once', async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const [sender, receiver] = [await ann.enter('ulearn', conversationId), await ben.enter('ulearn', conversationId)];
      const sessions = [sender, receiver].map(({ socket }) => socket.id);
      await ann.say(conversationId, 'before');
      await receiver.untilText('before');

      line.hold();
      const clientMessageId = randomUUID();
      const hanging = () => sender.call(...sender.sending(conversationId, 'into the silence', { clientMessageId }));
      const history = () => ben.rest.get(`/api/v1/chat/messages/all/${conversationId}`);
      const [refused, read] = await Promise.all([hanging(), history()]);
      assert.deepEqual([refused.success, refused.code], [false, 'UNAVAILABLE'], JSON.stringify(refused));
      assert.deepEqual([read.status, read.body.code], [503, 'UNAVAILABLE']);

      line.release();
      await eventually('ready', readiness, (status) => status === 200);
      const sent = await eventually('the send', hanging, ({ success }) => success);
      await receiver.untilText('into the silence');
      assert.deepEqual((await ben.talk(conversationId)).map(({ text }) => text), ['before', 'into the silence']);
      assert.equal((await hanging()).messageId, sent.messageId);
      assert.deepEqual([sender, receiver].map(({ socket }) => socket.id), sessions, 'the sockets stayed');
    });
  });
}
