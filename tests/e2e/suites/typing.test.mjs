// Typing: one start and one stop per burst, however it ends.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { Server } from '../support/server.mjs';

/** Two people in a direct conversation, the typist in `dialect`, the watcher in `watching`. */
async function scene(server, dialect, watching = 'ulearn') {
  const [ann, ben] = await server.people('Ann', 'Ben');
  const conversationId = await ann.direct(ben);
  const typist = await ann.enter(dialect, conversationId);
  const watcher = await ben.enter(watching, conversationId);
  return { ann, ben, conversationId, typist, watcher };
}
const burst = (userId) => [[userId, true], [userId, false]];

describe('typing', () => {
  let server;
  before(async () => {
    // So long that nothing here ends by expiry.
    server = await Server.start({ env: { TYPING_TIMEOUT: '120s' } });
  });
  after(() => server.close());

  for (const dialect of DIALECTS) {
    it(`${dialect}: repeated starts make one start, and a send makes one stop`, async () => {
      const { ann, conversationId, typist, watcher } = await scene(server, dialect);
      for (let count = 0; count < 5; count++) await typist.startTyping(conversationId);
      await typist.send(conversationId, 'done');
      await watcher.untilTyping(conversationId, ann.id, false);
      await fence(watcher, typist);
      assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
      assert.deepEqual(typist.typing(conversationId), []);
    });

    it(`${dialect}: leaving the room ends it`, async () => {
      const { ann, conversationId, typist, watcher } = await scene(server, dialect);
      await typist.startTyping(conversationId);
      await typist.leave(conversationId);
      await watcher.untilTyping(conversationId, ann.id, false);
      assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
    });

    it(`${dialect}: the end of the socket ends it`, async () => {
      const { ann, conversationId, typist, watcher } = await scene(server, dialect);
      await typist.startTyping(conversationId);
      typist.close();
      await watcher.untilTyping(conversationId, ann.id, false);
      assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
    });
  }

  for (const dialect of DIALECTS.filter((name) => name !== 'nextchat')) {
    it(`${dialect}: a stop ends it, and a stop without a start says nothing`, async () => {
      const { ann, conversationId, typist, watcher } = await scene(server, dialect);
      await typist.stopTyping(conversationId);
      await typist.startTyping(conversationId);
      await typist.stopTyping(conversationId);
      await typist.stopTyping(conversationId);
      await watcher.untilTyping(conversationId, ann.id, false);
      await watcher.fence();
      assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
    });
  }

  it('a send over REST ends it too', async () => {
    const { ann, conversationId, typist, watcher } = await scene(server, 'marketplace');
    await typist.startTyping(conversationId);
    await ann.say(conversationId, 'sent over HTTP');
    await watcher.untilTyping(conversationId, ann.id, false);
    assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
  });

  it('typing needs participation, not a join, and reaches only those in the room', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const typist = await ann.connect('gateway');
    const inside = await ben.enter('talentbridge', conversationId);
    const outside = await ben.connect('talentbridge');
    await typist.startTyping(conversationId);
    await inside.untilTyping(conversationId, ann.id, true);
    await outside.fence();
    assert.deepEqual(outside.typing(conversationId), []);
  });

  it('a typist’s own other devices hear nothing of it', async () => {
    const { ann, conversationId, typist, watcher } = await scene(server, 'talentbridge');
    const device = await ann.enter('talentbridge', conversationId);
    await typist.startTyping(conversationId);
    await watcher.untilTyping(conversationId, ann.id, true);
    await device.fence();
    assert.deepEqual(device.typing(conversationId), []);
  });

  it('bursts in two conversations are apart', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [withBen, withEve] = [await ann.direct(ben), await ann.direct(eve)];
    const typist = await ann.enter('ulearn', withBen, withEve);
    const [left, right] = [await ben.enter('ulearn', withBen), await eve.enter('ulearn', withEve)];
    await typist.startTyping(withBen);
    await typist.startTyping(withEve);
    await typist.stopTyping(withBen);
    await left.untilTyping(withBen, ann.id, false);
    await right.untilTyping(withEve, ann.id, true);
    await right.fence();
    assert.deepEqual(right.typing(withEve), [[ann.id, true]]);
  });
});

describe('typing expiry', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { TYPING_TIMEOUT: '1500ms' } });
  });
  after(() => server.close());

  for (const dialect of DIALECTS) {
    it(`${dialect}: typing ends by itself`, async () => {
      const { ann, conversationId, typist, watcher } = await scene(server, dialect, dialect);
      await typist.startTyping(conversationId);
      await watcher.untilTyping(conversationId, ann.id, false);
      await watcher.fence();
      assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
    });
  }

  it('repeated starts extend it: still one start and one stop', async () => {
    const { ann, conversationId, typist, watcher } = await scene(server, 'ulearn');
    // Keystrokes at intervals, together longer than the timeout: without extension a second start would show.
    for (let stroke = 0; stroke < 16; stroke++) {
      await typist.startTyping(conversationId);
      await pause(150);
    }
    await watcher.untilTyping(conversationId, ann.id, false);
    await watcher.fence();
    assert.deepEqual(watcher.typing(conversationId), burst(ann.id));
  });

  it('after an expiry a new start is a new burst', async () => {
    const { ann, conversationId, typist, watcher } = await scene(server, 'gateway');
    await typist.startTyping(conversationId);
    await watcher.untilTyping(conversationId, ann.id, false);
    const since = watcher.mark();
    await typist.startTyping(conversationId);
    await watcher.untilTyping(conversationId, ann.id, false, { since });
    assert.deepEqual(watcher.typing(conversationId), [...burst(ann.id), ...burst(ann.id)]);
  });
});
