// Somebody's browser window with the chat open: what they press and what they see, by the names that a screen reader
// would read. What the page complains of is kept, and must be nothing in the end.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../../tests/e2e/support/wait.mjs';

const web = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** How long something may take to appear. It says that it never came, not how fast it is. */
const PATIENCE = 60_000;
const artifacts = join(web, '.artifacts');
await mkdir(artifacts, { recursive: true });

/** The built client, as `WEB_DIR` names it. */
export const built = join(web, 'dist');

export class Window {
  /** Opens the chat as `person`, as a product would with its token; without one at the sign-in page. */
  static async open(browser, { person, url = person.server.url, ready = true, prepare, ...options }) {
    const context = await browser.process.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    await prepare?.(context);
    const page = await context.newPage();
    const window = new Window(context, page, person);
    await page.goto(person ? `${url}/#token=${person.token}` : `${url}/`);
    if (person && ready) await window.sidebar.waitFor();
    return window;
  }

  constructor(context, page, person) {
    this.context = context;
    this.page = page;
    this.person = person;
    this.errors = [];
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
  }

  get sidebar() {
    return this.page.getByRole('complementary', { name: 'Conversations' });
  }

  get field() {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  get history() {
    return this.page.getByRole('list', { name: 'Messages' });
  }

  /** A conversation in the list. */
  row(title) {
    return this.sidebar.getByRole('link').filter({ has: this.page.locator('.conversation-title', { hasText: title }) });
  }

  async enter(title) {
    await this.row(title).click();
    await this.field.waitFor();
  }

  /** Waits until the field to write in holds `text`. */
  async holds(text) {
    await eventually(
      'the field',
      () => this.field.inputValue(),
      (value) => value === text,
    );
  }

  /** Waits until there are so many of something. */
  async counts(locator, count) {
    await eventually(
      String(locator),
      () => locator.count(),
      (found) => found === count,
    );
  }

  async say(text) {
    await this.field.fill(text);
    await this.field.press('Enter');
    await this.message(text).waitFor();
  }

  /** A message by its words. */
  message(text) {
    return this.history
      .locator('article')
      .filter({ has: this.page.locator('.message-text', { hasText: text }) })
      .last();
  }

  /** What can be done with a message, by the button's name. */
  async act(text, action) {
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: action, exact: true }).click();
  }

  button(name, options = { exact: true }) {
    return this.page.getByRole('button', { name, ...options });
  }

  dialogue(name) {
    return this.page.getByRole('dialog', { name });
  }

  /** The texts on the screen, oldest first. */
  texts() {
    return this.history.locator('.message-text').allInnerTexts();
  }

  /** Waits until nothing is said of the connection any more, pressing what is offered to get there sooner. */
  async reconnect() {
    const banner = this.page.locator('.banner');
    const deadline = Date.now() + PATIENCE;
    while ((await banner.count()) > 0 && Date.now() < deadline) {
      await banner
        .getByRole('button')
        .click({ timeout: 500 })
        .catch(() => undefined);
      await banner.waitFor({ state: 'detached', timeout: 1_000 }).catch(() => undefined);
    }
    await banner.waitFor({ state: 'detached' });
  }

  async picture(name) {
    await this.page.screenshot({ path: join(artifacts, `${name}.png`) });
  }

  /** Closes the window, where nothing must have gone wrong but what `expected` matches. */
  async close(expected) {
    const errors = this.errors.filter((error) => !expected?.test(error));
    assert.deepEqual(errors, [], this.person?.name ?? 'a window');
    // What still passes through the test on its way to the page is of no interest any more.
    await this.context.unrouteAll({ behavior: 'ignoreErrors' });
    await this.context.close();
  }
}
