// Files: chosen, dropped and pasted, with progress, seen by the other.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { png } from '../../../tests/e2e/support/contents.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const LARGE_BYTES = 20 * 1024 * 1024;

describe('files', () => {
  const set = stage();
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parlance-web-files-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function pair() {
    const people = await set.server.people('Ann', 'Ben');
    await people[0].direct(people[1]);
    const [ann, ben] = await Promise.all(people.map((person) => Window.open(set.browser, { person })));
    await ann.enter('Ben');
    await ben.enter('Ann');
    return { ann, ben };
  }

  it('20 MiB go up with progress that moves, and arrive whole', async () => {
    const { ann, ben } = await pair();
    const seen = await ann.page.evaluateHandle(() => {
      const values = [];
      new MutationObserver(() => {
        const bar = document.querySelector('.upload progress');
        if (bar) values.push(bar.value);
      }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
      return values;
    });
    // A network that takes a while, so that there is something to see.
    const network = await ann.context.newCDPSession(ann.page);
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 8 * 1024 * 1024,
    });
    const content = Buffer.alloc(LARGE_BYTES, 'all work and no play\n');
    const path = join(folder, 'novel.txt');
    await writeFile(path, content);
    await ann.page.locator('input[type=file]').setInputFiles(path);
    await ann.page.getByRole('progressbar', { name: 'Upload of novel.txt' }).waitFor();
    await ann.page.locator('.upload[data-state=done]').waitFor({ timeout: 60_000 });
    await ann.field.fill('My novel');
    await ann.field.press('Enter');
    const card = ben.message('My novel').getByRole('link', { name: /novel\.txt/ });
    await card.waitFor();
    const values = await seen.jsonValue();
    const between = new Set(values.filter((value) => value > 0 && value < 100));
    console.log(`20 MiB: progress shown at ${[...between].join(', ')} %`);
    assert.ok(between.size >= 3, `${values}`);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
    const url = new URL(await card.getAttribute('href'), set.server.url);
    assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, LARGE_BYTES);
    await Promise.all([ann.close(), ben.close()]);
  });

  it('pictures are dropped and pasted, shown before they are sent, and opened large', async () => {
    const { ann, ben } = await pair();
    const picture = png(640, 400).toString('base64');
    for (const [way, name] of [
      ['drop', 'dropped.png'],
      ['paste', 'pasted.png'],
    ]) {
      await ann.page.evaluate(
        ([base64, filename, kind]) => {
          const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], filename, { type: 'image/png' }));
          const target = document.querySelector(kind === 'drop' ? '.chat' : '.composer-field');
          const options = { bubbles: true, cancelable: true };
          target.dispatchEvent(
            kind === 'drop'
              ? new DragEvent('drop', { ...options, dataTransfer: transfer })
              : new ClipboardEvent('paste', { ...options, clipboardData: transfer }),
          );
        },
        [picture, name, way],
      );
    }
    await ann.counts(ann.page.locator('.upload-picture img'), 2);
    await ann.page.locator('.upload[data-state=done]').nth(1).waitFor();
    await ann.field.fill('Two views');
    await ann.button('Send').click();
    await ben.message('Two views').locator('img').nth(1).waitFor();
    await ben.message('Two views').getByRole('button', { name: 'dropped.png' }).click();
    await ben.page.getByRole('dialog', { name: 'dropped.png' }).waitFor();
    await ben.page.keyboard.press('ArrowRight');
    await ben.page.getByRole('dialog', { name: 'pasted.png' }).waitFor();
    await ben.page.keyboard.press('Escape');
    await ben.page.getByRole('dialog').waitFor({ state: 'detached' });
    await Promise.all([ann.close(), ben.close()]);
  });

  it('what the server does not take is said at the file, stays when the others are sent, and can be taken away', async () => {
    const { ann, ben } = await pair();
    await ann.page.locator('input[type=file]').setInputFiles([
      { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<!doctype html><script>alert(1)</script>') },
      { name: 'view.png', mimeType: 'image/png', buffer: png(64, 40) },
    ]);
    await ann.page.locator('.upload[data-state=failed]').waitFor();
    await ann.page.locator('.upload[data-state=done]').waitFor();
    await ann.field.fill('One of two');
    await ann.button('Send').click();
    await ben.message('One of two').getByRole('button', { name: 'view.png' }).waitFor();
    assert.deepEqual(await ann.page.locator('.upload-name').allInnerTexts(), ['page.png']);
    await ann.button('Remove page.png').click();
    await ann.counts(ann.page.locator('.upload'), 0);
    await Promise.all([ann.close(/415/), ben.close()]);
  });
});
