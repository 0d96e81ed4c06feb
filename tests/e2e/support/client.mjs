// One socket with a memory: everything that arrives is recorded in order, so that a test can wait for
// what has already come as well as for what is to come, and can say what did not come.
import { randomUUID } from 'node:crypto';
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { vocabulary } from './dialects.mjs';
import { PATIENCE, within } from './wait.mjs';

const ACK_PACKET = 3;

/**
 * What the library answers to a poll that meets the upgrade to WebSocket: it looks whether one is under way before it takes the
 * session, and an upgrade that begins between the two has the session already. It ends the session then, and the client
 * connects once more by itself.
 */
const MET_THE_UPGRADE = 'xhr poll error: 400 ';

export class Client {
  /** A connected client; a refusal rejects with the `connect_error`. */
  static async connect(person, options = {}) {
    const client = new Client(person, options);
    await client.ready();
    return client;
  }

  /**
   * `dialect` is what this client speaks; it is named in the handshake unless `announce` is false.
   * `token`, `auth`, `url` and any option of socket.io-client replace the usual ones.
   */
  constructor(person, { dialect = 'talentbridge', announce = true, token = person.token, auth, url, ...options } = {}) {
    this.person = person;
    this.dialect = dialect;
    this.words = vocabulary[dialect];
    this.log = [];
    this.ackCounts = new Map();
    this.waiters = new Set();
    this.socket = io(url ?? person.server.url, {
      auth: auth ?? { token, ...(announce ? { dialect } : {}) },
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      ...options,
    });
    this.socket.onAny((event, ...args) => this.#record(event, args));
    this.socket.on('connect', () => this.#record('connect', []));
    this.socket.on('connect_error', (error) => this.#record('connect_error', [error]));
    this.socket.on('disconnect', (reason) => this.#record('disconnect', [reason]));
    this.socket.io.on('packet', (packet) => {
      if (packet.type === ACK_PACKET) this.ackCounts.set(packet.id, (this.ackCounts.get(packet.id) ?? 0) + 1);
    });
    person.server.clients.add(this);
  }

  #record(event, args) {
    this.log.push({ event, args });
    for (const waiter of [...this.waiters]) waiter();
  }

  async ready() {
    for (let since = 0; ; ) {
      const first = await this.untilAny(['connect', 'connect_error'], undefined, { since });
      if (first.event === 'connect') return;
      const [error] = first.args;
      const { description, context } = error;
      const failure = `${error.message}: ${description?.message ?? description} ${context?.responseText ?? ''}`;
      if (failure === MET_THE_UPGRADE && since === 0) {
        since = this.log.indexOf(first) + 1;
        continue;
      }
      this.close();
      throw error.type === 'TransportError' ? new Error(failure, { cause: error }) : error;
    }
  }

  close() {
    this.socket.disconnect();
    this.person.server.clients.delete(this);
  }

  /** Cuts the transport under the socket, as a lost network does; the client then reconnects by itself. */
  drop() {
    this.socket.io.engine.close();
  }

  get transport() {
    return this.socket.io.engine.transport.name;
  }

  /** Returns once the connection that began with polling goes over WebSocket. */
  async upgraded() {
    const { engine } = this.socket.io;
    if (engine.transport.name === 'websocket') return;
    await within(PATIENCE, 'the upgrade to WebSocket', new Promise((resolve) => engine.once('upgrade', resolve)));
  }

  /** A place in the record, to wait or look from. */
  mark() {
    return this.log.length;
  }

  /** First arguments of every recorded `event`, in order. */
  received(event, { since = 0 } = {}) {
    return this.log.slice(since).filter((entry) => entry.event === event).map((entry) => entry.args[0]);
  }

  /** The first entry, past or coming, that is one of `events` and satisfies. */
  async untilAny(events, satisfied = () => true, { since = 0, patience = PATIENCE } = {}) {
    const find = () => this.log.slice(since).find((entry) => events.includes(entry.event) && satisfied(...entry.args));
    return this.#wait(find, () => `${events.join(' or ')} at ${this.person.name} (${this.dialect}), who had ${this.#summary(since)}`, patience);
  }

  /** The first argument of the first such event, past or coming. */
  async until(event, satisfied, options) {
    return (await this.untilAny([event], satisfied, options)).args[0];
  }

  /** Waits until `condition()` holds; it is looked at after each arrival. */
  async untilTrue(what, condition, { patience = PATIENCE } = {}) {
    await this.#wait(() => condition() || undefined, () => `${what} at ${this.person.name} (${this.dialect}), who had ${this.#summary(0)}`, patience);
  }

  async #wait(find, what, patience) {
    const already = find();
    if (already !== undefined) return already;
    let waiter;
    const arrival = new Promise((resolve) => {
      waiter = () => {
        const found = find();
        if (found !== undefined) resolve(found);
      };
      this.waiters.add(waiter);
    });
    try {
      return await within(patience, what, arrival);
    } finally {
      this.waiters.delete(waiter);
    }
  }

  #summary(since) {
    return JSON.stringify(this.log.slice(since).slice(-12).map(({ event, args }) => [event, ...args.map((arg) => (arg instanceof Error ? arg.message : arg))])).slice(0, 3000);
  }

  emit(event, ...args) {
    this.socket.emit(event, ...args);
  }

  /** Emits with an ack and returns what it was called with. */
  call(event, ...args) {
    return within(PATIENCE, () => `the ack of ${event} at ${this.person.name} (${this.dialect})`, this.socket.emitWithAck(event, ...args));
  }

  /** Like `call`, and says in a function how often that ack has come by the time one asks. */
  async callCounted(event, ...args) {
    const id = this.socket.ids;
    const answer = await this.call(event, ...args);
    return { answer, acks: () => this.ackCounts.get(id) ?? 0 };
  }

  /** A call that must succeed. */
  async ok(event, ...args) {
    const answer = await this.call(event, ...args);
    assert.equal(answer?.success, true, `${event} ${JSON.stringify(args)} → ${JSON.stringify(answer)}`);
    return answer;
  }

  join(id) {
    return this.ok(...this.words.join(id));
  }

  leave(id) {
    return this.ok(...this.words.leave(id));
  }

  /** Sends in this dialect's own way and returns the ack; a dialect without a send goes over REST. */
  async send(conversationId, text, more = {}) {
    if (!this.words.send) {
      const { body } = await this.person.rest.in(this.dialect).post('/api/messages', { conversationId, content: text, ...more });
      assert.ok(body.success, JSON.stringify(body));
      return { success: true, messageId: body.data.message.id, conversationId, message: body.data.message };
    }
    return this.ok(...this.words.send({ conversationId, text, senderId: this.person.id, ...more }));
  }

  /** The send event of this dialect, unsent: [name, payload]. */
  sending(conversationId, text, more = {}) {
    return this.words.send({ conversationId, text, senderId: this.person.id, ...more });
  }

  startTyping(id) {
    return this.call(...this.words.typingStart(id, this.person.id));
  }

  stopTyping(id) {
    return this.call(...this.words.typingStop(id, this.person.id));
  }

  /** New messages that arrived, in the plain form that `dialects.mjs` reads out of each dialect. */
  messages(conversationId, { since = 0 } = {}) {
    return this.received(this.words.messageEvent, { since })
      .map((data) => this.words.plain(this.words.unwrap(data)))
      .filter((message) => conversationId === undefined || message.conversationId === conversationId);
  }

  /** The talk of a conversation as it arrived, without the server's lines about membership. */
  texts(conversationId, options) {
    return this.messages(conversationId, options).filter((message) => message.type !== 'system').map((message) => message.text);
  }

  async untilMessage(satisfied, options) {
    const data = await this.until(this.words.messageEvent, (raw) => satisfied(this.words.plain(this.words.unwrap(raw))), options);
    return this.words.unwrap(data);
  }

  untilText(text, options) {
    return this.untilMessage((message) => message.text === text, options);
  }

  /** Typing as it arrived for a conversation: [[userId, true|false], …]. */
  typing(conversationId, { since = 0 } = {}) {
    return this.log
      .slice(since)
      .map(({ event, args }) => this.words.readTyping(event, args[0]))
      .filter((change) => change && change.conversationId === conversationId)
      .map((change) => [change.userId, change.typing]);
  }

  untilTyping(conversationId, userId, typing, { since = 0 } = {}) {
    const seen = () => this.typing(conversationId, { since }).some(([who, state]) => who === userId && state === typing);
    return this.untilTrue(`${userId} ${typing ? 'typing' : 'no longer typing'}`, seen);
  }

  /**
   * Returns when everything that was published before this call has reached the socket: a message is sent
   * in a group made for the purpose, and events reach one socket in the order they were published. It is
   * how a test shows that something did not come, without guessing how long to wait.
   */
  async fence() {
    if (!this.fencing) {
      const keeper = await this.person.server.person('Fence');
      this.fencing = { keeper, group: await keeper.group('fence', [this.person]) };
    }
    const { keeper, group } = this.fencing;
    // After a reconnect the room has to be entered again; joining twice does no harm.
    await this.join(group);
    const text = `fence ${randomUUID()}`;
    await keeper.say(group, text);
    await this.untilText(text);
  }
}

/** Fences several clients at once. */
export const fence = (...clients) => Promise.all(clients.map((client) => client.fence()));
