// One signed-in person's chat, without a screen: a `talentbridge` connection, the HTTP API, the outbox and the store,
// put together. React is not in it; hooks read its store and call its methods.

import { Reading, Typist } from './attention';
import { type ChatStore, createChatStore, dropConversation, patchMessage, putConversations } from './chat-store';
import { AuthenticationError, Connection } from './connection';
import type { Ack, Conversation, Message, Reaction, User } from './contract';
import { tombstone } from './history';
import { arrived, type Duties, listen } from './incoming';
import { Notices } from './notices';
import { Rest } from './rest';
import { type Outgoing, Sending, type Sent } from './sending';
import { Syncing } from './syncing';

export interface ChatClientOptions {
  /** Scheme and host of the server; the page's own by default. */
  url?: string | undefined;
  token: string;
  /** The IndexedDB database of messages on their way. */
  outboxName?: string;
  /** The server does not take the token any more: get another and call `setToken`, or show a sign-in. */
  onSessionEnded?: ((error: Error) => void) | undefined;
}

/** Statuses that can be asked for at once. */
const STATUSES_AT_ONCE = 200;

export class ChatClient {
  readonly store: ChatStore = createChatStore();
  readonly connection: Connection;
  readonly rest: Rest;
  readonly sending: Sending;
  readonly syncing: Syncing;
  readonly notices: Notices;
  readonly typist: Typist;
  readonly reading: Reading;
  #token: string;
  /** The conversation of which every change is heard: in its room, and caught up since. */
  #following: string | null = null;
  #introduction: Promise<void> | undefined;
  #duties: Duties;
  #refreshing = new Set<string>();
  #unsubscribe: (() => void)[] = [];

  constructor({ url, token, outboxName, onSessionEnded }: ChatClientOptions) {
    this.#token = token;
    const current = () => this.#token;
    this.connection = new Connection({ url, token: current, dialect: 'talentbridge' });
    this.rest = new Rest(url ?? '', current);
    this.syncing = new Syncing(this.store, this.connection, this.rest);
    this.notices = new Notices(this.store, this.rest);
    this.typist = new Typist(this.connection);
    this.reading = new Reading(this.store, this.connection, this.rest);
    this.#duties = {
      refresh: (id) => void this.#refresh(id),
      sync: (id) => void this.syncing.sync([id]).catch(() => undefined),
      confirm: (message) => void this.sending.confirm(message),
      following: (id) => this.#following === id,
      notices: () => void this.notices.refresh().catch(() => undefined),
    };
    const stored = (message: Message) => arrived(this.store, message, this.#duties);
    this.sending = new Sending(this.store, this.connection, this.rest, stored, outboxName);
    listen(this.store, this.connection, this.#duties);
    this.connection.on('session:expired', () => onSessionEnded?.(new AuthenticationError('The session has expired')));
    this.connection.state.subscribe(({ error }, before) => {
      if (error instanceof AuthenticationError && error !== before.error) onSessionEnded?.(error);
    });
  }

  /** Connects, and gets everything with each connection. `lazy` leaves the connecting to `connection.connect()`. */
  start({ lazy = false } = {}): void {
    this.#unsubscribe.push(
      this.connection.state.subscribe(({ status }, before) => {
        if (status === 'connected' && before.status !== 'connected') void this.#arrive();
        if (status !== 'connected' && before.status === 'connected') this.#following = null;
      }),
    );
    if (lazy) return;
    // Not after the socket but beside it: what there is to see does not need one.
    this.#introduced().catch(() => undefined);
    this.connection.connect();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.sending.stop();
    this.connection.disconnect();
  }

  /** A renewed token of the same person: extends the session, or begins it again. */
  async setToken(token: string): Promise<void> {
    this.#token = token;
    if (this.connection.isConnected) await this.connection.ask('auth:refresh', { token });
    else this.connection.connect();
  }

  /** Who I am, and what was on its way when the page was left. Once; what fails is tried with the next connection. */
  #introduced(): Promise<void> {
    this.#introduction ??= this.rest
      .me()
      .then(async (me) => {
        this.store.setState({ me });
        await this.sending.restore(me._id);
      })
      .catch((error: Error) => {
        this.#introduction = undefined;
        throw error;
      });
    return this.#introduction;
  }

  /** After every connect: who I am, what there is, what was missed, what waits to be sent. */
  async #arrive(): Promise<void> {
    const { activeId } = this.store.getState();
    try {
      const joined = activeId ? this.join(activeId) : undefined;
      await this.#introduced();
      const sending = this.sending.pump();
      await Promise.all([this.syncing.conversations(), joined]);
      await this.syncing.sync(Object.keys(this.store.getState().histories));
      // One that was opened without a network.
      const open = this.store.getState().activeId;
      if (open && !this.store.getState().histories[open]) await this.syncing.page(open);
      if (await joined) this.#follow(activeId);
      const notices = [this.notices.refresh(), this.notices.loadPreferences()];
      await Promise.all([this.statuses(), this.#blocked(), ...notices, this.reading.flushAll(), sending]);
      this.store.setState({ error: null });
    } catch (error) {
      // A connection that was lost in between begins this again; anything else is shown.
      if (this.connection.isConnected) this.store.setState({ error: error as Error });
    }
  }

  /** Makes a conversation the one that is looked at; `null` for none. */
  async open(id: string | null): Promise<void> {
    const before = this.store.getState().activeId;
    if (before && before !== id) this.leave(before);
    this.store.setState({ activeId: id });
    if (!id) return;
    // In the room first, so that nothing falls between the history and what is heard.
    await this.join(id);
    const { conversations, histories } = this.store.getState();
    await Promise.all([
      conversations[id] ? undefined : this.syncing.conversation(id),
      histories[id] ? undefined : this.syncing.page(id),
    ]);
    if (this.connection.isConnected) {
      await this.syncing.sync([id]);
      this.#follow(id);
    }
    await this.statuses(this.store.getState().conversations[id]);
  }

  /** From here on nothing of it is missed: it was caught up with from inside its room. */
  #follow(id: string | null): void {
    if (this.connection.isConnected && this.store.getState().activeId === id) this.#following = id;
  }

  /** Enters a conversation's room; false without a connection. */
  async join(id: string): Promise<boolean> {
    if (!this.connection.isConnected) return false;
    const answer = await this.connection.ask('conversation:join', id).catch(() => null);
    const gone = answer && !answer.success && ['NOT_PARTICIPANT', 'CONVERSATION_NOT_FOUND'].includes(answer.code);
    if (gone) dropConversation(this.store, id);
    return answer?.success ?? false;
  }

  leave(id: string): void {
    this.typist.stop(id);
    if (this.#following === id) this.#following = null;
    this.connection.emit('conversation:leave', id);
  }

  send(outgoing: Outgoing): Promise<Sent> {
    this.typist.stop(outgoing.conversationId);
    return this.sending.send(outgoing);
  }

  async edit({ conversationId, _id }: Message, text: string): Promise<void> {
    const edited = await this.rest.edit(_id, text);
    patchMessage(this.store, conversationId, _id, (known) => ({ ...edited, status: known.status }));
  }

  async delete({ conversationId, _id }: Message): Promise<void> {
    await this.rest.delete(_id);
    patchMessage(this.store, conversationId, _id, tombstone);
  }

  /** Adds or takes back a reaction, shown at once and put right by the answer. */
  async react({ conversationId, _id, reactions }: Message, emoji: string): Promise<void> {
    const me = this.store.getState().me?._id ?? '';
    const on = !reactions.some((reaction) => reaction.emoji === emoji && reaction.userIds.includes(me));
    const show = (shown: Reaction[]) =>
      patchMessage(this.store, conversationId, _id, (m) => ({ ...m, reactions: shown }));
    show(toggled(reactions, emoji, me, on));
    try {
      show(await this.rest.react(_id, emoji, on));
    } catch (error) {
      show(reactions);
      throw error;
    }
  }

  /** The direct conversation with somebody, made if there is none. */
  async startDirect(userId: string): Promise<Conversation> {
    return this.#put(await this.rest.start(userId));
  }

  async createGroup(title: string, userIds: string[]): Promise<Conversation> {
    return this.#put(await this.rest.createGroup(title, userIds));
  }

  /** Gives oneself another name. */
  async rename(fullName: string): Promise<void> {
    this.store.setState({ me: await this.rest.updateMe({ fullName }) });
  }

  /** Leaves a group for good. */
  async quit(id: string): Promise<void> {
    await this.rest.removeParticipant(id, this.store.getState().me?._id ?? '');
    dropConversation(this.store, id);
  }

  async setPhoto(id: string, file: Blob): Promise<void> {
    const { groupImage } = await this.rest.setPhoto(id, file);
    const conversation = this.store.getState().conversations[id];
    if (conversation) this.#put({ ...conversation, groupImage });
  }

  async block(user: User): Promise<void> {
    await this.rest.block(user._id);
    this.store.setState(({ blocked }) => ({ blocked: { ...blocked, [user._id]: user } }));
  }

  async unblock(user: User): Promise<void> {
    await this.rest.unblock(user._id);
    await Promise.all([this.#blocked(), this.statuses()]);
  }

  /** Asks who is online of the people in these conversations, all that are here by default. */
  async statuses(only?: Conversation): Promise<void> {
    const { conversations, me } = this.store.getState();
    const around = (only ? [only] : Object.values(conversations)).flatMap(({ participantUsers }) => participantUsers);
    const ids = [...new Set(around.map(({ _id }) => _id))].filter((id) => id !== me?._id);
    for (let at = 0; at < ids.length && this.connection.isConnected; at += STATUSES_AT_ONCE) {
      type Status = { userId: string; status: 'online' | 'offline' };
      const asked = ids.slice(at, at + STATUSES_AT_ONCE);
      const told = await this.connection.request<Status[]>('users:get-status', asked).catch(() => []);
      this.store.setState(({ online }) => ({
        online: { ...online, ...Object.fromEntries(told.map(({ userId, status }) => [userId, status === 'online'])) },
      }));
    }
  }

  /** For what has no method: any event of the vocabulary. */
  ask<T>(event: string, payload: unknown): Promise<Ack<T>> {
    return this.connection.ask<T>(event, payload);
  }

  #put(conversation: Conversation): Conversation {
    putConversations(this.store, [conversation]);
    void this.statuses(conversation);
    return conversation;
  }

  async #blocked(): Promise<void> {
    const users = await this.rest.blocked();
    this.store.setState({ blocked: Object.fromEntries(users.map((user) => [user._id, user])) });
  }

  /** Once at a time for each: a burst of events about a new conversation is one request. */
  async #refresh(id: string): Promise<void> {
    if (this.#refreshing.has(id)) return;
    this.#refreshing.add(id);
    try {
      await this.statuses(await this.syncing.conversation(id));
    } catch {
      // It may be gone again; the next connect asks for the list.
    } finally {
      this.#refreshing.delete(id);
    }
  }
}

function toggled(reactions: readonly Reaction[], emoji: string, me: string, on: boolean): Reaction[] {
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  if (!known) return on ? [...reactions, { emoji, count: 1, userIds: [me] }] : [...reactions];
  const userIds = on ? [...known.userIds, me] : known.userIds.filter((id) => id !== me);
  const change = { ...known, userIds, count: userIds.length };
  return reactions.map((reaction) => (reaction === known ? change : reaction)).filter(({ count }) => count > 0);
}
