// The way of a message from the keyboard to the server: kept in the outbox first, sent over the socket, over REST where
// there is no socket or it does not answer, and repeated until the server has answered. The same `clientMessageId`
// goes along each time, so the message is stored once. One at a time, in the order written.
import type { ChatStore } from './chat-store';
import type { Connection } from './connection';
import { NoAnswerError } from './connection';
import type { ErrorCode, Medium, Message, Reply, SendAck } from './contract';
import { randomId } from './ids';
import { type Outbox, openOutbox, type Pending } from './outbox';
import { ApiError, NetworkError, type Rest } from './rest';

export interface Outgoing {
  conversationId: string;
  text: string;
  replyTo?: Reply | null;
  media?: Medium[];
}

/** How a message went out. `queued`: it is kept, and goes out when there is a connection. */
export type Sent =
  | { success: true; method: 'socket' | 'rest'; messageId: string; message: Message; clientMessageId: string }
  | { success: true; method: 'queued'; clientMessageId: string }
  | { success: false; error: string; clientMessageId: string };

type Outcome =
  | { kind: 'stored'; method: 'socket' | 'rest'; message: Message }
  | { kind: 'refused'; error: string }
  | { kind: 'later'; waitMs: number | null };

const BUSY_WAIT_MS = 2_000;

export class Sending {
  #outbox: Promise<Outbox>;
  #waiters = new Map<string, (sent: Sent) => void>();
  #pumping = false;
  #again = false;
  #wake: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    readonly store: ChatStore,
    readonly connection: Connection,
    readonly rest: Rest,
    readonly stored: (message: Message) => void,
    outboxName?: string,
  ) {
    this.#outbox = openOutbox(outboxName);
  }

  /** Shows again what was on its way when the page was left. */
  async restore(userId: string): Promise<void> {
    const kept = await (await this.#outbox).list(userId);
    this.store.setState(({ pending }) => {
      const known = new Set(pending.map(({ clientMessageId }) => clientMessageId));
      const added = kept.filter(({ clientMessageId }) => !known.has(clientMessageId));
      return { pending: [...pending, ...added].sort((a, b) => a.order - b.order) };
    });
  }

  /** Keeps a message and sends it. Resolves when the server has it or refused it, or when it has to wait. */
  async send(outgoing: Outgoing): Promise<Sent> {
    const clientMessageId = randomId();
    const userId = this.store.getState().me?._id;
    if (!userId) return { success: false, error: 'Not signed in yet', clientMessageId };
    const entry = await (await this.#outbox).add({
      userId,
      conversationId: outgoing.conversationId,
      clientMessageId,
      text: outgoing.text,
      replyTo: outgoing.replyTo ?? null,
      media: outgoing.media ?? [],
      createdAt: new Date().toISOString(),
      state: 'queued',
      error: null,
    });
    this.store.setState(({ pending }) => ({ pending: [...pending, entry] }));
    const sent = new Promise<Sent>((resolve) => this.#waiters.set(clientMessageId, resolve));
    void this.pump();
    return sent;
  }

  /** Sends a refused one again. */
  async retry(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (!entry) return;
    await this.#put({ ...entry, state: 'queued', error: null });
    await this.pump();
  }

  /** Gives one up. */
  async discard(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (entry) await this.#remove(entry);
  }

  /** The server has one of ours, whoever tells of it. */
  async confirm(message: Message): Promise<void> {
    const entry = message.clientMessageId ? this.#find(message.clientMessageId) : undefined;
    if (entry) await this.#remove(entry);
  }

  /** Sends what waits, until nothing does or the server cannot be reached. */
  async pump(): Promise<void> {
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#pumping = true;
    clearTimeout(this.#wake);
    try {
      do {
        this.#again = false;
        await this.#drain();
      } while (this.#again && !this.#stopped);
    } finally {
      this.#pumping = false;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#wake);
  }

  async #drain(): Promise<void> {
    for (let entry = this.#next(); entry && !this.#stopped; entry = this.#next()) {
      const outcome = await this.#attempt(entry);
      if (outcome.kind === 'later') {
        this.#tellQueued();
        if (outcome.waitMs !== null) this.#wake = setTimeout(() => void this.pump(), outcome.waitMs);
        return;
      }
      await this.#settle(entry, outcome);
    }
  }

  async #settle(entry: Pending, outcome: Exclude<Outcome, { kind: 'later' }>): Promise<void> {
    const { clientMessageId } = entry;
    if (outcome.kind === 'refused') {
      await this.#put({ ...entry, state: 'failed', error: outcome.error });
      this.#tell(clientMessageId, { success: false, error: outcome.error, clientMessageId });
      return;
    }
    const { method, message } = outcome;
    this.stored(message);
    await this.#remove(entry);
    this.#tell(clientMessageId, { success: true, method, messageId: message._id, message, clientMessageId });
  }

  async #attempt(entry: Pending): Promise<Outcome> {
    // Media go over REST: `message:send` has no field for them.
    if (this.connection.isConnected && entry.media.length === 0) {
      try {
        const { conversationId, text, clientMessageId } = entry;
        const payload = { conversationId, text, replyTo: entry.replyTo?._id ?? null, clientMessageId };
        const answer = await this.connection.ask<SendAck>('message:send', payload);
        if (answer.success) return { kind: 'stored', method: 'socket', message: answer.message };
        return refused(answer);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
      }
    }
    return this.#overRest(entry);
  }

  async #overRest({ conversationId, text, replyTo, clientMessageId, media }: Pending): Promise<Outcome> {
    if (!navigator.onLine) return { kind: 'later', waitMs: null };
    try {
      const draft = { conversationId, text, replyTo: replyTo?._id ?? null, clientMessageId };
      const message = await this.rest.send(media.length > 0 ? { ...draft, media: media.map(named) } : draft);
      return { kind: 'stored', method: 'rest', message };
    } catch (error) {
      if (error instanceof ApiError)
        return refused({ code: error.code, error: error.message, retryAfterMs: error.retryAfterMs });
      // The next connection goes on.
      if (error instanceof NetworkError)
        return { kind: 'later', waitMs: this.connection.isConnected ? BUSY_WAIT_MS : null };
      throw error;
    }
  }

  /** The oldest that waits. One that failed holds nobody up. */
  #next(): Pending | undefined {
    return this.store.getState().pending.find(({ state }) => state === 'queued');
  }

  #find(clientMessageId: string): Pending | undefined {
    return this.store.getState().pending.find((entry) => entry.clientMessageId === clientMessageId);
  }

  async #put(changed: Pending): Promise<void> {
    this.store.setState(({ pending }) => ({
      pending: pending.map((entry) => (entry.order === changed.order ? changed : entry)),
    }));
    await (await this.#outbox).put(changed);
  }

  async #remove({ order }: Pending): Promise<void> {
    this.store.setState(({ pending }) => ({ pending: pending.filter((entry) => entry.order !== order) }));
    await (await this.#outbox).remove(order);
  }

  #tell(clientMessageId: string, sent: Sent): void {
    this.#waiters.get(clientMessageId)?.(sent);
    this.#waiters.delete(clientMessageId);
  }

  #tellQueued(): void {
    for (const clientMessageId of [...this.#waiters.keys()]) {
      this.#tell(clientMessageId, { success: true, method: 'queued', clientMessageId });
    }
  }
}

const named = ({ url, type, filename, size }: Medium) => ({
  url,
  type,
  ...(filename === null ? {} : { filename }),
  ...(size === null ? {} : { size }),
});

/** What to do with a refusal: some only ask for patience. */
function refused({
  code,
  error,
  retryAfterMs,
}: {
  code: ErrorCode | undefined;
  error: string;
  retryAfterMs?: number | undefined;
}): Outcome {
  if (code === 'RATE_LIMITED' || code === 'UNAVAILABLE') return { kind: 'later', waitMs: retryAfterMs ?? BUSY_WAIT_MS };
  return { kind: 'refused', error };
}
