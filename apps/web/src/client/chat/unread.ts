// What of an open history somebody has not seen: where it began when they came, and what came in below them since.
import { useState } from 'react';
import type { Message } from '../../parlance';

/** The first of those that were unread at opening; of more than there are here, none: that one is further up. */
export function useFirstUnread(
  messages: readonly Message[],
  hasMore: boolean,
  me: string,
  unread: number,
): string | null {
  const [found, setFound] = useState<string | null | undefined>(undefined);
  if (found !== undefined || messages.length === 0) return found ?? null;
  let left = unread;
  let first: string | null = null;
  for (let index = messages.length - 1; index >= 0 && left > 0; index--) {
    const message = messages[index];
    if (!message || message.sender._id === me || message.deletedAt) continue;
    first = message._id;
    left--;
  }
  const all = left === 0 || !hasMore;
  setFound(all ? first : null);
  return all ? first : null;
}

/** Others' messages that came in while somebody was further up. */
export function useUnseen(messages: readonly Message[], me: string, atEnd: boolean): number {
  const newest = messages.at(-1)?.seq ?? 0;
  const [seen, setSeen] = useState(newest);
  if (atEnd && seen !== newest) setSeen(newest);
  let count = 0;
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index];
    if (!message || message.seq <= seen || count > 99) break;
    if (message.sender._id !== me) count++;
  }
  return atEnd ? 0 : count;
}
