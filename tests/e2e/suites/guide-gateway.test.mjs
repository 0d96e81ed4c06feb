// The gateway guide, walked through with its own hooks.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Realtime, RealtimeMessages, RealtimeNotifications } from '../guides/gateway-realtime.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('gateway guide', () => {
  let server;
  const mounted = [];
  before(async () => {
    server = await Server.start({ listen: ['gateway'] });
  });
  after(() => {
    mounted.forEach((hook) => hook.disconnect());
    return server.close();
  });

  async function connect(person, options) {
    const hook = new Realtime(server.url, person.token, options);
    mounted.push(hook);
    if (options?.autoConnect !== false) await hook.until('the connection', ({ isConnected }) => isConnected);
    return hook;
  }
  /** The message hook in its room; a join has no answer here, a later call on the same socket has. */
  async function open(realtime, person, conversationId) {
    const hook = new RealtimeMessages(realtime, conversationId);
    await realtime.socket.emitWithAck('user:get-status', person.id);
    return hook;
  }
  async function pair() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    return { ann, ben, conversationId: await ann.direct(ben) };
  }

  it('useRealtime: connects when told to, calls back, subscribes and unsubscribes', async () => {
    const person = server.stranger('Ann');
    const calls = [];
    const hook = await connect(person, { autoConnect: false, onConnect: () => calls.push('connected'), onDisconnect: () => calls.push('disconnected') });
    assert.equal(hook.isConnected, false);
    hook.connect();
    await hook.until('the connection', ({ isConnected }) => isConnected);
    const failures = [];
    const listen = (failure) => hook.set({ failures: failures.push(failure) });
    hook.on('error', listen);
    hook.emit('customEvent', { message: 'Hello!' });
    await hook.until('an answer to an event that nobody knows', () => failures.length === 1);
    hook.off('error', listen);
    hook.emit('customEvent', { message: 'Hello again!' });
    await hook.socket.emitWithAck('user:get-status', person.id);
    assert.equal(failures.length, 1);
    hook.disconnect();
    await hook.until('the disconnect', ({ isConnected }) => !isConnected);
    assert.deepEqual(calls, ['connected', 'disconnected']);
  });

  it('useRealtime: an invalid token is refused in words that the guide’s handler recognises', async () => {
    const errors = [];
    const hook = await connect({ token: 'rubbish' }, { autoConnect: false, onError: (error) => errors.push(error.message) });
    hook.connect();
    await hook.until('the refusal', ({ lastError }) => lastError !== null);
    assert.match(errors[0].toLowerCase(), /authentication/);
    hook.disconnect();
  });

  it('useRealtimeMessages: joins, sends, receives, and leaves when unmounted', async () => {
    const { ann, ben, conversationId } = await pair();
    const [annSocket, benSocket] = [await connect(ann), await connect(ben)];
    const [left, right] = [await open(annSocket, ann, conversationId), await open(benSocket, ben, conversationId)];
    left.sendMessage('Is this real time?');
    await right.until('the message', ({ newMessage }) => newMessage?.content === 'Is this real time?');
    conforms(messages.gateway, right.newMessage);
    assert.deepEqual([right.newMessage.senderId, right.newMessage.sender.name, right.newMessage.type], [ann.id, 'Ann', 'text']);
    await left.until('the own message', ({ seen }) => seen.length === 1);

    right.unmount();
    await benSocket.socket.emitWithAck('user:get-status', ben.id);
    left.sendMessage('still there?');
    await left.until('the second own message', ({ seen }) => seen.length === 2);
    const again = await open(benSocket, ben, conversationId);
    left.sendMessage('welcome back');
    await again.until('the third', ({ newMessage }) => newMessage?.content === 'welcome back');
    assert.deepEqual([...right.seen, ...again.seen].map(({ content }) => content), ['Is this real time?', 'welcome back']);
  });

  it('useRealtimeMessages: the same conversation in another tab is in step', async () => {
    const { ann, conversationId } = await pair();
    const tabs = [];
    for (let count = 0; count < 2; count++) tabs.push(await open(await connect(ann), ann, conversationId));
    tabs[0].sendMessage('to both tabs');
    for (const tab of tabs) await tab.until('the message', ({ newMessage }) => newMessage?.content === 'to both tabs');
  });

  it('typing and its end reach the others in the room', async () => {
    const { ann, ben, conversationId } = await pair();
    const left = await open(await connect(ann), ann, conversationId);
    const right = await open(await connect(ben), ben, conversationId);
    left.userTypes();
    await right.until('Ann typing', ({ typing }) => typing.has(ann.id));
    left.userStops();
    await right.until('Ann stopped', ({ typing }) => !typing.has(ann.id));
    assert.equal(left.typing.size, 0);
  });

  it('a lost connection comes back by itself and the message hook is in its room again', async () => {
    const { ann, ben, conversationId } = await pair();
    const realtime = await connect(ann);
    const hook = await open(realtime, ann, conversationId);
    realtime.socket.io.engine.close();
    await realtime.until('the loss', ({ isConnected }) => !isConnected);
    await realtime.until('the return', ({ isConnected }) => isConnected);
    await realtime.socket.emitWithAck('user:get-status', ann.id);
    await ben.say(conversationId, 'while you were back');
    await hook.until('the message', ({ newMessage }) => newMessage?.content === 'while you were back');
  });

  it('useRealtimeNotifications: mounts beside the others and shows no badge while nothing is unread', async () => {
    const { ann, ben, conversationId } = await pair();
    const realtime = await connect(ann);
    const badge = new RealtimeNotifications(realtime);
    const hook = await open(realtime, ann, conversationId);
    await ben.say(conversationId, 'in the room, so no notification');
    await hook.until('the message', ({ seen }) => seen.length === 1);
    assert.deepEqual([badge.badge, badge.newNotification], [null, null]);
    badge.unmount();
  });

  it('somebody who is no participant gets no room', async () => {
    const { conversationId, ann } = await pair();
    const outsider = await server.person('Outsider');
    const realtime = await connect(outsider);
    const refusals = [];
    realtime.on('error', (failure) => realtime.set({ refusals: refusals.push(failure) }));
    const hook = new RealtimeMessages(realtime, conversationId);
    await realtime.until('the refusal', () => refusals.length > 0);
    assert.equal(refusals[0].code, 'NOT_PARTICIPANT');
    await ann.say(conversationId, 'private');
    hook.sendMessage('let me in');
    await realtime.until('the second refusal', () => refusals.length > 1);
    assert.deepEqual(hook.seen, []);
  });
});
