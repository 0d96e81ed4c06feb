// Who is not there is told by e-mail, by push and by the product's backend: of each conversation once in a while, of what is
// unread then, and only if they want it. The mail server and the push service are real; the push service opens what it is brought.
import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Mailbox } from '../support/mailbox.mjs';
import { bearerOf, PushService } from '../support/push-service.mjs';
import { isFromChat, Receiver } from '../support/receiver.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const PREFERENCES = '/api/v1/notifications/preferences';
const SUBSCRIPTIONS = '/api/v1/push/subscriptions';
const GATHERS = 1_500;
const key = randomBytes(24).toString('hex');
const vapid = createECDH('prime256v1');
vapid.generateKeys();

describe('channels', () => {
  let server;
  let mailbox;
  let pushes;
  before(async () => {
    [mailbox, pushes] = await Promise.all([Mailbox.open(), PushService.open()]);
    server = await Server.start({
      env: {
        SERVER_API_KEYS: `shop=${key}`,
        PUBLIC_URL: 'https://chat.example',
        SMTP_URL: mailbox.url,
        MAIL_FROM: 'Chat <chat@example.com>',
        MAIL_GATHERS: `${GATHERS}ms`,
        VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'),
        VAPID_SUBJECT: 'mailto:ops@example.com',
        PUSH_PRIVATE_ADDRESSES: 'on',
      },
    });
    server.tokens.add(key).add(vapid.getPrivateKey('base64url'));
  });
  after(async () => {
    await server.close();
    await Promise.all([mailbox.close(), pushes.close()]);
  });

  const addressOf = (person) => `${person.id}@example.com`;
  async function mailed(name) {
    const person = await server.person(name);
    const headers = { 'content-type': 'application/json', 'x-api-key': key };
    const body = JSON.stringify({ email: addressOf(person) });
    const answer = await fetch(`${server.url}/api/v1/server/users/${person.id}`, { method: 'PUT', headers, body });
    assert.equal(answer.status, 200);
    return person;
  }
  /** Whatever was due before is delivered after as long. */
  async function windowAfter(conversationId, writer, reader) {
    await writer.say(conversationId, 'the last word');
    const before = mailbox.of(addressOf(reader)).length;
    return mailbox.until(addressOf(reader), before + 1);
  }
  const prefer = (person, change) => person.rest.put(PREFERENCES, change);
  const wantsMail = async (person) => (await person.rest.get(PREFERENCES)).data.preferences.emailNotifications;

  it('what is said in a while is one letter for each conversation, as text and as HTML', async () => {
    const ann = await server.person('Ann');
    const ben = await mailed('Ben');
    const [direct, group] = [await ann.direct(ben), await ann.group('Crew & <friends>', [ben])];
    for (const text of ['Are you there?', 'It is <urgent> & important', '…'.repeat(300)]) await ann.say(direct, text);
    await ann.say(group, 'Hello all');
    const letters = await mailbox.until(addressOf(ben), 2);
    const [first] = letters.filter(({ subject }) => subject === `${ann.name}: 3 new messages`);
    assert.ok(first, JSON.stringify(letters.map(({ subject }) => subject)));
    assert.ok(letters.some(({ subject }) => subject === 'Crew & <friends>: a new message'));
    assert.deepEqual([first.from.address, first.from.name, first.to[0].address], ['chat@example.com', 'Chat', addressOf(ben)]);
    assert.match(first.text, /Are you there\?[^]*It is <urgent> & important/);
    assert.match(first.html, /It is &lt;urgent&gt; &amp; important/);
    assert.ok(first.text.includes(`https://chat.example/#/c/${direct}`));
    assert.equal(first.header('auto-submitted'), 'auto-generated');
    const later = await windowAfter(direct, ann, ben);
    assert.equal(later.length, 3, 'and nothing more came in between');
    assert.equal(later[2].subject, `${ann.name}: 4 new messages`, 'what is new brings the rest along');
  });

  it('who is online, has read it or wants no mail gets none', async () => {
    const ann = await server.person('Ann');
    const [online, reader, unwilling, away] = await Promise.all(['Olga', 'Rita', 'Ulf', 'Ava'].map(mailed));
    const client = await online.connect();
    const group = await ann.group('Crew', [online, reader, unwilling, away]);
    await prefer(unwilling, { emailNotifications: false });
    await ann.say(group, 'Hello');
    await eventually('it is unread', () => reader.unread(group), (count) => count > 0);
    await reader.rest.post(`/api/v1/chat/conversations/${group}/read`, {});
    await mailbox.until(addressOf(away), 1);
    await windowAfter(await ann.direct(away), ann, away);
    assert.deepEqual([online, reader, unwilling].map((person) => mailbox.of(addressOf(person)).length), [0, 0, 0]);
    client.close();
  });

  it('the address comes from the token, unless nobody has looked whose it is', async () => {
    const ann = await server.person('Ann');
    const [tess, fay] = [
      await server.person('Tess', { email: 'tess@example.com' }),
      await server.person('Fay', { email: 'fay@example.com', email_verified: false }),
    ];
    await ann.say(await ann.group('Crew', [tess, fay]), 'Hello');
    await mailbox.until('tess@example.com', 1);
    assert.deepEqual(mailbox.of('fay@example.com'), []);
    const profile = JSON.stringify([(await ann.rest.get(`/api/v1/users/${tess.id}`)).body, (await tess.rest.get('/api/v1/users/me')).body]);
    assert.ok(!profile.includes('@example.com'), 'nobody is shown it');
  });

  it('one click in the letter ends it, without signing in, and looking at the link does not', async () => {
    const ann = await server.person('Ann');
    const ben = await mailed('Ben');
    const direct = await ann.direct(ben);
    await ann.say(direct, 'Hello');
    const [letter] = await mailbox.until(addressOf(ben), 1);
    assert.equal(letter.header('list-unsubscribe-post'), 'List-Unsubscribe=One-Click');
    const [, link] = /^<(https:\/\/chat\.example\/\S+)>$/.exec(letter.header('list-unsubscribe'));
    assert.ok(letter.text.includes(link) && letter.html.includes('unsubscribe?token='));
    const url = link.replace('https://chat.example', server.url);
    const page = await fetch(url);
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
    assert.match(await page.text(), /<form method="post"><button/);
    assert.equal(await wantsMail(ben), true, 'programs look at links');
    for (const forged of [url.slice(0, -2), `${url}x`, url.replace(/token=[^.]+/, `token=${Buffer.from(ann.id).toString('base64url')}`), url.split('?')[0]]) {
      assert.equal((await fetch(forged, { method: 'POST' })).status, 404);
    }
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    assert.equal((await fetch(url, { method: 'POST', body })).status, 200);
    assert.deepEqual([await wantsMail(ben), await wantsMail(ann)], [false, true]);
  });

  it('a letter that was due when the server was killed is written by the next', async () => {
    const ann = await server.person('Ann');
    const ben = await mailed('Ben');
    const dan = await server.person('Dan');
    const direct = await ann.direct(ben);
    await ann.say(direct, 'before the fall');
    await ann.say(await ann.direct(dan), 'and after it');
    // Who is told later is told after what is due for those before is stored.
    await eventually('a notification', async () => (await dan.rest.get('/api/v1/notifications')).data.unreadCount, (unread) => unread === 1);
    await server.kill();
    await server.restart();
    const [letter] = await mailbox.until(addressOf(ben), 1);
    assert.match(letter.text, /before the fall/);
    assert.equal((await windowAfter(direct, ann, ben)).length, 2, 'once');
  });

  it('a browser that is closed is pushed what only it can open, and the newer takes the place of the older', async () => {
    const ann = await server.person('Ann');
    const ben = await server.person('Ben');
    const browser = pushes.browser();
    const { data } = await ben.rest.get('/api/v1/push/key');
    assert.equal(data.key, vapid.getPublicKey('base64url'));
    assert.equal((await ben.rest.put(SUBSCRIPTIONS, browser.subscription)).status, 200);
    const direct = await ann.direct(ben);
    await ann.say(direct, 'Are you there? ☎');
    const [{ said, headers, origin }] = await browser.until(1);
    const { title, body, conversationId, unread } = said;
    assert.deepEqual({ title, body, conversationId, unread }, { title: ann.name, body: 'Are you there? ☎', conversationId: direct, unread: 1 });
    const { aud, sub, exp, key: publicKey } = bearerOf(headers.authorization);
    assert.deepEqual([aud, sub, publicKey], [origin, 'mailto:ops@example.com', data.key]);
    assert.ok(exp > Date.now() / 1000 && exp <= Date.now() / 1000 + 24 * 3600);
    assert.deepEqual([headers['content-encoding'], headers.urgency], ['aes128gcm', 'normal']);
    await ann.say(direct, 'Still waiting');
    const [, second] = await browser.until(2);
    assert.equal(second.headers.topic, headers.topic, 'of one conversation the push service keeps the newest');
    assert.deepEqual([second.said.body, second.said.tag], ['Still waiting', said.tag]);
    const client = await ben.enter('talentbridge', direct);
    await ann.say(direct, 'There you are');
    await client.untilAny(['message:new'], ({ message }) => message.text === 'There you are');
    client.close();
    assert.equal(browser.calls, 2, 'who is online is told by their socket');
  });

  it('push ends with the subscription, the wish, another user of the browser, and the browser', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [shared, phone, lost] = [pushes.browser(), pushes.browser(), pushes.browser()];
    for (const browser of [shared, phone, lost]) await ben.rest.put(SUBSCRIPTIONS, browser.subscription);
    await eve.rest.put(SUBSCRIPTIONS, shared.subscription);
    lost.gone = true;
    const direct = await ann.direct(ben);
    await ann.say(direct, 'one');
    await phone.until(1);
    await eventually('the lost one is asked', () => lost.calls, (calls) => calls === 1);
    await ann.say(direct, 'two');
    await phone.until(2);
    assert.deepEqual([shared.calls, lost.calls], [0, 1], 'Eve sits there now, and nobody there');
    await prefer(ben, { pushNotifications: false });
    await ann.say(direct, 'three');
    const hers = await ann.direct(eve);
    await ann.say(hers, 'and Eve?');
    await shared.until(1);
    await prefer(ben, { pushNotifications: true });
    const { data } = await ben.rest.delete(SUBSCRIPTIONS, { body: { endpoint: phone.endpoint } });
    assert.equal(data.unsubscribed, true);
    await ann.say(direct, 'four');
    await ann.say(hers, 'once more');
    await shared.until(2);
    assert.equal(phone.calls, 2);
  });

  it('what is no subscription is refused, and nothing inside is called', async () => {
    const careful = await Server.start({
      env: { VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'), VAPID_SUBJECT: 'mailto:ops@example.com' },
    });
    const ann = await careful.person('Ann');
    const { keys } = pushes.browser().subscription;
    for (const [field, subscription] of [
      ['endpoint', { endpoint: `${pushes.origin}/push/1`, keys }],
      ['endpoint', { endpoint: 'https://127.0.0.1/push', keys }],
      ['endpoint', { endpoint: 'https://[::ffff:10.0.0.1]/push', keys }],
      ['endpoint', { endpoint: 'https://169.254.169.254/latest/meta-data', keys }],
      ['keys', { endpoint: 'https://push.example/1', keys: { ...keys, auth: 'AA' } }],
    ]) {
      const { status, body } = await ann.rest.put(SUBSCRIPTIONS, subscription);
      assert.deepEqual([status, body.errors[0].field], [400, field], subscription.endpoint);
    }
    const { status } = await fetch(`${careful.url}/api/v1/notifications/unsubscribe?token=a.b`);
    assert.ok(status >= 400, 'without mail there are no links');
    await careful.close();
  });

  describe('the backend', () => {
    const secret = randomBytes(24).toString('hex');
    let backend;
    let away;
    let mood;
    before(async () => {
      mood = () => 200;
      backend = await Receiver.start((request) => mood(request));
      const env = {
        SERVER_API_KEYS: `shop=${key}`,
        NOTIFICATION_WEBHOOK_URL: backend.url,
        NOTIFICATION_WEBHOOK_GATHERS: `${GATHERS}ms`,
        WEBHOOK_SECRETS: secret,
      };
      away = await Server.start({ env });
      away.tokens.add(key).add(secret);
    });
    after(async () => {
      await away.close();
      backend.close();
    });

    const toldOf = (person) => backend.taken.filter(({ data }) => data.userId === person.id);
    const told = (person, count) => eventually(`${count} of ${person.name}`, () => toldOf(person), ({ length }) => length >= count);

    it('is told what waits for who is away, signed, and once for what is said in a while', async () => {
      const [ann, ben] = await away.people('Ann', 'Ben');
      const direct = await ann.direct(ben);
      for (const text of ['Are you there?', 'It is urgent']) await ann.say(direct, text);
      const [first] = await told(ben, 1);
      assert.equal(first.type, 'notification.due');
      assert.ok(Math.abs(Date.now() - Date.parse(first.createdAt)) < 60_000, first.createdAt);
      const { unread, notification, messages } = first.data;
      assert.equal(unread, 2);
      assert.deepEqual(messages, [{ from: ann.name, text: 'Are you there?' }, { from: ann.name, text: 'It is urgent' }]);
      const { data } = await ben.rest.get('/api/v1/notifications');
      assert.deepEqual(notification, data.notifications[0], 'as the list shows it');
      const request = backend.requests.find(({ body }) => JSON.parse(body).id === first.id);
      assert.equal(request.headers['parlance-webhook-id'], first.id);
      assert.ok(isFromChat(request.headers, request.body, secret) && !isFromChat(request.headers, `${request.body} `, secret));
      await ann.say(direct, 'Hello?');
      const [, second] = await told(ben, 2);
      assert.deepEqual([second.data.unread, second.data.notification._id], [3, notification._id], 'the newer stands for both');
      assert.notEqual(second.id, first.id);
    });

    it('is told neither of who is online, has read it or wants no push, and of notices too', async () => {
      const [ann, online, reader, unwilling, mailless] = await away.people('Ann', 'Olga', 'Rita', 'Ulf', 'Mia');
      const client = await online.connect();
      await prefer(unwilling, { pushNotifications: false });
      await prefer(mailless, { emailNotifications: false });
      const group = await ann.group('Crew', [online, reader, unwilling, mailless]);
      await ann.say(group, 'Hello');
      await eventually('it is unread', () => reader.unread(group), (count) => count > 0);
      await reader.rest.post(`/api/v1/chat/conversations/${group}/read`, {});
      await told(mailless, 1);
      const headers = { 'content-type': 'application/json', 'x-api-key': key };
      const notice = JSON.stringify({ userIds: [mailless.id], type: 'order', title: 'Order', message: 'Shipped', link: '/orders/7' });
      const answer = await fetch(`${away.url}/api/v1/server/notifications`, { method: 'POST', headers, body: notice });
      assert.ok(answer.ok, await answer.text());
      const [, shipped] = await told(mailless, 2);
      assert.deepEqual([shipped.data.notification.message, shipped.data.unread, shipped.data.messages], ['Shipped', 1, []]);
      assert.deepEqual([online, reader, unwilling].map((person) => toldOf(person).length), [0, 0, 0]);
      client.close();
    });

    const counted = async (outcome) => new RegExp(`parlance_channel_deliveries_total\\{channel="webhook",outcome="${outcome}"\\} (\\d+)`).exec(await (await fetch(`${away.url}/metrics`)).text())?.[1];

    it('what it refuses for good is not brought again', async () => {
      const [ann, ben, dan] = await away.people('Ann', 'Ben', 'Dan');
      const ofBen = () => backend.requests.filter(({ body }) => JSON.parse(body).data.userId === ben.id);
      mood = ({ data }) => (data.userId === ben.id ? 410 : 200);
      await ann.say(await ann.direct(ben), 'Hello');
      await eventually('the first try', () => ofBen().length === 1);
      await eventually('it is given up', () => counted('given_up'), (count) => count === '1');
      await ann.say(await ann.direct(dan), 'Hello');
      await told(dan, 1);
      assert.equal(ofBen().length, 1);
    });

    it('a request that failed comes again with the same id, also after the server was killed', async () => {
      const [ann, ben, dan] = await away.people('Ann', 'Ben', 'Dan');
      const ids = () => backend.requests.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.userId === ben.id).map(({ id }) => id);
      mood = () => 503;
      await ann.say(await ann.direct(ben), 'Hello');
      await eventually('the first try', () => ids().length === 1);
      await eventually('it has failed', () => counted('failed'), (count) => count === '1');
      mood = () => 200;
      // What is under way when a server is killed waits for the end of its lease: this is noted as failed, before what is said next.
      await ann.say(await ann.direct(dan), 'Hello');
      await away.kill();
      await away.restart();
      await told(ben, 1);
      assert.equal(new Set(ids()).size, 1);
    });
  });
});
