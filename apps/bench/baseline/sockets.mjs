// The Socket.IO side: handshake, presence, events of the talentbridge vocabulary, each answered once.

import { membersRoom, userRoom } from './chat.mjs';
import { failure, problems } from './problem.mjs';
import { userShape } from './shapes.mjs';

const idOf = (payload, name) => {
  const id = payload !== null && typeof payload === 'object' ? payload[name] : payload;
  if (typeof id !== 'string') throw problems.invalid(`${name} is required`);
  return id;
};

export function serveSockets({ io, chat, store, people }) {
  // How many live sockets each user has.
  const online = new Map();

  io.use(async (socket, next) => {
    const token = socket.handshake.auth.token ?? socket.handshake.headers.authorization;
    if (!token) return next(new Error('Authentication error: Token required'));
    const user = await people.bearer(String(token));
    if (!user) return next(new Error('Authentication error: Invalid token'));
    const conversations = await store.conversationIds(user.id);
    socket.data = { user, conversations };
    next();
  });

  io.on('connection', (socket) => {
    const { user, conversations } = socket.data;
    socket.join([userRoom(user.id), ...conversations.map(membersRoom)]);

    const tellContacts = (event) => {
      // The rooms of this user's conversations hold exactly the sockets of those who share one with them.
      const rooms = [...socket.rooms].filter((room) => room.startsWith('members:'));
      if (rooms.length > 0) io.to(rooms).except(userRoom(user.id)).emit(event, { userId: user.id });
    };
    const sockets = (online.get(user.id) ?? 0) + 1;
    online.set(user.id, sockets);
    if (sockets === 1) tellContacts('user:online');

    const on = (event, handle) =>
      socket.on(event, async (...args) => {
        const ack = typeof args.at(-1) === 'function' ? args.pop() : undefined;
        try {
          const answer = await handle(...args);
          ack?.({ success: true, ...answer });
        } catch (error) {
          const answer = failure(error);
          if (ack) ack(answer);
          else socket.emit('error', { message: answer.error, code: answer.code });
        }
      });

    on('conversation:join', async (payload) => {
      const conversationId = idOf(payload, 'conversationId');
      await chat.authorize(user, conversationId, 'join this conversation');
      socket.join(conversationId);
      return { conversationId };
    });
    on('conversation:leave', async (payload) => {
      const conversationId = idOf(payload, 'conversationId');
      socket.leave(conversationId);
      return { conversationId };
    });
    on('conversation:get_online_users', async (payload) => {
      const conversationId = idOf(payload, 'conversationId');
      await chat.authorize(user, conversationId, 'access this conversation');
      const participants = await store.participants(conversationId);
      const onlineUsers = participants.filter(({ id }) => online.has(id)).map(userShape);
      return { onlineUsers, count: onlineUsers.length };
    });
    on('message:send', async (payload) => {
      const { message } = await chat.send(user, payload);
      return { messageId: message.id, conversationId: message.conversationId, message };
    });
    on('messages:mark_read', async (payload) => {
      const conversationId = idOf(payload, 'conversationId');
      return { unreadCount: await chat.markRead(user, conversationId, payload.upToMessageId) };
    });
    for (const event of ['typing:start', 'typing:stop']) {
      on(event, async (payload) => {
        const conversationId = idOf(payload, 'conversationId');
        await chat.authorize(user, conversationId, 'access this conversation');
        const told = { conversationId, userId: user.id, userInfo: userShape(user) };
        socket.to(conversationId).except(userRoom(user.id)).emit(event, told);
      });
    }

    // While disconnecting it still has its rooms.
    socket.on('disconnecting', () => {
      const left = online.get(user.id) - 1;
      if (left > 0) {
        online.set(user.id, left);
      } else {
        online.delete(user.id);
        tellContacts('user:offline');
      }
    });
  });
}
