// A history of 100,000 messages: all of it loaded, scrolled from end to end, with the time that each frame took.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inFlight } from '../../../tests/e2e/support/wait.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const MESSAGES = Number(process.env.HISTORY_MESSAGES ?? 100_000);
const WORDS = 'the quick brown fox jumps over the lazy dog and then rests a while in the shade of an old tree'.split(
  ' ',
);

describe('a long history', () => {
  const set = stage();

  it(`stays smooth with ${MESSAGES} messages`, async () => {
    const [annP, benP] = await set.server.people('Ann', 'Ben');
    const id = await annP.direct(benP);
    const writers = await Promise.all([annP, benP].map((person) => person.connect()));
    const started = Date.now();
    await inFlight(400, Array.from({ length: MESSAGES }).keys(), async (index) => {
      const text = `${index} ${WORDS.slice(0, 1 + (index % WORDS.length)).join(' ')}`;
      const answer = await writers[index % 2].socket.emitWithAck('message:send', { conversationId: id, text });
      assert.ok(answer.success, JSON.stringify(answer));
    });
    console.log(`${MESSAGES} messages written in ${Math.round((Date.now() - started) / 1000)} s`);
    for (const writer of writers) writer.close();

    const ann = await Window.open(set.browser, { person: annP });
    await ann.enter('Ben');
    await ann.message(`${MESSAGES - 1} `).waitFor();
    const scrolled = await ann.page.evaluate(scrollToTheBeginning, MESSAGES);
    console.log(`back to the first message in ${Math.round(scrolled.seconds)} s, page by page`);
    await ann.history.locator('article[data-seq="1"]').waitFor();

    for (const [way, by] of [
      ['down by wheel', 400],
      ['up by wheel', -400],
      ['down in leaps', 60_000],
    ]) {
      const frames = await ann.page.evaluate(measure, { by, count: 240 });
      const sorted = frames.toSorted((a, b) => a - b);
      const at = (part) => sorted[Math.floor(sorted.length * part)].toFixed(1);
      console.log(
        `${way}: ${frames.length} frames, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, longest ${at(0.999)} ms`,
      );
      // A page that redrew its whole history would need seconds; a shared machine may well drop a frame.
      assert.ok(sorted[Math.floor(sorted.length * 0.5)] < 100, `${way}: ${at(0.5)} ms`);
    }
    const drawn = await ann.history.locator('article').count();
    assert.ok(drawn < 200, `${drawn} rows are in the page`);
    await ann.button('Go to the newest message').click();
    await ann.message(`${MESSAGES - 1} `).waitFor();
    await ann.say('and one more');
    await ann.close();
  });
});

/** Holds the list at its beginning until there is nothing before it. */
async function scrollToTheBeginning() {
  const list = document.querySelector('.messages');
  const began = performance.now();
  while (!list.querySelector('article[data-seq="1"]')) {
    list.scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
  return { seconds: (performance.now() - began) / 1000 };
}

/** How long each frame takes while the list is scrolled, in milliseconds. */
async function measure({ by, count }) {
  const list = document.querySelector('.messages');
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let index = 0; index < count; index++) {
    list.scrollTop += by;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}
