// Calls between real browsers with cameras that are made up: they connect, show the other, and end for both.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser } from '../../../tests/e2e/support/browser.mjs';
import { AMBER, BLUE } from '../../../tests/e2e/support/camera.mjs';
import { Server } from '../../../tests/e2e/support/server.mjs';
import { built, Window } from './support/window.mjs';

describe('calls', () => {
  let server;
  let browsers;
  before(async () => {
    server = await Server.start({ env: { WEB_DIR: built } });
    browsers = await Promise.all([BLUE, AMBER].map((colours) => Browser.open(colours)));
  });
  after(async () => {
    await Promise.all((browsers ?? []).map((browser) => browser.close()));
    await server?.close();
  });

  async function pair() {
    const people = await server.people('Ann', 'Ben');
    await people[0].direct(people[1]);
    const [ann, ben] = await Promise.all(people.map((person, at) => Window.open(browsers[at], { person })));
    await ann.enter('Ben');
    return [ann, ben];
  }
  /** Waits until the other's picture moves: frames of it have been shown. */
  const watching = (window) =>
    window.page.waitForFunction(() => {
      const video = document.querySelector('.tile:not(.tile-own) video');
      return video?.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
    });

  it('a video call connects, shows each the other, and ends for both', async () => {
    const [ann, ben] = await pair();
    await ann.button('Video call').click();
    await ben.page.getByRole('alertdialog', { name: /Ann/ }).waitFor();
    await ben.picture('ringing');
    await ben.button('Accept').click();
    await Promise.all([watching(ann), watching(ben)]);
    await ann.button('Mute').click();
    await ann.button('Unmute').waitFor();
    await ann.picture('call');
    await ann.button('Make the call small').click();
    await ann.say('Can you hear me?');
    await ben.button('Hang up').click();
    for (const window of [ann, ben])
      await window.page.getByRole('region', { name: /^Call/ }).waitFor({ state: 'detached' });
    await ann.history.getByText('Can you hear me?').waitFor();
    await Promise.all([ann.close(), ben.close()]);
  });

  it('a shared screen is seen by the other', async () => {
    const [ann, ben] = await pair();
    await ann.button('Share the screen').click();
    await ben.button('Accept').click();
    await watching(ben);
    await ann.button('Hang up').click();
    await ben.page.getByRole('region', { name: /^Call/ }).waitFor({ state: 'detached' });
    await Promise.all([ann.close(), ben.close()]);
  });

  it('a call that is declined says so to the caller', async () => {
    const [ann, ben] = await pair();
    await ann.button('Audio call').click();
    await ben.button('Decline').click();
    await ann.page.getByText('Declined').waitFor();
    await ann.page.getByRole('region', { name: /^Call/ }).waitFor({ state: 'detached' });
    assert.equal(await ben.page.getByRole('alertdialog').count(), 0);
    await Promise.all([ann.close(), ben.close()]);
  });
});
