// The contract's payloads as types, once. What the server sends is a superset of this: fields that are not named here
// may be there and are ignored. Shapes are `talentbridge`'s, save where a name says otherwise.

/** The five Socket.IO vocabularies. */
export type Dialect = 'talentbridge' | 'ulearn' | 'gateway' | 'marketplace' | 'nextchat';

export interface User {
  _id: string;
  fullName: string;
  profilePicture: string | null;
}

export type MediaType = 'image' | 'video' | 'file';
export type MessageType = 'text' | MediaType | 'system';
export type MessageStatus = 'sent' | 'delivered' | 'read';

export interface Medium {
  url: string;
  type: MediaType;
  filename: string | null;
  size: number | null;
  thumbnailUrl: string | null;
}

/** A medium as a message names it when it is sent. */
export type MediumDraft = Pick<Medium, 'url' | 'type'> & Partial<Pick<Medium, 'filename' | 'size'>>;

export interface Reaction {
  emoji: string;
  count: number;
  userIds: string[];
}

export interface Reply {
  _id: string;
  text: string | null;
  sender: User;
}

export interface Message {
  _id: string;
  id: string;
  conversationId: string;
  /** Its place in the conversation: 1, 2, 3 … */
  seq: number;
  /** The conversation's change counter at its last change. */
  rev: number;
  sender: User;
  /** `null` for a tombstone. */
  text: string | null;
  messageType: MessageType;
  media: Medium[];
  replyTo: Reply | null;
  status: MessageStatus;
  clientMessageId: string | null;
  reactions: Reaction[];
  createdAt: string;
  updatedAt: string;
  editedAt: string | null;
  deletedAt: string | null;
}

export type Role = 'owner' | 'admin' | 'member';

export interface Participant {
  user: User;
  role: Role;
}

export interface Conversation {
  _id: string;
  id: string;
  type: 'direct' | 'group';
  title: string | null;
  groupImage: string | null;
  participants: Participant[];
  participantUsers: User[];
  lastMessage: Message | null;
  unreadCount: number;
  rev: number;
  createdAt: string;
  updatedAt: string;
}

export interface Notification {
  _id: string;
  type: string;
  title: string;
  message: string;
  link: string | null;
  conversationId: string | null;
  data: unknown;
  read: boolean;
  createdAt: string;
}

/** A notification in `gateway` and `marketplace`. */
export interface GatewayNotification {
  id: string;
  type: string;
  title: string;
  message: string;
  link: string | null;
  data: unknown;
  isRead: boolean;
  createdAt: string;
}

/** A message in `gateway` and `marketplace`. */
export interface GatewayMessage {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  senderId: string;
  sender: { id: string; name: string; avatar: string | null };
  content: string | null;
  type: MessageType;
  attachments: Medium[];
  replyTo: { id: string; content: string | null; senderId: string } | null;
  status: MessageStatus;
  isRead: boolean;
  clientMessageId: string | null;
  reactions: Reaction[];
  createdAt: string;
  updatedAt: string;
  editedAt: string | null;
  deletedAt: string | null;
}

export interface Preferences {
  emailNotifications: boolean;
  pushNotifications: boolean;
  chatNotifications: boolean;
  jobMatchNotifications: boolean;
}

export interface Pagination {
  hasMore: boolean;
  nextCursor: string | null;
}

export interface Uploaded {
  url: string;
  type: MediaType;
  format: string;
  fileSize: number;
  filename: string;
  mediaId: string;
  width: number | null;
  height: number | null;
}

export type ErrorCode =
  | 'TOKEN_REQUIRED'
  | 'INVALID_TOKEN'
  | 'USER_NOT_FOUND'
  | 'VALIDATION_FAILED'
  | 'CONVERSATION_NOT_FOUND'
  | 'MESSAGE_NOT_FOUND'
  | 'NOT_PARTICIPANT'
  | 'FORBIDDEN'
  | 'BLOCKED_BY_YOU'
  | 'BLOCKED'
  | 'AUDIO_NOT_ALLOWED'
  | 'UNSUPPORTED_MEDIA'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID_API_KEY'
  | 'UNAVAILABLE'
  | 'INTERNAL';

export interface Refusal {
  success: false;
  error: string;
  code: ErrorCode;
  retryAfterMs?: number;
}

/** What a client event is answered with. */
export type Ack<T = unknown> = ({ success: true } & T) | Refusal;

export interface SendAck {
  messageId: string;
  conversationId: string;
  message: Message;
}

export interface SyncAck {
  conversations: { conversationId: string; rev: number; hasMore: boolean; messages: Message[] }[];
  unknown: string[];
}

export type CallMedia = 'audio' | 'video' | 'screen';

export interface CallInvite {
  callId: string;
  conversationId: string;
  media: CallMedia;
  from: string;
}

export interface CallStep {
  callId: string;
  conversationId: string;
  userId: string;
  reason: string | null;
}

/** What the server tells a `talentbridge` socket, with the extension vocabulary. */
export interface ServerEvents {
  'message:new': { message: Message; conversationId: string };
  'message:edited': { message: Message; conversationId: string };
  'message:deleted': { messageId: string; conversationId: string };
  'message:reaction': { conversationId: string; messageId: string; reactions: Reaction[] };
  'messages:read': { conversationId: string; userId: string; upToMessageId: string | null; messageIds: string[] };
  'typing:start': { conversationId: string; userId: string; userInfo: User };
  'typing:stop': { conversationId: string; userId: string; userInfo: User };
  'user:online': { userId: string };
  'user:offline': { userId: string };
  'notification:new': Notification;
  'notification:read': string;
  'notifications:read-all': undefined;
  'conversation:new': { conversation: Conversation };
  'conversation:updated': { conversation: Conversation };
  'conversation:removed': { conversationId: string };
  'upload:progress': { uploadId: string; loaded: number; total: number | null };
  'call:invite': CallInvite;
  'call:accept': CallStep;
  'call:reject': CallStep;
  'call:hangup': CallStep;
  'call:signal': { callId: string; from: string; data: unknown };
  'session:expired': Record<string, never>;
}
