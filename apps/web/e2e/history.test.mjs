// A history of 100,000 messages: all of it loaded, scrolled from end to end, with the time that each frame took.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const MESSAGES = Number(process.env.HISTORY_MESSAGES ?? 100_000);
const FRAMES = 120;
const WRITERS = 8;
const ON_THE_WAY = 40;
const WORDS = 'the quick brown fox jumps over the lazy dog and then rests a while in the shade of an old tree'.split(
  ' ',
);

describe('a long history', () => {
  const set = stage();

  it(`stays smooth with ${MESSAGES} messages`, async () => {
    const [annP, benP] = await set.server.people('Ann', 'Ben');
    const id = await annP.direct(benP);
    // Several sockets with a few on the way each: a server refuses more than a socket's queue holds.
    const writers = await Promise.all(Array.from({ length: WRITERS }, (_, index) => [annP, benP][index % 2].connect()));
    const started = Date.now();
    const write = async (writer, index) => {
      const text = `${index} ${WORDS.slice(0, 1 + (index % WORDS.length)).join(' ')}`;
      const answer = await writer.socket.emitWithAck('message:send', { conversationId: id, text });
      assert.ok(answer.success, JSON.stringify(answer));
    };
    // The last is written when all others are there, and by her: who writes has read what came before.
    const numbers = Array.from({ length: MESSAGES - 1 }).keys();
    const line = async (writer) => {
      for (const index of numbers) await write(writer, index + 1);
    };
    await Promise.all(writers.flatMap((writer) => Array.from({ length: ON_THE_WAY }, () => line(writer))));
    await write(writers[0], 0);
    console.log(`${MESSAGES} messages written in ${Math.round((Date.now() - started) / 1000)} s`);
    for (const writer of writers) writer.close();

    const ann = await Window.open(set.browser, { person: annP });
    await ann.enter('Ben');
    const newest = ann.history.locator(`article[data-seq="${MESSAGES}"]`);
    await newest.waitFor();
    const seconds = await ann.page.evaluate(scrollToTheBeginning);
    console.log(`back to the first message in ${Math.round(seconds)} s, page by page`);
    await ann.history.locator('article[data-seq="1"]').waitFor();

    const debug = await ann.context.newCDPSession(ann.page);
    for (const [way, step] of [
      ['down by wheel', { pixels: 400 }],
      ['up by wheel', { pixels: -400 }],
      ['in leaps', { part: 0.382 }],
    ]) {
      // Time of the processor: what else the machine does is not the page's.
      await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
      const frames = await ann.page.evaluate(measure, { ...step, count: FRAMES });
      const { metrics } = await debug.send('Performance.getMetrics');
      await debug.send('Performance.disable');
      const worked = (metrics.find(({ name }) => name === 'TaskDuration').value * 1000) / FRAMES;
      const sorted = frames.toSorted((a, b) => a - b);
      const at = (part) => sorted[Math.floor(sorted.length * part)].toFixed(1);
      console.log(
        `${way}: ${FRAMES} frames, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, longest ${at(0.999)} ms; ` +
          `the page worked ${worked.toFixed(1)} ms for each`,
      );
      // A page that redrew its whole history would need seconds.
      assert.ok(worked < 100, `${way}: ${worked} ms`);
    }
    const drawn = await ann.history.locator('article').count();
    assert.ok(drawn < 200, `${drawn} rows are in the page`);
    await ann.button('Go to the newest message').click();
    await newest.waitFor();
    await ann.say('and one more');
    await ann.close();
  });
});

/** Holds the list at its beginning until there is nothing before it, and nothing moves any more. */
async function scrollToTheBeginning() {
  const list = document.querySelector('.messages');
  const began = performance.now();
  // Rows are drawn once where the window was before the page that they came with moves it down.
  for (let still = 0; still < 10; still++) {
    const first = list.querySelector('article[data-seq="1"]');
    if (!first || list.scrollTop > 0) still = 0;
    list.scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - began) / 1000;
}

/**
 * How long each frame takes while the list is scrolled, in milliseconds: by so many pixels, or from end to end and
 * around again by such a part of the whole, where nothing of what was drawn is of use.
 */
async function measure({ pixels, part, count }) {
  const list = document.querySelector('.messages');
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let index = 0; index < count; index++) {
    list.scrollTop = part ? ((index * part) % 1) * list.scrollHeight : list.scrollTop + pixels;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}
