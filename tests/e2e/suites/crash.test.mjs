// A server that dies, and one that is told to stop: what was acked is there afterwards, once and in order.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { chance, seed } from '../support/chance.mjs';
import { STORAGE } from '../support/database.mjs';
import { Load } from '../support/load.mjs';
import { Replica } from '../support/replica.mjs';
import { Server } from '../support/server.mjs';
import { eventually, within } from '../support/wait.mjs';

const SENDERS = 6;
/** How often the server is killed at a random point; `make test-crash` does it fifty times. */
const CRASHES = Number(process.env.CRASHES ?? 3);

/** A transaction of a process that is gone stays open there until somebody ends it; each takes long where the tests run it. */
const LEAVES_TRANSACTIONS = STORAGE === 'mongodb';

describe('the end of a server', () => {
  let server;
  afterEach(async () => {
    await server.close();
    server = undefined;
  });

  /** A group under load and somebody who keeps a copy of it. */
  async function underLoad(acked) {
    server ??= await Server.start();
    const [owner, ...others] = await server.people('Owner', ...Array.from({ length: SENDERS }, (_, index) => `Sender${index}`), 'Watcher');
    const watcher = others.pop();
    const group = await owner.group('Load', [...others, watcher]);
    const replica = new Replica(await watcher.connect('gateway'), [group]);
    await replica.enter();
    const clients = await Promise.all(others.map((person) => person.connect('ulearn', { transports: ['websocket'] })));
    const load = new Load(clients, group);
    await eventually('the load', () => load.acked.length, (count) => count >= acked);
    return { owner, group, replica, clients, load };
  }

  /** Everything acked is stored once, in the order of each sender, and no number is missing. */
  async function assertWhole({ owner, group, load }) {
    const history = await owner.history(group);
    assert.deepEqual(history.map(({ seq }) => seq), history.map((_, index) => index + 1), 'seq without a hole');
    const place = new Map(history.map((message, index) => [message._id, index]));
    const byClientId = groupByClientId(history);
    for (const [client, sent] of load.sent) {
      const acked = sent.filter((message) => message.messageId);
      for (const message of acked) {
        assert.ok(place.has(message.messageId), `acked but lost: ${message.text}`);
        assert.equal(history[place.get(message.messageId)].text, message.text);
        assert.equal(byClientId.get(message.clientMessageId).length, 1, `stored twice: ${message.text}`);
      }
      const stored = history.filter((message) => message.sender._id === client.person.id && message.messageType === 'text').map(({ text }) => text);
      assert.deepEqual(stored, sent.map(({ text }) => text).filter((text) => stored.includes(text)), `${client.person.name}: order`);
    }
    return history;
  }

  it('SIGKILL under load: after the restart every acked message is there, once and in order', { timeout: 240_000 }, async () => {
    const scene = await underLoad(LEAVES_TRANSACTIONS ? 100 : 300);
    const { group, replica, clients, load } = scene;
    const marks = new Map([...clients, replica.client].map((client) => [client, client.mark()]));
    await server.kill();
    load.stop();
    await server.restart();
    await assertWhole(scene);

    // The clients come back by themselves, send again what got no answer, and nothing is doubled.
    for (const [client, since] of marks) await client.until('connect', undefined, { since });
    for (const client of clients) {
      for (const message of load.sent.get(client).filter(({ messageId }) => !messageId)) {
        const ack = await untilTaken(() => client.call(...client.sending(group, message.text, { clientMessageId: message.clientMessageId })));
        message.messageId = ack.messageId;
      }
    }
    const history = await scene.owner.history(group);
    const texts = history.filter(({ messageType }) => messageType === 'text').map(({ text }) => text);
    assert.equal(new Set(texts).size, texts.length);
    assert.equal(texts.length, [...load.sent.values()].flat().length);
    assert.deepEqual(history.map(({ seq }) => seq), history.map((_, index) => index + 1));

    // Somebody who only listened catches up from where they were.
    await replica.enter();
    assert.deepEqual(replica.view(group).map(({ id }) => id), history.map(({ _id }) => _id));
  });

  it(`SIGKILL at ${CRASHES} random points: acked is stored, once, in order, and the rest can be sent again`, { timeout: 60_000 + CRASHES * 30_000 }, async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const random = chance(seed);
    const counts = { acked: 0, unanswered: 0, stored: 0 };
    for (let crash = 0; crash < CRASHES; crash++) {
      const scene = await underLoad(random.below(150));
      // The point is to be anywhere: in a batch, a commit, a checkpoint, an answer.
      await pause(random.next() * 20);
      await server.kill();
      scene.load.stop();
      for (const client of [...scene.clients, scene.replica.client]) client.close();
      await server.restart();
      const before = await assertWhole(scene);
      const unanswered = [...scene.load.sent].flatMap(([client, sent]) => sent.filter(({ messageId }) => !messageId).map((message) => [client, message]));
      for (const [{ person }, { text, clientMessageId }] of unanswered) {
        const message = { conversationId: scene.group, text, clientMessageId };
        await untilTaken(async () => (await person.rest.post('/api/v1/chat/messages', message)).body);
      }
      const after = groupByClientId((await scene.owner.history(scene.group)).filter(({ messageType }) => messageType === 'text'));
      assert.deepEqual([...after.values()].filter((messages) => messages.length !== 1), []);
      assert.equal(after.size, [...scene.load.sent.values()].flat().length);
      counts.acked += scene.load.acked.length;
      counts.unanswered += unanswered.length;
      counts.stored += before.filter(({ messageType }) => messageType === 'text').length;
    }
    t.diagnostic(JSON.stringify(counts));
  });

  it('SIGKILL in the middle of edits and deletions leaves what was acked', { timeout: 120_000 }, async () => {
    server = await Server.start();
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge', { transports: ['websocket'] });
    const ids = [];
    for (let index = 0; index < 60; index++) ids.push((await client.send(conversationId, `v1 of ${index}`)).messageId);
    const acked = new Map();
    let done = 0;
    ids.forEach((messageId, index) => {
      const [event, payload] = index % 2 ? ['message:delete', { messageId }] : ['message:edit', { messageId, text: `v2 of ${index}` }];
      client.socket.timeout(20_000).emitWithAck(event, payload).then(
        (ack) => {
          done += 1;
          if (ack.success) acked.set(messageId, index % 2 ? null : `v2 of ${index}`);
        },
        () => undefined,
      );
    });
    await eventually('some changes', () => done, (count) => count >= 10);
    await server.kill();
    client.close();
    await server.restart();
    const history = await ben.history(conversationId);
    for (const message of history) if (acked.has(message._id)) assert.equal(message.text, acked.get(message._id));
    assert.equal(history.length, 60);
  });

  it('SIGTERM under load: the exit is clean, what was acked is there, and clients go on with the next server', { timeout: 120_000 }, async () => {
    const scene = await underLoad(LEAVES_TRANSACTIONS ? 100 : 200);
    const { owner, group, replica, clients, load } = scene;
    const marks = new Map([...clients, replica.client].map((client) => [client, client.mark()]));
    const exit = await server.terminate();
    load.stop();
    assert.deepEqual(exit, { code: 0, signal: null });
    for (const [client, since] of marks) {
      const reason = await client.until('disconnect', undefined, { since });
      assert.notEqual(reason, 'io server disconnect', 'a client that is told to go does not come back by itself');
    }
    await server.restart();
    for (const [client, since] of marks) await client.until('connect', undefined, { since });
    await assertWhole(scene);
    await replica.enter();
    const newest = await clients[0].send(group, 'the new server');
    await replica.client.untilText('the new server');
    assert.equal(replica.view(group).at(-1).id, newest.messageId);
    assert.deepEqual(replica.view(group).map(({ id }) => id), (await owner.history(group)).map(({ _id }) => _id));
  });

  it('SIGTERM with idle sockets and open HTTP connections does not hang', { timeout: 60_000 }, async () => {
    server = await Server.start();
    const [ann, ben] = await server.people('Ann', 'Ben');
    await ann.direct(ben);
    await Promise.all([ann.connect('talentbridge', { transports: ['polling'], upgrade: false }), ben.connect('ulearn', { transports: ['websocket'] })]);
    server.child.kill('SIGTERM');
    assert.deepEqual(await within(20_000, 'the exit', server.exited), { code: 0, signal: null });
    await server.restart();
    assert.equal((await ann.rest.get('/api/v1/users/me')).status, 200);
  });

  it('everything survives a restart: groups, roles, blocks, positions, reactions, profile', { timeout: 60_000 }, async () => {
    server = await Server.start();
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Lasting', [ben, eve]);
    await ann.rest.patch(`/api/v1/chat/conversations/${group}/participants/${ben.id}`, { role: 'admin' });
    await ann.rest.put(`/api/v1/users/${eve.id}/block`);
    await ben.rest.patch('/api/v1/users/me', { fullName: 'Benjamin' });
    const first = await ann.say(group, 'first');
    await ann.say(group, 'second', { replyTo: first._id });
    await ben.rest.put(`/api/v1/chat/messages/${first._id}/reactions/x`);
    await ben.rest.post(`/api/v1/chat/conversations/${group}/read`, { upToMessageId: first._id });
    const snapshot = async () => ({
      conversation: await ben.conversation(group),
      history: await ben.history(group),
      unread: await ben.unread(group),
      blocked: (await ann.rest.get('/api/v1/users/blocked')).data.users,
      me: (await ben.rest.get('/api/v1/users/me')).data.user,
    });
    const before = await snapshot();
    await server.terminate();
    await server.restart();
    assert.deepEqual(await snapshot(), before);
  });
});

/** Sends, and where a killed server's transaction may be in the way, once more as long as the answer is to come back. */
function untilTaken(send) {
  return eventually('the answer', send, ({ success, code, error }) => {
    assert.ok(success || (LEAVES_TRANSACTIONS && code === 'UNAVAILABLE'), error);
    return success;
  });
}

function groupByClientId(history) {
  const groups = new Map();
  for (const message of history) groups.set(message.clientMessageId, [...(groups.get(message.clientMessageId) ?? []), message]);
  return groups;
}
