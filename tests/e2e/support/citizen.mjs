// Somebody under load: writes, reads, keeps a copy, and goes to another node when theirs is gone, as `socket.io-client` and
// an app with a local store do. Remembers what a checker needs: what was acknowledged, what came out of order, how far they
// have read.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { plainMessage } from './dialects.mjs';
import { Replica } from './replica.mjs';

export class Citizen {
  /** `pace` is the time between two deeds of one lane, on average, in milliseconds. */
  constructor(client, conversations, nodes, luck, pace) {
    Object.assign(this, { client, conversations, nodes, luck, pace, sent: [], connection: 0, outOfOrder: 0, flapped: 0 });
    /** For each conversation how far reading was acknowledged, and how far it was asked for: a `seq`. */
    this.read = new Map(conversations.map((id) => [id, { acked: 0, asked: 0 }]));
    this.reads = 0;
    this.replica = new Replica(client, conversations);
    const last = new Map();
    const online = new Map();
    const { socket, words } = client;
    socket.on(words.messageEvent, (data) => {
      const { conversationId, seq } = plainMessage(client.dialect, words.unwrap(data));
      if (seq <= (last.get(conversationId) ?? 0)) this.outOfOrder += 1;
      last.set(conversationId, seq);
    });
    for (const state of ['online', 'offline']) {
      socket.on(`user:${state}`, ({ userId }) => {
        if (online.get(userId) === state) this.flapped += 1;
        online.set(userId, state);
      });
    }
    socket.on('connect', () => {
      this.connection += 1;
      // What is promised is promised to a socket.
      for (const heard of [last, online]) heard.clear();
      this.#catchUp();
    });
    socket.on('disconnect', () => this.#elsewhere());
    socket.on('connect_error', () => this.#elsewhere());
    this.#catchUp();
  }

  #elsewhere() {
    this.client.socket.io.uri = this.luck.pick(this.nodes).url;
  }

  async #catchUp() {
    const { connection } = this;
    while (this.client.socket.connected && connection === this.connection) {
      const entered = await this.replica.enter().then(() => true, () => false);
      if (entered) return;
      await pause(100);
    }
  }

  /** Lives until `stopped`: a few messages at a time, as the server allows, and reading between them. */
  async live() {
    const lane = async (deed) => {
      while (!this.stopped) {
        await deed();
        await pause(this.pace * (0.5 + this.luck.next()));
      }
    };
    const write = () => this.#write();
    await Promise.all([lane(write), lane(write), lane(write), lane(() => this.#markRead())]);
  }

  /** Until it is acknowledged, with the same mark each time. */
  async #write() {
    const message = { conversationId: this.luck.pick(this.conversations), text: randomUUID(), clientMessageId: randomUUID() };
    this.sent.push(message);
    const { conversationId, text, clientMessageId } = message;
    while (!message.messageId) {
      const event = this.client.sending(conversationId, text, { clientMessageId });
      const answer = await this.#ask(...event);
      if (answer?.success) message.messageId = answer.messageId ?? answer.message?._id;
      else await pause(100);
    }
  }

  /** Some message that is there, not always the newest: to have read an older one takes nothing back. */
  async #markRead() {
    const conversationId = this.luck.pick(this.conversations);
    const message = this.luck.pick(this.replica.view(conversationId).slice(-20));
    if (!message) return;
    const { read } = this;
    const position = read.get(conversationId);
    position.asked = Math.max(position.asked, message.seq);
    const answer = await this.#ask('messages:mark_read', { conversationId, upToMessageId: message.id });
    if (!answer?.success) return;
    this.reads += 1;
    position.acked = Math.max(position.acked, message.seq);
  }

  #ask(...event) {
    return this.client.socket.timeout(10_000).emitWithAck(...event).catch(() => undefined);
  }
}
