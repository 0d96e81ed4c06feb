// Messages that the server has not acknowledged yet, in IndexedDB, in the order written: they outlive a reload and a
// closed browser. Where there is no IndexedDB (private windows of some browsers) they are kept in memory. Sending them
// is `sending`'s part.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Medium, Reply } from './contract';

/** A message on its way. */
export interface Pending {
  /** The order in which they were written; given by the database. */
  order: number;
  userId: string;
  conversationId: string;
  clientMessageId: string;
  text: string;
  replyTo: Reply | null;
  media: Medium[];
  createdAt: string;
  /** `queued` until the server has it; `failed` when it refused. */
  state: 'queued' | 'failed';
  /** Why it failed, in words for people. */
  error: string | null;
}

interface Schema extends DBSchema {
  outbox: { key: number; value: Pending; indexes: { userId: string } };
}

export interface Outbox {
  /** What somebody has on the way, oldest first. */
  list(userId: string): Promise<Pending[]>;
  add(entry: Omit<Pending, 'order'>): Promise<Pending>;
  put(entry: Pending): Promise<void>;
  remove(order: number): Promise<void>;
}

export async function openOutbox(name = 'parlance'): Promise<Outbox> {
  try {
    const database = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        const store = fresh.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true });
        store.createIndex('userId', 'userId');
      },
    });
    return stored(database);
  } catch {
    return remembered();
  }
}

function stored(database: IDBPDatabase<Schema>): Outbox {
  return {
    list: (userId) => database.getAllFromIndex('outbox', 'userId', userId),
    async add(entry) {
      // The key is the database's to give: it counts on, also across reloads and other windows.
      const order = await database.add('outbox', entry as Pending);
      return { ...entry, order };
    },
    async put(entry) {
      await database.put('outbox', entry);
    },
    remove: (order) => database.delete('outbox', order),
  };
}

function remembered(): Outbox {
  const entries = new Map<number, Pending>();
  let last = 0;
  return {
    list: async (userId) => [...entries.values()].filter((entry) => entry.userId === userId),
    async add(entry) {
      const kept = { ...entry, order: ++last };
      entries.set(kept.order, kept);
      return kept;
    },
    async put(entry) {
      entries.set(entry.order, entry);
    },
    async remove(order) {
      entries.delete(order);
    },
  };
}
