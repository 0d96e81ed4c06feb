// How it looks after a week of use: light and dark, wide and 360 pixels narrow.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { aged, furnish } from './support/furnish.mjs';
import { look, PHONE } from './support/look.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

describe('looks', () => {
  const set = stage({ TYPING_TIMEOUT: '60s' });
  let people;
  before(async () => {
    people = await furnish(set.server);
  });
  const open = (options) =>
    Window.open(set.browser, { person: people.mara, prepare: (context) => aged(context, people.times), ...options });

  for (const colorScheme of ['light', 'dark']) {
    it(`${colorScheme}: conversations, details, search and dialogues`, async () => {
      const window = await open({ colorScheme, viewport: { width: 1360, height: 850 } });
      await window.row('Priya Nair').getByText('99+').waitFor();
      await window.row('Jonas Weber').getByText('(online)').waitFor({ state: 'attached' });
      await window.row('Chen Wei').getByText(/day$/).waitFor();
      await window.enter('Harbour Festival');
      people.type();
      await window.page.getByText('is typing').first().waitFor();
      await window.message('On it!').waitFor();
      await look(window, `group-${colorScheme}`);
      await window.message('lovely').hover();
      await window.message('lovely').getByRole('button', { name: 'React' }).waitFor();
      await look(window, `actions-${colorScheme}`);
      await window.button('Details').click();
      await window.button('Leave the group').waitFor();
      await look(window, `details-${colorScheme}`);
      await window.enter('Jonas Weber');
      await window.message('Now I wish').waitFor();
      await look(window, `direct-${colorScheme}`);
      await window.page.getByRole('searchbox', { name: /Search/ }).fill('stage');
      await window.page.getByRole('heading', { name: 'Messages' }).waitFor();
      await look(window, `search-${colorScheme}`);
      await window.button('Clear search').click();
      await window.page.getByRole('button', { name: /^Notifications/ }).click();
      await window
        .dialogue('Notifications')
        .getByRole('button', { name: /Thanks for/ })
        .waitFor();
      await look(window, `notifications-${colorScheme}`);
      await window.page.keyboard.press('Escape');
      await window.page.getByRole('button', { name: 'Mara Lindqvist Settings' }).click();
      await look(window, `settings-${colorScheme}`);
      await window.close();
    });
  }

  it('the choice of looks is kept', async () => {
    const window = await open({ colorScheme: 'light' });
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

  it('a phone of 360 pixels: the list, a conversation, its details, dialogues', async () => {
    const window = await open(PHONE);
    await window.row('Harbour Festival').waitFor();
    await look(window, 'phone-list');
    await window.row('Harbour Festival').tap();
    await window.field.waitFor();
    await window.message('On it!').waitFor();
    await look(window, 'phone-chat');
    await window.page.emulateMedia({ colorScheme: 'dark' });
    await look(window, 'phone-chat-dark');
    await window.page.emulateMedia({ colorScheme: 'light' });
    // A finger does not hover: what can be done appears for what was touched.
    await window.message('lovely').tap();
    await window.message('lovely').getByRole('button', { name: 'React' }).tap();
    await look(window, 'phone-actions');
    await window.button('More emoji').tap();
    await window.dialogue('React with').waitFor();
    await look(window, 'phone-react');
    await window.dialogue('React with').getByRole('button', { name: '🚀' }).tap();
    await window.message('lovely').getByRole('button', { name: '🚀, 1' }).waitFor();
    await window.button('Details').tap();
    await window.button('Leave the group').waitFor();
    await look(window, 'phone-details');
    await window.button('Close details').tap();
    await window.button('Back to the conversations').tap();
    await window.row('Jonas Weber').waitFor();
    for (const [name, button] of [
      ['Notifications', /^Notifications/],
      ['Settings', 'Mara Lindqvist Settings'],
    ]) {
      await window.page.getByRole('button', { name: button }).tap();
      await window.dialogue(name).waitFor();
      await look(window, `phone-${name.toLowerCase()}`);
      await window.dialogue(name).getByRole('button', { name: 'Close', exact: true }).tap();
      await window.dialogue(name).waitFor({ state: 'detached' });
    }
    await window.close();
  });
});
