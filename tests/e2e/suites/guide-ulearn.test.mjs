// The ulearn guide, walked through with its own hook against its own port.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SocketMessaging } from '../guides/ulearn-socket-messaging.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('ulearn guide', () => {
  let server;
  const mounted = [];
  before(async () => {
    server = await Server.start({ listen: ['ulearn'] });
  });
  after(() => {
    mounted.forEach((hook) => hook.close());
    return server.close();
  });

  async function use(person, ...rooms) {
    const hook = new SocketMessaging(server.url, person.token);
    mounted.push(hook);
    await hook.until('the connection', ({ connected }) => connected);
    rooms.forEach((id) => hook.joinConversation(id));
    // A join has no answer in this guide; a call after it on the same socket has, and comes later.
    await hook.socket.emitWithAck('user:get-status', person.id);
    return hook;
  }
  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    return { ann, ben, conversationId };
  }

  it('useSocketMessaging: text, reply and media reach both, populated as the guide shows', async () => {
    const { ann, ben, conversationId } = await pair();
    const [left, right] = [await use(ann, conversationId), await use(ben, conversationId)];
    left.sendMessage(conversationId, 'Hello, how are you?');
    await right.until('the text', (hook) => hook.messages.length === 1);
    const [hello] = right.messages;
    conforms(messages.ulearn, hello);
    assert.deepEqual([hello.text, hello.senderId.name, hello.messageType, hello.replyTo], ['Hello, how are you?', 'Ann', 'text', null]);

    right.sendMessage(conversationId, 'That sounds great!', [], { replyTo: hello._id });
    await left.until('the reply', (hook) => hook.messages.length === 2);
    assert.deepEqual([left.messages[1].replyTo._id, left.messages[1].replyTo.text, left.messages[1].replyTo.senderId.name], [hello._id, 'Hello, how are you?', 'Ann']);

    const medium = { url: 'https://res.cloudinary.com/demo/image.jpg', type: 'image', filename: 'photo.jpg', size: 245678 };
    left.sendMessage(conversationId, 'Check this out!', [medium]);
    await right.until('the picture', (hook) => hook.messages.length === 3);
    assert.equal(right.messages[2].messageType, 'image');
    assert.deepEqual({ ...right.messages[2].media[0], ...medium }, right.messages[2].media[0]);

    right.sendMessage(conversationId, undefined, [{ url: medium.url, type: 'video' }]);
    await left.until('the video without a caption', (hook) => hook.messages.length === 4);
    assert.deepEqual([left.messages[3].text, left.messages[3].media[0].filename, left.messages[3].media[0].size], [null, null, null]);
  });

  it('statuses walk from sent over delivered to read', async () => {
    const { ann, ben, conversationId } = await pair();
    const left = await use(ann, conversationId);
    left.sendMessage(conversationId, 'anybody there?');
    await left.until('sent', ({ statuses }) => [...statuses.values()][0] === 'sent');
    const right = await use(ben, conversationId);
    await left.until('delivered', ({ statuses }) => [...statuses.values()][0] === 'delivered');
    right.markAsRead(conversationId);
    await left.until('read', ({ statuses }) => [...statuses.values()][0] === 'read');
    left.sendMessage(conversationId, 'and now');
    await right.until('the second', (hook) => hook.messages.length === 1);
    right.markAsRead(conversationId, [right.messages[0]._id]);
    await left.until('read too', ({ statuses }) => statuses.get(right.messages[0]._id) === 'read');
  });

  it('typing: start, stop, and stop with the message', async () => {
    const { ann, ben, conversationId } = await pair();
    const [left, right] = [await use(ann, conversationId), await use(ben, conversationId)];
    left.startTyping(conversationId);
    await right.until('Ann typing', ({ typingUsers }) => typingUsers.has(ann.id));
    left.stopTyping(conversationId);
    await right.until('Ann stopped', ({ typingUsers }) => !typingUsers.has(ann.id));
    left.startTyping(conversationId);
    await right.until('Ann typing again', ({ typingUsers }) => typingUsers.has(ann.id));
    left.sendMessage(conversationId, 'done');
    await right.until('stopped by the message', ({ typingUsers }) => !typingUsers.has(ann.id));
    assert.equal(left.typingUsers.size, 0);
  });

  it('presence, deletion and group photos reach the hook', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Class', [ben]);
    const left = await use(ann, group);
    const right = await use(ben, group);
    await left.until('Ben online', ({ presence }) => presence.get(ben.id) === 'online');
    left.sendMessage(group, 'oops');
    await right.until('the message', (hook) => hook.messages.some(({ text }) => text === 'oops'));
    const { _id } = right.messages.find(({ text }) => text === 'oops');
    await ann.rest.delete(`/api/v1/chat/messages/${_id}`);
    await right.until('the deletion', (hook) => !hook.messages.some((message) => message._id === _id));
    await ann.rest.put(`/api/v1/chat/conversations/${group}/photo`, { url: 'https://files.example/class.png' });
    await right.until('the photo', ({ groupImages }) => groupImages.get(group) === 'https://files.example/class.png');
    await ann.rest.delete(`/api/v1/chat/conversations/${group}/photo`);
    await right.until('the default avatar', ({ groupImages }) => groupImages.get(group) === null);
    right.close();
    await left.until('Ben offline', ({ presence }) => presence.get(ben.id) === 'offline');
  });

  it('errors come as events in the guide’s words', async () => {
    const { ann, ben, conversationId } = await pair();
    const hook = await use(ann);
    hook.joinConversation('507f1f77bcf86cd799439011');
    await hook.until('not found', ({ errors }) => errors.length === 1);
    hook.sendMessage(conversationId, undefined, [{ url: 'https://files.example/a.mp3', type: 'audio' }]);
    await hook.until('no audio', ({ errors }) => errors.length === 2);
    await ann.rest.put(`/api/v1/users/${ben.id}/block`);
    hook.sendMessage(conversationId, 'hello?');
    await hook.until('blocked', ({ errors }) => errors.length === 3);
    const other = await use(ben);
    other.sendMessage(conversationId, 'hello?');
    await other.until('not available', ({ errors }) => errors.length === 1);
    assert.deepEqual([...hook.errors, ...other.errors], [
      'Conversation not found', 'Audio messages are not allowed', 'You cannot send messages to a blocked user', 'Action not available',
    ]);
  });

  it('refusals lead to the guide’s three ways out', async () => {
    const refused = async (auth) => {
      const hook = new SocketMessaging(server.url, undefined, { auth, reconnection: false });
      mounted.push(hook);
      await hook.until('the refusal', ({ refusals }) => refusals.length > 0);
      return hook.refusals[0];
    };
    assert.equal(await refused({}), 'log in');
    assert.equal(await refused({ token: 'expired-or-worse' }), 'refresh token');
    assert.equal(await refused({ token: (await server.person()).token, dialect: 'unheard-of' }), 'try again');
  });

  it('after a lost connection the hook enters its rooms again and goes on', async () => {
    const { ann, ben, conversationId } = await pair();
    const hook = await use(ann, conversationId);
    hook.socket.io.engine.close();
    await hook.until('the loss', ({ connected }) => !connected);
    await hook.until('the return', ({ connected }) => connected);
    // The join travels before this send on the same socket, so the room holds for what Ben says after it.
    hook.sendMessage(conversationId, 'back again');
    await hook.until('the own message', ({ messages: seen }) => seen.length === 1);
    await ben.say(conversationId, 'welcome back');
    await hook.until('Ben’s message', ({ messages: seen }) => seen.length === 2);
  });

  it('a left room is silent', async () => {
    const { ann, ben, conversationId } = await pair();
    const hook = await use(ann, conversationId);
    hook.leaveConversation(conversationId);
    hook.sendMessage(conversationId, 'from outside');
    await hook.until('the own message', ({ messages: seen }) => seen.length === 1);
    await ben.say(conversationId, 'unheard');
    hook.sendMessage(conversationId, 'still outside');
    await hook.until('the next own message', ({ messages: seen }) => seen.length >= 2);
    hook.joinConversation(conversationId);
    hook.sendMessage(conversationId, 'in again');
    await hook.until('the third own message', ({ messages: seen }) => seen.length >= 3);
    await ben.say(conversationId, 'heard');
    await hook.until('Ben’s message', ({ messages: seen }) => seen.at(-1).text === 'heard');
    assert.deepEqual(hook.messages.map(({ text }) => text), ['from outside', 'still outside', 'in again', 'heard']);
  });
});
