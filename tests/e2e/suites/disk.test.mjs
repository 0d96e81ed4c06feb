// The disk under an embedded database: full, read-only, with a damaged page of the log. What was acked is there, what
// was not is refused in the contract's words, and all goes on when there is room again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { STORAGE } from '../support/database.mjs';
import { Disk } from '../support/disk.mjs';
import { Server } from '../support/server.mjs';

const MIB = 1 << 20;
/** Bytes before the first frame of a log, and before the page in each (SQLite's file format). */
const [LOG_HEADER, FRAME_HEADER, PAGE] = [32, 24, 4096];

if (STORAGE === 'sqlite') {
  describe('a disk of its own', () => {
    let disk;
    let server;
    before(async () => {
      disk = await Disk.of(24 * MIB);
      const env = { DATABASE_URL: `sqlite://${disk.path}/chat.db`, MEDIA_DIR: join(disk.path, 'media'), RUST_LOG: 'error' };
      server = await Server.start({ disk, env });
    });
    after(async () => {
      await server.close();
      await disk.close();
    });

    async function scene() {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      return { ann, ben, conversationId, sender: await ann.enter('ulearn', conversationId), receiver: await ben.enter('ulearn', conversationId) };
    }

    /** Sends until a send is refused: the log may have room that it has taken before. */
    async function untilRefused(sender, conversationId) {
      const acked = [];
      for (;;) {
        const message = { text: `message ${acked.length}`, clientMessageId: randomUUID() };
        const answer = await sender.call(...sender.sending(conversationId, message.text, { clientMessageId: message.clientMessageId }));
        if (!answer.success) return { acked, refused: message, answer };
        acked.push(message.text);
      }
    }

    const upload = (person, bytes) => {
      const body = new FormData();
      body.append('media', new Blob([Buffer.alloc(bytes, 'text ')]), 'notes.txt');
      return fetch(new URL('/api/v1/media/upload', server.url), { method: 'POST', headers: { authorization: `Bearer ${person.token}` }, body });
    };

    it('full: sends are UNAVAILABLE, reading goes on, and with room again so does everything, each message once', { timeout: 120_000 }, async () => {
      const { ann, ben, conversationId, sender, receiver } = await scene();
      await disk.fill();
      const { acked, refused, answer } = await untilRefused(sender, conversationId);
      assert.deepEqual([answer.code, answer.error], ['UNAVAILABLE', 'Service temporarily unavailable']);
      const again = await ann.rest.post('/api/v1/chat/messages', { conversationId, text: 'over REST' });
      assert.deepEqual([again.status, again.body.code], [503, 'UNAVAILABLE']);
      assert.deepEqual((await ben.talk(conversationId)).map(({ text }) => text), acked, 'reading needs no room');
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200);

      await disk.free();
      const sent = await sender.send(conversationId, refused.text, { clientMessageId: refused.clientMessageId });
      assert.ok(sent.messageId);
      await receiver.untilText(refused.text);
      assert.deepEqual(receiver.texts(conversationId), [...acked, refused.text]);
      const history = await ben.history(conversationId);
      assert.deepEqual(history.map(({ text }) => text), [...acked, refused.text]);
      assert.deepEqual(history.map(({ seq }) => seq), history.map((_, index) => index + 1), 'seq without a hole');
    });

    it('full: an upload is refused and leaves nothing behind', { timeout: 120_000 }, async () => {
      const ann = await server.person('Ann');
      const files = async () => (await readdir(join(disk.outside, 'media'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
      assert.equal((await upload(ann, 1000)).status, 201);
      const stored = await files();
      await disk.fill();
      const refused = await upload(ann, MIB);
      assert.deepEqual([refused.status, (await refused.json()).code], [503, 'UNAVAILABLE']);
      assert.equal(await files(), stored);
      await disk.free();
      assert.equal((await upload(ann, MIB)).status, 201);
    });

    it('full when the process is killed: the next one has what was acked', { timeout: 120_000 }, async () => {
      const { ben, conversationId, sender } = await scene();
      await disk.fill();
      const { acked } = await untilRefused(sender, conversationId);
      await server.kill();
      await disk.free();
      await server.restart();
      assert.deepEqual((await ben.talk(conversationId)).map(({ text }) => text), acked);
      await ben.say(conversationId, 'goes on');
    });

    it('read-only: the server does not start and says which setting, and starts when it may write', { timeout: 120_000 }, async () => {
      const { ann, ben, conversationId } = await scene();
      await ann.say(conversationId, 'before');
      await server.terminate();
      await disk.remount('ro');
      await assert.rejects(server.restart(), (error) => {
        assert.match(error.message, /"code":[12],/);
        assert.match(error.message, /^parlance: DATABASE_URL .*(readonly|read-only|unable to open).*$/m);
        return true;
      });
      await disk.remount('rw');
      await server.restart();
      assert.deepEqual((await ben.talk(conversationId)).map(({ text }) => text), ['before']);
    });
  });

  describe('a log whose last page is damaged', () => {
    let server;
    before(async () => {
      server = await Server.start();
    });
    after(() => server.close());

    it('after a crash, everything before it is there and the server goes on', { timeout: 120_000 }, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const acked = [];
      for (let count = 0; count < 20; count++) acked.push((await ann.say(conversationId, `message ${count}`)).text);
      await server.kill();
      const log = join(server.dir, 'chat.db-wal');
      const frames = Math.floor(((await stat(log)).size - LOG_HEADER) / (FRAME_HEADER + PAGE));
      const file = await open(log, 'r+');
      await file.write(Buffer.from('damaged'), 0, 7, LOG_HEADER + frames * (FRAME_HEADER + PAGE) - PAGE / 2);
      await file.close();

      await server.restart();
      const found = (await ben.talk(conversationId)).map(({ text }) => text);
      assert.deepEqual(found, acked.slice(0, 19), 'the last commit is gone, and only that');
      const next = await ann.say(conversationId, 'goes on');
      assert.equal(next.seq, 20);
      assert.deepEqual((await ben.history(conversationId)).map(({ seq }) => seq), Array.from({ length: 20 }, (_, index) => index + 1));
    });
  });
}
