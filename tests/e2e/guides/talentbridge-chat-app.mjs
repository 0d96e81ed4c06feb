// The talentbridge guide's single-file chat component: it loads conversations when it connects, joins the one
// that is opened and leaves the one before, and shows what arrives. It names no dialect.
import { io } from 'socket.io-client';
import { Machine } from './machine.mjs';

export class ChatApp extends Machine {
  conversations = [];
  active = null;
  messages = [];
  draft = '';
  someoneTyping = false;
  online = new Set();
  sendErrors = [];

  constructor(url, accessToken) {
    super();
    this.url = url;
    this.headers = { Authorization: `Bearer ${accessToken}` };
    this.socket = io(url, { auth: { token: accessToken }, forceNew: true });
    this.socket.on('connect', () => this.loadConversations());
    this.socket.on('message:new', ({ conversationId, message }) => {
      if (conversationId === this.active?._id) this.set({ messages: [...this.messages, message] });
      this.set({
        conversations: this.conversations.map((entry) => (entry._id === conversationId ? { ...entry, lastMessage: message } : entry)),
      });
    });
    this.socket.on('typing:start', ({ conversationId }) => {
      if (conversationId === this.active?._id) this.set({ someoneTyping: true });
    });
    this.socket.on('typing:stop', () => this.set({ someoneTyping: false }));
    this.socket.on('user:online', ({ userId }) => this.set({ online: new Set([...this.online, userId]) }));
    this.socket.on('user:offline', ({ userId }) => {
      const online = new Set(this.online);
      online.delete(userId);
      this.set({ online });
    });
  }

  async loadConversations() {
    const response = await fetch(`${this.url}/api/v1/chat/conversations`, { headers: this.headers });
    this.set({ conversations: (await response.json()).data.conversations });
  }

  open(conversation) {
    if (this.active) this.socket.emit('conversation:leave', this.active._id);
    this.set({ active: conversation });
    this.socket.emit('conversation:join', conversation._id);
    return this.loadMessages(conversation._id);
  }

  async loadMessages(conversationId) {
    const response = await fetch(`${this.url}/api/v1/chat/messages/all/${conversationId}`, { headers: this.headers });
    this.set({ messages: (await response.json()).data.messages });
  }

  send() {
    if (!this.draft.trim() || !this.active) return;
    this.socket.emit('message:send', { conversationId: this.active._id, text: this.draft.trim() }, (response) => {
      if (response.success) this.set({ draft: '' });
      else this.set({ sendErrors: [...this.sendErrors, response.error] });
    });
  }

  /** What the list renders: the others' names, the preview and the badge. */
  rows(ownId) {
    return this.conversations.map((entry) => ({
      names: entry.participantUsers?.filter((user) => user._id !== ownId).map((user) => user.fullName).join(', '),
      preview: entry.lastMessage?.text?.substring(0, 50),
      badge: entry.unreadCount,
    }));
  }

  /** What the window renders of each message. */
  bubbles(ownId) {
    return this.messages.map((message) => ({
      own: message.sender._id === ownId,
      name: message.sender.fullName,
      text: message.text,
      validTime: !Number.isNaN(new Date(message.createdAt).getTime()),
    }));
  }

  unmount() {
    this.socket.disconnect();
  }
}
