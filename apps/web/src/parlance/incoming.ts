// What the server tells, and what that changes in the store. Each event is a function of its own; what has to be
// fetched or sent because of one is asked of the client through `Duties`.
import {
  type ChatStore,
  dropConversation,
  knownUpTo,
  patchConversation,
  patchHistory,
  patchMessage,
  putConversations,
} from './chat-store';
import type { Connection } from './connection';
import type { Message, ServerEvents, User } from './contract';
import { follows, merged, raised, tombstone, withReactions } from './history';

/** What events make necessary beside a change in the store. */
export interface Duties {
  /** This conversation has changed in a way that only the server can tell. */
  refresh(conversationId: string): void;
  /** Messages are missing. */
  sync(conversationId: string): void;
  /** One of our own messages is stored. */
  confirm(message: Message): void;
  /** Whether every change of it is heard, so that its `rev` may go on with what comes. */
  following(conversationId: string): boolean;
  notices(): void;
}

/** Typing that nobody ended, because its end was lost. */
const TYPING_LOST_MS = 8_000;

export function listen(store: ChatStore, connection: Connection, duties: Duties): void {
  const on = <Event extends keyof ServerEvents>(event: Event, handle: (payload: ServerEvents[Event]) => void) =>
    connection.on(event, handle);
  const isMine = (userId: string) => store.getState().me?._id === userId;

  on('message:new', ({ message }) => arrived(store, message, duties));
  on('message:edited', ({ message, conversationId }) => {
    patchMessage(store, conversationId, message._id, (known) => ({ ...message, status: known.status }));
    if (duties.following(conversationId)) knownUpTo(store, conversationId, message.rev);
  });
  on('message:deleted', ({ conversationId, messageId }) => {
    patchMessage(store, conversationId, messageId, tombstone);
    if (store.getState().conversations[conversationId]?.unreadCount) duties.refresh(conversationId);
  });
  on('message:reaction', ({ conversationId, messageId, reactions }) =>
    patchHistory(store, conversationId, (history) => withReactions(history, messageId, reactions)),
  );
  on('messages:read', ({ conversationId, userId, messageIds, upToMessageId }) => {
    if (!isMine(userId)) return seen(store, conversationId, messageIds, upToMessageId);
    const last = store.getState().conversations[conversationId]?.lastMessage;
    // Read on another device: all of it, or as far as only the server can count.
    if (!last || last._id === upToMessageId) patchConversation(store, conversationId, () => ({ unreadCount: 0 }));
    else duties.refresh(conversationId);
  });

  const forgetting = new Map<string, ReturnType<typeof setTimeout>>();
  const stopped = (conversationId: string, userId: string) => {
    clearTimeout(forgetting.get(`${conversationId} ${userId}`));
    forgetting.delete(`${conversationId} ${userId}`);
    typed(store, conversationId, (users) => users.filter(({ _id }) => _id !== userId));
  };
  on('typing:start', ({ conversationId, userId, userInfo }) => {
    if (isMine(userId)) return;
    stopped(conversationId, userId);
    typed(store, conversationId, (users) => [...users, userInfo]);
    forgetting.set(
      `${conversationId} ${userId}`,
      setTimeout(() => stopped(conversationId, userId), TYPING_LOST_MS),
    );
  });
  on('typing:stop', ({ conversationId, userId }) => stopped(conversationId, userId));
  connection.on('disconnect', () => store.setState({ typing: {} }));

  on('user:online', ({ userId }) => {
    store.setState(({ online }) => ({ online: { ...online, [userId]: true } }));
    reached(store, userId);
  });
  on('user:offline', ({ userId }) => store.setState(({ online }) => ({ online: { ...online, [userId]: false } })));

  on('conversation:new', ({ conversation }) => duties.refresh(conversation._id));
  on('conversation:updated', ({ conversation }) => {
    putConversations(store, [conversation]);
    if (duties.following(conversation._id)) duties.sync(conversation._id);
  });
  on('conversation:removed', ({ conversationId }) => dropConversation(store, conversationId));

  on('notification:new', duties.notices);
  on('notification:read', duties.notices);
  on('notifications:read-all', duties.notices);
}

function typed(store: ChatStore, id: string, change: (users: readonly User[]) => readonly User[]): void {
  store.setState(({ typing }) => ({ typing: { ...typing, [id]: change(typing[id] ?? []) } }));
}

/** A new message, over whichever way it comes. */
export function arrived(store: ChatStore, message: Message, duties: Duties): void {
  const { conversations, histories, me } = store.getState();
  const { conversationId } = message;
  const mine = message.sender._id === me?._id;
  const conversation = conversations[conversationId];
  if (!conversation) duties.refresh(conversationId);
  else if (message.seq > (conversation.lastMessage?.seq ?? 0)) {
    patchConversation(store, conversationId, ({ unreadCount }) => ({
      lastMessage: message,
      updatedAt: message.createdAt,
      // Who sends has read what came before.
      unreadCount: mine ? 0 : unreadCount + 1,
    }));
  }
  const history = histories[conversationId];
  if (history && follows(history, message)) {
    patchHistory(store, conversationId, (known) => merged(known, [message]));
    // Outside its room, and before it is caught up with, edits are missing that its `rev` must not go past.
    if (duties.following(conversationId)) knownUpTo(store, conversationId, message.rev);
  } else if (history) duties.sync(conversationId);
  typed(store, conversationId, (users) => users.filter(({ _id }) => _id !== message.sender._id));
  if (mine) duties.confirm(message);
}

/** Somebody has read messages of ours. */
function seen(store: ChatStore, id: string, messageIds: string[], upTo: string | null): void {
  const me = store.getState().me?._id ?? '';
  const ids = new Set(messageIds);
  // At most 500 are named; of a longer list the rest is before the newest.
  const all = messageIds.length >= 500;
  const read = (message: Message) => ids.has(message._id) || (all && upTo !== null && message._id <= upTo);
  patchHistory(store, id, (history) => raised(history, me, 'read', read));
  patchConversation(store, id, ({ lastMessage }) =>
    lastMessage && lastMessage.sender._id === me && read(lastMessage)
      ? { lastMessage: { ...lastMessage, status: 'read' } }
      : {},
  );
}

/** Somebody has come online: what waited for them is delivered now, of which this vocabulary has no event. */
function reached(store: ChatStore, userId: string): void {
  const { conversations, me } = store.getState();
  for (const conversation of Object.values(conversations)) {
    if (userId === me?._id || !conversation.participantUsers.some(({ _id }) => _id === userId)) continue;
    patchHistory(store, conversation._id, (history) => raised(history, me?._id ?? '', 'delivered', () => true));
    const last = conversation.lastMessage;
    if (last?.status === 'sent' && last.sender._id === me?._id) {
      patchConversation(store, conversation._id, () => ({ lastMessage: { ...last, status: 'delivered' } }));
    }
  }
}
