// Clients of different families in one conversation: everything that happens reaches each in its own shape.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { DIALECTS, plainMessage } from '../support/dialects.mjs';
import { conforms, events, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('two families', () => {
  let server;
  before(async () => {
    server = await Server.start({ listen: ['talentbridge', 'ulearn'] });
  });
  after(() => server.close());

  it('a talentbridge user and a ulearn user chat, each through the listener of their own guide', async () => {
    const [tess, uwe] = await server.people('Tess', 'Uwe');
    const conversationId = await tess.direct(uwe);
    const left = await tess.connect('talentbridge', { announce: false, url: server.urls[0] });
    const right = await uwe.connect('ulearn', { announce: false, url: server.urls[1] });
    await right.join(conversationId);

    const ack = await left.send(conversationId, 'Hello, how are you?');
    const seen = await right.untilText('Hello, how are you?');
    conforms(messages.ulearn, seen);
    assert.equal(seen._id, ack.messageId);
    assert.equal(seen.senderId.name, 'Tess');

    right.emit('send:message', { conversationId, text: 'That sounds great!', messageType: 'text', replyTo: seen._id });
    const { message } = await left.until('message:new', (data) => data.message.text === 'That sounds great!');
    conforms(messages.talentbridge, message);
    assert.equal(message.sender.fullName, 'Uwe');
    assert.deepEqual(message.replyTo, { ...message.replyTo, _id: ack.messageId, text: 'Hello, how are you?' });
    assert.equal(message.replyTo.sender._id, tess.id);
    assert.deepEqual(await right.until('message:sent'), { messageId: message._id, conversationId });
    assert.deepEqual(await right.until('message:delivered'), { messageId: message._id });

    await left.ok('messages:mark_read', { conversationId, upToMessageId: message._id });
    const receipt = await right.until('messages:read', ({ readBy }) => readBy === tess.id);
    assert.deepEqual(receipt, { messageIds: [message._id], readBy: tess.id, conversationId });

    right.emit('typing:start', { conversationId });
    await left.join(conversationId);
    right.emit('typing:stop', { conversationId });
    right.emit('typing:start', { conversationId });
    const typing = await left.until('typing:start', ({ userId }) => userId === uwe.id);
    conforms(events.typing.talentbridge, typing);
    assert.equal(typing.userInfo.fullName, 'Uwe');
  });
});

describe('five families in one group', () => {
  let server;
  let group;
  const clients = {};
  const everyone = () => Object.values(clients);
  const others = (dialect) => everyone().filter((client) => client.dialect !== dialect);

  before(async () => {
    server = await Server.start();
    const people = await server.people(...DIALECTS);
    group = await people[0].group('All families', people.slice(1));
    await Promise.all(DIALECTS.map(async (dialect, index) => {
      clients[dialect] = await people[index].enter(dialect, group);
    }));
  });
  after(() => server.close());

  const toEach = async (event, satisfied, look) => {
    for (const client of everyone()) {
      look(await client.until(event, satisfied), client.dialect, client);
    }
  };

  for (const speaker of DIALECTS) {
    it(`a message of ${speaker} reaches all five in their own shape, the sender included, once`, async () => {
      const text = `from ${speaker}`;
      const sender = clients[speaker];
      const ack = await sender.send(group, `  ${text}\n`);
      conforms(messages[speaker], ack.message);
      assert.equal(ack.conversationId, group);
      assert.equal(plainMessage(speaker, ack.message).id, ack.messageId);
      for (const client of everyone()) {
        const raw = await client.untilText(text);
        conforms(events.message[client.dialect], client.received(client.words.messageEvent).at(-1), client.dialect);
        conforms(messages[client.dialect], raw, client.dialect);
        const plain = plainMessage(client.dialect, raw);
        assert.deepEqual([plain.id, plain.senderId, plain.conversationId], [ack.messageId, sender.person.id, group]);
      }
      await fence(...everyone());
      for (const client of everyone()) assert.equal(client.texts(group).filter((seen) => seen === text).length, 1, client.dialect);
    });

    it(`an edit by ${speaker} reaches all five in their own shape`, async () => {
      const { messageId } = await clients[speaker].send(group, `unpolished ${speaker}`);
      await clients[speaker].ok('message:edit', { messageId, text: `polished ${speaker}` });
      await toEach('message:edited', ({ message }) => (message._id ?? message.id) === messageId, (data, dialect) => {
        conforms(events.edited(dialect), data, dialect);
        const plain = plainMessage(dialect, data.message);
        assert.equal(plain.text, `polished ${speaker}`);
        if (dialect !== 'nextchat') assert.equal(plain.edited, true, dialect);
      });
    });

    it(`a deletion by ${speaker} reaches all five`, async () => {
      const { messageId } = await clients[speaker].send(group, `regretted ${speaker}`);
      await clients[speaker].ok('message:delete', { messageId });
      await toEach('message:deleted', (data) => data.messageId === messageId, (data, dialect) => {
        conforms(events.deleted, data, dialect);
        assert.equal(data.conversationId, group);
      });
    });

    it(`a reaction by ${speaker} reaches all five, and so does its end`, async () => {
      const { messageId } = await clients.talentbridge.send(group, `react, ${speaker}`);
      const { id: userId } = clients[speaker].person;
      await clients[speaker].ok('message:react', { messageId, emoji: '👍' });
      await toEach('message:reaction', (data) => data.messageId === messageId && data.action === 'added', (data, dialect) => {
        conforms(events.reaction, data, dialect);
        assert.deepEqual([data.userId, data.emoji, data.reactions], [userId, '👍', [{ emoji: '👍', count: 1, userIds: [userId] }]]);
      });
      await clients[speaker].ok('message:unreact', { messageId, emoji: '👍' });
      await toEach('message:reaction', (data) => data.messageId === messageId && data.action === 'removed', (data, dialect) => {
        conforms(events.reaction, data, dialect);
        assert.deepEqual(data.reactions, []);
      });
    });

    it(`a read receipt of ${speaker} reaches all five in their own shape`, async () => {
      const author = others(speaker)[0];
      const { messageId } = await author.send(group, `read this, ${speaker}`);
      await clients[speaker].ok('messages:mark_read', { conversationId: group, upToMessageId: messageId });
      const { id: userId } = clients[speaker].person;
      for (const client of everyone()) {
        const receipt = await client.until(client.words.readEvent, (data) => client.words.reader(data) === userId && data.messageIds.includes(messageId));
        conforms(events.read[client.dialect], receipt, client.dialect);
        assert.equal(receipt.conversationId, group);
        if (client.dialect === 'talentbridge') assert.equal(receipt.upToMessageId, messageId);
      }
    });

    it(`typing of ${speaker} reaches the other four in their own shape, and its end too`, async () => {
      const typist = clients[speaker];
      const marks = new Map(everyone().map((client) => [client, client.mark()]));
      assert.equal((await typist.startTyping(group)).success, true);
      for (const client of others(speaker)) {
        await client.untilTyping(group, typist.person.id, true, { since: marks.get(client) });
        const entry = client.log.slice(marks.get(client)).find(({ event, args }) => client.words.readTyping(event, args[0]));
        conforms(events.typing[client.dialect], entry.args[0], client.dialect);
      }
      // A dialect without a stop of its own ends its typing with a message.
      if (typist.words.typingStop) assert.equal((await typist.stopTyping(group)).success, true);
      else await typist.send(group, `done typing, ${speaker}`);
      for (const client of others(speaker)) {
        await client.untilTyping(group, typist.person.id, false, { since: marks.get(client) });
        const own = client.typing(group, { since: marks.get(client) }).filter(([who]) => who === typist.person.id);
        assert.deepEqual(own, [[typist.person.id, true], [typist.person.id, false]], client.dialect);
      }
      await typist.fence();
      assert.deepEqual(typist.typing(group, { since: marks.get(typist) }), [], 'a typist does not hear themselves');
    });
  }

  it('a reply shows the original in each shape, also when the original is gone', async () => {
    const { messageId: original } = await clients.gateway.send(group, 'the original');
    await clients.ulearn.send(group, 'first reply', { replyTo: original });
    const expectReply = (text, quoted) =>
      Promise.all(everyone().filter(({ dialect }) => dialect !== 'nextchat').map(async (client) => {
        const raw = await client.untilText(text);
        conforms(messages[client.dialect], raw, client.dialect);
        assert.deepEqual(plainMessage(client.dialect, raw).replyTo, { id: original, text: quoted, senderId: clients.gateway.person.id });
      }));
    await expectReply('first reply', 'the original');
    await clients.gateway.ok('message:delete', { messageId: original });
    await clients.talentbridge.send(group, 'second reply', { replyTo: original });
    await expectReply('second reply', null);
  });

  it('media arrive in each shape', async () => {
    const media = [{ url: 'https://files.example/photo.jpg', type: 'image', filename: 'photo.jpg', size: 245678 }];
    await clients.ulearn.send(group, 'Check this out!', { media, messageType: 'image' });
    for (const client of everyone()) {
      const raw = await client.untilText('Check this out!');
      conforms(messages[client.dialect], raw, client.dialect);
      if (client.dialect === 'nextchat') continue;
      const [medium] = raw.media ?? raw.attachments;
      assert.deepEqual({ ...medium }, { ...medium, ...media[0] });
      assert.equal(plainMessage(client.dialect, raw).type, 'image');
    }
  });

  it('a message is only for its own dialect’s ears: nobody hears the event of another family', () => {
    const foreign = {
      talentbridge: ['new:message', 'newMessage', 'userTyping', 'typing'],
      ulearn: ['message:new', 'newMessage', 'userTyping', 'typing'],
      gateway: ['message:new', 'new:message', 'typing:start', 'typing'],
      marketplace: ['new:message', 'newMessage', 'userTyping', 'typing', 'message:sent'],
      nextchat: ['message:new', 'new:message', 'userTyping', 'typing:start'],
    };
    for (const client of everyone()) {
      const heard = new Set(client.log.map(({ event }) => event));
      assert.deepEqual(foreign[client.dialect].filter((event) => heard.has(event)), [], client.dialect);
    }
  });
});

describe('who gets a new message', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('talentbridge sockets get every message of their conversations without joining', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ben.connect('talentbridge');
    await ann.say(conversationId, 'no join needed');
    await client.untilText('no join needed');
  });

  for (const dialect of DIALECTS.filter((name) => name !== 'talentbridge')) {
    it(`${dialect} sockets get the messages of the rooms they are in, and only those`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const client = await ben.connect(dialect);
      await ann.say(conversationId, 'before the join');
      // An ack says that it is stored; the fence, that it has been handed out.
      await client.fence();
      await client.join(conversationId);
      await ann.say(conversationId, 'inside');
      await client.untilText('inside');
      await client.leave(conversationId);
      await ann.say(conversationId, 'after the leave');
      await client.fence();
      assert.deepEqual(client.texts(conversationId), ['inside']);
    });
  }

  for (const dialect of ['ulearn', 'gateway', 'nextchat']) {
    it(`a ${dialect} socket that has not joined still gets its own message back, once, and its other device does not`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const sender = await ann.connect(dialect);
      const device = await ann.connect(dialect);
      await sender.send(conversationId, 'my own');
      await sender.untilText('my own');
      await fence(sender, device);
      assert.deepEqual(sender.texts(conversationId), ['my own']);
      assert.deepEqual(device.texts(conversationId), []);
    });
  }

  it('a join twice does not double anything', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ben.enter('ulearn', conversationId, conversationId);
    await ann.say(conversationId, 'once');
    await client.fence();
    assert.deepEqual(client.texts(conversationId), ['once']);
  });

  it('every dialect takes an id bare and in an object', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    for (const dialect of DIALECTS) {
      const client = await ben.connect(dialect);
      for (const build of [client.words.join, client.words.leave, client.words.typingStart].filter(Boolean)) {
        const [event] = build(conversationId, ben.id);
        // nextchat's own typing names its user besides; to the others that is an unknown field, which is ignored.
        for (const payload of [conversationId, { conversationId, userId: ben.id, unknownField: 1 }]) {
          const answer = await client.call(event, payload);
          assert.equal(answer.success, true, `${dialect} ${event} ${JSON.stringify(payload)} ${JSON.stringify(answer)}`);
        }
      }
    }
  });
});
