// Every screen that a week of use does not show: empty ones, dialogues, what is half written, what went wrong. Each wide
// and light, and on a phone in the dark.
import { before, describe, it } from 'node:test';
import { look, PHONE } from './support/look.mjs';
import { scenery } from './support/scenery.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const LOOKS = {
  wide: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'dark', ...PHONE },
};

describe('screens', () => {
  const set = stage();
  let ann;
  before(async () => {
    const people = await set.server.people('Ann Ryder', 'Ben Okafor', 'Cem Demir', 'Dora Lang');
    ann = people[0];
    const [, ben, cem] = people;
    const group = await ann.group('Walkers', [ben]);
    await ben.say(group, 'Does anybody have a map of the eastern hills? Mine ends at the river.');
    await ann.direct(cem);
    const blocked = await ann.direct(ben);
    await ben.say(blocked, 'Hello');
    await ann.rest.put(`/api/v1/users/${ben.id}/block`);
  });

  for (const [name, options] of Object.entries(LOOKS)) {
    it(`${name}: nothing there yet`, async () => {
      const newcomer = await Window.open(set.browser, { person: await set.server.person('Noor Haddad'), ...options });
      await newcomer.page.getByText('People that you can write to').waitFor();
      await look(newcomer, `screen-nobody-${name}`);
      await newcomer.button('New chat').first().click();
      await newcomer.dialogue('New chat').getByRole('button', { name: 'Dora Lang' }).waitFor();
      await look(newcomer, `screen-new-chat-${name}`);
      await newcomer.page.keyboard.press('Escape');
      await newcomer.page.getByRole('button', { name: /^Notifications/ }).click();
      await newcomer.dialogue('Notifications').getByText('Nothing new').waitFor();
      await look(newcomer, `screen-no-notifications-${name}`);
      await newcomer.page.keyboard.press('Escape');
      await newcomer.page.getByRole('searchbox', { name: /Search/ }).fill('xylophone');
      await newcomer.page.getByText('Nothing found').waitFor();
      await look(newcomer, `screen-nothing-found-${name}`);
      await newcomer.close();
    });

    it(`${name}: groups that are being made`, async () => {
      const window = await Window.open(set.browser, { person: ann, ...options });
      await window.button('New group').first().click();
      const making = window.dialogue('New group');
      await making.getByRole('textbox', { name: 'Name of the group' }).fill('Weekend in the hills');
      await making.getByRole('button', { name: 'Cem Demir' }).click();
      await making.getByRole('button', { name: 'Dora Lang' }).click();
      await look(window, `screen-new-group-${name}`);
      await window.page.keyboard.press('Escape');
      await window.enter('Walkers');
      await window.button('Details').click();
      await window.button('Rename the group').click();
      await look(window, `screen-rename-${name}`);
      await window.button('Add people').click();
      await window.dialogue('Add people').getByRole('button', { name: 'Dora Lang' }).waitFor();
      await look(window, `screen-add-people-${name}`);
      await window.page.keyboard.press('Escape');
      await window.button('Leave the group').click();
      await window.dialogue('Leave this group?').waitFor();
      await look(window, `screen-confirm-${name}`);
      await window.close();
    });

    it(`${name}: messages that are being written`, async () => {
      const window = await Window.open(set.browser, { person: ann, ...options });
      await window.enter('Cem Demir');
      await window.page.getByText('No messages yet. Say hello').waitFor();
      await look(window, `screen-empty-${name}`);
      await window.page.locator('.composer-emoji').getByRole('button', { name: 'Emoji' }).click();
      await look(window, `screen-emoji-${name}`);
      await window.page.keyboard.press('Escape');
      await open(window, 'Walkers');
      await window.act('eastern hills', 'Reply');
      await window.page.locator('input[type=file]').setInputFiles([
        {
          name: 'The eastern hills in the morning, from the old mill.png',
          mimeType: 'image/png',
          buffer: scenery(600, 400, 1),
        },
        { name: 'map.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF') },
        { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<!doctype html><script>alert(1)</script>') },
      ]);
      await window.page.locator('.upload[data-state=done]').nth(1).waitFor();
      await window.page.locator('.upload[data-state=failed]').waitFor();
      await window.field.fill('I have one. The page is from the guide of last year, so look at the dates.');
      await look(window, `screen-writing-${name}`);
      await window.button('Remove page.png').click();
      await window.button('Send').click();
      await window
        .message('I have one')
        .getByRole('button', { name: /eastern hills in the morning/ })
        .click();
      await look(window, `screen-picture-${name}`);
      await window.page.keyboard.press('Escape');
      await open(window, 'Ben Okafor');
      await window.page.getByText('You have blocked Ben Okafor').waitFor();
      await look(window, `screen-blocked-${name}`);
      await window.close(/415/);
    });

    it(`${name}: a message that was refused`, async () => {
      const [fay, emil] = await set.server.people('Fay Winter', 'Emil Frank');
      await fay.direct(emil);
      const window = await Window.open(set.browser, { person: fay, ...options });
      await window.enter('Emil Frank');
      await window.say('Hello Emil');
      await emil.rest.put(`/api/v1/users/${fay.id}/block`);
      await window.say('Are you coming tonight?');
      await window.button('Try again').waitFor();
      await look(window, `screen-refused-${name}`);
      await window.close(/403/);
    });
  }

  /** Goes on to another conversation, on a phone by way of the list. */
  async function open(window, title) {
    const back = window.button('Back to the conversations');
    if (await back.isVisible()) await back.click();
    await window.row(title).click();
    await window.page
      .getByRole('main')
      .getByRole('button', { name: new RegExp(`^${title}`) })
      .waitFor();
  }
});
