// Times, sizes and names as people read them.
import { useEffect, useState } from 'react';
import { type Conversation, type Message, peerOf, type User } from '../parlance';

const DAY_MS = 86_400_000;
const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const dateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
const daysBetween = (at: number, now: number) => Math.round((midnight(now) - midnight(at)) / DAY_MS);

export const clock = (at: string) => clockFormat.format(new Date(at));
export const fullTime = (at: string) => fullFormat.format(new Date(at));

/** Short, for lists: `now`, `5 min`, `14:32`, `Yesterday`, `Monday`, `12 Mar`. */
export function relative(at: string, now: number): string {
  const then = Date.parse(at);
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  const days = daysBetween(then, now);
  if (days === 0) return clock(at);
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekdayFormat.format(then) : dateFormat.format(then);
}

export function dayLabel(at: string, now = Date.now()): string {
  const days = daysBetween(Date.parse(at), now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekdayFormat.format(new Date(at)) : longDateFormat.format(new Date(at));
}

export const sameDay = (a: string, b: string) => midnight(Date.parse(a)) === midnight(Date.parse(b));

export function fileSize(bytes: number | null): string {
  if (bytes === null) return '';
  const units = ['B', 'kB', 'MB', 'GB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size >= 10 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(minutes).padStart(hours ? 2 : 1, '0')}:${String(seconds % 60).padStart(2, '0')}`;
  return hours ? `${hours}:${tail}` : tail;
}

/** A count in a badge. */
export const badge = (count: number) => (count > 99 ? '99+' : String(count));

export function titleOf(conversation: Conversation, me: User | null): string {
  return conversation.title ?? peerOf(conversation, me)?.fullName ?? 'Conversation';
}

export const firstName = (user: User) => user.fullName.split(' ')[0] ?? user.fullName;

/** What a message says, in one line. */
export function previewOf(message: Pick<Message, 'text' | 'media' | 'deletedAt'>): string {
  if (message.deletedAt) return 'Message deleted';
  if (message.text) return message.text.replaceAll(/\s+/g, ' ');
  const [medium] = message.media;
  const more = message.media.length > 1 ? ` and ${message.media.length - 1} more` : '';
  if (medium?.type === 'image') return `Photo${more}`;
  if (medium?.type === 'video') return `Video${more}`;
  return `${medium?.filename ?? 'File'}${more}`;
}

/** The time, again every so often. */
export function useNow(everyMs = 30_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
