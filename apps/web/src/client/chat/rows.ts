// The rows of a history: what the server has, then what is on its way. Which of them stand together, and whether the list
// has grown at its beginning.
import { useState } from 'react';
import type { Message, Pending } from '../../parlance';
import { sameDay } from '../format';

export type Row = Message | Pending;

/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

export const isStored = (row: Row | undefined): row is Message => row !== undefined && 'seq' in row;
export const keyOf = (row: Row) => row.clientMessageId ?? (row as Message)._id;
export const senderOf = (row: Row) => (isStored(row) ? row.sender._id : row.userId);

export function together(a: Row | undefined, b: Row | undefined): boolean {
  if (!a || !b || senderOf(a) !== senderOf(b)) return false;
  if ((isStored(a) && a.messageType === 'system') || (isStored(b) && b.messageType === 'system')) return false;
  return sameDay(a.createdAt, b.createdAt) && Math.abs(Date.parse(b.createdAt) - Date.parse(a.createdAt)) < TOGETHER_MS;
}

/** Whether rows were put before the first since the last drawing: the one case where the place is kept from the end. */
export function useShift(rows: readonly Row[]): boolean {
  const [first, last] = [rows[0], rows.at(-1)].map((row) => (row ? keyOf(row) : null));
  const [drawn, setDrawn] = useState({ first, last, shift: false });
  if (drawn.first !== first || drawn.last !== last) {
    const shift = drawn.first !== null && drawn.first !== first && drawn.last === last;
    setDrawn({ first, last, shift });
    return shift;
  }
  return drawn.shift;
}
