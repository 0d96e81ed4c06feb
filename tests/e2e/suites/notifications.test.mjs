// Notifications: who gets one, one for a conversation, read on one device and so on all, and badges that are right at
// every moment: the marketplace guide's notification center and the gateway guide's navbar badge.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Realtime, RealtimeNotifications } from '../guides/gateway-realtime.mjs';
import { WebSocketConnection } from '../guides/marketplace-message-screen.mjs';
import { NotificationCenter } from '../guides/marketplace-notification-center.mjs';
import { chance as chanceOf, seed } from '../support/chance.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, notifications as shapes } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const UNKNOWN_ID = '64f123abc456def789012345';
const announced = (dialect) => (dialect === 'gateway' ? 'notification' : 'notification:new');
const idOf = (notification) => notification._id ?? notification.id;

describe('notifications', () => {
  let server;
  const mounted = [];
  before(async () => {
    server = await Server.start({ listen: [null, 'gateway', 'marketplace'] });
  });
  after(() => {
    mounted.forEach(({ socket }) => socket.disconnect());
    return server.close();
  });

  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    return { ann, ben, conversationId: await ann.direct(ben) };
  }
  const list = async (person, query = '') => (await person.rest.get(`/api/v1/notifications?${query}`)).data;
  const unread = async (person) => (await list(person)).unreadCount;
  const untilUnread = (person, count) => eventually(`${count} unread`, () => unread(person), (found) => found === count);
  const read = (person, conversationId) => person.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, {});

  async function badge(person) {
    const realtime = new Realtime(server.urls[1], person.token);
    const shown = new RealtimeNotifications(realtime);
    shown.counts = [];
    realtime.socket.on('unreadCount', (count) => shown.set({ counts: [...shown.counts, count] }));
    mounted.push(realtime);
    await realtime.until('the connection', ({ isConnected }) => isConnected);
    return Object.assign(shown, { is: (count) => shown.until(`a badge of ${count}`, ({ unreadCount }) => unreadCount === count) });
  }
  async function center(person) {
    const connection = new WebSocketConnection(server.urls[2], person.token);
    mounted.push(connection);
    const shown = new NotificationCenter(connection, person.rest);
    await shown.until('the list', ({ loaded }) => loaded);
    return Object.assign(shown, { is: (count) => shown.until(`${count} unread in the center`, ({ unreadCount, loaded }) => loaded && unreadCount === count) });
  }

  for (const dialect of DIALECTS) {
    it(`${dialect}: a notification comes in its shape, and reading it on one device tells all, the asking one too`, async () => {
      const { ann, ben, conversationId } = await pair();
      const devices = [await ben.connect(dialect), await ben.connect(dialect)];
      const message = await ann.say(conversationId, 'are you there?');
      let id;
      for (const device of devices) {
        const told = await device.until(announced(dialect));
        conforms(shapes[dialect], told);
        assert.deepEqual([told.type, told.title, told.message], ['chat_message', 'Ann', 'are you there?']);
        assert.deepEqual(told.data, { conversationId, messageId: message._id });
        id = idOf(told);
      }
      assert.deepEqual(await devices[0].call('notification:read', id), { success: true });
      for (const device of devices) assert.equal(await device.until('notification:read'), id);
      assert.deepEqual(await devices[1].call('notification:read', id), { success: true });
      await read(ben, conversationId);
      await ann.say(conversationId, 'and now?');
      for (const device of devices) await device.until(announced(dialect), ({ message: text }) => text === 'and now?');
      assert.deepEqual(await devices[1].call('notifications:read-all'), { success: true });
      for (const device of devices) {
        assert.equal((await device.untilAny(['notifications:read-all'])).args.length, 0);
        await device.fence();
        assert.deepEqual(device.received('notification:read'), [id], 'one that is read twice is announced once');
      }
      assert.equal(await unread(ben), 0);
    });

    it(`${dialect}: a notification that is not there, or not the caller’s, is refused`, async () => {
      const { ann, ben, conversationId } = await pair();
      const [mine, other] = [await ben.connect(dialect), await ann.connect(dialect)];
      await ann.say(conversationId, 'hello');
      const id = idOf(await mine.until(announced(dialect)));
      for (const [client, wrong] of [[other, id], [mine, UNKNOWN_ID], [mine, 'rubbish']]) {
        const { success, code, error } = await client.call('notification:read', wrong);
        assert.deepEqual([success, code, error], [false, 'NOT_FOUND', 'Notification not found']);
      }
      assert.equal((await mine.call('notification:read', { notificationId: 5 })).code, 'VALIDATION_FAILED');
      assert.equal(await unread(ben), 1);
    });
  }

  it('a conversation has one unread notification, which says the newest and is read with it', async () => {
    const { ann, ben, conversationId } = await pair();
    const device = await ben.connect('marketplace');
    for (const text of ['one', 'two', 'three']) await ann.say(conversationId, text);
    await eventually('the newest text', () => list(ben), ({ notifications }) => notifications[0]?.message === 'three');
    const { notifications, pagination, unreadCount } = await list(ben);
    conforms(shapes.talentbridge, notifications[0]);
    assert.deepEqual(pagination, { page: 1, limit: 20, total: 1, hasMore: false });
    assert.equal(unreadCount, 1);
    assert.equal(notifications[0].conversationId, conversationId);
    assert.equal((await read(ben, conversationId)).status, 200);
    assert.equal(await device.until('notification:read'), notifications[0]._id);
    await device.fence();
    assert.equal(device.received('notification:new').length, 1, 'one that is updated is not announced again');
    assert.equal(device.received('notification:read').length, 1);
    await ann.say(conversationId, 'four');
    const next = await device.until('notification:new', ({ message }) => message === 'four');
    assert.notEqual(next.id, notifications[0]._id);
    assert.deepEqual((await list(ben)).notifications.map(({ message, read: done }) => [message, done]), [['four', false], ['three', true]]);
  });

  it('an answer reads the notification, which stays with what was answered', async () => {
    const { ann, ben, conversationId } = await pair();
    const device = await ben.connect('talentbridge');
    const asked = await ann.say(conversationId, 'when?');
    await device.until('notification:new');
    await ben.say(conversationId, 'at noon');
    await device.until('notification:read');
    const [{ message, read: done, data }] = (await list(ben)).notifications;
    assert.deepEqual([message, done, data.messageId], ['when?', true, asked._id]);
  });

  it('who has a socket in the room gets none, the others do, and so does who left', async () => {
    const [ann, ben, cem] = await server.people('Ann', 'Ben', 'Cem');
    const conversationId = await ann.group('Team', [ben, cem]);
    const inside = await ben.enter('ulearn', conversationId);
    const outside = await cem.connect('talentbridge');
    await ann.say(conversationId, 'hello team');
    const told = await outside.until('notification:new');
    assert.deepEqual([told.title, told.message], ['Team', 'Ann: hello team']);
    await inside.untilText('hello team');
    await inside.leave(conversationId);
    await ann.say(conversationId, 'Ben?');
    assert.equal((await inside.until('notification:new')).message, 'Ann: Ben?');
    assert.equal(inside.received('notification:new').length, 1);
    assert.equal(await unread(ann), 0);
  });

  it('who was removed from a group is not shown in notifications what is said there', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Secret plans', [ben]);
    const message = await ann.say(group, 'while you are here');
    await untilUnread(ben, 1);
    assert.equal((await list(ben)).notifications[0].message, 'Ann: while you are here');
    assert.equal((await ann.rest.delete(`/api/v1/chat/conversations/${group}/participants/${ben.id}`)).status, 200);
    await ann.rest.patch(`/api/v1/chat/messages/${message._id}`, { text: 'edited since' });
    await ann.rest.patch(`/api/v1/chat/conversations/${group}`, { title: 'New plans' });
    const shown = JSON.stringify(await list(ben));
    for (const hidden of ['while you', 'edited', 'plans', message._id]) assert.ok(!shown.includes(hidden), `${hidden} is in ${shown}`);
    assert.match(shown, /no longer in this group/);
  });

  it('preferences: a field left out keeps its value, and chatNotifications: false stops them', async () => {
    const { ann, ben, conversationId } = await pair();
    const route = '/api/v1/notifications/preferences';
    const all = { emailNotifications: true, pushNotifications: true, chatNotifications: true, jobMatchNotifications: true };
    assert.deepEqual((await ben.rest.get(route)).data.preferences, all);
    assert.deepEqual((await ben.rest.put(route, { chatNotifications: false })).data.preferences, { ...all, chatNotifications: false });
    assert.deepEqual((await ben.rest.put(route, { emailNotifications: false })).data.preferences, { ...all, chatNotifications: false, emailNotifications: false });
    const refused = await ben.rest.put(route, { pushNotifications: 'yes' });
    assert.deepEqual([refused.status, refused.body.code, refused.body.errors[0].field], [400, 'VALIDATION_FAILED', 'pushNotifications']);
    const device = await ben.connect('talentbridge');
    await ann.say(conversationId, 'unheard');
    await device.fence();
    await ben.rest.put(route, { chatNotifications: true });
    await ann.say(conversationId, 'heard');
    assert.equal((await device.until('notification:new')).message, 'heard');
    assert.equal(device.received('notification:new').length, 1);
  });

  it('pages, marking and removing over HTTP, each in the shape that is asked for', async () => {
    const ben = await server.person('Ben');
    for (let count = 0; count < 5; count++) {
      const other = await server.person(`Other${count}`);
      await other.say(await other.direct(ben), `from ${count}`);
      await untilUnread(ben, count + 1);
    }
    const device = await ben.connect('gateway');
    const first = await list(ben, 'limit=2');
    assert.deepEqual([first.notifications.map(({ message }) => message), first.pagination], [['from 4', 'from 3'], { page: 1, limit: 2, total: 5, hasMore: true }]);
    const last = await list(ben, 'limit=2&page=3');
    assert.deepEqual([last.notifications.map(({ message }) => message), last.pagination.hasMore], [['from 0'], false]);
    for (const query of ['limit=0', 'limit=101', 'page=0', 'page=x', 'unread=maybe']) {
      assert.equal((await ben.rest.get(`/api/v1/notifications?${query}`)).status, 400, query);
    }
    const [newest, second] = first.notifications;
    const marked = await ben.rest.in('marketplace').put(`/api/v1/notifications/${newest._id}/read`);
    conforms(shapes.marketplace, marked.data.notification);
    assert.deepEqual([marked.data.notification.id, marked.data.notification.isRead], [newest._id, true]);
    assert.equal(await device.until('unreadCount', (count) => count === 4), 4);
    assert.deepEqual((await list(ben, 'unread=true')).notifications.length, 4);
    assert.deepEqual((await ben.rest.delete(`/api/v1/notifications/${second._id}`)).data, {});
    await device.until('unreadCount', (count) => count === 3);
    assert.equal((await ben.rest.delete(`/api/v1/notifications/${second._id}`)).body.code, 'NOT_FOUND');
    assert.equal((await ben.rest.put(`/api/v1/notifications/${UNKNOWN_ID}/read`)).status, 404);
    assert.deepEqual((await ben.rest.put('/api/v1/notifications/mark-all-read')).data, { updated: 3 });
    await device.until('unreadCount', (count) => count === 0);
    assert.deepEqual((await ben.rest.put('/api/v1/notifications/mark-all-read')).data, { updated: 0 });
  });

  it('the navbar badge and the notification center show the same through everything that happens', async () => {
    const { ann, ben, conversationId } = await pair();
    const cem = await server.person('Cem');
    const other = await cem.direct(ben);
    const shown = [await badge(ben), await badge(ben), await center(ben), await center(ben)];
    const all = async (count) => {
      for (const one of shown) await one.is(count);
      assert.equal(await unread(ben), count);
    };
    await all(0);
    assert.equal(shown[0].badge, null);
    await ann.say(conversationId, 'one');
    await all(1);
    await cem.say(other, 'two');
    await all(2);
    assert.equal(shown[0].badge, '2');
    assert.equal(shown[0].newNotification.message, 'two');
    await read(ben, conversationId);
    await all(1);
    shown[2].markAsRead(shown[3].notifications[0].id);
    await all(0);
    await ann.say(conversationId, 'three');
    await cem.say(other, 'four');
    await all(2);
    shown[3].markAllAsRead();
    await all(0);
    await ann.say(conversationId, 'five');
    await all(1);
    await ben.rest.delete(`/api/v1/notifications/${shown[2].notifications[0].id}`);
    await all(0);
    assert.deepEqual(shown[1].counts, [0, 1, 2, 1, 0, 1, 2, 0, 1, 0], 'no count came that was not true');
    for (const one of shown) one.unmount();
  });

  it('badges are right after lost connections, restarts and whatever went on meanwhile', async () => {
    const { ann, ben, conversationId } = await pair();
    const cem = await server.person('Cem');
    const other = await cem.direct(ben);
    const [navbar, centre] = [await badge(ben), await center(ben)];
    const cut = () => {
      navbar.realtime.socket.io.engine.close();
      centre.connection.socket.io.engine.close();
    };
    await ann.say(conversationId, 'one');
    await navbar.is(1);
    cut();
    await cem.say(other, 'while you were away');
    await untilUnread(ben, 2);
    for (const one of [navbar, centre]) await one.is(2);
    cut();
    await ben.rest.put('/api/v1/notifications/mark-all-read');
    for (const one of [navbar, centre]) await one.is(0);
    await ann.say(conversationId, 'before the end');
    await untilUnread(ben, 1);
    await server.kill();
    await server.restart();
    for (const one of [navbar, centre]) await one.is(1);
    await read(ben, conversationId);
    for (const one of [navbar, centre]) await one.is(0);
  });

  it('whatever several devices and senders do at once, every badge ends at the truth', async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const chance = chanceOf(seed);
    const ben = await server.person('Ben');
    const senders = await server.people('Ann', 'Cem', 'Dee', 'Eli');
    const rooms = await Promise.all(senders.map((sender) => sender.direct(ben)));
    const shown = [await badge(ben), await badge(ben), await center(ben), await center(ben)];
    const socketOf = (one) => (one.realtime ?? one.connection).socket;
    const steps = {
      say: () => {
        const at = chance.below(senders.length);
        return senders[at].say(rooms[at], `hello ${chance.below(1000)}`);
      },
      read: () => read(ben, chance.pick(rooms)),
      mark: async () => {
        const { notifications } = await list(ben, 'unread=true');
        if (notifications.length > 0) await ben.rest.put(`/api/v1/notifications/${chance.pick(notifications)._id}/read`);
      },
      remove: async () => {
        const { notifications } = await list(ben, 'unread=true');
        if (notifications.length > 0) await ben.rest.delete(`/api/v1/notifications/${chance.pick(notifications)._id}`);
      },
      all: () => ben.rest.put('/api/v1/notifications/mark-all-read'),
      drop: async () => socketOf(chance.pick(shown)).io.engine?.close(),
    };
    const bag = ['say', 'say', 'say', 'say', 'read', 'read', 'mark', 'remove', 'all', 'drop'];
    const lane = async () => {
      for (let count = 0; count < 40; count++) await steps[chance.pick(bag)]();
    };
    await Promise.all([lane(), lane(), lane()]);
    // One more, so that everything before it has been told when it is.
    const last = await server.person('Last');
    await last.say(await last.direct(ben), 'the last');
    await eventually('the last notification', () => list(ben), ({ notifications }) => notifications[0]?.message === 'the last');
    const truth = await unread(ben);
    assert.ok(truth > 0);
    for (const one of shown) await one.is(truth);
    await (await ben.connect('gateway')).fence();
    assert.deepEqual(shown.map(({ unreadCount }) => unreadCount), shown.map(() => truth));
  });
});
