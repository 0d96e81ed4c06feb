// The ulearn guide's hook and the service around it: events without acks, answers as events, statuses kept per
// message, rooms entered again after a reconnect.
import { io } from 'socket.io-client';
import { Machine } from './machine.mjs';

export class SocketMessaging extends Machine {
  connected = false;
  messages = [];
  statuses = new Map();
  typingUsers = new Set();
  presence = new Map();
  groupImages = new Map();
  errors = [];
  refusals = [];
  rooms = new Set();

  constructor(url, token, options = {}) {
    super();
    const socket = io(url, { auth: { token }, transports: ['websocket', 'polling'], reconnection: true, reconnectionDelay: 100, forceNew: true, ...options });
    this.socket = socket;
    socket.on('connect', () => {
      for (const conversationId of this.rooms) socket.emit('join:conversation', { conversationId });
      this.set({ connected: true });
    });
    socket.on('disconnect', () => this.set({ connected: false }));
    socket.on('connect_error', ({ message }) => this.set({ refusals: [...this.refusals, this.#advice(message)] }));
    socket.on('new:message', ({ message }) => this.set({ messages: [...this.messages, message] }));
    socket.on('message:sent', ({ messageId }) => this.#status([messageId], 'sent'));
    socket.on('message:delivered', ({ messageId }) => this.#status([messageId], 'delivered'));
    socket.on('messages:read', ({ messageIds }) => this.#status(messageIds, 'read'));
    socket.on('message:deleted', ({ messageId }) => this.set({ messages: this.messages.filter(({ _id }) => _id !== messageId) }));
    socket.on('typing:start', ({ userId }) => this.set({ typingUsers: new Set([...this.typingUsers, userId]) }));
    socket.on('typing:stop', ({ userId }) => this.set({ typingUsers: new Set([...this.typingUsers].filter((id) => id !== userId)) }));
    socket.on('user:online', ({ userId }) => this.set({ presence: new Map(this.presence).set(userId, 'online') }));
    socket.on('user:offline', ({ userId }) => this.set({ presence: new Map(this.presence).set(userId, 'offline') }));
    socket.on('group:photo:updated', ({ groupId, groupImage }) => this.set({ groupImages: new Map(this.groupImages).set(groupId, groupImage) }));
    socket.on('group:photo:removed', ({ groupId }) => this.set({ groupImages: new Map(this.groupImages).set(groupId, null) }));
    socket.on('error', ({ message }) => this.set({ errors: [...this.errors, message] }));
  }

  #status(messageIds, status) {
    const statuses = new Map(this.statuses);
    for (const id of messageIds) statuses.set(id, status);
    this.set({ statuses });
  }

  /** The guide's switch over refusals. */
  #advice(message) {
    if (message === 'Authentication error: Token required') return 'log in';
    if (message === 'Authentication error: Invalid token') return 'refresh token';
    return 'try again';
  }

  joinConversation(conversationId) {
    this.rooms.add(conversationId);
    if (this.connected) this.socket.emit('join:conversation', { conversationId });
  }

  leaveConversation(conversationId) {
    this.rooms.delete(conversationId);
    this.socket.emit('leave:conversation', { conversationId });
  }

  sendMessage(conversationId, text, media = [], more = {}) {
    if (!this.connected) return;
    this.socket.emit('send:message', { conversationId, text, media, messageType: media.length > 0 ? media[0].type : 'text', ...more });
  }

  startTyping(conversationId) {
    if (this.connected) this.socket.emit('typing:start', { conversationId });
  }

  stopTyping(conversationId) {
    if (this.connected) this.socket.emit('typing:stop', { conversationId });
  }

  markAsRead(conversationId, messageIds = []) {
    if (this.connected) this.socket.emit('message:read', { conversationId, messageIds });
  }

  close() {
    this.socket.close();
  }
}
