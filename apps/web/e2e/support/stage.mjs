// What the tests of one file share: a server that serves the built client, and a browser.
import { after, before } from 'node:test';
import { Browser } from '../../../../tests/e2e/support/browser.mjs';
import { BLUE } from '../../../../tests/e2e/support/camera.mjs';
import { Server } from '../../../../tests/e2e/support/server.mjs';
import { built } from './window.mjs';

/** Has a `server` and a `browser` when the first test of the suite runs; both end with the last. */
export function stage(settings = {}) {
  const set = {};
  before(async () => {
    [set.server, set.browser] = await Promise.all([
      Server.start({ env: { WEB_DIR: built, ...settings } }),
      Browser.open(BLUE),
    ]);
  });
  after(async () => {
    await set.browser?.close();
    await set.server?.close();
  });
  return set;
}
