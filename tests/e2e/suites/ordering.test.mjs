// Order: one sequence per conversation for everybody, and one socket's events in the order it sent them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

/** Strictly rising by one from its first. */
function assertUnbroken(seqs, who) {
  seqs.forEach((seq, index) => assert.equal(seq, seqs[0] + index, `${who}: position ${index} of ${seqs.join(' ')}`));
}

describe('order', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('a hundred racing senders: each socket sees seq rise by one, without a hole', { timeout: 240_000 }, async () => {
    const people = await server.people(...Array.from({ length: 100 }, (_, index) => `Racer${index}`));
    const watchers = await server.people(...DIALECTS.map((dialect) => `Watcher ${dialect}`));
    const group = await people[0].group('Race', [...people.slice(1), ...watchers]);
    const racers = await inFlight(10, people, (person) => person.enter('talentbridge', group));
    const watching = await Promise.all(watchers.map((person, index) => person.enter(DIALECTS[index], group)));

    const rounds = 3;
    const acks = await Promise.all(racers.flatMap((client, index) =>
      Array.from({ length: rounds }, (_, round) => client.send(group, `${index}/${round}`))));
    const total = racers.length * rounds;
    assert.equal(new Set(acks.map((ack) => ack.messageId)).size, total);

    for (const client of [...watching, ...racers]) {
      const who = `${client.dialect} of ${client.person.name}`;
      await client.untilTrue('all of the race', () => client.texts(group).length >= total);
      const race = client.messages(group).filter((message) => /^\d+\/\d+$/.test(message.text));
      assert.equal(race.length, total, who);
      assertUnbroken(race.map((message) => message.seq), who);
      for (const index of racers.keys()) {
        const own = race.filter((message) => message.text.startsWith(`${index}/`)).map((message) => message.text);
        assert.deepEqual(own, [`${index}/0`, `${index}/1`, `${index}/2`], `${who}: order of racer ${index}`);
      }
    }
    const stored = await watchers[0].talk(group);
    assert.deepEqual(stored.map((message) => message._id), watching[0].messages(group).filter((message) => message.type !== 'system').map((message) => message.id));
  });

  for (const dialect of ['talentbridge', 'ulearn', 'gateway', 'nextchat']) {
    it(`events of one ${dialect} socket are carried out in the order sent`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const client = await ann.connect(dialect);
      const answered = [];
      const texts = Array.from({ length: 40 }, (_, index) => `${index}`);
      const call = (label, ...args) => client.call(...args).then((answer) => answered.push([label, answer.success]));
      const all = [call('join', ...client.words.join(conversationId))];
      for (const text of texts) all.push(call(text, ...client.sending(conversationId, text)));
      all.push(call('leave', ...client.words.leave(conversationId)));
      await Promise.all(all);
      assert.deepEqual(answered, [['join', true], ...texts.map((text) => [text, true]), ['leave', true]]);
      assert.deepEqual((await ben.talk(conversationId)).map((message) => message.text), texts);
    });
  }

  it('a join holds for the send right after it', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('gateway');
    client.emit('joinConversation', { conversationId });
    client.emit('sendMessage', { conversationId, content: 'right behind' });
    await client.untilText('right behind');
    await ben.say(conversationId, 'the join held');
    await client.untilText('the join held');
    assert.deepEqual(client.texts(conversationId), ['right behind', 'the join held']);
  });

  it('what a client says in the moment of connecting holds like everything later', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    for (let round = 0; round < 100; round++) {
      const client = new Client(ben, { dialect: 'ulearn', transports: ['websocket'] });
      // Emitted before there is a connection, so that it goes out right behind the handshake.
      await client.join(conversationId);
      await ann.say(conversationId, `round ${round}`);
      await client.untilText(`round ${round}`);
      client.close();
    }
  });

  it('a send and the leave after it: the message is there, what others say later is not', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.enter('nextchat', conversationId);
    client.emit(...client.sending(conversationId, 'last words'));
    await client.leave(conversationId);
    await ben.say(conversationId, 'gone already?');
    await client.fence();
    assert.deepEqual(client.texts(conversationId), ['last words']);
  });

  it('senders over the socket and over REST share one sequence', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Mixed', [ben, eve]);
    const watcher = await eve.enter('marketplace', group);
    const client = await ann.enter('talentbridge', group);
    await Promise.all(Array.from({ length: 30 }, (_, index) => [client.send(group, `socket ${index}`), ben.say(group, `rest ${index}`)]).flat());
    await watcher.untilTrue('sixty messages', () => watcher.texts(group).length >= 60);
    const seen = watcher.messages(group).filter((message) => message.type !== 'system');
    assert.equal(seen.length, 60);
    assertUnbroken(seen.map((message) => message.seq), 'watcher');
  });
});
