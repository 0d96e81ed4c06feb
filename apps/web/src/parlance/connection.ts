// One socket and its life: connected when asked, tried again after 1, 2, 4, 8 and 16 seconds when it is lost, given up
// after five tries, held back while the browser is offline. What goes over it is the callers' matter.
import { io, type Socket } from 'socket.io-client';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Ack, Dialect } from './contract';

export type ConnectionStatus =
  /** Nobody asked for a connection, or it was ended on purpose. */
  | 'idle'
  | 'connecting'
  | 'connected'
  /** Lost; the next try comes at `retryAt`. */
  | 'waiting'
  /** The browser has no network; it goes on by itself when there is one. */
  | 'offline'
  /** Given up, or refused; `connect()` tries again. */
  | 'failed';

export interface ConnectionState {
  status: ConnectionStatus;
  /** Tries since the connection was lost. */
  attempt: number;
  /** When the next try comes, in milliseconds since the epoch. */
  retryAt: number | null;
  /** Why it is not connected. */
  error: Error | null;
  /** Whether it has been away for more than 30 seconds. */
  slow: boolean;
}

/** The server does not accept this token; trying again with the same one is of no use. */
export class AuthenticationError extends Error {
  override name = 'AuthenticationError';
}

/** The connection was lost and five tries have failed. */
export class GivenUpError extends Error {
  override name = 'GivenUpError';
}

/** No answer in time: it may have been carried out or not. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
}

export interface ConnectionOptions {
  /** Scheme and host of the server; the page's own by default. */
  url?: string | undefined;
  /** Asked at each try, so that a renewed token is used. */
  token: () => string | null;
  dialect: Dialect;
}

export const RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 16_000] as const;
const SLOW_AFTER_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const IDLE: ConnectionState = { status: 'idle', attempt: 0, retryAt: null, error: null, slow: false };

// biome-ignore lint/suspicious/noExplicitAny: what a listener takes is known by the event that it is for
export type Listener = (...args: any[]) => void;

export class Connection {
  readonly state: StoreApi<ConnectionState> = createStore(() => IDLE);
  readonly socket: Socket;
  #wanted = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #slow: ReturnType<typeof setTimeout> | undefined;

  constructor({ url, token, dialect }: ConnectionOptions) {
    this.socket = io(url || undefined, {
      auth: (give) => give({ token: token(), dialect }),
      autoConnect: false,
      forceNew: true,
      // The delays are fixed and tries stop while the browser is offline, which the library does not know of.
      reconnection: false,
      timeout: 20_000,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
    });
    this.socket.on('connect', () => this.#connected());
    this.socket.on('disconnect', (reason) => this.#lost(new Error(`Disconnected: ${reason}`)));
    this.socket.on('connect_error', (error) => this.#failed(error));
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  /** Connects and stays connected until `disconnect`. Also the way on after `failed`. */
  connect(): void {
    if (!this.#wanted) {
      this.#wanted = true;
      addEventListener('online', this.#online);
      addEventListener('offline', this.#offline);
    }
    if (this.socket.connected || this.state.getState().status === 'connecting') return;
    this.#become({ attempt: 0, error: null });
    this.#try();
  }

  disconnect(): void {
    this.#wanted = false;
    removeEventListener('online', this.#online);
    removeEventListener('offline', this.#offline);
    this.#settle();
    this.socket.disconnect();
    this.state.setState(IDLE);
  }

  on(event: string, listener: Listener): void {
    this.socket.on(event, listener);
  }

  off(event: string, listener?: Listener): void {
    this.socket.off(event, listener);
  }

  /** Tells the server something; false when there is no connection, and then nothing is kept for later. */
  emit(event: string, ...args: unknown[]): boolean {
    if (!this.socket.connected) return false;
    this.socket.emit(event, ...args);
    return true;
  }

  /** Tells the server something and waits for its answer, whatever it is. Fails with `NoAnswerError`. */
  async request<T>(event: string, payload: unknown, within = ANSWER_WITHIN_MS): Promise<T> {
    if (!this.socket.connected) throw new NoAnswerError('Not connected');
    try {
      return await this.socket.timeout(within).emitWithAck(event, payload);
    } catch {
      throw new NoAnswerError(`No answer to ${event}`);
    }
  }

  /** Like `request`, for the calls that are answered with `{success, …}`. */
  ask<T>(event: string, payload: unknown, within?: number): Promise<Ack<T>> {
    return this.request(event, payload, within);
  }

  #become(change: Partial<ConnectionState>): void {
    this.state.setState(change);
  }

  #settle(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#slow);
    this.#slow = undefined;
  }

  #try(): void {
    clearTimeout(this.#retry);
    if (!navigator.onLine) return this.#become({ status: 'offline', retryAt: null });
    this.#slow ??= setTimeout(() => this.#become({ slow: true }), SLOW_AFTER_MS);
    this.#become({ status: 'connecting', retryAt: null });
    this.socket.connect();
  }

  #connected(): void {
    this.#settle();
    this.state.setState({ ...IDLE, status: 'connected' });
    const debugged = window as { socketDebug?: boolean; __SOCKET__?: Socket };
    if (debugged.socketDebug) debugged.__SOCKET__ = this.socket;
  }

  #failed(error: Error): void {
    // A refusal by the server ends the socket; what fails on the way leaves it active.
    const refused = !this.socket.active;
    if (refused && !/^Too many/.test(error.message)) {
      this.#settle();
      const authentication = /^Authentication error/.test(error.message);
      const cause = authentication ? new AuthenticationError(error.message) : error;
      this.#become({ status: 'failed', retryAt: null, error: cause, slow: false });
      return;
    }
    this.#lost(error);
  }

  #lost(error: Error): void {
    if (!this.#wanted) return;
    if (!navigator.onLine) return this.#become({ status: 'offline', retryAt: null, error });
    const { attempt } = this.state.getState();
    const delay = RETRY_DELAYS_MS[attempt];
    if (delay === undefined) {
      this.#settle();
      const cause = new GivenUpError(`No connection after ${attempt} tries`, { cause: error });
      this.#become({ status: 'failed', retryAt: null, error: cause, slow: false });
      return;
    }
    this.#slow ??= setTimeout(() => this.#become({ slow: true }), SLOW_AFTER_MS);
    this.#become({ status: 'waiting', attempt: attempt + 1, retryAt: Date.now() + delay, error });
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#try(), delay);
  }

  #online = (): void => {
    if (this.socket.connected) return;
    this.#become({ attempt: 0 });
    this.#try();
  };

  #offline = (): void => {
    this.#settle();
    this.#become({ status: 'offline', retryAt: null });
    // What is sent from here on is kept instead of being lost in a dead connection.
    this.socket.disconnect();
  };
}
