// Which conversation the address names: `#/c/ID`. The browser's way back leads from a conversation to the list, which on
// a phone is a page of its own.
import { useSyncExternalStore } from 'react';

const PATTERN = /^#\/c\/([0-9a-f]{24})$/;

const current = () => PATTERN.exec(location.hash)?.[1] ?? null;

export const hrefOf = (conversationId: string) => `#/c/${conversationId}`;

export function useRoute(): string | null {
  return useSyncExternalStore(subscribe, current);
}

export function go(conversationId: string | null): void {
  location.hash = conversationId ? hrefOf(conversationId) : '#/';
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}
