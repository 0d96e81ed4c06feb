// The marketplace guide's message screen: it joins with a bare id, asks who is there, keeps the list of messages
// current, and takes its handlers off again. Messages are sent over HTTP.
import { io } from 'socket.io-client';
import { Machine } from './machine.mjs';

export class WebSocketConnection extends Machine {
  isConnected = false;
  statuses = new Map();
  errors = [];

  constructor(url, token) {
    super();
    this.url = url;
    this.token = token;
    this.socket = io(url, { auth: { token }, path: '/socket.io/', forceNew: true });
    this.socket.on('connect', () => this.set({ isConnected: true }));
    this.socket.on('disconnect', () => this.set({ isConnected: false }));
    this.socket.on('connect_error', (error) => this.set({ errors: [...this.errors, error.message] }));
    this.socket.on('user:status-changed', ({ userId, status }) => this.set({ statuses: new Map(this.statuses).set(userId, status) }));
  }

  /** The guide's way of asking: the answer is the bare value. */
  ask(event, ...args) {
    return new Promise((resolve) => this.socket.emit(event, ...args, resolve));
  }

  close() {
    this.socket.disconnect();
  }
}

export class MessageScreen extends Machine {
  messages = [];
  onlineUsers = [];
  typingUsers = new Set();

  constructor(connection, conversationId) {
    super();
    this.connection = connection;
    this.conversationId = conversationId;
    const { socket } = connection;
    socket.emit('join:conversation', conversationId);
    socket.emit('conversation:get-online-users', conversationId, (onlineUsers) => this.set({ onlineUsers }));
    this.handlers = {
      'message:new': (message) => this.set({ messages: [...this.messages, message] }),
      'typing:start': ({ userId }) => this.set({ typingUsers: new Set(this.typingUsers).add(userId) }),
      'typing:stop': ({ userId }) => {
        const typingUsers = new Set(this.typingUsers);
        typingUsers.delete(userId);
        this.set({ typingUsers });
      },
      'messages:read': ({ messageIds }) =>
        this.set({ messages: this.messages.map((message) => (messageIds.includes(message.id) ? { ...message, isRead: true } : message)) }),
      'message:deleted': ({ messageId }) => this.set({ messages: this.messages.filter(({ id }) => id !== messageId) }),
    };
    for (const [event, handler] of Object.entries(this.handlers)) socket.on(event, handler);
  }

  async #http(method, path, body) {
    const { url, token } = this.connection;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'X-Dialect': 'marketplace' },
      body: body && JSON.stringify(body),
    });
    return response.json();
  }

  send(content) {
    return this.#http('POST', '/api/messages', { conversationId: this.conversationId, content });
  }

  markRead(messageIds) {
    return this.#http('POST', '/api/messages/read', { conversationId: this.conversationId, messageIds });
  }

  remove(messageId) {
    return this.#http('DELETE', `/api/messages/${messageId}`);
  }

  /** What the app polled for before it had a socket. */
  async pollUnread() {
    const { unreadCount } = await this.#http('GET', '/api/messages/unread-count');
    return unreadCount;
  }

  handleTyping(isTyping) {
    this.connection.socket.emit(isTyping ? 'typing:start' : 'typing:stop', { conversationId: this.conversationId });
  }

  unmount() {
    const { socket } = this.connection;
    socket.emit('leave:conversation', this.conversationId);
    for (const [event, handler] of Object.entries(this.handlers)) socket.off(event, handler);
  }
}
