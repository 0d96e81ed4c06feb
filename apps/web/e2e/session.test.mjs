// Whose window it is: tokens that a product gives, renews and lets end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mintToken } from '../../../tests/e2e/support/tokens.mjs';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { look } from './support/look.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const secondsFromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

describe('a session', () => {
  const set = stage();

  /** A window that shares `localStorage` with the product's pages, and a page of the product beside it. */
  async function beside(person) {
    const { url } = set.server;
    const localStorage = [{ name: 'accessToken', value: person.token }];
    // What the window says over each of its sockets.
    const sockets = [];
    const listen = (socket) => {
      const said = [];
      sockets.push(said);
      socket.on('framesent', ({ payload }) => said.push(String(payload)));
    };
    const window = await Window.open(set.browser, {
      url,
      storageState: { cookies: [], origins: [{ origin: new URL(url).origin, localStorage }] },
      prepare: (context) => context.once('page', (page) => page.on('websocket', listen)),
    });
    const product = await window.context.newPage();
    await product.goto(`${url}/favicon.svg`);
    // A page behind another draws at its leisure.
    await window.page.bringToFront();
    const give = (token) => product.evaluate((value) => globalThis.localStorage.setItem('accessToken', value), token);
    return { window, sockets, give };
  }
  const renewed = (person) => mintToken(set.server.secret, { sub: person.id, name: person.name, renewed: true });

  it('goes on with a renewed token, on the same socket', async () => {
    const [ann, ben] = await set.server.people('Ann', 'Ben');
    await ann.direct(ben);
    const { window, sockets, give } = await beside(ann);
    await window.enter('Ben');
    await window.say('It is me');
    const token = renewed(ann);
    await give(token);
    const refreshed = () => sockets[0].some((packet) => packet.includes('auth:refresh') && packet.includes(token));
    await eventually('a socket that is told', refreshed);
    const asked = window.page.waitForRequest((request) => request.headers().authorization === `Bearer ${token}`);
    await window.page.getByRole('searchbox', { name: /Search/ }).fill('me');
    await asked;
    await window.say('Still me');
    assert.equal(sockets.length, 1);
    await window.close();
  });

  it('says when it has ended, and begins again with the next token', async () => {
    const ann = await set.server.person('Ann', { exp: secondsFromNow(6) });
    const { window, give } = await beside(ann);
    await window.page.getByText('Your session has ended').waitFor();
    await look(window, 'session-ended');
    await give(renewed(ann));
    await window.sidebar.waitFor();
    await window.close(/40[14]/);
  });

  it('is left by signing out, and nothing of it stays in the window', async () => {
    const ann = await set.server.person('Ann');
    const window = await Window.open(set.browser, { person: ann });
    assert.equal(new URL(window.page.url()).hash, '');
    await window.page.getByRole('button', { name: 'Ann Settings' }).click();
    await window.button('Sign out').click();
    await window.page.getByRole('heading', { name: 'Parlance' }).waitFor();
    const kept = await window.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    assert.ok(!kept.includes(ann.token), kept);
    await window.close(/404/);
  });
});
