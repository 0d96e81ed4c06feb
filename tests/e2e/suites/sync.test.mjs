// Catching up: what a client missed it gets with `sync`, and it ends equal to one that never left.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { chance, seed } from '../support/chance.mjs';
import { fence } from '../support/client.mjs';
import { STORAGE } from '../support/database.mjs';
import { DIALECTS, plainMessage } from '../support/dialects.mjs';
import { Replica } from '../support/replica.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const api = '/api/v1/chat/messages';

// Fewer, in as full pages, where each is a round trip to a database.
const CHANGES = STORAGE === 'sqlite' ? 10_000 : 1_000;
const SENT = CHANGES * 0.7;

describe('sync', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  for (const dialect of DIALECTS) {
    it(`${dialect}: exactly what changed comes back, in rev order, in the dialect’s shape`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const sent = [];
      for (const text of ['a', 'b', 'c', 'd']) sent.push(await ann.say(conversationId, text));
      const client = await ben.connect(dialect);
      const sync = async (rev) => (await client.ok('sync', { conversations: { [conversationId]: rev } })).conversations[0];

      const whole = await sync(0);
      assert.equal(whole.conversationId, conversationId);
      whole.messages.forEach((message) => conforms(messages[dialect], message));
      assert.deepEqual(whole.messages.map((raw) => plainMessage(dialect, raw).id), sent.map(({ _id }) => _id));
      assert.equal(whole.hasMore, false);

      await ann.rest.patch(`${api}/${sent[2]._id}`, { text: 'c, edited' });
      await ben.rest.put(`${api}/${sent[0]._id}/reactions/x`);
      await ann.rest.delete(`${api}/${sent[1]._id}`);
      const changed = await sync(whole.rev);
      assert.deepEqual(changed.messages.map((raw) => plainMessage(dialect, raw).id), [sent[2], sent[0], sent[1]].map(({ _id }) => _id));
      assert.deepEqual(changed.messages.map((raw) => plainMessage(dialect, raw).text), ['c, edited', 'a', null]);
      assert.ok(changed.rev > whole.rev);

      const nothing = await client.ok('sync', { conversations: { [conversationId]: changed.rev } });
      assert.deepEqual(nothing.unknown, []);
      assert.deepEqual(nothing.conversations.flatMap((entry) => entry.messages), []);
    });
  }

  it('conversations that are not there, malformed or not the caller’s are unknown', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [own, foreign] = [await ann.direct(ben), await ben.direct(eve)];
    await ann.say(own, 'mine');
    const client = await ann.connect('ulearn');
    const missing = '64f123abc456def789012345';
    const { conversations, unknown } = await client.ok('sync', { conversations: { [own]: 0, [foreign]: 0, [missing]: 3, rubbish: 1 } });
    assert.deepEqual(conversations.map(({ conversationId }) => conversationId), [own]);
    assert.deepEqual([...unknown].sort(), [foreign, missing, 'rubbish'].sort());
  });

  it('at most 200 conversations, and revisions are numbers', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge');
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [index.toString(16).padStart(24, '0'), 0]));
    for (const conversations of [many, { [conversationId]: 'x' }, { [conversationId]: -1 }, { [conversationId]: 1.5 }, { [conversationId]: null }]) {
      assert.equal((await client.call('sync', { conversations })).code, 'VALIDATION_FAILED', JSON.stringify(conversations).slice(0, 80));
    }
    assert.deepEqual((await client.ok('sync', { conversations: {} })).conversations, []);
  });

  it('a client that was away gets what it missed, and the changes to what it had', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ben.connect('gateway');
    const replica = new Replica(client, [conversationId]);
    await replica.enter();
    const had = await ann.say(conversationId, 'before');
    await client.untilText('before');
    client.socket.disconnect();
    await ann.say(conversationId, 'missed');
    await ann.rest.patch(`${api}/${had._id}`, { text: 'before, edited' });
    const since = client.mark();
    client.socket.connect();
    await client.until('connect', undefined, { since });
    await replica.enter();
    assert.deepEqual(replica.view(conversationId).map(({ text, edited }) => [text, edited]), [['before, edited', true], ['missed', false]]);
  });

  it(`${CHANGES} changes are caught up in pages of at most 200, and the copy equals one that never left`, { timeout: 280_000 }, async () => {
    const authors = await server.people(...Array.from({ length: 8 }, (_, index) => `Author${index}`));
    const [stayer, leaver] = await server.people('Stayer', 'Leaver');
    const group = await authors[0].group('Busy', [...authors.slice(1), stayer, leaver]);
    const writers = await Promise.all(authors.map((person) => person.connect('nextchat', { transports: ['websocket'] })));
    const home = new Replica(await stayer.connect('talentbridge'), [group]);
    const away = new Replica(await leaver.connect('ulearn'), [group]);
    await Promise.all([home.enter(), away.enter()]);
    away.client.socket.disconnect();

    const from = (await stayer.conversation(group)).rev;
    const ids = await inFlight(80, Array.from({ length: SENT }, (_, index) => index), async (index) =>
      (await writers[index % writers.length].send(group, `message ${index}`)).messageId);
    await inFlight(80, Array.from({ length: CHANGES - SENT }, (_, index) => index), (index) => {
      const messageId = ids[index];
      const author = writers[index % writers.length];
      if (index % 3 === 0) return author.ok('message:edit', { messageId, text: `edited ${index}` });
      if (index % 3 === 1) return author.ok('message:delete', { messageId });
      return author.ok('message:react', { messageId, emoji: '👍' });
    });
    const { rev } = await stayer.conversation(group);
    assert.equal(rev - from, CHANGES);

    const since = away.client.mark();
    away.client.socket.connect();
    await away.client.until('connect', undefined, { since });
    away.pages = 0;
    await away.enter();
    assert.equal(away.pages, Math.ceil(SENT / 200), `${SENT} changed messages in pages of 200`);
    await fence(home.client, away.client);
    assert.deepEqual(away.view(group), home.view(group));
    assert.equal(away.view(group).filter(({ senderId }) => authors.some(({ id }) => id === senderId)).length >= SENT, true);
  });

  it('random operations: a client that keeps disconnecting ends equal to one that stays', { timeout: 200_000 }, async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const random = chance(seed);
    const actors = await server.people('Ann', 'Ben', 'Eve');
    const [stayer, flapper] = await server.people('Stayer', 'Flapper');
    const groups = [await actors[0].group('First', [...actors.slice(1), stayer, flapper]), await actors[1].group('Second', [actors[0], actors[2], stayer, flapper])];
    const hands = await Promise.all(actors.map((person, index) => person.connect(['talentbridge', 'ulearn', 'gateway'][index])));
    const steady = new Replica(await stayer.connect('marketplace'), groups);
    const flaky = new Replica(await flapper.connect('ulearn'), groups);
    await Promise.all([steady.enter(), flaky.enter()]);

    const messages = [];
    const alive = () => messages.filter((message) => !message.deleted);
    let connected = true;
    let returning = Promise.resolve();
    const comeBack = async () => {
      const since = flaky.client.mark();
      flaky.client.socket.connect();
      await flaky.client.until('connect', undefined, { since });
      await flaky.enter();
    };
    for (let step = 0; step < 500; step++) {
      if (random.likely(0.06)) {
        await returning;
        if (connected) flaky.client.socket.disconnect();
        else returning = comeBack(); // Not awaited: what happens meanwhile reaches it live, as catching up or both.
        connected = !connected;
      }
      const hand = random.pick(hands);
      const target = alive().length > 0 ? random.pick(alive()) : undefined;
      const roll = random.next();
      if (!target || roll < 0.5) {
        const conversationId = random.pick(groups);
        const inSame = alive().filter((message) => message.conversationId === conversationId);
        const more = inSame.length > 0 && random.likely(0.2) ? { replyTo: random.pick(inSame).id } : {};
        const { messageId } = await hand.send(conversationId, `step ${step}`, more);
        messages.push({ id: messageId, conversationId, author: hand, deleted: false });
      } else if (roll < 0.65) {
        await target.author.ok('message:edit', { messageId: target.id, text: `edited in step ${step}` });
      } else if (roll < 0.72) {
        await target.author.ok('message:delete', { messageId: target.id });
        target.deleted = true;
      } else {
        await hand.ok(roll < 0.9 ? 'message:react' : 'message:unreact', { messageId: target.id, emoji: random.pick(['👍', '🎉', '🙈']) });
      }
    }
    await returning;
    if (!connected) await comeBack();
    await fence(steady.client, flaky.client);
    for (const group of groups) {
      assert.deepEqual(flaky.view(group), steady.view(group));
      const truth = await stayer.history(group);
      assert.deepEqual(steady.view(group).map(({ id, text, seq }) => [id, text, seq]), truth.map(({ _id, text, seq }) => [_id, text, seq]));
    }
  });
});
