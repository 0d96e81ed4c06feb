// Who is online, who hears of it, and what a short absence looks like.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, fence } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, users } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

/** Presence changes of one user as they arrived, in the client's dialect. */
const changes = (client, userId) =>
  client.log
    .map(({ event, args }) => {
      if (args[0]?.userId !== userId) return undefined;
      if (event === 'user:online') return 'online';
      if (event === 'user:offline') return 'offline';
      return event === 'user:status-changed' ? args[0].status : undefined;
    })
    .filter(Boolean);
const untilChanges = (client, userId, expected) =>
  client.untilTrue(`${userId} ${expected}`, () => changes(client, userId).length >= expected.length)
    .then(() => assert.deepEqual(changes(client, userId), expected));

describe('presence', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  for (const dialect of ['talentbridge', 'ulearn', 'marketplace']) {
    it(`${dialect}: contacts hear of the first socket and of the end of the last`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      await ann.direct(ben);
      const watcher = await ann.connect(dialect);
      const phone = await ben.connect('gateway');
      await untilChanges(watcher, ben.id, ['online']);
      const laptop = await ben.connect('nextchat');
      phone.close();
      await laptop.fence();
      await watcher.fence();
      assert.deepEqual(changes(watcher, ben.id), ['online'], 'a second device is no news, nor is the end of one of two');
      laptop.close();
      await untilChanges(watcher, ben.id, ['online', 'offline']);
    });
  }

  it('only people who share a conversation hear of it', async () => {
    const [ann, ben, stranger] = await server.people('Ann', 'Ben', 'Stranger');
    await ann.direct(ben);
    const [contact, outsider] = [await ann.connect('talentbridge'), await stranger.connect('talentbridge')];
    const client = await ben.connect('talentbridge');
    await untilChanges(contact, ben.id, ['online']);
    client.close();
    await untilChanges(contact, ben.id, ['online', 'offline']);
    await outsider.fence();
    assert.deepEqual(changes(outsider, ben.id), []);
  });

  it('members of a group are contacts', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    await ann.group('Trio', [ben, eve]);
    const watcher = await eve.connect('ulearn');
    await ben.connect('talentbridge');
    await untilChanges(watcher, ben.id, ['online']);
  });

  for (const dialect of DIALECTS) {
    it(`${dialect}: statuses can be asked, one and many, bare and in the order asked`, async () => {
      const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
      await ann.group('Trio', [ben, eve]);
      await ben.connect('gateway');
      const client = await ann.connect(dialect);
      assert.deepEqual(await client.call('user:get-status', ben.id), { userId: ben.id, status: 'online' });
      assert.deepEqual(await client.call('user:get-status', eve.id), { userId: eve.id, status: 'offline' });
      assert.deepEqual(await client.call('users:get-status', [eve.id, ben.id, ann.id, 'nobody-knows']), [
        { userId: eve.id, status: 'offline' },
        { userId: ben.id, status: 'online' },
        { userId: ann.id, status: 'online' },
        { userId: 'nobody-knows', status: 'offline' },
      ]);
      assert.deepEqual(await client.call('users:get-status', []), []);
    });
  }

  it('the online users of a conversation: talentbridge, marketplace and REST agree', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Trio', [ben, eve]);
    const client = await ann.connect('talentbridge');
    const trader = await ben.connect('marketplace');
    const answer = await client.ok('conversation:get_online_users', group);
    answer.onlineUsers.forEach((user) => conforms(users.talentbridge, user));
    assert.deepEqual([answer.count, answer.onlineUsers.map((user) => user._id).sort()], [2, [ann.id, ben.id].sort()]);
    assert.deepEqual((await trader.call('conversation:get-online-users', group)).sort(), [ann.id, ben.id].sort());
    const { data } = await eve.rest.get(`/api/v1/chat/conversations/${group}/online`);
    assert.deepEqual([data.count, data.onlineUsers.map((user) => user._id).sort()], [2, [ann.id, ben.id].sort()]);
    const inUlearn = await eve.rest.in('ulearn').get(`/api/v1/chat/conversations/${group}/online`);
    inUlearn.data.onlineUsers.forEach((user) => conforms(users.ulearn, user));
  });

  it('a person with REST alone is not online', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('marketplace');
    await ben.say(conversationId, 'over HTTP');
    assert.deepEqual(await client.call('user:get-status', ben.id), { userId: ben.id, status: 'offline' });
    const { data } = await ann.rest.get(`/api/v1/users/${ben.id}`);
    assert.equal(data.status, 'offline');
  });

  it('REST tells the status of one user', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    await ann.direct(ben);
    const client = await ben.connect('talentbridge');
    const ask = async () => (await ann.rest.get(`/api/v1/users/${ben.id}`)).data.status;
    assert.equal(await ask(), 'online');
    client.close();
    await eventually('going offline', ask, (state) => state === 'offline');
  });

  it('a refused socket makes nobody online', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    await ann.direct(ben);
    const watcher = await ann.connect('talentbridge');
    await assert.rejects(Client.connect(ben, { token: 'rubbish', reconnection: false }));
    await assert.rejects(Client.connect(ben, { dialect: 'talentbridge', announce: false, auth: { token: ben.token, dialect: 'klingon' }, reconnection: false }));
    await watcher.fence();
    assert.deepEqual(changes(watcher, ben.id), []);
  });
});

describe('presence grace', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { PRESENCE_GRACE: '1s' } });
  });
  after(() => server.close());

  it('a page reload does not flicker', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    await ann.group('Trio', [ben, eve]);
    const watcher = await ann.connect('talentbridge');
    const leaver = await eve.connect('talentbridge');
    const page = await ben.connect('talentbridge');
    await untilChanges(watcher, eve.id, ['online']);
    await untilChanges(watcher, ben.id, ['online']);
    page.close();
    await ben.connect('talentbridge');
    // Eve leaves after Ben came back, so that her grace ends after his would have.
    leaver.close();
    await untilChanges(watcher, eve.id, ['online', 'offline']);
    assert.deepEqual(changes(watcher, ben.id), ['online']);
  });

  it('a lost transport that comes back does not flicker either', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    await ann.group('Trio', [ben, eve]);
    const watcher = await ann.connect('marketplace');
    const leaver = await eve.connect('talentbridge');
    const client = await ben.connect('talentbridge');
    const since = client.mark();
    client.drop();
    await client.until('connect', undefined, { since });
    leaver.close();
    await untilChanges(watcher, eve.id, ['online', 'offline']);
    assert.deepEqual(changes(watcher, ben.id), ['online']);
  });
});

describe('presence for everyone', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { PRESENCE_SCOPE: 'everyone' } });
  });
  after(() => server.close());

  it('PRESENCE_SCOPE=everyone tells all sockets, as the marketplace guide does', async () => {
    const [stranger, ben] = await server.people('Stranger', 'Ben');
    const watchers = await Promise.all(['talentbridge', 'ulearn', 'marketplace'].map((dialect) => stranger.connect(dialect)));
    const client = await ben.connect('gateway');
    for (const watcher of watchers) await untilChanges(watcher, ben.id, ['online']);
    client.close();
    for (const watcher of watchers) await untilChanges(watcher, ben.id, ['online', 'offline']);
    await fence(...watchers);
    for (const watcher of watchers) assert.deepEqual(changes(watcher, ben.id), ['online', 'offline']);
  });
});
