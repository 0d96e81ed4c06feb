// How it looks: light and dark, wide and 360 pixels narrow, each looked at by axe and left as a picture.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { assertAccessible } from './support/axe.mjs';
import { aged, furnish } from './support/furnish.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

/** Waits until the pictures are there. */
const drawn = ({ page }) => page.waitForFunction(() => [...document.images].every((image) => image.complete));

describe('looks', () => {
  const set = stage({ TYPING_TIMEOUT: '60s' });
  let people;
  before(async () => {
    people = await furnish(set.server);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`${colorScheme}: conversations, details, search and dialogues`, async () => {
      const window = await Window.open(set.browser, {
        person: people.mara,
        prepare: (context) => aged(context, people.times),
        colorScheme,
        viewport: { width: 1360, height: 850 },
      });
      await window.enter('Harbour Festival');
      people.type();
      await window.page.getByText('is typing').first().waitFor();
      await window.message('On it!').waitFor();
      await drawn(window);
      await window.picture(`group-${colorScheme}`);
      await assertAccessible(window.page, `a group, ${colorScheme}`);
      await window.message('tide table').hover();
      await window.picture(`actions-${colorScheme}`);
      await window.button('Details').click();
      await window.button('Leave the group').waitFor();
      await drawn(window);
      await window.picture(`details-${colorScheme}`);
      await assertAccessible(window.page, `details, ${colorScheme}`);
      await window.enter('Jonas Weber');
      await window.message('Now I wish').waitFor();
      await drawn(window);
      await window.picture(`direct-${colorScheme}`);
      await assertAccessible(window.page, `a direct conversation, ${colorScheme}`);
      await window.page.getByRole('searchbox', { name: /Search/ }).fill('stage');
      await window.page.getByRole('heading', { name: 'Messages' }).waitFor();
      await window.picture(`search-${colorScheme}`);
      await assertAccessible(window.page, `a search, ${colorScheme}`);
      await window.button('Clear search').click();
      await window.page.getByRole('button', { name: /^Notifications/ }).click();
      await window
        .dialogue('Notifications')
        .getByRole('button', { name: /Thanks for/ })
        .waitFor();
      await window.picture(`notifications-${colorScheme}`);
      await assertAccessible(window.page, `notifications, ${colorScheme}`);
      await window.page.keyboard.press('Escape');
      await window.page.getByRole('button', { name: 'Mara Lindqvist Settings' }).click();
      await window.picture(`settings-${colorScheme}`);
      await assertAccessible(window.page, `settings, ${colorScheme}`);
      await window.close();
    });
  }

  it('the choice of looks is kept', async () => {
    const window = await Window.open(set.browser, {
      person: people.mara,
      prepare: (context) => aged(context, people.times),
      colorScheme: 'light',
    });
    const background = () => window.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await window.page.getByRole('button', { name: 'Mara Lindqvist Settings' }).click();
    await window.page.getByText('Dark', { exact: true }).click();
    await window.page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, light);
    const dark = await background();
    await window.page.reload();
    await window.sidebar.waitFor();
    assert.equal(await background(), dark);
    await window.close();
  });

  it('a phone of 360 pixels: the list, a conversation, its details; nothing sticks out', async () => {
    const window = await Window.open(set.browser, {
      person: people.mara,
      prepare: (context) => aged(context, people.times),
      ...PHONE,
    });
    const fits = async (what) => {
      const width = await window.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${what} is ${width} pixels wide`);
    };
    await window.row('Harbour Festival').waitFor();
    await window.picture('phone-list');
    await fits('the list');
    await assertAccessible(window.page, 'the list on a phone');
    await window.row('Harbour Festival').tap();
    await window.field.waitFor();
    await window.message('On it!').waitFor();
    await drawn(window);
    await window.picture('phone-chat');
    await fits('a conversation');
    await assertAccessible(window.page, 'a conversation on a phone');
    await window.page.emulateMedia({ colorScheme: 'dark' });
    await window.picture('phone-chat-dark');
    await assertAccessible(window.page, 'a conversation on a phone in the dark');
    await window.page.emulateMedia({ colorScheme: 'light' });
    await window.button('Details').tap();
    await window.button('Leave the group').waitFor();
    await drawn(window);
    await window.picture('phone-details');
    await fits('the details');
    await assertAccessible(window.page, 'the details on a phone');
    await window.button('Close details').tap();
    await window.button('Back to the conversations').tap();
    await window.row('Jonas Weber').waitFor();
    for (const [name, button] of [
      ['Notifications', /^Notifications/],
      ['Settings', 'Mara Lindqvist Settings'],
    ]) {
      await window.page.getByRole('button', { name: button }).tap();
      await window.dialogue(name).waitFor();
      await window.picture(`phone-${name.toLowerCase()}`);
      await fits(name);
      await window.dialogue(name).getByRole('button', { name: 'Close', exact: true }).tap();
      await window.dialogue(name).waitFor({ state: 'detached' });
    }
    await window.close();
  });

  it('goes by keyboard alone: search, list, field, history and what can be done there', async () => {
    const window = await Window.open(set.browser, { person: people.mara });
    const { page } = window;
    const focused = page.locator(':focus');
    /** Presses a key until the focus is on what is meant, a few times at most. */
    const reach = async (key, selector) => {
      for (let steps = 0; steps < 12; steps++) {
        await page.keyboard.press(key);
        if (await focused.evaluate((element, wanted) => element.matches(wanted), selector)) return;
      }
      assert.fail(`${key} does not lead to ${selector}`);
    };
    // Until the conversations are there, a Tab leads past where they will be.
    await window.row('Jonas Weber').waitFor();
    await page.keyboard.press('Control+k');
    assert.equal(await focused.getAttribute('id'), 'search');
    await reach('Tab', '.conversation-row');
    await page.keyboard.press('ArrowDown');
    assert.match(await focused.textContent(), /Harbour Festival/);
    await page.keyboard.press('Enter');
    await page.locator('.composer-field:focus').waitFor();
    await window.message('On it!').waitFor();

    await reach('Shift+Tab', 'article');
    const newest = Number(await focused.getAttribute('data-seq'));
    await page.keyboard.press('ArrowUp');
    await page.locator(`article[data-seq="${newest - 1}"]:focus`).waitFor();
    await reach('Tab', '[aria-label="React"]');
    await page.keyboard.press('Alt+ArrowUp');
    await page
      .getByRole('main')
      .getByRole('button', { name: /^Jonas Weber/ })
      .waitFor();
    assert.equal(await window.row('Jonas Weber').getAttribute('aria-current'), 'page');
    await window.message('Now I wish').waitFor();
    // Where nothing is written an arrow up edits what was written last; with Alt it is the conversation that changes.
    await page.locator('.composer-field:focus').waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    assert.equal(await window.field.inputValue(), '');
    await window.close();
  });
});
