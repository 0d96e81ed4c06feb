// Calls between real browsers with cameras that are made up: they connect, show the others, and end for all.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser } from '../../../tests/e2e/support/browser.mjs';
import { AMBER, BLUE } from '../../../tests/e2e/support/camera.mjs';
import { Server } from '../../../tests/e2e/support/server.mjs';
import { look, PHONE } from './support/look.mjs';
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

  async function pair(options) {
    const people = await server.people('Ann', 'Ben');
    await people[0].direct(people[1]);
    const [ann, ben] = await Promise.all(people.map((person, at) => Window.open(browsers[at], { person, ...options })));
    await ann.enter('Ben');
    return [ann, ben];
  }
  /** Waits until so many others are seen, and move: frames of them have been shown. */
  const watching = (window, others = 1) =>
    window.page.waitForFunction((count) => {
      const films = [...document.querySelectorAll('.tile:not(.tile-own) video:not([data-hidden])')];
      const moves = (film) => film.videoWidth > 0 && film.getVideoPlaybackQuality().totalVideoFrames > 10;
      return films.length === count && films.every(moves);
    }, others);
  /** Waits until a call has ended, which stays to be read for a moment. */
  const over = ({ page }) => page.locator('.call:not([data-phase=ended])').waitFor({ state: 'detached' });

  it('a video call connects, shows each the other, and ends for both', async () => {
    const [ann, ben] = await pair();
    await ann.button('Video call').click();
    await ben.page.getByRole('alertdialog', { name: /Ann/ }).waitFor();
    await look(ben, 'ringing');
    await ben.button('Accept').click();
    await Promise.all([watching(ann), watching(ben)]);
    await ann.button('Mute').click();
    await ann.button('Unmute').waitFor();
    await look(ann, 'call');
    await ann.button('Make the call small').click();
    await ann.say('Can you hear me?');
    await ben.button('Hang up').click();
    await Promise.all([ann, ben].map(over));
    await ann.history.getByText('Can you hear me?').waitFor();
    await Promise.all([ann.close(), ben.close()]);
  });

  it('two phones call each other, and go on writing beside the call', async () => {
    const [ann, ben] = await pair(PHONE);
    await ann.button('Video call').tap();
    await ben.page.getByRole('alertdialog', { name: /Ann/ }).waitFor();
    await look(ben, 'ringing-phone');
    await ben.button('Accept').tap();
    await Promise.all([watching(ann), watching(ben)]);
    await look(ben, 'call-phone');
    await ben.button('Make the call small').tap();
    await ben.row('Ann').tap();
    await ben.say('I am on the train');
    await look(ben, 'call-small-phone');
    await ann.button('Hang up').tap();
    await over(ben);
    await Promise.all([ann.close(), ben.close()]);
  });

  it('a shared screen is seen by the other', async () => {
    const [ann, ben] = await pair();
    await ann.button('Share the screen').click();
    await ben.button('Accept').click();
    await watching(ben);
    await ann.button('Hang up').click();
    await over(ben);
    await Promise.all([ann.close(), ben.close()]);
  });

  it('in the middle of a call a screen is shown, taken away, and shown again', async () => {
    const [ann, ben] = await pair();
    await ann.button('Audio call').click();
    await ben.button('Accept').click();
    await Promise.all([ann, ben].map(({ page }) => page.locator('.call[data-phase=connected]').waitFor()));
    for (let time = 0; time < 2; time++) {
      await ben.page.locator('.tile:not(.tile-own) video[data-hidden]').waitFor({ state: 'attached' });
      await ann.page.getByRole('toolbar').getByRole('button', { name: 'Share the screen' }).click();
      await watching(ben);
      await ann.button('Stop sharing').click();
    }
    await ben.page.locator('.tile:not(.tile-own) video[data-hidden]').waitFor({ state: 'attached' });
    await ben.button('Hang up').click();
    await over(ann);
    await Promise.all([ann.close(), ben.close()]);
  });

  it('three see each other in a group, and two go on when one leaves the page', async () => {
    const people = await server.people('Ann', 'Ben', 'Cem');
    await people[0].group('Walkers', people.slice(1));
    const [ann, ben, cem] = await Promise.all(
      people.map((person, at) => Window.open(browsers[at % browsers.length], { person })),
    );
    await ann.enter('Walkers');
    await ann.button('Video call').click();
    await ben.button('Accept').click();
    await Promise.all([watching(ann), watching(ben)]);
    await cem.button('Accept').click();
    await Promise.all([ann, ben, cem].map((window) => watching(window, 2)));
    await look(ann, 'call-group');
    await cem.page.goto('about:blank');
    await Promise.all([watching(ann), watching(ben)]);
    await ann.button('Hang up').click();
    await over(ben);
    await Promise.all([ann.close(), ben.close(), cem.close()]);
  });

  it('who hangs up while the browser still asks for the microphone rings nobody and is not heard', async () => {
    const [ann, ben] = await pair();
    await ann.page.evaluate(() => {
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      globalThis.allowed = new Promise((resolve) => {
        mediaDevices.getUserMedia = async (wanted) => {
          globalThis.given = ask(wanted);
          await new Promise((allow) => {
            globalThis.allow = allow;
          });
          resolve();
          return globalThis.given;
        };
      });
    });
    await ann.button('Audio call').click();
    await ann.button('Hang up').click();
    await over(ann);
    const live = await ann.page.evaluate(async () => {
      globalThis.allow();
      await globalThis.allowed;
      // What comes of it has come after a turn of the page.
      await new Promise((resolve) => setTimeout(resolve));
      return (await globalThis.given).getTracks().filter(({ readyState }) => readyState === 'live').length;
    });
    assert.equal(live, 0);
    // What is said after an invitation would come after it.
    await ann.say('Sorry, wrong button');
    await ben.row('Ann').getByText('wrong button').waitFor();
    assert.equal(await ben.page.getByRole('alertdialog').count(), 0);
    await Promise.all([ann.close(), ben.close()]);
  });

  it('a call that is declined says so to the caller', async () => {
    const [ann, ben] = await pair();
    await ann.button('Audio call').click();
    await ben.button('Decline').click();
    await ann.page.getByText('Declined').waitFor();
    await over(ann);
    await ben.counts(ben.page.getByRole('alertdialog'), 0);
    await Promise.all([ann.close(), ben.close()]);
  });
});
