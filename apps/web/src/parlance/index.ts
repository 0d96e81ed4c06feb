// The hooks, and what they are made of, for applications that want only a part.

export type { CallPeer, CallPhase, CallState } from './call-session';
export { ChatClient, type ChatClientOptions } from './chat-client';
export {
  type Chat,
  ChatProvider,
  type ChatProviderProps,
  useChat,
  useChatClient,
  useChatState,
  useConnection,
  useConversations,
  useOnline,
  useTypingUsers,
} from './chat-provider';
export { type ChatState, peerOf } from './chat-store';
export { AuthenticationError, Connection, type ConnectionState, GivenUpError, NoAnswerError } from './connection';
export * from './contract';
export { type ConversationView, type Typing, useConversation, useReadMarking, useTyping } from './conversation-hooks';
export { bearerOf } from './ids';
export type { Pending } from './outbox';
export {
  type Realtime,
  RealtimeContext,
  type RealtimeMessages,
  type RealtimeNotifications,
  type RealtimeOptions,
  useRealtime,
  useRealtimeMessages,
  useRealtimeNotifications,
} from './realtime';
export { ApiError, NetworkError, Rest } from './rest';
export type { Sent } from './sending';
export { type Calls, useCalls } from './use-calls';
export { type Upload, type Uploads, useUploads } from './use-uploads';
