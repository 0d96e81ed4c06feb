// Read and delivered: who hears of it, exactly which messages, and what the counters say.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, events } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

describe('receipts', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    return { ann, ben, conversationId: await ann.direct(ben) };
  }
  const say = async (person, conversationId, ...texts) => {
    const ids = [];
    for (const text of texts) ids.push((await person.say(conversationId, text))._id);
    return ids;
  };
  const status = async (person, conversationId) => (await person.history(conversationId)).map((message) => message.status);

  it('talentbridge: reading up to a message tells everybody which ones, and the unread count', async () => {
    const { ann, ben, conversationId } = await pair();
    const author = await ann.connect('talentbridge');
    const reader = await ben.connect('talentbridge');
    const ids = await say(ann, conversationId, 'one', 'two', 'three', 'four');
    const ack = await reader.ok('messages:mark_read', { conversationId, upToMessageId: ids[2] });
    assert.equal(ack.unreadCount, 1);
    const expected = { conversationId, userId: ben.id, upToMessageId: ids[2], messageIds: ids.slice(0, 3) };
    for (const client of [author, reader]) {
      const receipt = await client.until('messages:read');
      conforms(events.read.talentbridge, receipt);
      assert.deepEqual({ ...receipt, ...expected, messageIds: [...receipt.messageIds].sort() }, { ...receipt, ...expected });
    }
    assert.equal(await ben.unread(conversationId), 1);
    assert.equal((await ben.conversation(conversationId)).unreadCount, 1);
  });

  it('talentbridge: without upToMessageId, or with null, everything is read', async () => {
    for (const payload of [{}, { upToMessageId: null }]) {
      const { ann, ben, conversationId } = await pair();
      const reader = await ben.connect('talentbridge');
      const ids = await say(ann, conversationId, 'one', 'two');
      const ack = await reader.ok('messages:mark_read', { conversationId, ...payload });
      assert.equal(ack.unreadCount, 0);
      const receipt = await reader.until('messages:read');
      assert.deepEqual([receipt.upToMessageId, [...receipt.messageIds].sort()], [ids[1], ids]);
    }
  });

  it('ulearn: single messages are read exactly, beyond the position too, and [] reads the rest', async () => {
    const { ann, ben, conversationId } = await pair();
    const author = await ann.enter('ulearn', conversationId);
    const reader = await ben.enter('ulearn', conversationId);
    const ids = await say(ann, conversationId, 'one', 'two', 'three', 'four', 'five');
    reader.emit('message:read', { conversationId, messageIds: [ids[3], ids[1]] });
    const first = await author.until('messages:read');
    conforms(events.read.ulearn, first);
    assert.deepEqual([[...first.messageIds].sort(), first.readBy, first.conversationId], [[ids[1], ids[3]], ben.id, conversationId]);
    assert.equal(await ben.unread(conversationId), 3);

    const since = author.mark();
    reader.emit('message:read', { conversationId, messageIds: [] });
    const second = await author.until('messages:read', undefined, { since });
    assert.deepEqual([...second.messageIds].sort(), [ids[0], ids[2], ids[4]]);
    assert.equal(await ben.unread(conversationId), 0);
  });

  it('a second mark of the same messages emits nothing', async () => {
    const { ann, ben, conversationId } = await pair();
    const author = await ann.enter('ulearn', conversationId);
    const reader = await ben.enter('ulearn', conversationId);
    const ids = await say(ann, conversationId, 'one', 'two');
    await reader.ok('message:read', { conversationId, messageIds: ids });
    await author.until('messages:read');
    await reader.ok('message:read', { conversationId, messageIds: ids });
    await reader.ok('message:read', { conversationId, messageIds: [] });
    await reader.ok('messages:mark_read', { conversationId });
    await ben.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, {});
    await fence(author, reader);
    assert.equal(author.received('messages:read').length, 1);
    assert.equal(reader.received('messages:read').length, 1);
  });

  it('reading never covers the reader’s own messages', async () => {
    const { ann, ben, conversationId } = await pair();
    const reader = await ben.enter('ulearn', conversationId);
    const [own] = await say(ben, conversationId, 'mine');
    const [theirs] = await say(ann, conversationId, 'theirs');
    await reader.ok('message:read', { conversationId, messageIds: [own, theirs] });
    const receipt = await reader.until('messages:read', ({ readBy }) => readBy === ben.id);
    assert.deepEqual(receipt.messageIds, [theirs]);
    // Ben's own one is read because Ann's answer came after it.
    assert.deepEqual(await status(ben, conversationId), ['read', 'read']);
  });

  it('sending marks what came before it as read by the sender, and the author hears of it', async () => {
    const { ann, ben, conversationId } = await pair();
    const author = await ann.enter('marketplace', conversationId);
    const ids = await say(ann, conversationId, 'one', 'two');
    assert.equal(await ben.unread(conversationId), 2);
    await ben.say(conversationId, 'answer');
    assert.equal(await ben.unread(conversationId), 0);
    const receipt = await author.until('messages:read');
    conforms(events.read.marketplace, receipt);
    assert.deepEqual([receipt.userId, [...receipt.messageIds].sort()], [ben.id, ids]);
    assert.equal(await ann.unread(conversationId), 1);
  });

  it('the senders hear of a receipt without having joined', async () => {
    for (const dialect of ['ulearn', 'marketplace']) {
      const { ann, ben, conversationId } = await pair();
      const author = await ann.connect(dialect);
      const [id] = await say(ann, conversationId, 'one');
      await ben.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, {});
      assert.deepEqual((await author.until('messages:read')).messageIds, [id]);
    }
  });

  for (const dialect of DIALECTS) {
    it(`${dialect}: messages:mark_read and REST reading come to the same`, async () => {
      const { ann, ben, conversationId } = await pair();
      const client = await ben.enter(dialect, conversationId);
      const ids = await say(ann, conversationId, 'one', 'two', 'three');
      assert.equal((await client.ok('messages:mark_read', { conversationId, upToMessageId: ids[0] })).unreadCount, 2);
      const receipt = await client.until(client.words.readEvent, (data) => data.messageIds.includes(ids[0]));
      conforms(events.read[dialect], receipt);
      const { data } = await ben.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, { upToMessageId: ids[1] });
      assert.equal(data.unreadCount, 1);
      await client.until(client.words.readEvent, (receipt) => receipt.messageIds.includes(ids[1]));
    });
  }

  it('a reader’s other devices hear of the reading', async () => {
    const { ann, ben, conversationId } = await pair();
    const [phone, laptop] = [await ben.enter('ulearn', conversationId), await ben.enter('talentbridge', conversationId)];
    const [id] = await say(ann, conversationId, 'one');
    await phone.ok('message:read', { conversationId, messageIds: [] });
    assert.deepEqual((await laptop.until('messages:read')).messageIds, [id]);
  });

  it('positions never go back', async () => {
    const { ann, ben, conversationId } = await pair();
    const reader = await ben.connect('talentbridge');
    const ids = await say(ann, conversationId, 'one', 'two', 'three');
    await reader.ok('messages:mark_read', { conversationId, upToMessageId: ids[2] });
    assert.equal((await reader.ok('messages:mark_read', { conversationId, upToMessageId: ids[0] })).unreadCount, 0);
    assert.deepEqual(await status(ann, conversationId), ['read', 'read', 'read']);
  });

  it('a deleted message is not counted as unread', async () => {
    const { ann, ben, conversationId } = await pair();
    const ids = await say(ann, conversationId, 'one', 'two', 'three');
    await ann.rest.delete(`/api/v1/chat/messages/${ids[1]}`);
    assert.equal(await ben.unread(conversationId), 2);
    await ann.rest.delete(`/api/v1/chat/messages/${ids[2]}`);
    assert.equal(await ben.unread(conversationId), 1);
    await ben.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, {});
    await ann.rest.delete(`/api/v1/chat/messages/${ids[0]}`);
    assert.equal(await ben.unread(conversationId), 0);
  });

  it('unread counts are per user and conversation, with a total', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [direct, group] = [await ann.direct(ben), await ann.group('Three', [ben, eve])];
    const before = (await ben.rest.get('/api/v1/chat/unread')).data;
    await say(ann, direct, 'one', 'two');
    await say(eve, group, 'three');
    const { data } = await ben.rest.get('/api/v1/chat/unread');
    assert.deepEqual([data.conversations[direct], data.total - before.total], [2, 3]);
    assert.equal(data.conversations[group] - (before.conversations[group] ?? 0), 1);
    assert.equal(await eve.unread(direct), 0);
  });

  it('status goes from sent over delivered to read, and never back', async () => {
    const { ann, ben, conversationId } = await pair();
    const author = await ann.enter('ulearn', conversationId);
    const { messageId } = await author.send(conversationId, 'are you there?');
    assert.deepEqual(await status(ann, conversationId), ['sent']);
    const reader = await ben.connect('gateway');
    assert.deepEqual(await author.until('message:delivered'), { messageId });
    assert.deepEqual(await status(ann, conversationId), ['delivered']);
    await reader.ok('messages:mark_read', { conversationId });
    await author.until('messages:read');
    assert.deepEqual(await status(ann, conversationId), ['read']);
    reader.close();
    await ben.connect('ulearn');
    assert.deepEqual(await status(ann, conversationId), ['read']);
  });

  it('ulearn: message:sent, then message:delivered when another participant is online, on all of the sender’s sockets', async () => {
    const { ann, ben, conversationId } = await pair();
    await ben.connect('talentbridge');
    const sender = await ann.connect('ulearn');
    const device = await ann.connect('ulearn');
    sender.emit(...sender.sending(conversationId, 'ping'));
    const { messageId } = await sender.until('message:sent');
    assert.deepEqual(await sender.until('message:delivered'), { messageId });
    assert.deepEqual(await device.until('message:delivered'), { messageId });
    const order = sender.log.map(({ event }) => event).filter((event) => event.startsWith('message:'));
    assert.deepEqual(order, ['message:sent', 'message:delivered']);
    await device.fence();
    assert.equal(device.received('message:sent').length, 0, 'the confirmation is for the sending socket');
  });

  it('ulearn: nobody online, no message:delivered', async () => {
    const { ann, conversationId } = await pair();
    const sender = await ann.enter('ulearn', conversationId);
    await sender.send(conversationId, 'anybody?');
    await sender.until('message:sent');
    await sender.fence();
    assert.equal(sender.received('message:delivered').length, 0);
  });

  it('ulearn: a recipient who comes online later turns every waiting message into delivered', async () => {
    const { ann, ben, conversationId } = await pair();
    const sender = await ann.enter('ulearn', conversationId);
    const ids = [];
    for (const text of ['one', 'two', 'three']) ids.push((await sender.send(conversationId, text)).messageId);
    await ben.connect('nextchat');
    await sender.untilTrue('all delivered', () => sender.received('message:delivered').length >= 3);
    assert.deepEqual(sender.received('message:delivered').map(({ messageId }) => messageId).sort(), ids);
    assert.deepEqual(await status(ann, conversationId), ['delivered', 'delivered', 'delivered']);
  });

  it('in a group a message is delivered and read with the first recipient', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Trio', [ben, eve]);
    const author = await ann.enter('ulearn', group);
    const { messageId } = await author.send(group, 'hello both');
    const look = async () => (await ann.talk(group)).at(-1).status;
    assert.equal(await look(), 'sent');
    const first = await eve.connect('talentbridge');
    await author.until('message:delivered', (data) => data.messageId === messageId);
    assert.equal(await look(), 'delivered');
    await first.ok('messages:mark_read', { conversationId: group });
    await author.until('messages:read', ({ readBy }) => readBy === eve.id);
    assert.equal(await look(), 'read');
    assert.ok((await ben.unread(group)) > 0);
  });

  it('gateway and marketplace see isRead and status in the message itself', async () => {
    const { ann, ben, conversationId } = await pair();
    await say(ann, conversationId, 'one');
    await ben.rest.post(`/api/v1/chat/conversations/${conversationId}/read`, {});
    for (const dialect of ['gateway', 'marketplace']) {
      const { data } = await ann.rest.in(dialect).get(`/api/v1/chat/messages/all/${conversationId}`);
      assert.deepEqual([data.messages[0].isRead, data.messages[0].status], [true, 'read']);
    }
  });

  it('marking a message that is not there fails and moves nothing', async () => {
    const { ann, ben, conversationId } = await pair();
    await say(ann, conversationId, 'one');
    const reader = await ben.connect('talentbridge');
    const ack = await reader.call('messages:mark_read', { conversationId, upToMessageId: '64f123abc456def789012345' });
    assert.deepEqual([ack.success, ack.code], [false, 'MESSAGE_NOT_FOUND']);
    assert.equal(await ben.unread(conversationId), 1);
  });

  it('a receipt for a long absence lists the newest five hundred', async () => {
    const { ann, ben, conversationId } = await pair();
    const sender = await ann.connect('talentbridge');
    await inFlight(10, Array.from({ length: 510 }, (_, index) => `${index}`), (text) => sender.send(conversationId, text));
    const ids = (await ann.history(conversationId)).map((message) => message._id);
    const reader = await ben.connect('talentbridge');
    await reader.ok('messages:mark_read', { conversationId });
    const receipt = await reader.until('messages:read');
    assert.equal(receipt.upToMessageId, ids.at(-1));
    assert.deepEqual([...receipt.messageIds].sort(), ids.slice(-500).sort());
    assert.equal(await ben.unread(conversationId), 0);
  });
});
