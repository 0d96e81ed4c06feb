// The gateway guide's three hooks. Its shared socket offers on, off and emit; the message hook holds one
// conversation, and the notification hook counts.
import { io } from 'socket.io-client';
import { Machine } from './machine.mjs';

export class Realtime extends Machine {
  isConnected = false;
  lastError = null;

  constructor(url, token, { autoConnect = true, onConnect, onDisconnect, onError } = {}) {
    super();
    this.socket = io(url, { auth: { token }, autoConnect, reconnection: true, reconnectionAttempts: 5, reconnectionDelay: 100, forceNew: true });
    this.socket.on('connect', () => {
      this.set({ isConnected: true });
      onConnect?.();
    });
    this.socket.on('disconnect', () => {
      this.set({ isConnected: false });
      onDisconnect?.();
    });
    this.socket.on('connect_error', (error) => {
      this.set({ lastError: error.message });
      onError?.(error);
    });
  }

  connect() {
    this.socket.connect();
  }

  on(event, handler) {
    this.socket.on(event, handler);
  }

  off(event, handler) {
    this.socket.off(event, handler);
  }

  emit(event, data) {
    this.socket.emit(event, data);
  }

  disconnect() {
    this.socket.disconnect();
  }
}

export class RealtimeMessages extends Machine {
  newMessage = null;
  seen = [];
  typing = new Set();

  constructor(realtime, conversationId) {
    super();
    this.realtime = realtime;
    this.conversationId = conversationId;
    this.handlers = {
      newMessage: (message) => {
        if (message.conversationId === conversationId) this.set({ newMessage: message, seen: [...this.seen, message] });
      },
      userTyping: ({ userId }) => this.set({ typing: new Set([...this.typing, userId]) }),
      userStoppedTyping: ({ userId }) => this.set({ typing: new Set([...this.typing].filter((id) => id !== userId)) }),
    };
    for (const [event, handler] of Object.entries(this.handlers)) realtime.on(event, handler);
    this.join = () => realtime.emit('joinConversation', { conversationId });
    realtime.on('connect', this.join);
    if (realtime.isConnected) this.join();
  }

  sendMessage(content) {
    this.realtime.emit('sendMessage', { conversationId: this.conversationId, content });
  }

  userTypes() {
    this.realtime.emit('typing', { conversationId: this.conversationId });
  }

  userStops() {
    this.realtime.emit('stopTyping', { conversationId: this.conversationId });
  }

  unmount() {
    for (const [event, handler] of Object.entries(this.handlers)) this.realtime.off(event, handler);
    this.realtime.off('connect', this.join);
    this.realtime.emit('leaveConversation', { conversationId: this.conversationId });
  }
}

export class RealtimeNotifications extends Machine {
  unreadCount = 0;
  newNotification = null;

  constructor(realtime) {
    super();
    this.handlers = {
      notification: (notification) => this.set({ newNotification: notification }),
      unreadCount: (unreadCount) => this.set({ unreadCount }),
    };
    this.realtime = realtime;
    for (const [event, handler] of Object.entries(this.handlers)) realtime.on(event, handler);
  }

  get badge() {
    if (this.unreadCount === 0) return null;
    return this.unreadCount > 99 ? '99+' : String(this.unreadCount);
  }

  unmount() {
    for (const [event, handler] of Object.entries(this.handlers)) this.realtime.off(event, handler);
  }
}
