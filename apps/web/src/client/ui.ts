// What is open on the screen beside the conversation: one dialogue, one panel, a place to jump to, short notes. What
// people say to each other is in the library's store, not here.
import { create } from 'zustand';
import type { Medium, Message } from '../parlance';

export type Dialogue =
  | { kind: 'new-chat' }
  | { kind: 'new-group' }
  | { kind: 'settings' }
  | { kind: 'notifications' }
  | { kind: 'add-people'; conversationId: string }
  | { kind: 'react'; message: Message }
  | { kind: 'picture'; media: Medium[]; index: number }
  | { kind: 'confirm'; title: string; text: string; action: string; perform: () => Promise<void> };

export interface Toast {
  id: number;
  text: string;
  tone: 'error' | 'info';
}

interface Ui {
  dialogue: Dialogue | null;
  details: boolean;
  /** A message to show, once its conversation is open. */
  jump: { conversationId: string; messageId: string; seq: number } | null;
  replyTo: Message | null;
  editing: Message | null;
  toasts: readonly Toast[];
}

export const useUi = create<Ui>(() => ({
  dialogue: null,
  details: false,
  jump: null,
  replyTo: null,
  editing: null,
  toasts: [],
}));

const SHOWN_MS = 5_000;
let toasts = 0;

export const show = (dialogue: Dialogue | null) => useUi.setState({ dialogue });

export function toast(text: string, tone: Toast['tone'] = 'info'): void {
  const id = ++toasts;
  // A few at most: an older one that nobody has read is of no use.
  useUi.setState((ui) => ({ toasts: [...ui.toasts.slice(-2), { id, text, tone }] }));
  setTimeout(() => useUi.setState((ui) => ({ toasts: ui.toasts.filter((shown) => shown.id !== id) })), SHOWN_MS);
}

/** Does something, and says so when it fails. */
export async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    toast((error as Error).message, 'error');
    return undefined;
  }
}
