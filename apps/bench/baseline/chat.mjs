// What can be done: sending, joining, reading, starting conversations. Knows the store and Socket.IO's rooms; how a
// request arrives is the business of `sockets.mjs` and `http.mjs`. Each socket is in the rooms `user:ID` and, for each of
// its conversations, `members:ID`, so that a message goes out with one broadcast, encoded once by the library.

import { newId } from './ids.mjs';
import { problems } from './problem.mjs';
import { conversationShape, messageShape } from './shapes.mjs';

const MAX_TEXT = 10_000;

export const membersRoom = (conversationId) => `members:${conversationId}`;
export const userRoom = (userId) => `user:${userId}`;

export function openChat({ io, store, people }) {
  function refuse(what) {
    if (what === 'notParticipant') throw problems.notParticipant('send message');
    throw problems[what]();
  }

  function checkedDraft(sender, { conversationId, text, replyTo, clientMessageId }) {
    if (typeof conversationId !== 'string') throw problems.invalid('conversationId is required');
    if (typeof text !== 'string') throw problems.invalid('text is required');
    const trimmed = text.trim();
    if (trimmed === '') throw problems.invalid('text must not be empty');
    if (trimmed.length > MAX_TEXT) throw problems.invalid(`text must have at most ${MAX_TEXT} characters`);
    if (clientMessageId != null && (typeof clientMessageId !== 'string' || Buffer.byteLength(clientMessageId) > 64)) {
      throw problems.invalid('clientMessageId must be a string of at most 64 bytes');
    }
    return {
      conversationId,
      senderId: sender.id,
      text: trimmed,
      replyTo: replyTo ?? null,
      clientMessageId: clientMessageId ?? null,
      id: newId(),
      createdAt: Date.now(),
    };
  }

  function tellRead(conversationId, userId, newlyRead) {
    if (newlyRead.length === 0) return;
    const upToMessageId = newlyRead[newlyRead.length - 1];
    io.to(membersRoom(conversationId)).emit('messages:read', { conversationId, userId, upToMessageId, messageIds: newlyRead });
  }

  async function shown(conversation, unread = 0) {
    const participants = await store.participants(conversation.id);
    const last = conversation.lastMessageId && (await store.message(conversation.lastMessageId, conversation.id));
    const lastMessage = last ? messageShape(last, await people.find(last.senderId)) : null;
    return conversationShape(conversation, participants, lastMessage, unread);
  }

  async function start(creator, type, title, others) {
    const users = [creator, ...(await Promise.all(others.map((id) => people.find(id))))];
    if (users.includes(undefined)) throw problems.noUser();
    const pair = type === 'direct' ? users.map((user) => user.id).sort().join('\n') : null;
    const members = users.map((user, index) => ({
      userId: user.id,
      role: type === 'group' && index === 0 ? 'owner' : 'member',
    }));
    const made = await store.create({ id: newId(), type, title, pair, createdAt: Date.now() }, members);
    const conversation = await shown(made.conversation);
    if (made.created) {
      const rooms = users.map((user) => userRoom(user.id));
      io.in(rooms).socketsJoin(membersRoom(conversation.id));
      io.to(rooms).emit('conversation:new', { conversation });
    }
    return { conversation, created: made.created };
  }

  return {
    async send(sender, payload) {
      const draft = checkedDraft(sender, payload ?? {});
      const { conversationId } = draft;
      const quoted = draft.replyTo && (await store.message(draft.replyTo, conversationId));
      return store.inOrder(conversationId, async () => {
        const stored = store.append(draft);
        const { refused, row, repeated, newlyRead } = stored instanceof Promise ? await stored : stored;
        if (refused) refuse(refused);
        const message = messageShape(row, sender, quoted);
        if (!repeated) {
          io.to(membersRoom(conversationId)).emit('message:new', { message, conversationId });
          tellRead(conversationId, sender.id, newlyRead);
        }
        return { message, repeated: Boolean(repeated) };
      });
    },

    async authorize(user, conversationId, what) {
      const member = await store.member(conversationId, user.id);
      if (!member) throw problems.notParticipant(what);
    },

    async markRead(user, conversationId, upToMessageId) {
      const { refused, newlyRead } = await store.markRead(conversationId, user.id, upToMessageId);
      if (refused) throw problems.notParticipant('access this conversation');
      tellRead(conversationId, user.id, newlyRead);
      const row = (await store.list(user.id, 1000)).find(({ id }) => id === conversationId);
      return row?.unread ?? 0;
    },

    async history(user, conversationId, limit, cursor) {
      await this.authorize(user, conversationId, 'access this conversation');
      const before = cursor && (await store.message(cursor, conversationId))?.seq;
      const rows = await store.page(conversationId, before, limit + 1);
      const page = rows.slice(0, limit).reverse();
      const messages = await Promise.all(page.map(async (row) => messageShape(row, await people.find(row.senderId))));
      const hasMore = rows.length > limit;
      return { messages, pagination: { hasMore, nextCursor: hasMore ? messages[0].id : null } };
    },

    async list(user, limit) {
      const rows = await store.list(user.id, limit);
      const conversations = await Promise.all(rows.map((row) => shown(row, row.unread)));
      return { conversations, pagination: { hasMore: false, nextCursor: null } };
    },

    async unread(user) {
      const rows = await store.list(user.id, 1000);
      const conversations = Object.fromEntries(rows.map((row) => [row.id, row.unread]));
      return { total: rows.reduce((sum, row) => sum + row.unread, 0), conversations };
    },

    startDirect: (creator, other) => start(creator, 'direct', null, [other]),
    startGroup: (creator, title, others) => start(creator, 'group', title, others.filter((id) => id !== creator.id)),
    block: (blocker, blocked) => store.block(blocker.id, blocked),
  };
}
