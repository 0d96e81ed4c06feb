// Several nodes on one database and one broker are one server: for those who write to each other, for who is online,
// for who may be where; also while the broker is away, a node is cut off, or one is killed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { eventually, inFlight } from '../support/wait.mjs';

/** What a node could know of reaches its sockets within two seconds; the rest is for a slow machine. */
const REPAIRED = 6_000;
const LEASE = 15_000;
const SLOW = 1_500;
const KEY = 'a-key-of-the-product';

const changes = (client, userId) =>
  client.log.filter(({ event, args }) => /^user:(on|off)line$/.test(event) && args[0].userId === userId).map(({ event }) => event.slice(5));

/** Once everything has arrived in a conversation: each once, and in the order in which it is stored. */
async function complete(client, conversationId, count, patience = REPAIRED) {
  await client.untilTrue(`${count} messages`, () => client.texts(conversationId).length >= count, { patience });
  const stored = (await client.person.talk(conversationId)).map(({ text }) => text);
  assert.equal(stored.length, count);
  assert.deepEqual(client.texts(conversationId), stored);
}

// One file is for one process.
if (STORAGE !== 'sqlite') {
  describe(`three nodes on one ${STORAGE}`, () => {
    let cluster;
    let one;
    let two;
    let three;
    before(async () => {
      cluster = await Cluster.start({ env: { SERVER_API_KEYS: `test=${KEY}` } });
      [one, two, three] = cluster.nodes;
      await cluster.whole();
    });
    after(() => cluster.close());

    /** What a node measures. */
    const measured = async (node, name) => {
      const text = await (await fetch(`${node.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    };

    /** Somebody on each node. */
    const everywhere = async (...names) => {
      const people = await Promise.all(names.map((name, n) => cluster.nodes[n % 3].person(name)));
      return people;
    };

    it('what is written on any node arrives on all, in one order and once', async () => {
      const [ann, ben, cem] = await everywhere('Ann', 'Ben', 'Cem');
      const group = await ann.group('Team', [ben, cem]);
      const clients = await Promise.all([ann, ben, cem].map((person) => person.connect()));
      await inFlight(12, Array.from({ length: 150 }, (_, n) => n), (n) => clients[n % 3].call(...clients[n % 3].sending(group, `m${n}`)));
      await Promise.all(clients.map((client) => complete(client, group, 150)));
    });

    it('a message that is sent again on another node is the same message', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const conversation = await ann.direct(ben);
      const [here, there] = [await ann.connect(), await ann.connect('talentbridge', { url: two.url })];
      const receiver = await ben.connect();
      const clientMessageId = randomUUID();
      const send = (client) => client.call(...client.sending(conversation, 'once', { clientMessageId }));
      const [first, second] = await Promise.all([send(here), send(there)]);
      assert.equal(first.message?._id ?? first.messageId, second.message?._id ?? second.messageId);
      await ann.say(conversation, 'end');
      await receiver.untilText('end');
      assert.deepEqual(receiver.texts(conversation), ['once', 'end']);
    });

    it('edits, deletions, reading and typing are heard on other nodes', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const conversation = await ann.direct(ben);
      const [sender, receiver] = [await ann.enter('talentbridge', conversation), await ben.enter('talentbridge', conversation)];
      const message = await ann.say(conversation, 'hello');
      await receiver.untilText('hello');
      receiver.emit('typing:start', { conversationId: conversation });
      await sender.until('typing:start', ({ userId }) => userId === ben.id);
      await sender.until('typing:stop', ({ userId }) => userId === ben.id);
      await ben.rest.post(`/api/v1/chat/conversations/${conversation}/read`, {});
      await sender.untilTrue('it was read', () => sender.log.some(({ event }) => event.startsWith('message:read') || event === 'messages:read'));
      const edited = await ann.rest.patch(`/api/v1/chat/messages/${message._id}`, { text: 'hallo' });
      assert.equal(edited.status, 200, JSON.stringify(edited.body));
      await receiver.until('message:edited', ({ message: now }) => now.text === 'hallo');
    });

    it('who is removed from a group on one node is out of it on the others', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const group = await ann.group('Team', [ben]);
      const inside = await ben.enter('ulearn', group);
      await ann.say(group, 'first');
      await inside.untilText('first');
      const removed = await ann.rest.delete(`/api/v1/chat/conversations/${group}/participants/${ben.id}`);
      assert.equal(removed.status, 200, JSON.stringify(removed.body));
      const refusal = await eventually(
        'a send is refused',
        () => inside.call(...inside.sending(group, 'still here')),
        ({ success }) => success === false,
        1_000,
      );
      assert.equal(refusal.success, false);
      await ann.say(group, 'he is gone');
      const direct = await ann.direct(ben);
      await inside.join(direct);
      await ann.say(direct, 'fence');
      await inside.untilText('fence');
      assert.ok(!JSON.stringify(inside.log).includes('he is gone'));
    });

    it('contacts hear of each coming and going once, whichever nodes the sockets are on', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      await ann.direct(ben);
      const watchers = [await ann.connect(), await ann.connect('talentbridge', { url: three.url })];
      const [phone, laptop] = await Promise.all([ben.connect(), ben.connect('talentbridge', { url: one.url })]);
      for (const watcher of watchers) await watcher.untilTrue('online', () => changes(watcher, ben.id).length > 0);
      phone.close();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      laptop.close();
      for (const watcher of watchers) {
        await watcher.untilTrue('offline', () => changes(watcher, ben.id).length > 1);
        assert.deepEqual(changes(watcher, ben.id), ['online', 'offline']);
      }
    });

    it('every node says within a second how many are online', async () => {
      const count = async (node) => (await (await fetch(`${node.url}/api/v1/server/online-count`, { headers: { 'x-api-key': KEY } })).json()).data.count;
      const people = await everywhere('Ann', 'Ben', 'Cem', 'Dee', 'Eli', 'Fay');
      const before = await count(one);
      const right = async (expected) => {
        const began = performance.now();
        await Promise.all(cluster.nodes.map((node) => eventually(`${expected} online`, () => count(node), (found) => found === expected)));
        assert.ok(performance.now() - began < 1_000 + SLOW, `after ${Math.round(performance.now() - began)} ms`);
      };
      const clients = await Promise.all(people.map((person) => person.connect()));
      await right(before + people.length);
      for (const client of clients.slice(2)) client.close();
      // They stay online for this long, should they come back.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await right(before + 2);
    });

    it('a message counts as delivered when it has reached a socket on another node', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const conversation = await ann.direct(ben);
      const receiver = await ben.connect();
      const message = await ann.say(conversation, 'hello');
      await receiver.untilText('hello');
      await eventually('delivered', async () => (await ann.talk(conversation))[0].status, (status) => status === 'delivered');
      assert.ok(message._id);
    });

    it('people on different nodes call each other, and a call ends with the socket that was in it', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const callId = randomUUID();
      const [caller, phone, laptop] = [await ann.connect(), await ben.connect(), await ben.connect('talentbridge', { url: three.url })];
      await caller.ok('call:invite', { conversationId, callId, media: 'audio' });
      for (const device of [phone, laptop]) await device.until('call:invite', (call) => call.callId === callId);
      await phone.ok('call:accept', { callId });
      for (const device of [caller, laptop]) await device.until('call:accept', (call) => call.callId === callId);
      await caller.ok('call:signal', { callId, to: ben.id, data: 'offer' });
      await phone.until('call:signal', ({ data }) => data === 'offer');
      await phone.ok('call:signal', { callId, to: ann.id, data: 'answer' });
      await caller.until('call:signal', ({ data }) => data === 'answer');
      assert.deepEqual(laptop.received('call:signal'), [], 'that device is not in the call');
      await phone.ok('call:hangup', { callId });
      await caller.until('call:hangup', (call) => call.callId === callId);
      assert.equal((await phone.call('call:hangup', { callId })).code, 'CONFLICT');

      const again = randomUUID();
      await caller.ok('call:invite', { conversationId, callId: again, media: 'audio' });
      await phone.until('call:invite', (call) => call.callId === again);
      await phone.ok('call:accept', { callId: again });
      phone.close();
      await caller.until('call:hangup', (call) => call.callId === again && call.reason === 'disconnected');
    });

    it('the product ends all connections of somebody, on whichever nodes they are', async () => {
      const [ann] = await everywhere('Ann');
      const sockets = await Promise.all(cluster.nodes.map(({ url }) => ann.connect('talentbridge', { url })));
      const ended = await fetch(`${two.url}/api/v1/server/users/${ann.id}/disconnect`, {
        method: 'POST',
        headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'account closed' }),
      });
      assert.deepEqual((await ended.json()).data, { disconnected: true });
      for (const socket of sockets) assert.deepEqual(await socket.until('session:ended'), { reason: 'account closed' });
    });

    it('a notification that is read on one node is read on the others, and the next message makes another', async () => {
      const [ann, ben] = await everywhere('Ann', 'Ben');
      const conversation = await ann.direct(ben);
      const [phone, laptop] = [await ben.connect(), await ben.connect('talentbridge', { url: three.url })];
      await ann.say(conversation, 'one');
      const { _id: id } = await laptop.until('notification:new');
      await phone.until('notification:new');
      await phone.ok('notification:read', id);
      assert.equal(await laptop.until('notification:read'), id);
      const mark = laptop.mark();
      // The node on which it is written may not remember that one is unread.
      await ann.say(conversation, 'two');
      await laptop.until('notification:new', () => true, { since: mark });
    });

    it('while the broker is away messages still arrive everywhere within two seconds, nodes say so, and all goes on by itself', async () => {
      const [ann, ben, cem] = await everywhere('Ann', 'Ben', 'Cem');
      const group = await ann.group('Team', [ben, cem]);
      const clients = await Promise.all([ann, ben, cem].map((person) => person.connect()));
      const send = (n) => clients[n % 3].call(...clients[n % 3].sending(group, `m${n}`));
      for (let n = 0; n < 6; n++) await send(n);
      const repairs = await measured(one, 'parlance_gap_repairs_total');
      assert.equal(await measured(one, 'parlance_link_up'), 1);
      await cluster.broker.stop();
      for (const node of cluster.nodes) {
        const said = await eventually('degraded', () => Cluster.readiness(node), ({ status }) => status === 'degraded');
        assert.deepEqual(said.without, [cluster.link]);
        assert.equal((await fetch(`${node.url}/readyz`)).status, 200);
      }
      for (let n = 6; n < 12; n++) await send(n);
      const began = Date.now();
      await Promise.all(clients.map((client) => complete(client, group, 12)));
      assert.ok(Date.now() - began < REPAIRED);
      assert.equal(await measured(one, 'parlance_link_up'), 0);
      assert.ok(await measured(one, 'parlance_gap_repairs_total') > repairs);
      await cluster.broker.restart();
      await cluster.whole();
      for (let n = 12; n < 18; n++) await send(n);
      await Promise.all(clients.map((client) => complete(client, group, 18)));
    });

    it('a node that is cut off from the broker misses nothing, and nobody misses what happens on it', async () => {
      const [ann, ben, cem] = await everywhere('Ann', 'Ben', 'Cem');
      const group = await ann.group('Team', [ben, cem]);
      const clients = await Promise.all([ann, ben, cem].map((person) => person.connect()));
      const send = (n) => clients[n % 3].call(...clients[n % 3].sending(group, `m${n}`));
      for (let n = 0; n < 3; n++) await send(n);
      // Nothing breaks: words only stop.
      two.line.hold();
      for (let n = 3; n < 15; n++) await send(n);
      await Promise.all(clients.map((client) => complete(client, group, 15)));
      await eventually('degraded', () => Cluster.readiness(two), ({ status }) => status === 'degraded');
      two.line.release();
      await cluster.whole();
      for (let n = 15; n < 21; n++) await send(n);
      await Promise.all(clients.map((client) => complete(client, group, 21)));
    });

    it('who was only on a node that is killed is offline within 15 s, and who is elsewhere too stays', async () => {
      const [ann, ben, cem] = await everywhere('Ann', 'Ben', 'Cem');
      await ann.direct(ben);
      await ann.direct(cem);
      const watcher = await ann.connect();
      await ben.connect('talentbridge', { url: three.url, reconnection: false });
      await cem.connect('talentbridge', { url: three.url, reconnection: false });
      await cem.connect('talentbridge', { url: two.url });
      for (const person of [ben, cem]) await watcher.untilTrue('online', () => changes(watcher, person.id).length > 0);
      const killed = Date.now();
      await three.kill();
      await watcher.untilTrue('offline', () => changes(watcher, ben.id).includes('offline'), { patience: LEASE });
      assert.ok(Date.now() - killed < LEASE);
      assert.deepEqual(changes(watcher, ben.id), ['online', 'offline']);
      assert.deepEqual(changes(watcher, cem.id), ['online']);
      await three.restart();
      await cluster.whole();
      await ben.connect('talentbridge', { url: three.url });
      await watcher.untilTrue('online again', () => changes(watcher, ben.id).length > 2);
    });
  });
}
