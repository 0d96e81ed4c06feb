// Getting what is not here yet: the list of conversations, pages of history, and after every connect what was missed.
// `rev` is what it goes by: a conversation is known up to one, and `sync` brings all that changed since.
import type { ChatStore } from './chat-store';
import { dropConversation, knownUpTo, patchHistory, putConversations, without } from './chat-store';
import type { Connection } from './connection';
import type { Conversation, SyncAck } from './contract';
import { EMPTY, extended, merged } from './history';
import type { Rest } from './rest';

const LIST_PAGE = 50;
/** The newest page is there to be shown quickly; those before it are asked for while somebody scrolls. */
const NEWEST_PAGE = 50;
/** It begins before what is unread, where that is not more than the server gives at once. */
const BEFORE_UNREAD = 10;
const LARGEST_PAGE = 200;
const EARLIER_PAGE = 100;
const SYNC_AT_ONCE = 200;

export class Syncing {
  #pages = new Map<string, Promise<void>>();

  constructor(
    readonly store: ChatStore,
    readonly connection: Connection,
    readonly rest: Rest,
  ) {}

  /** The newest conversations, or with `more` the ones after those that are here. */
  async conversations({ more = false } = {}): Promise<void> {
    const cursor = more ? this.store.getState().moreConversations : null;
    if (more && !cursor) return;
    const { conversations, pagination } = await this.rest.conversations({ limit: LIST_PAGE, cursor });
    putConversations(this.store, conversations);
    // Coming back to the first page does not forget how far down somebody has gone.
    const paged = !more && this.store.getState().moreConversations !== null;
    if (!paged) this.store.setState({ moreConversations: pagination.nextCursor });
    this.store.setState({ ready: true });
  }

  /** One conversation as the server has it now. */
  async conversation(id: string): Promise<Conversation> {
    const conversation = await this.rest.conversation(id);
    putConversations(this.store, [conversation]);
    return conversation;
  }

  /** The page before what is here of a history, at most one at a time; the newest page if nothing is. */
  page(id: string, limit?: number): Promise<void> {
    const running = this.#pages.get(id);
    if (running) return running;
    const page = this.#page(id, limit).finally(() => {
      this.#pages.delete(id);
      this.store.setState(({ loading }) => ({ loading: without(loading, id) }));
    });
    this.#pages.set(id, page);
    return page;
  }

  async #page(id: string, wanted: number | undefined): Promise<void> {
    const { histories, conversations } = this.store.getState();
    const known = histories[id];
    const unread = (conversations[id]?.unreadCount ?? 0) + BEFORE_UNREAD;
    const limit = wanted ?? (known ? EARLIER_PAGE : Math.min(Math.max(unread, NEWEST_PAGE), LARGEST_PAGE));
    if (known && !known.hasMore) return;
    this.store.setState(({ loading, failures }) => ({
      loading: { ...loading, [id]: true },
      failures: without(failures, id),
    }));
    // What changes while the page is on its way has a higher `rev` than this, and comes with the next sync.
    const rev = conversations[id]?.rev ?? 0;
    try {
      const { messages, pagination } = await this.rest.history(id, { limit, cursor: known?.cursor ?? null });
      const more = pagination.hasMore;
      this.store.setState(({ histories }) => {
        const history = histories[id] ?? EMPTY;
        return { histories: { ...histories, [id]: extended(history, messages, more, pagination.nextCursor) } };
      });
      if (!known) knownUpTo(this.store, id, rev);
    } catch (error) {
      this.store.setState(({ failures }) => ({ failures: { ...failures, [id]: error as Error } }));
      throw error;
    }
  }

  /** The place of a message in a loaded history, after getting the pages back to it; below 0 where it is not in them. */
  async back(id: string, messageId: string): Promise<number> {
    for (;;) {
      const history = this.store.getState().histories[id];
      const known = history?.messages ?? [];
      const at = known.findIndex(({ _id }) => _id === messageId);
      // Ids sort by the time they were made, so there is no looking further back than this.
      if (at >= 0 || !history?.hasMore || (known[0]?._id ?? '') < messageId) return at;
      await this.page(id, LARGEST_PAGE);
    }
  }

  /** Everything that changed in these conversations, of those that have a history here. */
  async sync(ids: readonly string[]): Promise<void> {
    let open = ids.filter((id) => this.store.getState().histories[id]);
    while (open.length > 0) {
      const asked = open.slice(0, SYNC_AT_ONCE);
      const { revs } = this.store.getState();
      const conversations = Object.fromEntries(asked.map((id) => [id, revs[id] ?? 0]));
      const answer = await this.connection.ask<SyncAck>('sync', { conversations });
      if (!answer.success) throw new Error(answer.error);
      for (const { conversationId, rev, messages } of answer.conversations) {
        patchHistory(this.store, conversationId, (history) =>
          messages.length > 0 ? merged(history, messages) : history,
        );
        knownUpTo(this.store, conversationId, rev);
      }
      for (const id of answer.unknown) dropConversation(this.store, id);
      const again = answer.conversations.filter(({ hasMore }) => hasMore).map(({ conversationId }) => conversationId);
      open = [...again, ...open.slice(SYNC_AT_ONCE)];
    }
  }
}
