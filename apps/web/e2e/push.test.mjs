// Being told while the page is closed: what a browser subscribes with, what the server then sends it, and what the service
// worker makes of that. Chromium without Google's services cannot subscribe, so a push service of the test's own takes
// its place; the worker is handed its message by the debugger.
import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { PushService } from '../../../tests/e2e/support/push-service.mjs';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

const vapid = createECDH('prime256v1');
vapid.generateKeys();

describe('web push', () => {
  const set = stage({
    VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'),
    VAPID_SUBJECT: 'mailto:ops@example.com',
    PUSH_PRIVATE_ADDRESSES: 'on',
  });
  let pushes;
  before(async () => {
    pushes = await PushService.open();
  });
  after(() => pushes.close());

  /** Subscribing leads to the push service of the test. */
  const subscribing = (browser) => (context) =>
    context.addInitScript((subscription) => {
      const made = () => ({
        endpoint: subscription.endpoint,
        options: {},
        toJSON: () => subscription,
        unsubscribe: async () => localStorage.removeItem('subscribed') ?? true,
      });
      PushManager.prototype.getSubscription = async () => (localStorage.getItem('subscribed') ? made() : null);
      PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        localStorage.setItem('subscribed', applicationServerKey);
        return made();
      };
    }, browser.subscription);
  /** The browser's question is answered with yes. */
  const allowing = (context) =>
    context.addInitScript(() => {
      let permission = 'default';
      Object.defineProperty(Notification, 'permission', { get: () => permission });
      Notification.requestPermission = async () => {
        permission = 'granted';
        return permission;
      };
    });

  async function pair() {
    const people = await set.server.people('Ann', 'Ben');
    return [...people, await people[0].direct(people[1])];
  }
  const subscribed = (window) =>
    eventually('the subscription', () => window.page.evaluate(() => localStorage.getItem('subscribed')));

  it('who allows it in the notification centre is told after the page is closed, and not once they switch it off', async () => {
    const [ann, ben, id] = await pair();
    const browser = pushes.browser();
    const prepare = (context) => Promise.all([subscribing(browser)(context), allowing(context)]);
    const window = await Window.open(set.browser, { person: ann, prepare });
    await window.page.getByRole('button', { name: /^Notifications/ }).click();
    const centre = window.dialogue('Notifications');
    const told = window.page.waitForResponse((response) => response.url().endsWith('/push/subscriptions'));
    await centre.getByRole('switch', { name: /In this browser/ }).click();
    assert.equal(await subscribed(window), vapid.getPublicKey('base64url'));
    assert.equal((await told).status(), 200);
    await window.page.goto('about:blank');
    await eventually(
      'she is gone',
      async () => (await ben.rest.get(`/api/v1/users/${ann.id}`)).data.status,
      (status) => status === 'offline',
    );
    await ben.say(id, 'the kettle is on');
    const [{ said }] = await browser.until(1);
    assert.deepEqual([said.title, said.body, said.conversationId], ['Ben', 'the kettle is on', id]);
    await window.page.goBack();
    await window.page.getByRole('button', { name: /^Notifications/ }).click();
    const ended = window.page.waitForResponse((response) => response.url().endsWith('/push/subscriptions'));
    await centre.getByRole('switch', { name: /^Push/ }).click();
    assert.equal((await (await ended).json()).data.unsubscribed, true);
    await window.close();
  });

  it('the worker shows what is pushed, and a click leads to the conversation', async () => {
    const [ann, ben, id] = await pair();
    await ben.say(id, 'the kettle is on');
    const origin = new URL(set.server.url).origin;
    const prepare = async (context) => {
      await context.grantPermissions(['notifications'], { origin });
      await subscribing(pushes.browser())(context);
    };
    const window = await Window.open(set.browser, { person: ann, prepare });
    await subscribed(window);
    const debug = await window.context.newCDPSession(window.page);
    const registered = new Promise((resolve) => {
      debug.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
        const active = versions.find(({ status }) => status === 'activated');
        if (active) resolve(active.registrationId);
      });
    });
    await debug.send('ServiceWorker.enable');
    const registrationId = await registered;
    // Chromium drops a notification of which it is asked before it is on the screen, so nobody asks until the worker's
    // promise holds.
    const [worker] = window.context.serviceWorkers();
    await worker.evaluate(() => {
      const show = ServiceWorkerRegistration.prototype.showNotification;
      self.told = 0;
      ServiceWorkerRegistration.prototype.showNotification = async function (...what) {
        await show.apply(this, what);
        self.told += 1;
      };
    });
    let pushed = 0;
    const push = async (data) => {
      await debug.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
      pushed += 1;
      await eventually(
        `push ${pushed} to be shown`,
        () => worker.evaluate(() => self.told),
        (told) => told === pushed,
      );
    };
    const shown = () =>
      window.page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({
          title,
          body,
          tag,
          url: data.url,
        }));
      });
    await push(JSON.stringify({ title: 'Ben', body: 'the kettle is on', tag: `c${id}`, conversationId: id }));
    assert.deepEqual(await shown(), [
      { title: 'Ben', body: 'the kettle is on', tag: `c${id}`, url: `${set.server.url}/#/c/${id}` },
    ]);
    await push(JSON.stringify({ title: 'Order', body: 'Shipped', tag: 'n1', link: 'javascript:alert(1)' }));
    await push('not ours');
    const links = Object.fromEntries((await shown()).map(({ title, url }) => [title, url]));
    assert.deepEqual(
      [links.Order, links.Parlance],
      [`${set.server.url}/`, `${set.server.url}/`],
      'no link of that kind is followed',
    );
    await worker.evaluate(async (tag) => {
      const [notification] = await self.registration.getNotifications({ tag });
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
    }, `c${id}`);
    await window.message('the kettle is on').waitFor();
    await eventually('it is put away', shown, (all) => !all.some(({ tag }) => tag === `c${id}`));
    await window.close();
  });
});
