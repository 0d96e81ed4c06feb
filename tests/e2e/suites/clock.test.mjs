// The system's clock goes back an hour while people talk: order and identities do not go with it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SettableClock } from '../support/clock.mjs';
import { Server } from '../support/server.mjs';
import { nowSeconds } from '../support/tokens.mjs';

const HOUR = 3600;
/** A token that an hour more or less does not end. */
const lasting = { exp: nowSeconds() + 24 * HOUR };

describe('a clock that jumps', () => {
  let clock;
  let server;
  before(async () => {
    clock = await SettableClock.make();
    server = await Server.start({ env: clock.env });
  });
  after(async () => {
    await server.close();
    await clock.close();
  });

  it('backwards breaks neither order nor ids nor sync', async () => {
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => server.person(name, lasting)));
    const conversationId = await ann.direct(ben);
    const elsewhere = await ann.group('elsewhere', [ben]);
    const [writer, reader] = await Promise.all([ann, ben].map((person) => person.enter('talentbridge', conversationId)));
    const acks = [];
    const say = async (text) => acks.push((await writer.send(conversationId, text)).message);
    for (let number = 0; number < 5; number++) await say(`before ${number}`);
    await ann.say(elsewhere, 'before');
    const rev = Math.max(...acks.map((message) => message.rev ?? message.seq));

    clock.set(-HOUR);
    for (let number = 0; number < 5; number++) await say(`after ${number}`);
    const early = Date.parse(acks[4].createdAt);
    const late = Date.parse(acks[5].createdAt);
    assert.ok(early - late > (HOUR - 60) * 1000, 'the clock of the server has gone back');
    await ben.say(conversationId, 'answer', { replyTo: acks[0]._id });
    await reader.untilText('answer');

    // The process's own end does not make it forget: its ids are others, in the same order.
    assert.equal((await server.terminate()).code, 0);
    await server.restart();
    const again = await ann.enter('talentbridge', conversationId);
    await again.send(conversationId, 'after a restart');
    await again.untilText('after a restart');

    const talk = [...acks.map((message) => message.text), 'answer', 'after a restart'];
    const history = await ben.talk(conversationId);
    assert.deepEqual(history.map((message) => message.text), talk, 'the history is in the order it was said');
    const paged = await ben.history(conversationId, { limit: 2 });
    assert.deepEqual(paged.map((message) => message._id), history.map((message) => message._id), 'however small its pages');
    assert.deepEqual(history.map((message) => message.seq), talk.map((_, index) => index + 1));
    assert.equal(new Set(history.map((message) => message._id)).size, talk.length, 'no id comes twice');
    assert.deepEqual(reader.texts(conversationId).slice(0, 11), talk.slice(0, 11), 'and it was heard in this order');

    const caughtUp = await again.call('sync', { conversations: { [conversationId]: rev } });
    const [missed] = caughtUp.conversations;
    assert.deepEqual(missed.messages.map((message) => message.text), talk.slice(5), 'sync brings what came after the jump');

    const listed = await ann.rest.get('/api/v1/chat/conversations');
    const ids = listed.data.conversations.map((conversation) => conversation._id);
    assert.deepEqual(new Set(ids), new Set([conversationId, elsewhere]), 'each conversation is listed once');
    const found = await ben.rest.get(`/api/v1/chat/messages/search?q=after&conversationId=${conversationId}`);
    assert.equal(found.data.messages.length, 6, 'search finds them');
    assert.equal(await ann.unread(conversationId), 0);
  });

  it('forwards and back again breaks neither unread counts nor edits nor notifications', async () => {
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => server.person(name, lasting)));
    const conversationId = await ann.direct(ben);
    const messages = [];
    for (const offset of [0, HOUR, 0, -HOUR, HOUR, 0]) {
      clock.set(offset);
      messages.push(await ann.say(conversationId, `at ${offset}`));
    }
    assert.equal(await ben.unread(conversationId), messages.length);
    const client = await ben.enter('talentbridge', conversationId);
    await client.ok('messages:mark_read', { conversationId });
    assert.equal(await ben.unread(conversationId), 0);
    clock.set(-HOUR);
    const writer = await ann.enter('talentbridge', conversationId);
    await writer.ok('message:edit', { messageId: messages[1]._id, text: 'edited' });
    await writer.ok('message:delete', { messageId: messages[2]._id });
    const talk = await ben.talk(conversationId);
    assert.deepEqual(talk.map((message) => message.seq), messages.map((_, index) => index + 1));
    assert.equal(talk[1].text, 'edited');
    assert.deepEqual(talk.map((message) => message._id), messages.map((message) => message._id));
    clock.set(0);
  });
});
