// Connections that several hooks use together: one for each server, token and dialect, connected while somebody wants
// it, with rooms and the badge that belong to it. Two hooks in one page are one socket.
import { createStore, type StoreApi } from 'zustand/vanilla';
import { Connection } from './connection';
import type { Dialect } from './contract';

export interface SharedConnection {
  connection: Connection;
  /** Unread notifications as the server last said; it says so on connect, which may be before a hook listens. */
  unread: StoreApi<number>;
  rooms: Map<string, number>;
  users: number;
}

export interface Target {
  url: string;
  token: string | null;
  dialect: Dialect;
}

const connections = new Map<string, SharedConnection>();

const keyOf = ({ url, token, dialect }: Target) => JSON.stringify([url, token, dialect]);

/** The connection to this target. It is not connected by that. */
export function shared(target: Target): SharedConnection {
  const key = keyOf(target);
  const known = connections.get(key);
  if (known) return known;
  const { url, token, dialect } = target;
  const connection = new Connection({ url, token: () => token, dialect });
  const unread = createStore(() => 0);
  connection.on('unreadCount', (count: number) => unread.setState(count, true));
  const fresh = { connection, unread, rooms: new Map<string, number>(), users: 0 };
  connection.on('connect', () => {
    for (const id of fresh.rooms.keys()) connection.emit('joinConversation', { conversationId: id });
  });
  connections.set(key, fresh);
  return fresh;
}

/** Somebody uses it from now on. What is returned ends that; the last one disconnects it. */
export function hold(target: Target, entry: SharedConnection): () => void {
  entry.users++;
  connections.set(keyOf(target), entry);
  return () => {
    entry.users--;
    if (entry.users > 0) return;
    entry.connection.disconnect();
    if (connections.get(keyOf(target)) === entry) connections.delete(keyOf(target));
  };
}

/** Somebody is in this room from now on, also after a reconnect. What is returned ends that. */
export function enter(entry: SharedConnection, id: string): () => void {
  const inside = entry.rooms.get(id) ?? 0;
  entry.rooms.set(id, inside + 1);
  if (inside === 0) entry.connection.emit('joinConversation', { conversationId: id });
  return () => {
    const left = (entry.rooms.get(id) ?? 1) - 1;
    if (left > 0) return void entry.rooms.set(id, left);
    entry.rooms.delete(id);
    entry.connection.emit('leaveConversation', { conversationId: id });
  };
}
