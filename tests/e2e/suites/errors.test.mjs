// Nothing a client sends is met with silence: every event that cannot be carried out gets exactly one ack, or
// one `error` event where no ack was asked for, with a code; and the socket lives on.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, events } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

const UNKNOWN_ID = '64f123abc456def789012345';
/** What no event with a required field can mean. */
const UNREADABLE = [undefined, null, 42, true, [], {}, { conversationId: 5 }, { conversationId: {} }, { messageId: [] }];

/** Client events by dialect; `notifications:read-all` has no payload that could be wrong and is not here. */
const OWN = {
  talentbridge: ['conversation:join', 'conversation:leave', 'conversation:get_online_users', 'message:send', 'typing:start', 'typing:stop', 'messages:mark_read'],
  ulearn: ['join:conversation', 'leave:conversation', 'send:message', 'typing:start', 'typing:stop', 'message:read'],
  gateway: ['joinConversation', 'leaveConversation', 'sendMessage', 'typing', 'stopTyping'],
  marketplace: ['join:conversation', 'leave:conversation', 'typing:start', 'typing:stop'],
  nextchat: ['joinConversation', 'leaveConversation', 'sendMessage', 'typing'],
};
const SHARED = [
  'message:edit', 'message:delete', 'message:react', 'message:unreact', 'messages:mark_read', 'sync', 'auth:refresh', 'notification:read',
  'call:invite', 'call:accept', 'call:reject', 'call:hangup', 'call:signal',
];
/** Calls whose ack has a bare shape of its own, and what that is when they fail. */
const BARE = {
  'user:get-status': (answer) => assert.equal(answer.status, 'offline'),
  'users:get-status': (answer) => assert.deepEqual(answer, []),
};
const bareOf = (dialect) => (dialect === 'marketplace' ? { ...BARE, 'conversation:get-online-users': BARE['users:get-status'] } : BARE);

describe('errors', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  const failures = (client, since) => client.received('error', { since });

  for (const dialect of DIALECTS) {
    it(`${dialect}: an unreadable payload gets exactly one failing ack with a code`, async () => {
      const person = await server.person();
      const client = await person.connect(dialect);
      const counters = [];
      for (const event of new Set([...OWN[dialect], ...SHARED])) {
        for (const payload of UNREADABLE) {
          const since = client.mark();
          const { answer, acks } = await client.callCounted(event, ...(payload === undefined ? [] : [payload]));
          const what = `${event} ${JSON.stringify(payload)} → ${JSON.stringify(answer)}`;
          assert.equal(answer.success, false, what);
          assert.equal(typeof answer.error, 'string', what);
          assert.match(answer.code, /^(VALIDATION_FAILED|CONVERSATION_NOT_FOUND|MESSAGE_NOT_FOUND|TOKEN_REQUIRED|INVALID_TOKEN)$/, what);
          counters.push([what, acks]);
          if (dialect === 'ulearn') {
            await client.untilTrue('the error event beside the ack', () => failures(client, since).length > 0);
          }
        }
      }
      await client.fence();
      for (const [what, acks] of counters) assert.equal(acks(), 1, what);
      const expected = dialect === 'ulearn' ? counters.length : 0;
      assert.equal(failures(client, 0).length, expected, 'error events beside the acks');
    });

    it(`${dialect}: an unreadable payload without an ack gets exactly one error event with a code`, async () => {
      const person = await server.person();
      const client = await person.connect(dialect);
      for (const event of new Set([...OWN[dialect], ...SHARED])) {
        for (const payload of UNREADABLE) {
          const since = client.mark();
          client.emit(event, ...(payload === undefined ? [] : [payload]));
          // Events of one socket are carried out in order, so the answer to this call comes after the error.
          await client.call('user:get-status', person.id);
          await client.untilTrue('the error', () => failures(client, since).length > 0);
          const seen = failures(client, since);
          assert.equal(seen.length, 1, `${event} ${JSON.stringify(payload)} → ${JSON.stringify(seen)}`);
          conforms(events.failure, seen[0], event);
        }
      }
      await client.fence();
    });

    it(`${dialect}: a call with a bare ack fails with the empty answer and an error event`, async () => {
      const person = await server.person();
      const client = await person.connect(dialect);
      for (const [event, look] of Object.entries(bareOf(dialect))) {
        for (const payload of [undefined, null, 42, {}]) {
          const since = client.mark();
          const { answer, acks } = await client.callCounted(event, ...(payload === undefined ? [] : [payload]));
          look(answer);
          await client.until('error', undefined, { since });
          await client.fence();
          assert.equal(acks(), 1, event);
          conforms(events.failure, failures(client, since)[0], event);
          assert.equal(failures(client, since).length, 1, event);
        }
      }
      const many = Array.from({ length: 201 }, (_, index) => `u${index}`);
      const since = client.mark();
      assert.deepEqual(await client.call('users:get-status', many), []);
      assert.equal((await client.until('error', undefined, { since })).code, 'VALIDATION_FAILED');
    });

    it(`${dialect}: an unknown event is answered, by ack or by error event`, async () => {
      const person = await server.person();
      const client = await person.connect(dialect);
      const { answer, acks } = await client.callCounted('customEvent', { message: 'Hello!' });
      assert.deepEqual([answer.success, answer.code], [false, 'VALIDATION_FAILED']);
      assert.match(answer.error, /customEvent/);
      // ulearn hears of it by an event as well, which may come after the ack.
      await client.fence();
      const since = client.mark();
      client.emit('testEvent', { data: 'test' });
      const failure = await client.until('error', undefined, { since });
      conforms(events.failure, failure);
      assert.equal(failure.code, 'VALIDATION_FAILED');
      assert.match(failure.message, /testEvent/);
      await client.fence();
      assert.equal(acks(), 1);
    });

    it(`${dialect}: a conversation that is not there, or not the caller’s, is refused in the contract’s words`, async () => {
      const [person, ann, ben] = await server.people('Outsider', 'Ann', 'Ben');
      const foreign = await ann.direct(ben);
      const message = await ann.say(foreign, 'private');
      const client = await person.connect(dialect);
      const failing = async (event, payload) => {
        const { success, error, code } = await client.call(event, payload);
        assert.equal(success, false);
        return [code, error];
      };
      const { join, send, typingStart } = client.words;
      for (const id of [UNKNOWN_ID, 'not-an-id', "'; DROP TABLE messages; --"]) {
        assert.deepEqual(await failing(...join(id)), ['CONVERSATION_NOT_FOUND', 'Conversation not found'], id);
        if (send) assert.deepEqual(await failing(...client.sending(id, 'hi')), ['CONVERSATION_NOT_FOUND', 'Conversation not found'], id);
      }
      assert.deepEqual(await failing(...join(foreign)), ['NOT_PARTICIPANT', 'Not authorized to join this conversation']);
      if (send) assert.deepEqual(await failing(...client.sending(foreign, 'hi')), ['NOT_PARTICIPANT', 'Not authorized to send message']);
      assert.equal((await failing(...typingStart(foreign, person.id)))[0], 'NOT_PARTICIPANT');
      assert.deepEqual(await failing('messages:mark_read', { conversationId: foreign }), ['NOT_PARTICIPANT', 'Not authorized to access this conversation']);
      for (const [event, payload] of [
        ['message:edit', { messageId: message._id, text: 'mine now' }],
        ['message:delete', { messageId: message._id }],
        ['message:react', { messageId: message._id, emoji: '👍' }],
        ['message:unreact', { messageId: message._id, emoji: '👍' }],
        ['message:delete', { messageId: UNKNOWN_ID }],
        ['message:delete', { messageId: 'not-an-id' }],
      ]) {
        assert.deepEqual(await failing(event, payload), ['MESSAGE_NOT_FOUND', 'Message not found'], event);
      }
      assert.equal((await ann.history(foreign))[0].text, 'private');
      await client.fence();
    });
  }

  it('ulearn: the guide’s own error texts come as error events', async () => {
    const [person, ann, ben] = await server.people('Outsider', 'Ann', 'Ben');
    const foreign = await ann.direct(ben);
    const own = await person.direct(ann);
    const client = await person.connect('ulearn');
    const cases = [
      ['join:conversation', { conversationId: UNKNOWN_ID }, 'Conversation not found'],
      ['join:conversation', { conversationId: foreign }, 'Not authorized to join this conversation'],
      ['send:message', { conversationId: foreign, text: 'hi', messageType: 'text' }, 'Not authorized to send message'],
      ['send:message', { conversationId: own, media: [{ url: 'https://f.example/a.mp3', type: 'audio' }], messageType: 'audio' }, 'Audio messages are not allowed'],
    ];
    for (const [event, payload, expected] of cases) {
      const since = client.mark();
      client.emit(event, payload);
      assert.equal((await client.until('error', undefined, { since })).message, expected);
    }
  });

  const image = (more = {}) => ({ url: 'https://files.example/a.jpg', type: 'image', ...more });
  const contents = {
    'no text and no media': [{ text: undefined }, 'VALIDATION_FAILED'],
    'only spaces': [{ text: ' \n\t ' }, 'VALIDATION_FAILED'],
    '10,001 characters': [{ text: 'ü'.repeat(10_001) }, 'VALIDATION_FAILED'],
    'a text that is no string': [{ text: { bold: true } }, 'VALIDATION_FAILED'],
    'a messageType that is not that of the first medium': [{ text: 'x', messageType: 'video', media: [image()] }, 'VALIDATION_FAILED'],
    'a messageType that nobody knows': [{ text: 'x', messageType: 'hologram' }, 'VALIDATION_FAILED'],
    'media that are no list': [{ text: 'x', messageType: 'image', media: image() }, 'VALIDATION_FAILED'],
    'eleven media': [{ messageType: 'image', media: Array.from({ length: 11 }, () => image()) }, 'VALIDATION_FAILED'],
    'a medium without an address': [{ messageType: 'image', media: [{ type: 'image' }] }, 'VALIDATION_FAILED'],
    'a medium over plain http': [{ messageType: 'image', media: [image({ url: 'http://files.example/a.jpg' })] }, 'VALIDATION_FAILED'],
    'a medium that is a script': [{ messageType: 'image', media: [image({ url: 'javascript:alert(1)' })] }, 'VALIDATION_FAILED'],
    'an audio message': [{ messageType: 'audio', media: [image({ type: 'audio' })] }, 'AUDIO_NOT_ALLOWED'],
    'a clientMessageId of 65 bytes': [{ text: 'x', clientMessageId: 'c'.repeat(65) }, 'VALIDATION_FAILED'],
    'a clientMessageId that is no string': [{ text: 'x', clientMessageId: 7 }, 'VALIDATION_FAILED'],
    'a reply to a message that is not there': [{ text: 'x', replyTo: UNKNOWN_ID }, 'MESSAGE_NOT_FOUND'],
    'a reply to something that is no id': [{ text: 'x', replyTo: 5 }, 'VALIDATION_FAILED'],
  };
  for (const [name, [content, code]] of Object.entries(contents)) {
    it(`a message with ${name} is refused by socket and REST alike`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const payload = { conversationId, ...content };
      const client = await ann.connect('ulearn');
      const ack = await client.call('send:message', { messageType: 'text', ...payload });
      assert.deepEqual([ack.success, ack.code], [false, code], JSON.stringify(ack));
      assert.equal((await client.until('error')).code, code);
      // The other families' sends know no media, and one of them replies; what they know is held to the same rules.
      if (!('media' in content) && !('messageType' in content)) {
        for (const dialect of 'replyTo' in content ? ['talentbridge'] : ['talentbridge', 'gateway', 'nextchat']) {
          const other = await ann.connect(dialect);
          const { text, ...more } = content;
          const [event, words] = other.sending(conversationId, text, more);
          assert.equal((await other.call(event, words)).code, code, dialect);
        }
      }
      const { status, body } = await ann.rest.post('/api/v1/chat/messages', payload);
      assert.equal(body.code, code, JSON.stringify(body));
      assert.equal(status, { VALIDATION_FAILED: 400, AUDIO_NOT_ALLOWED: 415, MESSAGE_NOT_FOUND: 404 }[code]);
      if (code === 'VALIDATION_FAILED') assert.ok(body.errors.length > 0 && body.errors.every(({ field, message }) => field && message), JSON.stringify(body));
      assert.deepEqual(await ben.history(conversationId), []);
    });
  }

  it('the limits themselves are allowed: 10,000 characters, ten media, 64 bytes of clientMessageId', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge');
    await client.send(conversationId, `  ${'ü'.repeat(10_000)}  `);
    await client.send(conversationId, 'x', { clientMessageId: 'c'.repeat(64) });
    const learner = await ann.connect('ulearn');
    await learner.ok('send:message', { conversationId, messageType: 'image', media: Array.from({ length: 10 }, () => image()) });
    assert.equal((await ben.history(conversationId)).length, 3);
  });

  it('a reply to a message of another conversation is refused', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const elsewhere = await ann.say(await ann.direct(eve), 'elsewhere');
    const conversationId = await ann.direct(ben);
    const { status, body } = await ann.rest.post('/api/v1/chat/messages', { conversationId, text: 'x', replyTo: elsewhere._id });
    assert.deepEqual([status, body.code], [404, 'MESSAGE_NOT_FOUND']);
  });

  for (const [event, payload] of [['sendMessage', { message: 'I am you' }], ['typing', {}]]) {
    it(`nextchat: ${event} in somebody else’s name is refused`, async () => {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const client = await ann.enter('nextchat', conversationId);
      const named = event === 'typing' ? { userId: ben.id } : { senderId: ben.id };
      const ack = await client.call(event, { conversationId, ...payload, ...named });
      assert.deepEqual([ack.success, ack.code], [false, 'FORBIDDEN']);
      assert.deepEqual(await ben.history(conversationId), []);
    });
  }

  it('binary attachments where text belongs are a failure like any other', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge');
    const ack = await client.call('message:send', { conversationId, text: Buffer.from('bytes') });
    assert.deepEqual([ack.success, ack.code], [false, 'VALIDATION_FAILED']);
    const bare = await client.call('conversation:join', Buffer.from('bytes'));
    assert.equal(bare.success, false);
    await client.send(conversationId, 'still here');
  });

  it('a packet over the limit closes the connection, and the client can come back', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ann.connect('talentbridge', { transports: ['websocket'] });
    const since = client.mark();
    client.emit('message:send', { conversationId, text: 'x'.repeat(2 * 1024 * 1024) });
    await client.until('disconnect', undefined, { since });
    await client.until('connect', undefined, { since });
    await client.send(conversationId, 'shorter now');
  });
});
