// What reaches somebody who is not looking: badges, the notification centre, the browser's own notifications; and that a
// page in the background reads nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

describe('attention', () => {
  const set = stage();

  async function pair() {
    const people = await set.server.people('Ann', 'Ben');
    return [...people, await people[0].direct(people[1])];
  }
  /** Says to the page that it is in the background, or in front again. No window is ever covered here. */
  const look = ({ page }, visibility) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
      document.hasFocus = () => state === 'visible';
      document.dispatchEvent(new Event('visibilitychange'));
    }, visibility);

  it('notifications are counted, listed, read, and lead to their conversation', async () => {
    const [ann, ben, id] = await pair();
    const window = await Window.open(set.browser, { person: ann });
    await ben.say(id, 'Look at this');
    await window.page.getByRole('button', { name: 'Notifications, 1 unread' }).click();
    const centre = window.dialogue('Notifications');
    await centre.getByRole('switch', { name: /E-mail/ }).click();
    await centre
      .getByRole('button', { name: /Look at this/ })
      .first()
      .click();
    await window.message('Look at this').waitFor();
    await window.button('Notifications').click();
    await eventually(
      'the preference',
      async () => (await ann.rest.get('/api/v1/notifications/preferences')).data.preferences.emailNotifications,
      (on) => on === false,
    );
    await centre.getByRole('button', { name: 'Delete Ben' }).click();
    await centre.getByText('Nothing new').waitFor();
    await window.close();
  });

  it('the browser announces what comes while the page is in the background, and a click leads there', async () => {
    const [ann, ben, id] = await pair();
    const window = await Window.open(set.browser, {
      person: ann,
      // The browser's are drawn by the desktop, and there is none here.
      prepare: (context) =>
        context.addInitScript(() => {
          globalThis.announced = [];
          globalThis.Notification = class {
            static permission = 'default';
            static async requestPermission() {
              globalThis.Notification.permission = 'granted';
              return 'granted';
            }
            constructor(title, { body }) {
              globalThis.announced.push(Object.assign(this, { title, body, close() {} }));
            }
          };
        }),
    });
    const announced = () =>
      window.page.evaluate(() => globalThis.announced.map(({ title, body }) => `${title}: ${body}`));
    const unread = (count) => window.row('Ben').getByText(`${count} unread`).waitFor();
    await look(window, 'hidden');
    await ben.say(id, 'not allowed yet');
    await unread(1);
    await window.button('Notifications', { exact: false }).click();
    const centre = window.dialogue('Notifications');
    await centre.getByRole('switch', { name: /In this browser/ }).click();
    await centre.getByRole('switch', { name: /In this browser/, checked: true }).waitFor();
    await window.page.keyboard.press('Escape');
    await look(window, 'visible');
    await ben.say(id, 'not while she looks');
    await unread(2);
    await look(window, 'hidden');
    await ben.say(id, 'the kettle is on');
    await unread(3);
    await eventually('a notification', announced, (told) => told.length > 0);
    assert.deepEqual(await announced(), ['Ben: the kettle is on']);
    await window.page.evaluate(() => globalThis.announced[0].onclick());
    await window.message('the kettle is on').waitFor();
    await window.close();
  });

  it('a page in the background reads nothing until it is looked at', async () => {
    const [ann, ben, id] = await pair();
    const [mine, theirs] = await Promise.all([ann, ben].map((person) => Window.open(set.browser, { person })));
    await mine.enter('Ben');
    await theirs.enter('Ann');
    await look(mine, 'hidden');
    await theirs.say('Are you there?');
    await mine.message('Are you there?').waitFor();
    // What is seen is gathered for a quarter of a second of the page's own time.
    await mine.page.evaluate(
      () =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 500)))),
    );
    assert.equal(await ann.unread(id), 1);
    await look(mine, 'visible');
    await theirs.message('Are you there?').getByText('Read', { exact: true }).waitFor({ state: 'attached' });
    assert.equal(await ann.unread(id), 0);
    await Promise.all([mine.close(), theirs.close()]);
  });
});
