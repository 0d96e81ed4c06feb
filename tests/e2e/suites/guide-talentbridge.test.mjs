// The talentbridge guide, walked through with its own components against its own port.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChatApp } from '../guides/talentbridge-chat-app.mjs';
import { ChatProvider, ChatWindow, conversationList } from '../guides/talentbridge-chat-provider.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

describe('talentbridge guide', () => {
  let server;
  const mounted = [];
  const mount = (Component, person) => {
    const component = new Component(server.url, person.token);
    mounted.push(component);
    return component;
  };
  before(async () => {
    server = await Server.start({ listen: ['talentbridge'] });
  });
  after(() => {
    mounted.forEach((component) => component.unmount());
    return server.close();
  });

  it('ChatApp: connects, lists, opens, sends, receives, sees typing and presence', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    await ben.say(conversationId, 'Are you still looking for a developer with a long list of talents?');
    const left = mount(ChatApp, ann);
    await left.until('the list', ({ conversations }) => conversations.length === 1);
    assert.deepEqual(left.rows(ann.id), [{ names: 'Ben', preview: 'Are you still looking for a developer with a long l'.slice(0, 50), badge: 1 }]);

    const right = mount(ChatApp, ben);
    await right.until('the list', ({ conversations }) => conversations.length === 1);
    await left.until('Ben online', ({ online }) => online.has(ben.id));

    await left.open(left.conversations[0]);
    await right.open(right.conversations[0]);
    assert.deepEqual(left.bubbles(ann.id), [{ own: false, name: 'Ben', text: left.messages[0].text, validTime: true }]);

    left.set({ draft: '  Yes, we are!  ' });
    left.send();
    await left.until('the draft to be cleared by the ack', ({ draft }) => draft === '');
    await right.until('the message', ({ messages }) => messages.length === 2);
    await left.until('the own message', ({ messages }) => messages.length === 2);
    assert.deepEqual(right.bubbles(ben.id).map(({ own, text }) => [own, text]), [[true, left.messages[0].text], [false, 'Yes, we are!']]);
    assert.equal(right.rows(ben.id)[0].preview, 'Yes, we are!');

    right.socket.emit('typing:start', conversationId);
    await left.until('somebody typing', ({ someoneTyping }) => someoneTyping);
    right.socket.emit('typing:stop', conversationId);
    await left.until('nobody typing', ({ someoneTyping }) => !someoneTyping);

    right.unmount();
    await left.until('Ben offline', ({ online }) => !online.has(ben.id));
  });

  it('ChatApp: opening another conversation leaves the first, whose messages still move the list', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [withBen, withEve] = [await ann.direct(ben), await ann.direct(eve)];
    const app = mount(ChatApp, ann);
    await app.until('the list', ({ conversations }) => conversations.length === 2);
    const entry = (id) => app.conversations.find(({ _id }) => _id === id);
    await app.open(entry(withBen));
    await app.open(entry(withEve));
    await ben.say(withBen, 'to the closed one');
    await eve.say(withEve, 'to the open one');
    await app.until('the open one’s message', ({ messages }) => messages.length === 1);
    assert.equal(app.messages[0].text, 'to the open one');
    assert.deepEqual([entry(withBen).lastMessage.text, entry(withEve).lastMessage.text], ['to the closed one', 'to the open one']);
  });

  it('ChatApp: a failed send keeps the draft and shows the error', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    await ann.direct(ben);
    const app = mount(ChatApp, ann);
    await app.until('the list', ({ conversations }) => conversations.length === 1);
    await app.open(app.conversations[0]);
    await ben.rest.put(`/api/v1/users/${ann.id}/block`);
    app.set({ draft: 'hello?' });
    app.send();
    await app.until('the error', ({ sendErrors }) => sendErrors.length > 0);
    assert.deepEqual([app.sendErrors, app.draft], [['Action not available'], 'hello?']);
  });

  async function window(person, conversationId, options) {
    const chat = mount(ChatProvider, person);
    await chat.until('the connection', ({ isConnected }) => isConnected);
    await chat.loadConversations();
    const view = new ChatWindow(chat, chat.conversations.find(({ _id }) => _id === conversationId), options);
    await view.mount();
    return { chat, view };
  }

  it('ChatProvider and ChatWindow: load, load earlier to the beginning, every message once', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    for (let index = 1; index <= 23; index++) await ben.say(conversationId, `${index}`);
    const { chat, view } = await window(ann, conversationId, { pageSize: 10 });
    assert.deepEqual([chat.messages.length, view.hasMore], [10, true]);
    await view.loadEarlier();
    await view.loadEarlier();
    assert.equal(view.hasMore, false);
    await view.loadEarlier();
    assert.deepEqual(chat.messages.map(({ text }) => text), Array.from({ length: 23 }, (_, index) => `${index + 1}`));
  });

  it('ChatWindow: viewing marks as read, the author sees up to where, and the badge is gone', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const author = mount(ChatProvider, ben);
    await author.until('the connection', ({ isConnected }) => isConnected);
    const sent = await ben.say(conversationId, 'have you seen this?');
    assert.equal(await ann.unread(conversationId), 1);
    const { chat } = await window(ann, conversationId);
    await author.until('the receipt', ({ readUpTo }) => readUpTo.get(`${conversationId} ${ann.id}`) === sent._id);
    await chat.loadConversations();
    assert.equal(conversationList(chat, ann.id)[0].badge, 0);
  });

  it('ChatWindow: socket first, REST when the socket is away, once each; the text comes back when both fail', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const { chat, view } = await window(ann, conversationId);
    const other = await window(ben, conversationId);
    view.type('by socket');
    await view.submit();
    assert.equal(view.lastMethod, 'socket');
    chat.socket.disconnect();
    view.type('by REST');
    await view.submit();
    assert.deepEqual([view.lastMethod, view.input], ['rest', '']);
    await other.chat.until('both', ({ messages }) => messages.length === 2);
    assert.deepEqual(other.chat.messages.map(({ text }) => text), ['by socket', 'by REST']);
    chat.socket.connect();
    await chat.until('the connection', ({ isConnected }) => isConnected);
    await ben.rest.put(`/api/v1/users/${ann.id}/block`);
    view.type('not today');
    await view.submit();
    assert.deepEqual([view.alerts, view.input], [1, 'not today']);
  });

  it('ChatWindow: typing is debounced, shown by name and ends with the message', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const left = await window(ann, conversationId);
    const right = await window(ben, conversationId);
    for (const value of ['h', 'he', 'hel', 'hello']) left.view.type(value);
    await right.chat.until('Ann typing', ({ typingUsers }) => typingUsers.size === 1);
    assert.equal(right.view.typingLine(), 'Ann');
    await left.view.submit();
    await right.chat.until('Ann no longer typing', ({ typingUsers }) => typingUsers.size === 0);
    left.view.type('x');
    await right.chat.until('Ann typing again', ({ typingUsers }) => typingUsers.size === 1);
    left.view.type('');
    await right.chat.until('Ann stopped', ({ typingUsers }) => typingUsers.size === 0);
  });

  it('ChatProvider: a message elsewhere makes a sound and moves the badge, not the window', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [withBen, withEve] = [await ann.direct(ben), await ann.direct(eve)];
    const { chat } = await window(ann, withBen);
    await eve.say(withEve, 'psst');
    await chat.until('the sound', ({ sounds }) => sounds === 1);
    const row = conversationList(chat, ann.id).find(({ name }) => name === 'Eve');
    assert.deepEqual([row.preview, row.badge, chat.messages], ['psst', 1, []]);
  });

  it('the guide’s calls one by one: start, list in pages, join, reply, online users by socket and REST', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const chat = mount(ChatProvider, ann);
    await chat.until('the connection', ({ isConnected }) => isConnected);
    const conversation = await chat.startConversation(ben.id);
    await chat.startConversation(eve.id);
    const other = mount(ChatProvider, ben);
    await other.until('the connection', ({ isConnected }) => isConnected);
    const first = await chat.loadConversations(null, '', 1);
    assert.equal(first.hasMore, true);
    const second = await chat.loadConversations(first.nextCursor, '', 1);
    assert.deepEqual([second.hasMore, chat.conversations.length], [false, 2]);
    await chat.loadConversations(null, 'Ben');
    assert.deepEqual(chat.conversations.map(({ _id }) => _id), [conversation._id]);

    assert.deepEqual((await chat.joinConversation(conversation._id)).conversationId, conversation._id);
    await assert.rejects(chat.joinConversation('64f456def789abc123456789'), { message: 'Conversation not found' });
    const messageId = await chat.sendMessage(conversation._id, 'Hello, how are you?');
    const reply = await other.sendMessageRest(conversation._id, 'Fine!', messageId);
    assert.deepEqual([reply.replyTo._id, reply.replyTo.text, reply.replyTo.sender.fullName], [messageId, 'Hello, how are you?', 'Ann']);
    for (const online of [await chat.onlineIn(conversation._id), await chat.onlineInRest(conversation._id)]) {
      assert.deepEqual(online.map(({ fullName }) => fullName).sort(), ['Ann', 'Ben']);
    }
    await chat.until('Ben online', ({ onlineUsers }) => onlineUsers.get(ben.id) === true);
    other.unmount();
    await chat.until('Ben offline', ({ onlineUsers }) => onlineUsers.get(ben.id) === false);
  });

  it('an optimistic message is replaced by the real one, or removed when the send fails', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const chat = mount(ChatProvider, ann);
    await chat.until('the connection', ({ isConnected }) => isConnected);
    let shown = [];
    const sendOptimistically = async (id, text) => {
      const temporary = { _id: `temp-${text}`, text };
      shown = [...shown, temporary];
      try {
        const messageId = await chat.sendMessage(id, text);
        shown = shown.map((message) => (message === temporary ? { _id: messageId, text } : message));
      } catch {
        shown = shown.filter((message) => message !== temporary);
      }
    };
    await Promise.all([sendOptimistically(conversationId, 'good'), sendOptimistically('64f456def789abc123456789', 'bad')]);
    assert.deepEqual(shown, [{ _id: (await ben.history(conversationId))[0]._id, text: 'good' }]);
  });

  it('a refused token ends in connect_error and the app says disconnected', async () => {
    const chat = mount(ChatProvider, { token: 'rubbish' });
    await chat.until('the refusal', ({ errors }) => errors.length > 0);
    assert.deepEqual([chat.isConnected, chat.errors[0]], [false, 'Authentication error: Invalid token']);
  });

  it('API errors carry what the guide’s error handler looks at', async () => {
    const ann = await server.person('Ann');
    const invalid = await ann.rest.post('/api/v1/chat/messages', {});
    assert.deepEqual([invalid.status, Array.isArray(invalid.body.errors)], [400, true]);
    const missing = await ann.rest.get('/api/v1/chat/conversations/64f456def789abc123456789');
    assert.deepEqual([missing.status, missing.body.success, missing.body.message], [404, false, 'Conversation not found']);
  });

  it('the whole server away: the app reconnects by itself when it is back', async () => {
    const own = await Server.start({ listen: ['talentbridge'] });
    const chat = new ChatProvider(own.url, own.stranger('Ann').token);
    try {
      await chat.until('the connection', ({ isConnected }) => isConnected);
      await own.terminate();
      await chat.until('the disconnect', ({ isConnected }) => !isConnected);
      await own.restart();
      await eventually('the reconnect', () => chat.isConnected);
    } finally {
      chat.unmount();
      await own.close();
    }
  });
});
