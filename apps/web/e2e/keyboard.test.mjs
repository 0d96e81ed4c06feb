// Without a mouse, and with keyboards that compose their characters.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

describe('the keyboard', () => {
  const set = stage();

  it('leads everywhere: search, list, field, history and what can be done there', async () => {
    const [ann, ben, cem] = await set.server.people('Ann', 'Ben', 'Cem');
    const [walkers, direct] = [await ann.group('Walkers', [ben, cem]), await ann.direct(cem)];
    await ben.say(walkers, 'Shall we go?');
    await cem.say(walkers, 'Yes, at noon');
    await ann.say(direct, 'Are you there?');
    const window = await Window.open(set.browser, { person: ann });
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
    await window.row('Cem').waitFor();
    await page.keyboard.press('Control+k');
    assert.equal(await focused.getAttribute('id'), 'search');
    await reach('Tab', '.conversation-row');
    await page.keyboard.press('ArrowDown');
    assert.match(await focused.textContent(), /Walkers/);
    await page.keyboard.press('Enter');
    await page.locator('.composer-field:focus').waitFor();
    await window.message('Yes, at noon').waitFor();

    await reach('Shift+Tab', 'article');
    const newest = Number(await focused.getAttribute('data-seq'));
    await page.keyboard.press('ArrowUp');
    await page.locator(`article[data-seq="${newest - 1}"]:focus`).waitFor();
    await reach('Tab', '[aria-label="React"]');
    await page.keyboard.press('Enter');
    await page.locator('.quick-emoji:focus').waitFor();
    await reach('Tab', '[aria-label="More emoji"]');
    await page.keyboard.press('Enter');
    await window.dialogue('React with').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[aria-label="More emoji"]:focus').waitFor();
    await reach('Shift+Tab', '.quick-emoji');
    await page.keyboard.press('Enter');
    await window.message('Shall we go?').getByRole('button', { name: '🙏, 1' }).waitFor();
    await page.locator(`article[data-seq="${newest - 1}"]:focus`).waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByRole('main').getByRole('button', { name: /^Cem/ }).waitFor();
    assert.equal(await window.row('Cem').getAttribute('aria-current'), 'page');
    await window.message('Are you there?').waitFor();
    // Where nothing is written an arrow up edits what was written last; with Alt it is the conversation that changes.
    await page.locator('.composer-field:focus').waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    assert.equal(await window.field.inputValue(), '');
    await page.keyboard.press('ArrowUp');
    await window.holds('Are you there?');
    await window.close();
  });

  it('an Enter that ends the composing of a character sends nothing; the next one does', async () => {
    const [ann, ben] = await set.server.people('Ann', 'Ben');
    const id = await ann.direct(ben);
    const window = await Window.open(set.browser, { person: ann });
    await window.enter('Ben');
    const input = await window.context.newCDPSession(window.page);
    const enter = (windowsVirtualKeyCode) =>
      input.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode });
    await input.send('Input.imeSetComposition', { text: 'こんにち', selectionStart: 4, selectionEnd: 4 });
    await enter(13);
    await input.send('Input.insertText', { text: 'こんにちは' });
    // Safari says so after the composition has ended, by the code alone.
    await enter(229);
    assert.equal(await window.field.inputValue(), 'こんにちは');
    assert.deepEqual(await window.texts(), []);
    // A line of one's own is written with Shift.
    await window.field.press('Shift+Enter');
    await window.field.pressSequentially('Ben');
    await window.field.press('Enter');
    await window.message('こんにちは').waitFor();
    assert.deepEqual(
      (await ben.talk(id)).map(({ text }) => text),
      ['こんにちは\nBen'],
    );
    await window.close();
  });
});
