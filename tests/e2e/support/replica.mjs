// A client that keeps a copy of conversations, the way an app with a local store does: live events are
// applied as they come, and after an absence `sync` brings what was missed. Two replicas of one conversation,
// however their connections went, end equal.
import { plainMessage } from './dialects.mjs';

export class Replica {
  constructor(client, conversationIds) {
    this.client = client;
    this.ids = conversationIds;
    this.state = new Map(conversationIds.map((id) => [id, new Map()]));
    // The revision up to which this copy is known to be complete. Live events raise it only while nothing
    // can be missing before them, which is when no catch-up is under way.
    this.revs = new Map(conversationIds.map((id) => [id, 0]));
    this.waiting = [];
    this.pages = 0;
    const { socket, words } = client;
    const live = (apply) => (data) => (this.waiting ? this.waiting.push(() => apply(data)) : apply(data));
    socket.on(words.messageEvent, live((data) => this.#put(plainMessage(client.dialect, words.unwrap(data)))));
    socket.on('message:edited', live(({ message }) => this.#put(plainMessage(client.dialect, message))));
    socket.on('message:deleted', live(({ conversationId, messageId }) => {
      const message = this.state.get(conversationId)?.get(messageId);
      if (message) Object.assign(message, { text: null, deleted: true });
    }));
    socket.on('message:reaction', live(({ conversationId, messageId, reactions }) => {
      const message = this.state.get(conversationId)?.get(messageId);
      if (message) message.reactions = reactions;
    }));
    socket.on('disconnect', () => {
      this.waiting = [];
    });
  }

  #put(message) {
    const messages = this.state.get(message.conversationId);
    if (!messages) return;
    const known = messages.get(message.id);
    if (known && known.rev > message.rev) return;
    messages.set(message.id, message);
    if (!this.waiting) this.revs.set(message.conversationId, Math.max(this.revs.get(message.conversationId), message.rev));
  }

  /** Joins and catches up; until it is done live events wait, and then they are applied on top. */
  async enter() {
    this.waiting ??= [];
    for (const id of this.ids) await this.client.join(id);
    for (let behind = this.ids; behind.length > 0; ) {
      const { conversations } = await this.client.ok('sync', { conversations: Object.fromEntries(behind.map((id) => [id, this.revs.get(id)])) });
      this.pages += 1;
      for (const { conversationId, rev, messages } of conversations) {
        for (const raw of messages) this.#put(plainMessage(this.client.dialect, raw));
        this.revs.set(conversationId, Math.max(this.revs.get(conversationId), rev));
      }
      behind = conversations.filter(({ hasMore }) => hasMore).map(({ conversationId }) => conversationId);
    }
    const waiting = this.waiting;
    this.waiting = null;
    for (const apply of waiting) apply();
  }

  /** What a user would see of a conversation, in order. */
  view(conversationId) {
    return [...this.state.get(conversationId).values()]
      .sort((a, b) => a.seq - b.seq)
      .map(({ id, seq, senderId, text, edited, deleted, reactions, replyTo }) => ({
        id,
        seq,
        senderId,
        text,
        deleted,
        // Of a tombstone only its place counts.
        edited: edited && !deleted,
        reactions: deleted ? [] : reactions.map(({ emoji, userIds }) => `${emoji} ${[...userIds].sort().join(' ')}`).sort(),
        replyTo: deleted ? null : (replyTo?.id ?? null),
      }));
  }
}
