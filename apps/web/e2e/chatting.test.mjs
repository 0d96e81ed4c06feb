// Two windows chatting: everything that can be done with a message.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

describe('chatting', () => {
  const set = stage();

  async function pair(names = ['Ann', 'Ben']) {
    const people = await set.server.people(...names);
    const id = await people[0].direct(people[1]);
    const windows = await Promise.all(people.map((person) => Window.open(set.browser, { person })));
    return { people, id, windows };
  }

  /** Numbered messages, in order. */
  const many = (person, id, word, count) =>
    person.recite(
      id,
      Array.from({ length: count }, (_, index) => `${word} ${index}`),
    );

  it('a message appears at once, with ticks that follow it, and typing is seen', async () => {
    const {
      windows: [ann, ben],
    } = await pair();
    await ann.enter('Ben');
    await ann.say('Are you there?');
    await ann.message('Are you there?').getByText('Delivered').waitFor({ state: 'attached' });
    await ben.row('Ann').getByText('unread').waitFor({ state: 'attached' });
    await eventually(
      'a title with a count',
      () => ben.page.title(),
      (title) => title.startsWith('(1)'),
    );
    await ben.enter('Ann');
    await ann.message('Are you there?').getByText('Read', { exact: true }).waitFor({ state: 'attached' });
    await eventually(
      'a title without a count',
      () => ben.page.title(),
      (title) => title === 'Parlance',
    );
    await ben.field.pressSequentially('Ye');
    await ann.page.getByText('Ben is typing').waitFor();
    await ben.field.fill('');
    await ann.page.getByText('Ben is typing').waitFor({ state: 'detached' });
    await Promise.all([ann.close(), ben.close()]);
  });

  it('replies, edits, reactions and deletions reach the other', async () => {
    const {
      windows: [ann, ben],
    } = await pair();
    await ann.enter('Ben');
    await ben.enter('Ann');
    await ann.say('Shall we meet on Friday?');
    await ben.message('Friday').waitFor();
    await ben.act('Friday', 'Reply');
    await ben.say('Gladly');
    await ann
      .message('Gladly')
      .getByRole('button', { name: /Shall we meet/ })
      .click();
    await ann.act('Friday', 'Edit');
    await ann.field.fill('Shall we meet on Saturday?');
    await ann.field.press('Enter');
    await ben.message('Saturday').getByText('edited').waitFor();
    await ben.message('Saturday').hover();
    await ben.message('Saturday').getByRole('button', { name: 'React' }).click();
    await ben.message('Saturday').getByRole('button', { name: '🎉' }).click();
    await ann.message('Saturday').getByRole('button', { name: '🎉, 1' }).click();
    await ben.message('Saturday').getByRole('button', { name: '🎉, 2' }).waitFor();
    await ben.act('Gladly', 'Delete');
    await ben.dialogue('Delete this message?').getByRole('button', { name: 'Delete' }).click();
    await ann.history.getByText('This message was deleted').waitFor();
    // An empty field's arrow up takes one's own last message again.
    await ann.field.press('ArrowUp');
    await ann.holds('Shall we meet on Saturday?');
    await ann.field.press('Escape');
    await Promise.all([ann.close(), ben.close()]);
  });

  it('what is unread begins at its line, and is read as it is seen', async () => {
    const {
      people: [annP, benP],
      id,
      windows: [ann, ben],
    } = await pair();
    await many(benP, id, 'news', 55);
    await ann.row('Ben').getByText('55').waitFor();
    await ann.enter('Ben');
    const line = ann.history.getByRole('listitem').filter({ hasText: 'New messages' });
    await line.getByText('news 0', { exact: true }).waitFor();
    // The keyboard enters the history where it is open.
    await ann.history.locator('article[tabindex="0"]').waitFor();
    await ann.button('Go to the newest message').click();
    await ann.message('news 54').waitFor();
    await eventually(
      'nothing unread',
      () => annP.unread(id),
      (count) => count === 0,
    );
    await Promise.all([ann.close(), ben.close()]);
  });

  it('a search finds people and old messages, and leads there', async () => {
    const {
      people: [annP, benP],
      id,
      windows: [ann, ben],
    } = await pair();
    await benP.say(id, 'the password of the archive is heliotrope');
    // Her own, so that all is read and the conversation opens at its end.
    await many(annP, id, 'filler', 60);
    await ann.page.getByRole('searchbox', { name: /Search/ }).fill('heliotrope');
    await ann.page.getByRole('button', { name: /heliotrope/ }).click();
    await ann.message('heliotrope').waitFor();
    await eventually('a row in view', () =>
      ann.message('heliotrope').evaluate((row) => row.getBoundingClientRect().top > 0),
    );
    await ann.button('Go to the newest message').click();
    await ann.message('filler 59').waitFor();
    await Promise.all([ann.close(), ben.close()]);
  });

  it('blocking ends writing on both sides, and unblocking begins it again', async () => {
    const {
      windows: [ann, ben],
    } = await pair();
    await ann.enter('Ben');
    await ben.enter('Ann');
    await ann.button('Details').click();
    await ann.button('Block').click();
    await ann
      .dialogue(/Block Ben/)
      .getByRole('button', { name: 'Block' })
      .click();
    await ann.page.getByText('You have blocked Ben').waitFor();
    await ben.field.fill('Hello?');
    await ben.field.press('Enter');
    await ben.page.getByText('Action not available').waitFor();
    await ann.button('Unblock').first().click();
    await ben.button('Try again').click();
    await ann.message('Hello?').waitFor();
    await Promise.all([ann.close(/403/), ben.close(/403/)]);
  });

  it('a conversation’s address shows its first message for less than a second of the browser’s work', async () => {
    const {
      people: [annP],
      id,
      windows,
    } = await pair();
    await many(annP, id, 'message', 30);
    const ann = await Window.open(set.browser, { person: annP });
    await ann.enter('Ben');
    await ann.message('message 29').waitFor();
    const page = await ann.context.newCDPSession(ann.page);
    const [waited, worked] = [[], []];
    for (let run = 0; run < 3; run++) {
      // Time of the processor: what else the machine does is not the page's.
      await page.send('Performance.enable', { timeDomain: 'threadTicks' });
      await ann.page.reload();
      await ann.message('message 29').waitFor();
      const { metrics } = await page.send('Performance.getMetrics');
      waited.push(Math.round(await ann.page.evaluate(() => performance.now())));
      worked.push(Math.round(metrics.find(({ name }) => name === 'TaskDuration').value * 1000));
      await page.send('Performance.disable');
    }
    console.log(`first message after ${waited.join(', ')} ms, of which the page worked ${worked.join(', ')} ms`);
    assert.ok(Math.min(...worked) < 1_000, `${worked}`);
    await Promise.all([ann, ...windows].map((window) => window.close()));
  });
});
