// Somebody's browser with `pages/call.html` open: what they press, what they see, what reaches them.
import assert from 'node:assert/strict';
import { eventually } from './wait.mjs';

export class Phone {
  /** Opens the page as `person`, who talks with `peer` in `dialect`, and waits until it is connected to the server. */
  static async open(browser, site, { person, peer, conversation, dialect }) {
    const { page, errors, close } = await browser.page(`${site.origin}/call.html`, {
      server: person.server.url,
      token: person.token,
      dialect,
      conversation,
      user: person.id,
      name: person.name,
      peer: peer.id,
      peerName: peer.name,
    });
    const phone = new Phone(person, page, errors, close);
    await phone.until('ready');
    return phone;
  }

  constructor(person, page, errors, close) {
    this.person = person;
    this.page = page;
    this.errors = errors;
    this.close = close;
  }

  press(button) {
    return this.page.click(`#${button}`);
  }

  /** Waits until the page shows this state. */
  until(state) {
    return this.#waiting(`the state ${state}`, () => this.page.waitForSelector(`body[data-state="${state}"]`));
  }

  /** `calling`, `connected`, … */
  state() {
    return this.page.evaluate(() => document.body.dataset.state);
  }

  /** The words beside the buttons. */
  note() {
    return this.page.textContent('#note');
  }

  /** What has come in from the other browser so far. */
  incoming() {
    return this.page.evaluate(() => window.phone.incoming());
  }

  /** Waits until what has come in satisfies, a condition on `now` and on `since`, what had come in at the start. */
  async untilIncoming(what, satisfied) {
    const since = await this.incoming();
    return this.#waiting(what, () => eventually(what, () => this.incoming(), (now) => satisfied(now, since)));
  }

  /** Waits until the other's picture moves: one frame after another is decoded and shown. */
  untilWatching() {
    return this.untilIncoming('a moving picture', (now, since) =>
      now.framesDecoded >= since.framesDecoded + 5 && now.currentTime > since.currentTime && now.size[0] > 0);
  }

  /** The wall behind whom this page shows, as [red, green, blue]. */
  wall() {
    return this.page.evaluate(() => window.phone.corner());
  }

  untilHearing() {
    return this.untilIncoming('sound', (now, since) => now.audioPackets > since.audioPackets);
  }

  /** Payloads of every `event` that arrived, in order. */
  async heard(event) {
    const all = await this.page.evaluate(() => window.phone.heard);
    return all.filter(([name]) => name === event).map(([, payload]) => payload);
  }

  /** Closes the page, where nothing must have gone wrong that nobody waited for. */
  async putAway() {
    assert.deepEqual(this.errors, [], this.person.name);
    await this.close();
  }

  async #waiting(what, wait) {
    try {
      return await wait();
    } catch (error) {
      const [state, note, heard, incoming] = await Promise.all([
        this.state(), this.note(), this.page.evaluate(() => window.phone?.heard), this.page.evaluate(() => window.phone?.incoming()),
      ]);
      const seen = JSON.stringify({ state, note, errors: this.errors, incoming, heard }).slice(0, 4000);
      throw new Error(`${this.person.name} waited for ${what} and has ${seen}`, { cause: error });
    }
  }
}
