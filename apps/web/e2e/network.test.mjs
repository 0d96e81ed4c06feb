// Bad networks: a server that is restarted in the middle, and a browser that is offline for a while.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser } from '../../../tests/e2e/support/browser.mjs';
import { BLUE } from '../../../tests/e2e/support/camera.mjs';
import { Server } from '../../../tests/e2e/support/server.mjs';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { look } from './support/look.mjs';
import { built, Window } from './support/window.mjs';

const UNREACHABLE = /ERR_|WebSocket|Failed to load/;

describe('bad networks', () => {
  let browser;
  before(async () => {
    browser = await Browser.open(BLUE);
  });
  const servers = [];
  after(async () => {
    await browser?.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  async function three() {
    const server = await Server.start({ env: { WEB_DIR: built } });
    servers.push(server);
    const people = await server.people('Ann', 'Ben', 'Cem');
    const id = await people[0].group('Walkers', people.slice(1));
    const windows = await Promise.all(people.map((person) => Window.open(browser, { person })));
    for (const window of windows) await window.enter('Walkers');
    return { server, people, id, windows };
  }
  const said = async (person, id) => (await person.talk(id)).map(({ text }) => text);

  it('three go on after the server was killed and started again, with what was written meanwhile once', async () => {
    const {
      server,
      people,
      id,
      windows: [ann, ben, cem],
    } = await three();
    await ann.say('before');
    await Promise.all([ben, cem].map((window) => window.message('before').waitFor()));
    await server.kill();
    await ann.page.locator('.banner').waitFor();
    await look(ann, 'connection-lost');
    await ann.say('into the dark');
    await ben.say('me too');
    await server.restart();
    for (const window of [ann, ben, cem]) {
      await window.reconnect();
      await window.message('into the dark').waitFor();
      await window.message('me too').waitFor();
    }
    await cem.say('after');
    await ann.message('after').waitFor();
    const all = await said(people[0], id);
    assert.deepEqual(all.toSorted(), ['after', 'before', 'into the dark', 'me too']);
    for (const window of [ann, ben, cem]) await window.close(UNREACHABLE);
  });

  it('after five tries in vain it says so, keeps what is written, and goes on when it is told to', async () => {
    const {
      server,
      windows: [ann, ben, cem],
    } = await three();
    // The tries take half a minute, which nobody has to wait for.
    await ann.page.clock.install();
    await server.kill();
    const given = ann.page.getByText('The server cannot be reached. What you write is kept.');
    const tried = async () => {
      await ann.page.clock.fastForward(16_000);
      return (await given.count()) > 0;
    };
    await eventually('five tries', tried, Boolean, 60_000);
    await look(ann, 'given-up');
    await ann.say('still here');
    await server.restart();
    await ann.reconnect();
    await ann.message('still here').getByText('Sent', { exact: true }).waitFor({ state: 'attached' });
    await Promise.all([ann, ben, cem].map((window) => window.close(UNREACHABLE)));
  });

  it('five messages that were written offline go out in order, also after a reload, each once', async () => {
    const {
      server,
      people,
      id,
      windows: [ann, ben, cem],
    } = await three();
    await ann.context.setOffline(true);
    await ann.page.getByText('You are offline').waitFor();
    const texts = ['one', 'two', 'three', 'four', 'five'];
    for (const text of texts) await ann.say(text);
    await ann.counts(ann.history.getByText('Waiting to be sent'), 5);
    await look(ann, 'offline');
    await ben.say('meanwhile');
    assert.deepEqual(await said(people[1], id), ['meanwhile']);
    await ann.context.setOffline(false);
    await ben.message('five').waitFor();
    await ann.message('meanwhile').waitFor();
    assert.deepEqual(await said(people[1], id), ['meanwhile', ...texts]);
    await eventually(
      'nothing waits',
      () => ann.history.getByText('Waiting to be sent').count(),
      (count) => count === 0,
    );
    assert.deepEqual(
      (await ann.texts()).map((text) => text.trim()),
      ['meanwhile', ...texts],
    );

    // The page is left while messages wait: the server goes, they are written, the page is loaded again later.
    await ann.context.setOffline(true);
    await ann.page.getByText('You are offline').waitFor();
    for (const text of ['six', 'seven']) await ann.say(text);
    await ann.page.goto('about:blank');
    await ann.context.setOffline(false);
    await ann.page.goto(`${server.url}/#/c/${id}`);
    await ben.message('seven').waitFor();
    assert.deepEqual(await said(people[1], id), ['meanwhile', ...texts, 'six', 'seven']);
    for (const window of [ann, ben, cem]) await window.close(UNREACHABLE);
  });
});
