// What a client says about its person while they look and write: typing, in few words, and how far they have read.
import { type ChatStore, patchConversation } from './chat-store';
import type { Connection } from './connection';
import type { Rest } from './rest';

/** Starts of typing are repeated this often while keys are pressed; the server forgets one after 3 s. */
const RENEW_MS = 2_000;
/** Without a key for this long somebody has stopped. */
const PAUSE_MS = 3_000;
/** Marks of what is scrolled past are gathered. */
const GATHER_MS = 250;

export class Typist {
  #started = new Map<string, number>();
  #pauses = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(readonly connection: Connection) {}

  /** A key was pressed; call it for each, it says little. */
  start(id: string): void {
    clearTimeout(this.#pauses.get(id));
    this.#pauses.set(
      id,
      setTimeout(() => this.stop(id), PAUSE_MS),
    );
    const now = Date.now();
    if (now - (this.#started.get(id) ?? 0) < RENEW_MS) return;
    this.#started.set(id, now);
    this.connection.emit('typing:start', id);
  }

  /** The field is empty, or the message is sent. */
  stop(id: string): void {
    clearTimeout(this.#pauses.get(id));
    this.#pauses.delete(id);
    if (this.#started.delete(id)) this.connection.emit('typing:stop', id);
  }
}

export class Reading {
  #marked = new Map<string, number>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #wanted = new Map<string, { id: string; seq: number }>();

  constructor(
    readonly store: ChatStore,
    readonly connection: Connection,
    readonly rest: Rest,
  ) {}

  /** Somebody has seen this message and all before it. */
  mark(conversationId: string, message: { _id: string; seq: number }): void {
    const further = Math.max(this.#marked.get(conversationId) ?? 0, this.#wanted.get(conversationId)?.seq ?? 0);
    if (message.seq <= further) return;
    this.#wanted.set(conversationId, { id: message._id, seq: message.seq });
    if (this.#timers.has(conversationId)) return;
    this.#timers.set(
      conversationId,
      setTimeout(() => void this.flush(conversationId), GATHER_MS),
    );
  }

  /** Marks up to a message, or everything, at once. False when nobody could be told; it is tried again later. */
  async read(conversationId: string, upToMessageId: string | null): Promise<boolean> {
    try {
      let unreadCount: number;
      if (this.connection.isConnected) {
        const payload = { conversationId, upToMessageId };
        const answer = await this.connection.ask<{ unreadCount: number }>('messages:mark_read', payload);
        if (!answer.success) return false;
        unreadCount = answer.unreadCount;
      } else {
        ({ unreadCount } = await this.rest.markRead(conversationId, upToMessageId));
      }
      patchConversation(this.store, conversationId, () => ({ unreadCount }));
      return true;
    } catch {
      return false;
    }
  }

  /** Tells the server now what is gathered, also after a connection was away. */
  async flush(conversationId: string): Promise<void> {
    clearTimeout(this.#timers.get(conversationId));
    this.#timers.delete(conversationId);
    const wanted = this.#wanted.get(conversationId);
    if (!wanted) return;
    if (!(await this.read(conversationId, wanted.id))) return;
    this.#marked.set(conversationId, Math.max(wanted.seq, this.#marked.get(conversationId) ?? 0));
    if (this.#wanted.get(conversationId) === wanted) this.#wanted.delete(conversationId);
    else await this.flush(conversationId);
  }

  /** What could not be told yet. */
  async flushAll(): Promise<void> {
    await Promise.all([...this.#wanted.keys()].map((id) => this.flush(id)));
  }
}
