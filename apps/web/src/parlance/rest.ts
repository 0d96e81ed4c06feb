// The HTTP API as functions. A refusal is an `ApiError` with the contract's code; an answer that never came is a
// `NetworkError`, after which a send may be repeated with the same `clientMessageId`.
import type {
  Conversation,
  ErrorCode,
  MediumDraft,
  Message,
  Notification,
  Pagination,
  Preferences,
  Reaction,
  Role,
  Uploaded,
  User,
} from './contract';
import { type UploadOptions, upload } from './uploading';

export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    message: string,
    readonly status: number,
    readonly code: ErrorCode | undefined,
    readonly retryAfterMs: number | undefined,
    readonly errors: { field: string; message: string }[] = [],
  ) {
    super(message);
  }
}

export class NetworkError extends Error {
  override name = 'NetworkError';
}

export interface MessageDraft {
  conversationId: string;
  text: string;
  replyTo?: string | null;
  clientMessageId?: string;
  media?: MediumDraft[];
}

type Query = Record<string, string | number | boolean | null | undefined>;

export class Rest {
  constructor(
    readonly url: string,
    readonly token: () => string | null,
  ) {}

  me = () => this.#get<{ user: User }>('/api/v1/users/me').then(({ user }) => user);
  updateMe = (change: { fullName?: string; profilePicture?: string | null }) =>
    this.#send<{ user: User }>('PATCH', '/api/v1/users/me', change).then(({ user }) => user);
  users = (search: string) => this.#get<{ users: User[] }>('/api/v1/users', { search }).then(({ users }) => users);
  blocked = () => this.#get<{ users: User[] }>('/api/v1/users/blocked').then(({ users }) => users);
  block = (id: string) => this.#send('PUT', `/api/v1/users/${encodeURIComponent(id)}/block`);
  unblock = (id: string) => this.#send('DELETE', `/api/v1/users/${encodeURIComponent(id)}/block`);

  conversations = (query: { limit?: number; cursor?: string | null; search?: string } = {}) =>
    this.#get<{ conversations: Conversation[]; pagination: Pagination }>('/api/v1/chat/conversations', query);
  conversation = (id: string) => this.#conversation('GET', `/${id}`);
  start = (targetUserId: string) => this.#conversation('POST', '/start', { targetUserId });
  createGroup = (title: string, participantIds: string[]) =>
    this.#conversation('POST', '/group', { title, participantIds });
  rename = (id: string, title: string) => this.#conversation('PATCH', `/${id}`, { title });
  addParticipants = (id: string, userIds: string[]) => this.#conversation('POST', `/${id}/participants`, { userIds });
  removeParticipant = (id: string, userId: string) =>
    this.#conversation('DELETE', `/${id}/participants/${encodeURIComponent(userId)}`);
  setRole = (id: string, userId: string, role: Exclude<Role, 'owner'>) =>
    this.#conversation('PATCH', `/${id}/participants/${encodeURIComponent(userId)}`, { role });
  removePhoto = (id: string) => this.#send('DELETE', `/api/v1/chat/conversations/${id}/photo`);
  setPhoto = (id: string, file: Blob) =>
    this.upload<{ groupImage: string }>(`/api/v1/chat/conversations/${id}/photo`, 'photo', file, { method: 'PUT' });
  markRead = (id: string, upToMessageId?: string | null) =>
    this.#send<{ unreadCount: number }>('POST', `/api/v1/chat/conversations/${id}/read`, { upToMessageId });

  send = (draft: MessageDraft) =>
    this.#send<{ message: Message }>('POST', '/api/v1/chat/messages', draft).then(({ message }) => message);
  history = (conversationId: string, query: { limit?: number; cursor?: string | null } = {}) =>
    this.#get<{ messages: Message[]; pagination: Pagination }>(`/api/v1/chat/messages/all/${conversationId}`, query);
  search = (query: { q: string; conversationId?: string | undefined; limit?: number; cursor?: string | null }) =>
    this.#get<{ messages: Message[]; pagination: Pagination }>('/api/v1/chat/messages/search', query);
  edit = (id: string, text: string) =>
    this.#send<{ message: Message }>('PATCH', `/api/v1/chat/messages/${id}`, { text }).then(({ message }) => message);
  delete = (id: string) =>
    this.#send<{ message: Message }>('DELETE', `/api/v1/chat/messages/${id}`).then(({ message }) => message);
  react = (id: string, emoji: string, on: boolean) =>
    this.#send<{ reactions: Reaction[] }>(
      on ? 'PUT' : 'DELETE',
      `/api/v1/chat/messages/${id}/reactions/${encodeURIComponent(emoji)}`,
    ).then(({ reactions }) => reactions);

  notifications = (query: { page?: number; limit?: number; unread?: boolean } = {}) =>
    this.#get<{ notifications: Notification[]; pagination: { hasMore: boolean }; unreadCount: number }>(
      '/api/v1/notifications',
      query,
    );
  readNotification = (id: string) => this.#send('PUT', `/api/v1/notifications/${id}/read`);
  readAllNotifications = () => this.#send('PUT', '/api/v1/notifications/mark-all-read');
  removeNotification = (id: string) => this.#send('DELETE', `/api/v1/notifications/${id}`);
  preferences = () =>
    this.#get<{ preferences: Preferences }>('/api/v1/notifications/preferences').then((data) => data.preferences);
  prefer = (change: Partial<Preferences>) =>
    this.#send<{ preferences: Preferences }>('PUT', '/api/v1/notifications/preferences', change).then(
      (data) => data.preferences,
    );

  /** Null where the server has no web push. */
  pushKey = () => this.#get<{ key: string | null }>('/api/v1/push/key').then(({ key }) => key);
  subscribePush = (subscription: PushSubscriptionJSON) => this.#send('PUT', '/api/v1/push/subscriptions', subscription);
  unsubscribePush = (endpoint: string) => this.#send('DELETE', '/api/v1/push/subscriptions', { endpoint });

  iceServers = () =>
    this.#get<{ iceServers: RTCIceServer[]; ttl: number }>('/api/v1/calls/ice-servers').then((data) => data.iceServers);

  uploadMedium = (file: Blob, options: UploadOptions = {}) =>
    this.upload<Uploaded>('/api/v1/media/upload', 'media', file, options);

  upload<T>(path: string, field: string, file: Blob, options: UploadOptions & { method?: string }): Promise<T> {
    return upload<T>(new URL(path, this.url || location.href), this.token(), field, file, options);
  }

  #conversation(method: string, path: string, body?: unknown): Promise<Conversation> {
    const whole = `/api/v1/chat/conversations${path}`;
    return this.#request<{ conversation: Conversation }>(method, whole, body).then((data) => data.conversation);
  }

  #get<T>(path: string, query: Query = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
    const params = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return this.#request('GET', given.length > 0 ? `${path}?${params}` : path);
  }

  #send<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#request(method, path, body);
  }

  async #request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token() ?? ''}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const payload = body === undefined ? null : JSON.stringify(body);
    let response: Response;
    try {
      response = await fetch(new URL(path, this.url || location.href), { method, headers, body: payload });
    } catch (cause) {
      throw new NetworkError('The server cannot be reached', { cause });
    }
    return answered<T>(response.status, await response.text(), response.headers.get('retry-after'));
  }
}

/** The data of an answer, or the refusal that it is. */
export function answered<T>(status: number, text: string, retryAfter: string | null): T {
  let body: { success?: boolean; data?: T; message?: string; code?: ErrorCode; errors?: ApiError['errors'] };
  try {
    body = JSON.parse(text);
  } catch {
    body = {};
  }
  if (body.success) return body.data as T;
  const seconds = Number(retryAfter);
  const retryAfterMs = retryAfter && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  throw new ApiError(
    body.message ?? `The server answered with ${status}`,
    status,
    body.code,
    retryAfterMs,
    body.errors,
  );
}
