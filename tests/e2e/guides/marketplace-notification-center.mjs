// The marketplace guide's notification center: a list and how many of it are unread, kept by three events. What the
// guide leaves to the reader is here too: the list is loaded on every connect, so that nothing is missed while the
// connection was lost, and loaded again if something happened meanwhile.
import { Machine } from './machine.mjs';

export class NotificationCenter extends Machine {
  notifications = [];
  /** Unread ones that are not in the list, which holds the newest. */
  beyond = 0;
  loaded = false;
  heard = [];

  constructor(connection, rest) {
    super();
    this.connection = connection;
    this.rest = rest.in('marketplace');
    const { socket } = connection;
    this.handlers = {
      connect: () => this.load(),
      disconnect: () => this.set({ loaded: false }),
      'notification:new': (notification) => this.#happened('new', ({ notifications }) => [notification, ...notifications.filter(({ id }) => id !== notification.id)]),
      'notification:read': (id) => this.#happened('read', ({ notifications }) => notifications.map((shown) => (shown.id === id ? { ...shown, isRead: true } : shown))),
      'notifications:read-all': (...args) => {
        this.set({ beyond: 0 });
        this.#happened(`read all${args.length > 0 ? ` with ${JSON.stringify(args)}` : ''}`, ({ notifications }) => notifications.map((shown) => ({ ...shown, isRead: true })));
      },
    };
    for (const [event, handler] of Object.entries(this.handlers)) socket.on(event, handler);
    if (socket.connected) this.load();
  }

  get unreadCount() {
    return this.beyond + this.notifications.filter(({ isRead }) => !isRead).length;
  }

  #happened(what, change) {
    this.stale = true;
    this.set((state) => ({ notifications: change(state), heard: [...this.heard, what] }));
  }

  async load() {
    // One at a time: of two, the older answer could come last.
    this.stale = true;
    if (this.loading) return;
    this.loading = true;
    let answer;
    try {
      while (this.stale) {
        this.stale = false;
        answer = await this.rest.get('/api/v1/notifications?limit=100');
      }
    } finally {
      this.loading = false;
    }
    const { notifications, unreadCount } = answer.data;
    this.set({ notifications, beyond: unreadCount - notifications.filter(({ isRead }) => !isRead).length, loaded: true });
  }

  markAsRead(id) {
    this.connection.socket.emit('notification:read', id);
  }

  markAllAsRead() {
    this.connection.socket.emit('notifications:read-all');
  }

  unmount() {
    for (const [event, handler] of Object.entries(this.handlers)) this.connection.socket.off(event, handler);
  }
}
