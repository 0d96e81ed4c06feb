// The nextchat guide lists a server twice; what a client can observe of both is what holds here.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NextChat } from '../guides/nextchat-client.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('nextchat guide', () => {
  let server;
  const mounted = [];
  before(async () => {
    server = await Server.start({ listen: ['nextchat'] });
  });
  after(() => {
    mounted.forEach((client) => client.close());
    return server.close();
  });

  async function open(person, conversationId) {
    const client = new NextChat(server.url, person.token, person.id);
    mounted.push(client);
    await client.until('the connection', ({ status }) => status === 'connected');
    client.enter(conversationId);
    await client.socket.emitWithAck('user:get-status', person.id);
    return client;
  }
  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    return { ann, ben, conversationId, left: await open(ann, conversationId), right: await open(ben, conversationId) };
  }

  it('first listing: the others get newMessage, and the sender gets it back as confirmation, once', async () => {
    const { ann, ben, conversationId, left, right } = await pair();
    left.send('hello');
    await right.until('the message', (client) => client.messages.length === 1);
    right.send('hi');
    for (const client of [left, right]) {
      await client.until('the answer', ({ messages: shown }) => shown.some(({ message }) => message === 'hi'));
      // An acknowledgement comes after the events before it, so by then a second copy would have come too.
      await client.socket.emitWithAck('user:get-status', client.userId);
      client.messages.forEach((message) => conforms(messages.nextchat, message));
      assert.deepEqual(client.messages.map(({ message, senderId, conversationId: id }) => [message, senderId, id]),
        [['hello', ann.id, conversationId], ['hi', ben.id, conversationId]]);
    }
  });

  it('second listing: everybody in the room gets it, also the sender’s other window, and nobody outside', async () => {
    const { ann, conversationId, left, right } = await pair();
    const window = await open(ann, conversationId);
    right.leave();
    await right.socket.emitWithAck('user:get-status', right.userId);
    left.send('to the room');
    await window.until('the message', (client) => client.messages.length === 1);
    right.enter(conversationId);
    await right.socket.emitWithAck('user:get-status', right.userId);
    left.send('now you too');
    await right.until('the message', (client) => client.messages.length > 0);
    assert.deepEqual(right.messages.map(({ message }) => message), ['now you too']);
  });

  it('messages are stored: the page after a reload shows them, in this dialect’s shape', async () => {
    const { ann, conversationId, left } = await pair();
    left.send('remember me');
    await left.until('the confirmation', (client) => client.messages.length === 1);
    const { data } = await ann.rest.in('nextchat').get(`/api/messages/${conversationId}`);
    assert.deepEqual(data.messages.map(({ id, message }) => [id, message]), [[left.messages[0].id, 'remember me']]);
  });

  it('typing reaches the others and ends by itself after three seconds', async () => {
    const { ann, left, right } = await pair();
    left.keystroke();
    await right.until('typing', ({ typing }) => typing.get(ann.id) === true);
    left.keystroke();
    await right.until('the end', ({ typing }) => typing.get(ann.id) === false);
    assert.deepEqual(right.typingLog, [[ann.id, true], [ann.id, false]]);
    assert.deepEqual(left.typingLog, []);
  });

  it('the connection status follows a lost connection and its return', async () => {
    const { ben, conversationId, left } = await pair();
    left.socket.io.engine.close();
    await left.until('the loss', ({ status }) => status === 'disconnected');
    await left.until('the return', ({ status }) => status === 'connected');
    left.enter(conversationId);
    await left.socket.emitWithAck('user:get-status', left.userId);
    await ben.say(conversationId, 'still here');
    await left.until('the message', (client) => client.messages.length === 1);
  });
});
