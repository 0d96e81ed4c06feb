// The hooks of the gateway guide: a connection of a component's own choosing, messages of one conversation, and the
// notification badge. They keep no history; `ChatProvider` does. They speak `gateway` unless told otherwise.
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ConnectionStatus, Listener } from './connection';
import type { Ack, Dialect, GatewayMessage, GatewayNotification } from './contract';
import { randomId } from './ids';
import { enter, hold, shared } from './shared-connection';

export interface RealtimeDefaults {
  /** Scheme and host of the server; the page's own by default. */
  url?: string | undefined;
  /** By default what is kept in `localStorage` as `accessToken`, where the guides keep it. */
  token?: string | null | undefined;
  dialect?: Dialect | undefined;
}

export interface RealtimeOptions extends RealtimeDefaults {
  /** `false`: nothing is connected before `connect()`. */
  autoConnect?: boolean;
  onConnect?: () => void;
  onDisconnect?: () => void;
  /** The connection failed, or was given up after five tries. */
  onError?: (error: Error) => void;
}

export interface Realtime {
  isConnected: boolean;
  state: ConnectionStatus;
  error: Error | null;
  connect: () => void;
  disconnect: () => void;
  on: (event: string, listener: Listener) => void;
  off: (event: string, listener?: Listener) => void;
  /** False when there is no connection; nothing is kept for later then. */
  emit: (event: string, ...args: unknown[]) => boolean;
  /** Emits, and waits for the answer. */
  ask: <T>(event: string, payload: unknown) => Promise<Ack<T>>;
}

/** What hooks below take where they are not told. */
export const RealtimeContext = createContext<RealtimeDefaults>({});

function useShared(options: RealtimeDefaults) {
  const defaults = useContext(RealtimeContext);
  const url = options.url ?? defaults.url ?? '';
  const given = options.token === undefined ? defaults.token : options.token;
  const token = given === undefined ? localStorage.getItem('accessToken') : given;
  const dialect = options.dialect ?? defaults.dialect ?? 'gateway';
  const target = useMemo(() => ({ url, token, dialect }), [url, token, dialect]);
  const entry = useMemo(() => shared(target), [target]);
  useEffect(() => hold(target, entry), [target, entry]);
  return { entry, token };
}

export function useRealtime(options: RealtimeOptions = {}): Realtime {
  const { autoConnect = true } = options;
  const { entry, token } = useShared(options);
  const { connection } = entry;
  const { status, error } = useStore(connection.state);

  const callbacks = useRef(options);
  useEffect(() => {
    callbacks.current = options;
  });
  useEffect(
    () =>
      connection.state.subscribe((now, before) => {
        const { onConnect, onDisconnect, onError } = callbacks.current;
        if (now.status === 'connected' && before.status !== 'connected') onConnect?.();
        if (now.status !== 'connected' && before.status === 'connected') onDisconnect?.();
        if (now.error && now.error !== before.error) onError?.(now.error);
      }),
    [connection],
  );
  useEffect(() => {
    if (autoConnect && token) connection.connect();
  }, [autoConnect, connection, token]);

  const stable = useMemo(
    () => ({
      connect: () => connection.connect(),
      disconnect: () => connection.disconnect(),
      on: (event: string, listener: Listener) => connection.on(event, listener),
      off: (event: string, listener?: Listener) => connection.off(event, listener),
      emit: (event: string, ...args: unknown[]) => connection.emit(event, ...args),
      ask: <T>(event: string, payload: unknown) => connection.ask<T>(event, payload),
    }),
    [connection],
  );
  return { isConnected: status === 'connected', state: status, error, ...stable };
}

export interface RealtimeMessages {
  isConnected: boolean;
  /** The newest that came in since this conversation was entered. */
  newMessage: GatewayMessage | null;
  /** Who is typing. */
  typingUserIds: string[];
  sendMessage: (content: string) => Promise<Ack<{ messageId: string; message: GatewayMessage }>>;
}

/** Enters a conversation while the component is there, and leaves it with it. */
export function useRealtimeMessages(conversationId: string, options: RealtimeOptions = {}): RealtimeMessages {
  const { entry } = useShared(options);
  const { isConnected, ask, on, off } = useRealtime(options);
  const [newMessage, setNewMessage] = useState<GatewayMessage | null>(null);
  const [typingUserIds, setTypingUserIds] = useState<string[]>([]);

  useEffect(() => (conversationId ? enter(entry, conversationId) : undefined), [entry, conversationId]);
  useEffect(() => {
    setNewMessage(null);
    setTypingUserIds([]);
    type Typing = { conversationId: string; userId: string };
    const here = (payload: { conversationId: string }) => payload.conversationId === conversationId;
    const arrived = (message: GatewayMessage) => here(message) && setNewMessage(message);
    const started = (typing: Typing) =>
      here(typing) && setTypingUserIds((ids) => [...ids.filter((id) => id !== typing.userId), typing.userId]);
    const stopped = (typing: Typing) =>
      here(typing) && setTypingUserIds((ids) => ids.filter((id) => id !== typing.userId));
    on('newMessage', arrived);
    on('userTyping', started);
    on('userStoppedTyping', stopped);
    return () => {
      off('newMessage', arrived);
      off('userTyping', started);
      off('userStoppedTyping', stopped);
    };
  }, [conversationId, on, off]);

  const sendMessage = useCallback(
    (content: string) =>
      ask<{ messageId: string; message: GatewayMessage }>('sendMessage', {
        conversationId,
        content,
        clientMessageId: randomId(),
      }),
    [ask, conversationId],
  );
  return { isConnected, newMessage, typingUserIds, sendMessage };
}

export interface RealtimeNotifications {
  isConnected: boolean;
  unreadCount: number;
  newNotification: GatewayNotification | null;
  markAsRead: (id: string) => void;
  markAllAsRead: () => void;
}

/** The badge, and what has just come in: show it as you like (`onNotification` is the place for a toast). */
export function useRealtimeNotifications(
  options: RealtimeOptions & { onNotification?: (notification: GatewayNotification) => void } = {},
): RealtimeNotifications {
  const { entry } = useShared(options);
  const { isConnected, on, off, emit } = useRealtime(options);
  const unreadCount = useStore(entry.unread);
  const [newNotification, setNewNotification] = useState<GatewayNotification | null>(null);
  const told = useRef(options.onNotification);
  useEffect(() => {
    told.current = options.onNotification;
  });
  useEffect(() => {
    const notified = (notification: GatewayNotification) => {
      setNewNotification(notification);
      told.current?.(notification);
    };
    on('notification', notified);
    return () => off('notification', notified);
  }, [on, off]);
  const markAsRead = useCallback((id: string) => void emit('notification:read', id), [emit]);
  const markAllAsRead = useCallback(() => void emit('notifications:read-all'), [emit]);
  return { isConnected, unreadCount, newNotification, markAsRead, markAllAsRead };
}
