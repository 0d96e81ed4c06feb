// `ChatProvider` and `useChat` of the talentbridge guide, over a `ChatClient`: same names, same results. A component
// that needs one thing takes it with `useChatState`, and is drawn again for that alone.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import type { Socket } from 'socket.io-client';
import { useStore } from 'zustand';
import { ChatClient } from './chat-client';
import { type ChatState, patchHistory, sorted } from './chat-store';
import type { ConnectionState } from './connection';
import type { Conversation, Message, Pagination, Reply, User } from './contract';
import type { Sent } from './sending';

const ChatContext = createContext<ChatClient | null>(null);

export interface ChatProviderProps {
  children: ReactNode;
  /** Scheme and host of the server; the page's own by default. */
  url?: string;
  /** By default what is kept in `localStorage` as `accessToken`. A new one of the same person extends the session. */
  token?: string | null;
  /** `false`: nothing is connected before `connect()`. */
  autoConnect?: boolean;
  /** The server does not take the token any more. */
  onSessionEnded?: (error: Error) => void;
}

export function ChatProvider({ children, url, token, autoConnect = true, onSessionEnded }: ChatProviderProps) {
  const current = token === undefined ? localStorage.getItem('accessToken') : token;
  const ended = useRef(onSessionEnded);
  useEffect(() => {
    ended.current = onSessionEnded;
  });
  const first = useRef(current);
  const [client, setClient] = useState<ChatClient | null>(null);
  useEffect(() => {
    const fresh = new ChatClient({
      url,
      token: first.current ?? '',
      onSessionEnded: (error) => ended.current?.(error),
    });
    fresh.start({ lazy: !autoConnect || !first.current });
    setClient(fresh);
    return () => fresh.stop();
  }, [url, autoConnect]);
  useEffect(() => {
    if (!client || !current || current === first.current) return;
    first.current = current;
    void client.setToken(current);
  }, [client, current]);
  if (!client) return null;
  return <ChatContext value={client}>{children}</ChatContext>;
}

/** The client itself, for what it can do beside state. */
export function useChatClient(): ChatClient {
  const client = useContext(ChatContext);
  if (!client) throw new Error('There is no ChatProvider around this component');
  return client;
}

/** A part of the state. The selector gives a value that stays the same while nothing changes. */
export function useChatState<T>(select: (state: ChatState) => T): T {
  return useStore(useChatClient().store, select);
}

export function useConnection(): ConnectionState & { connect: () => void; disconnect: () => void } {
  const { connection } = useChatClient();
  const state = useStore(connection.state);
  return useMemo(
    () => ({ ...state, connect: () => connection.connect(), disconnect: () => connection.disconnect() }),
    [state, connection],
  );
}

/** Latest activity first. */
export function useConversations(): Conversation[] {
  const conversations = useChatState((state) => state.conversations);
  return useMemo(() => sorted(conversations), [conversations]);
}

/** Who is typing in a conversation. */
export function useTypingUsers(conversationId: string): readonly User[] {
  return useChatState((state) => state.typing[conversationId]) ?? NOBODY;
}

/** Whether somebody is online. */
export function useOnline(userId: string | undefined): boolean {
  return useChatState((state) => (userId ? (state.online[userId] ?? false) : false));
}

const NOBODY: readonly User[] = [];

export interface Chat {
  socket: Socket;
  isConnected: boolean;
  conversations: Conversation[];
  activeConversation: Conversation | null;
  /** The active conversation's, oldest first, as far as they are loaded. */
  messages: readonly Message[];
  onlineUsers: Map<string, boolean>;
  typingUsers: Map<string, User>;
  loadConversations: () => Promise<void>;
  setActiveConversation: (conversation: Conversation | null) => Promise<void>;
  joinConversation: (id: string) => Promise<boolean>;
  leaveConversation: (id: string) => void;
  /** Over the socket, else over REST, else kept until there is a connection (`method: 'queued'`). */
  sendMessage: (conversationId: string, text: string, replyTo?: Reply | string | null) => Promise<Sent>;
  sendMessageREST: (conversationId: string, text: string, replyTo?: string | null) => Promise<Message>;
  loadMessages: (
    conversationId: string,
    cursor?: string | null,
    limit?: number,
  ) => Promise<{ messages: Message[]; pagination: Pagination }>;
  setMessages: (change: readonly Message[] | ((messages: readonly Message[]) => readonly Message[])) => void;
  startTyping: (id: string) => void;
  stopTyping: (id: string) => void;
  markAsRead: (id: string, upToMessageId?: string | null) => Promise<boolean>;
}

export function useChat(): Chat {
  const client = useChatClient();
  const state = useStore(client.store);
  const { status } = useStore(client.connection.state);
  const conversations = useConversations();
  const actions = useMemo(() => actionsOf(client), [client]);
  const { activeId, online, typing } = state;
  const onlineUsers = useMemo(() => new Map(Object.entries(online)), [online]);
  const active = activeId ? typing[activeId] : undefined;
  const typingUsers = useMemo(() => new Map((active ?? []).map((user) => [user._id, user])), [active]);
  return {
    socket: client.connection.socket,
    isConnected: status === 'connected',
    conversations,
    activeConversation: activeId ? (state.conversations[activeId] ?? null) : null,
    messages: activeId ? (state.histories[activeId]?.messages ?? NONE) : NONE,
    onlineUsers,
    typingUsers,
    ...actions,
  };
}

const NONE: readonly Message[] = [];

function actionsOf(client: ChatClient) {
  return {
    loadConversations: () => client.syncing.conversations(),
    setActiveConversation: (conversation: Conversation | null) => client.open(conversation?._id ?? null),
    joinConversation: (id: string) => client.join(id),
    leaveConversation: (id: string) => client.leave(id),
    sendMessage: (conversationId: string, text: string, replyTo: Reply | string | null = null) =>
      client.send({ conversationId, text: text.trim(), replyTo: quoted(client, conversationId, replyTo) }),
    sendMessageREST: (conversationId: string, text: string, replyTo: string | null = null) =>
      client.rest.send({ conversationId, text, replyTo }),
    loadMessages: (conversationId: string, cursor: string | null = null, limit = 50) =>
      client.rest.history(conversationId, { cursor, limit }),
    setMessages: (change: readonly Message[] | ((messages: readonly Message[]) => readonly Message[])) => {
      const id = client.store.getState().activeId;
      if (!id) return;
      patchHistory(client.store, id, (history) => ({
        ...history,
        messages: typeof change === 'function' ? change(history.messages) : change,
      }));
    },
    startTyping: (id: string) => client.typist.start(id),
    stopTyping: (id: string) => client.typist.stop(id),
    markAsRead: (id: string, upToMessageId: string | null = null) => client.reading.read(id, upToMessageId),
  };
}

/** What is answered, by its id or whole. */
function quoted(client: ChatClient, conversationId: string, replyTo: Reply | string | null): Reply | null {
  if (typeof replyTo !== 'string') return replyTo;
  const { histories, me } = client.store.getState();
  const message = histories[conversationId]?.messages.find(({ _id }) => _id === replyTo);
  const stranger = { _id: '', fullName: '', profilePicture: null };
  return { _id: replyTo, text: message?.text ?? null, sender: message?.sender ?? me ?? stranger };
}
