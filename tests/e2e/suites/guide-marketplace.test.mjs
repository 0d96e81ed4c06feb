// The marketplace guide, walked through with its own message screen.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MessageScreen, WebSocketConnection } from '../guides/marketplace-message-screen.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('marketplace guide', () => {
  let server;
  const mounted = [];
  before(async () => {
    server = await Server.start({ listen: ['marketplace'] });
  });
  after(() => {
    mounted.forEach((connection) => connection.close());
    return server.close();
  });

  async function connect(person) {
    const connection = new WebSocketConnection(server.url, person.token);
    mounted.push(connection);
    await connection.until('the connection', ({ isConnected }) => isConnected);
    return connection;
  }
  async function open(person, conversationId) {
    const screen = new MessageScreen(await connect(person), conversationId);
    // The answer to this call comes after the join that went before it.
    await screen.until('the online users', ({ onlineUsers }) => onlineUsers.includes(person.id));
    return screen;
  }
  async function trade() {
    const [buyer, seller] = await server.people('Buyer', 'Seller');
    return { buyer, seller, conversationId: await buyer.direct(seller) };
  }

  it('MessageScreen: joins, knows who is there, and shows what is sent over HTTP', async () => {
    const { buyer, seller, conversationId } = await trade();
    const right = await open(seller, conversationId);
    const left = await open(buyer, conversationId);
    assert.deepEqual([...left.onlineUsers].sort(), [buyer.id, seller.id].sort());
    assert.deepEqual(right.onlineUsers, [seller.id]);
    const answer = await left.send('Is it still available?');
    conforms(messages.marketplace, answer.data.message);
    for (const screen of [left, right]) {
      await screen.until('the message', (state) => state.messages.length === 1);
      conforms(messages.marketplace, screen.messages[0]);
      assert.deepEqual([screen.messages[0].content, screen.messages[0].sender.name], ['Is it still available?', 'Buyer']);
    }
  });

  it('MessageScreen: read receipts set isRead, deletions take the message away', async () => {
    const { buyer, seller, conversationId } = await trade();
    const [left, right] = [await open(buyer, conversationId), await open(seller, conversationId)];
    const { data } = await left.send('My offer: 5');
    await left.send('Sorry, 50');
    await right.until('both', (state) => state.messages.length === 2);
    await right.markRead([data.message.id]);
    await left.until('the receipt', (state) => state.messages.find(({ id }) => id === data.message.id)?.isRead === true);
    assert.equal(left.messages[1].isRead, false);
    await left.remove(data.message.id);
    for (const screen of [left, right]) {
      await screen.until('the deletion', (state) => state.messages.length === 1);
      assert.equal(screen.messages[0].content, 'Sorry, 50');
    }
  });

  it('MessageScreen: typing is shown and ends', async () => {
    const { buyer, seller, conversationId } = await trade();
    const [left, right] = [await open(buyer, conversationId), await open(seller, conversationId)];
    left.handleTyping(true);
    await right.until('typing', ({ typingUsers }) => typingUsers.has(buyer.id));
    left.handleTyping(false);
    await right.until('no typing', ({ typingUsers }) => typingUsers.size === 0);
    assert.equal(left.typingUsers.size, 0);
  });

  it('MessageScreen: an unmounted screen is out of the room', async () => {
    const { buyer, seller, conversationId } = await trade();
    const [left, right] = [await open(buyer, conversationId), await open(seller, conversationId)];
    const stray = [];
    left.unmount();
    left.connection.socket.on('message:new', (message) => stray.push(message));
    await left.connection.ask('user:get-status', buyer.id);
    await right.send('are you gone?');
    await right.until('the own message', (state) => state.messages.length === 1);
    const again = new MessageScreen(left.connection, conversationId);
    await again.until('the online users', ({ onlineUsers }) => onlineUsers.length > 0);
    await right.send('welcome back');
    await again.until('the message', (state) => state.messages.length === 1);
    assert.deepEqual([stray.map(({ content }) => content), left.messages], [['welcome back'], []]);
  });

  it('statuses: asked for one and for many, and announced', async () => {
    const { buyer, seller } = await trade();
    const connection = await connect(buyer);
    assert.deepEqual(await connection.ask('user:get-status', seller.id), { userId: seller.id, status: 'offline' });
    const other = await connect(seller);
    await connection.until('online', ({ statuses }) => statuses.get(seller.id) === 'online');
    assert.deepEqual(await connection.ask('users:get-status', [seller.id, buyer.id]), [
      { userId: seller.id, status: 'online' },
      { userId: buyer.id, status: 'online' },
    ]);
    other.close();
    await connection.until('offline', ({ statuses }) => statuses.get(seller.id) === 'offline');
  });

  it('the poll that the socket replaces still answers', async () => {
    const { buyer, seller, conversationId } = await trade();
    const screen = await open(buyer, conversationId);
    await seller.say(conversationId, 'one');
    await seller.say(conversationId, 'two');
    assert.equal(await screen.pollUnread(), 2);
  });

  it('the token may come with or without Bearer, and a bad one is refused', async () => {
    const { buyer } = await trade();
    await connect({ token: `Bearer ${buyer.token}` });
    const refused = new WebSocketConnection(server.url, 'rubbish');
    mounted.push(refused);
    await refused.until('the refusal', ({ errors }) => errors.length > 0);
    assert.equal(refused.errors[0], 'Authentication error: Invalid token');
  });
});
