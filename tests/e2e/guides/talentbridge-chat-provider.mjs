// The talentbridge guide's larger app: a provider that holds the socket and the state, a window that joins,
// loads, pages back, marks as read and sends with a fallback to REST, and the list beside it.
import { io } from 'socket.io-client';
import { debounce, Machine } from './machine.mjs';

export class ChatProvider extends Machine {
  isConnected = false;
  conversations = [];
  activeConversation = null;
  messages = [];
  onlineUsers = new Map();
  typingUsers = new Map();
  readUpTo = new Map();
  sounds = 0;
  errors = [];

  constructor(url, accessToken) {
    super();
    this.url = url;
    this.headers = { Authorization: `Bearer ${accessToken}` };
    const socket = io(url, { auth: { token: accessToken }, transports: ['websocket', 'polling'], timeout: 20_000, forceNew: true });
    this.socket = socket;
    socket.on('connect', () => this.set({ isConnected: true }));
    socket.on('disconnect', (reason) => {
      this.set({ isConnected: false, lastReason: reason });
      if (reason === 'io server disconnect') socket.connect();
    });
    socket.on('connect_error', (error) => this.set({ isConnected: false, errors: [...this.errors, error.message] }));
    socket.on('message:new', (data) => this.#onMessage(data));
    socket.on('typing:start', (data) => this.#onTyping(data, true));
    socket.on('typing:stop', (data) => this.#onTyping(data, false));
    socket.on('messages:read', ({ conversationId, userId, upToMessageId }) =>
      this.set({ readUpTo: new Map(this.readUpTo).set(`${conversationId} ${userId}`, upToMessageId) }));
    socket.on('user:online', ({ userId }) => this.set({ onlineUsers: new Map(this.onlineUsers).set(userId, true) }));
    socket.on('user:offline', ({ userId }) => this.set({ onlineUsers: new Map(this.onlineUsers).set(userId, false) }));
  }

  #onMessage({ message, conversationId }) {
    const active = this.activeConversation?._id === conversationId;
    if (active) this.set({ messages: [...this.messages, message] });
    else this.set({ sounds: this.sounds + 1 });
    this.set({
      conversations: this.conversations.map((entry) =>
        entry._id === conversationId ? { ...entry, lastMessage: message, unreadCount: entry.unreadCount + 1 } : entry),
    });
  }

  #onTyping({ userInfo, conversationId }, typing) {
    if (this.activeConversation?._id !== conversationId) return;
    const typingUsers = new Map(this.typingUsers);
    if (typing) typingUsers.set(userInfo._id, userInfo);
    else typingUsers.delete(userInfo._id);
    this.set({ typingUsers });
  }

  async #api(path, options = {}) {
    const response = await fetch(`${this.url}${path}`, { ...options, headers: { ...this.headers, 'Content-Type': 'application/json' } });
    const answer = await response.json();
    if (!answer.success) throw new Error(answer.message);
    return answer.data;
  }

  #acked(event, payload) {
    return new Promise((resolve, reject) => {
      this.socket.emit(event, payload, (response) => (response.success ? resolve(response) : reject(new Error(response.error))));
    });
  }

  async startConversation(targetUserId) {
    return (await this.#api('/api/v1/chat/conversations/start', { method: 'POST', body: JSON.stringify({ targetUserId }) })).conversation;
  }

  /** One page of the list; the guide asks for more while there is more. */
  async loadConversations(cursor = null, search = '', limit = 20) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor) query.append('cursor', cursor);
    if (search) query.append('search', search);
    const page = await this.#api(`/api/v1/chat/conversations?${query}`);
    this.set({ conversations: cursor ? [...this.conversations, ...page.conversations] : page.conversations });
    return page.pagination;
  }

  joinConversation(conversationId) {
    return this.#acked('conversation:join', conversationId);
  }

  leaveConversation(conversationId) {
    this.socket.emit('conversation:leave', conversationId);
  }

  async sendMessage(conversationId, text, replyTo = null) {
    if (!this.isConnected) throw new Error('Socket not connected');
    return (await this.#acked('message:send', { conversationId, text: text.trim(), replyTo })).messageId;
  }

  async sendMessageRest(conversationId, text, replyTo = null) {
    return (await this.#api('/api/v1/chat/messages', { method: 'POST', body: JSON.stringify({ conversationId, text, replyTo }) })).message;
  }

  /** The guide's hybrid: the socket where there is one, REST else or after a failure. */
  async sendHybrid(conversationId, text) {
    if (this.isConnected) {
      try {
        return { success: true, method: 'socket', messageId: await this.sendMessage(conversationId, text) };
      } catch {
        // Falls through to REST, as the guide does.
      }
    }
    try {
      return { success: true, method: 'rest', message: await this.sendMessageRest(conversationId, text) };
    } catch (error) {
      return { success: false, error: error.message };
    }
  }

  loadMessages(conversationId, cursor = null, limit = 50) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor) query.append('cursor', cursor);
    return this.#api(`/api/v1/chat/messages/all/${conversationId}?${query}`);
  }

  async onlineIn(conversationId) {
    return (await this.#acked('conversation:get_online_users', conversationId)).onlineUsers;
  }

  async onlineInRest(conversationId) {
    return (await this.#api(`/api/v1/chat/conversations/${conversationId}/online`)).onlineUsers;
  }

  startTyping(conversationId) {
    this.socket.emit('typing:start', conversationId);
  }

  stopTyping(conversationId) {
    this.socket.emit('typing:stop', conversationId);
  }

  markAsRead(conversationId, upToMessageId = null) {
    this.socket.emit('messages:mark_read', { conversationId, upToMessageId });
  }

  unmount() {
    this.socket.disconnect();
  }
}

/** The window of one conversation; `pageSize` is smaller than the guide's so that a test can page. */
export class ChatWindow {
  input = '';
  hasMore = true;
  alerts = 0;

  constructor(provider, conversation, { pageSize = 50 } = {}) {
    this.chat = provider;
    this.id = conversation._id;
    this.pageSize = pageSize;
    provider.set({ activeConversation: conversation });
    this.typed = debounce((value) => (value.trim() ? provider.startTyping(this.id) : provider.stopTyping(this.id)), 30);
  }

  async mount() {
    await this.chat.joinConversation(this.id);
    const { messages, pagination } = await this.chat.loadMessages(this.id, null, this.pageSize);
    this.chat.set({ messages });
    this.hasMore = pagination.hasMore;
    this.markViewed();
  }

  /** The guide marks the last message whenever the list changes. */
  markViewed() {
    const last = this.chat.messages.at(-1);
    if (last) this.chat.markAsRead(this.id, last._id);
  }

  async loadEarlier() {
    if (!this.hasMore) return;
    const { messages, pagination } = await this.chat.loadMessages(this.id, this.chat.messages[0]._id, this.pageSize);
    this.chat.set({ messages: [...messages, ...this.chat.messages] });
    this.hasMore = pagination.hasMore;
  }

  type(value) {
    this.input = value;
    this.typed(value);
  }

  /** Socket first, REST when that fails; the text comes back into the field when both do. */
  async submit() {
    const text = this.input.trim();
    if (!text) return;
    this.input = '';
    const result = await this.chat.sendHybrid(this.id, text);
    if (!result.success) {
      this.alerts += 1;
      this.input = text;
    }
    this.lastMethod = result.method;
  }

  typingLine() {
    return [...this.chat.typingUsers.values()].map((user) => user.fullName).join(', ');
  }

  unmount() {
    this.chat.leaveConversation(this.id);
  }
}

/** What the list beside it shows of each conversation. */
export const conversationList = (provider, ownId) =>
  provider.conversations.map((entry) => {
    const other = entry.participants.find(({ user }) => user._id !== ownId)?.user;
    return { name: other?.fullName, picture: other?.profilePicture ?? '/default-avatar.png', online: provider.onlineUsers.get(other?._id) ?? false, preview: entry.lastMessage?.text, badge: entry.unreadCount };
  });
