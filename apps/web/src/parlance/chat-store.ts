// What one signed-in person's client knows. Written by the parts of `ChatClient` alone, read by hooks through selectors;
// values are replaced, never changed in place, so that a selector sees what changed.
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Conversation, Message, Notification, Preferences, User } from './contract';
import { changed, type History } from './history';
import type { Pending } from './outbox';

export interface ChatState {
  /** Whether the first conversations are here. */
  ready: boolean;
  /** Why the beginning failed; tried again with the next connection. */
  error: Error | null;
  me: User | null;
  conversations: Readonly<Record<string, Conversation>>;
  moreConversations: string | null;
  histories: Readonly<Record<string, History>>;
  /** Conversations of which a page is on its way. */
  loading: Readonly<Record<string, boolean>>;
  /** Why a page did not come. */
  failures: Readonly<Record<string, Error>>;
  /** Up to which `rev` everything is known. */
  revs: Readonly<Record<string, number>>;
  pending: readonly Pending[];
  typing: Readonly<Record<string, readonly User[]>>;
  online: Readonly<Record<string, boolean>>;
  blocked: Readonly<Record<string, User>>;
  activeId: string | null;
  notifications: readonly Notification[];
  moreNotifications: boolean;
  unreadNotifications: number;
  preferences: Preferences | null;
}

export type ChatStore = StoreApi<ChatState>;

const EMPTY: ChatState = {
  ready: false,
  error: null,
  me: null,
  conversations: {},
  moreConversations: null,
  histories: {},
  loading: {},
  failures: {},
  revs: {},
  pending: [],
  typing: {},
  online: {},
  blocked: {},
  activeId: null,
  notifications: [],
  moreNotifications: false,
  unreadNotifications: 0,
  preferences: null,
};

export const createChatStore = (): ChatStore => createStore(() => EMPTY);

/** The record without one key. */
export function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}

/** Puts conversations in, with the newer messages that have come in over the socket meanwhile. */
export function putConversations(store: ChatStore, told: readonly Conversation[]): void {
  store.setState(({ conversations }) => {
    const next = { ...conversations };
    for (const conversation of told) next[conversation._id] = caughtUp(conversation, next[conversation._id]);
    return { conversations: next };
  });
}

/** What the server told of a conversation, which may be from before the last messages that are known here. */
function caughtUp(told: Conversation, known: Conversation | undefined): Conversation {
  const since = (known?.lastMessage?.seq ?? 0) - (told.lastMessage?.seq ?? 0);
  if (!known || since <= 0) return told;
  // Fewer than have come since: the count began anew among them, when something was sent or read here.
  const unreadCount = known.unreadCount < since ? known.unreadCount : told.unreadCount + since;
  return { ...told, lastMessage: known.lastMessage, unreadCount };
}

export function dropConversation(store: ChatStore, id: string): void {
  store.setState((state) => ({
    conversations: without(state.conversations, id),
    histories: without(state.histories, id),
    revs: without(state.revs, id),
    typing: without(state.typing, id),
    activeId: state.activeId === id ? null : state.activeId,
  }));
}

/** Changes one conversation, if it is known. */
export function patchConversation(
  store: ChatStore,
  id: string,
  change: (conversation: Conversation) => Partial<Conversation>,
): void {
  store.setState(({ conversations }) => {
    const conversation = conversations[id];
    if (!conversation) return {};
    return { conversations: { ...conversations, [id]: { ...conversation, ...change(conversation) } } };
  });
}

/** Changes one history, if it is loaded. */
export function patchHistory(store: ChatStore, id: string, change: (history: History) => History): void {
  store.setState(({ histories }) => {
    const history = histories[id];
    if (!history) return {};
    const next = change(history);
    return next === history ? {} : { histories: { ...histories, [id]: next } };
  });
}

/** Changes one message wherever it is shown: in its history, and as a conversation's last. */
export function patchMessage(
  store: ChatStore,
  conversationId: string,
  id: string,
  change: (m: Message) => Message,
): void {
  patchHistory(store, conversationId, (history) => changed(history, id, change));
  patchConversation(store, conversationId, ({ lastMessage }) =>
    lastMessage?._id === id ? { lastMessage: change(lastMessage) } : {},
  );
}

/** A conversation is known up to this `rev`. */
export function knownUpTo(store: ChatStore, id: string, rev: number): void {
  store.setState(({ revs }) => ((revs[id] ?? 0) < rev ? { revs: { ...revs, [id]: rev } } : {}));
}

/** Latest activity first, as the server lists them. */
export function sorted(conversations: Readonly<Record<string, Conversation>>): Conversation[] {
  const at = ({ lastMessage, createdAt }: Conversation) => lastMessage?.createdAt ?? createdAt;
  return Object.values(conversations).sort((a, b) => (at(a) < at(b) ? 1 : at(a) > at(b) ? -1 : 0));
}

/** The other one in a direct conversation. */
export function peerOf(conversation: Conversation, me: User | null): User | null {
  if (conversation.type !== 'direct') return null;
  return conversation.participantUsers.find((user) => user._id !== me?._id) ?? conversation.participantUsers[0] ?? null;
}
