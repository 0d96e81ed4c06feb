// Hooks for the screen of one conversation: its history with what is on the way, typing, and marking what is seen.
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { useChatClient, useChatState, useTypingUsers } from './chat-provider';
import type { Message, User } from './contract';
import type { Pending } from './outbox';

export interface ConversationView {
  messages: readonly Message[];
  /** Written here and not yet stored by the server, oldest first. */
  pending: readonly Pending[];
  hasMore: boolean;
  loading: boolean;
  error: Error | null;
  /** Gets the page before. */
  loadEarlier: () => Promise<void>;
}

const NONE: readonly never[] = [];

/** Makes a conversation the active one while the component is there. */
export function useConversation(id: string): ConversationView {
  const client = useChatClient();
  const history = useChatState((state) => state.histories[id]);
  const loading = useChatState((state) => state.loading[id] ?? false);
  const error = useChatState((state) => state.failures[id] ?? null);
  const all = useChatState((state) => state.pending);
  const pending = useMemo(() => all.filter(({ conversationId }) => conversationId === id), [all, id]);
  useEffect(() => {
    // A failure is in the state.
    client.open(id).catch(() => undefined);
    return () => {
      if (client.store.getState().activeId === id) void client.open(null);
    };
  }, [client, id]);
  const loadEarlier = useCallback(() => client.syncing.page(id).catch(() => undefined), [client, id]);
  return {
    messages: history?.messages ?? NONE,
    pending,
    hasMore: history?.hasMore ?? true,
    loading: loading || (!history && !error),
    error,
    loadEarlier,
  };
}

export interface Typing {
  typingUsers: readonly User[];
  /** For each change of the field: an empty one ends typing. */
  onInput: (text: string) => void;
  stop: () => void;
}

export function useTyping(conversationId: string): Typing {
  const { typist } = useChatClient();
  const typingUsers = useTypingUsers(conversationId);
  useEffect(() => () => typist.stop(conversationId), [typist, conversationId]);
  const onInput = useCallback(
    (text: string) => (text.trim() ? typist.start(conversationId) : typist.stop(conversationId)),
    [typist, conversationId],
  );
  const stop = useCallback(() => typist.stop(conversationId), [typist, conversationId]);
  return { typingUsers, onInput, stop };
}

/** Marks as read what somebody can see: call the result with the newest message in view; a hidden page sees nothing. */
export function useReadMarking(conversationId: string): (newest: Message | undefined) => void {
  const { reading } = useChatClient();
  const seen = useRef<Message | undefined>(undefined);
  useEffect(() => {
    seen.current = undefined;
    const shown = () => {
      if (document.visibilityState === 'visible' && seen.current) reading.mark(conversationId, seen.current);
    };
    document.addEventListener('visibilitychange', shown);
    return () => document.removeEventListener('visibilitychange', shown);
  }, [reading, conversationId]);
  return useCallback(
    (newest) => {
      if (!newest) return;
      seen.current = newest;
      if (document.visibilityState === 'visible') reading.mark(conversationId, newest);
    },
    [reading, conversationId],
  );
}
