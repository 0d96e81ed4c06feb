// What somebody sees first: the sign-in page of a `--dev` server, the page of one without, and a server without a client.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Server } from '../../../tests/e2e/support/server.mjs';
import { startDevServer } from './support/dev-server.mjs';
import { look } from './support/look.mjs';
import { stage } from './support/stage.mjs';
import { built, Window } from './support/window.mjs';

describe('a newcomer', () => {
  const set = stage();

  it('opens the printed address in two windows, signs in as two people, and they talk', async () => {
    const dev = await startDevServer();
    try {
      assert.match(dev.said(), /To chat, open http:\S+ in two windows/);
      const alice = await Window.open(set.browser, { url: dev.url });
      const bob = await Window.open(set.browser, { url: dev.url });
      await look(alice, 'sign-in');
      await alice.button('Alice').click();
      await bob.button('Bob').click();
      await alice.sidebar.getByRole('button', { name: 'Bob' }).click();
      await alice.say('Hello Bob');
      await bob.row('Alice').waitFor();
      await bob.enter('Alice');
      await bob.message('Hello Bob').waitFor();
      await bob.say('Hello Alice');
      await alice.message('Hello Alice').waitFor();
      const carla = await Window.open(set.browser, { url: dev.url });
      await carla.page.getByRole('textbox', { name: 'Or somebody new' }).fill('Carla Jansen');
      await carla.button('Sign in').click();
      await carla.sidebar.getByRole('button', { name: 'Alice' }).waitFor();
      // A reload keeps the person of a window.
      await bob.page.reload();
      await bob.message('Hello Alice').waitFor();
      await Promise.all([alice.close(), bob.close(), carla.close()]);
    } finally {
      await dev.close();
    }
  });

  it('is told by a page without --dev and without a token where to come from', async () => {
    const window = await Window.open(set.browser, { url: set.server.url });
    await window.page.getByText('Please sign in where you got the link').waitFor();
    await look(window, 'sign-in-elsewhere');
    await window.close(/404/);
  });

  it('without npm reads what is missing, and has a server all the same', async () => {
    const bare = await mkdtemp(join(tmpdir(), 'parlance-web-bare-'));
    await symlink('/usr/bin/dirname', join(bare, 'dirname'));
    const build = join(dirname(built), 'build.sh');
    const { stdout, stderr } = await promisify(execFile)('/bin/bash', [build], { env: { PATH: bare } });
    await rm(bare, { recursive: true });
    assert.equal(stdout, '');
    assert.match(stderr, /web client is not built: npm is not there/);
    const server = await Server.start({ env: { WEB_DIR: stdout } });
    try {
      assert.equal((await fetch(server.url)).status, 404);
      await server.person('Ann');
    } finally {
      await server.close();
    }
  });
});
