// A client for the server that the nextchat guide lists twice: rooms in objects, messages that name their sender,
// typing that has no stop of its own. The token is the one line that the contract adds.
import { io } from 'socket.io-client';
import { Machine } from './machine.mjs';

export class NextChat extends Machine {
  status = 'connecting';
  messages = [];
  typing = new Map();
  typingLog = [];

  constructor(url, token, userId) {
    super();
    this.userId = userId;
    this.socket = io(url, { auth: { token }, forceNew: true });
    this.socket.on('connect', () => this.set({ status: 'connected' }));
    this.socket.on('disconnect', () => this.set({ status: 'disconnected' }));
    this.socket.on('newMessage', (message) => this.set({ messages: [...this.messages, message] }));
    this.socket.on('typing', ({ userId: who, isTyping }) =>
      this.set({ typing: new Map(this.typing).set(who, isTyping), typingLog: [...this.typingLog, [who, isTyping]] }));
  }

  enter(conversationId) {
    this.conversationId = conversationId;
    this.socket.emit('joinConversation', { conversationId });
  }

  leave() {
    this.socket.emit('leaveConversation', { conversationId: this.conversationId });
  }

  send(message) {
    this.socket.emit('sendMessage', { conversationId: this.conversationId, senderId: this.userId, message });
  }

  keystroke() {
    this.socket.emit('typing', { conversationId: this.conversationId, userId: this.userId });
  }

  close() {
    this.socket.disconnect();
  }
}
