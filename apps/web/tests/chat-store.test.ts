// What is told of a conversation meets what has come in meanwhile.
import { expect, it } from 'vitest';
import { createChatStore, putConversations } from '../src/parlance/chat-store';
import type { Conversation } from '../src/parlance/contract';

const at = (seq: number, unreadCount: number) => ({ _id: 'c', lastMessage: { seq }, unreadCount }) as Conversation;

function after(known: Conversation, told: Conversation): [number | undefined, number | undefined] {
  const store = createChatStore();
  putConversations(store, [known]);
  putConversations(store, [told]);
  const { lastMessage, unreadCount } = store.getState().conversations.c ?? {};
  return [lastMessage?.seq, unreadCount];
}

it('takes what is newer', () => {
  expect(after(at(5, 2), at(7, 4))).toEqual([7, 4]);
  expect(after(at(5, 2), at(5, 0))).toEqual([5, 0]);
});

it('counts the messages that have come in since', () => {
  expect(after(at(7, 4), at(5, 2))).toEqual([7, 4]);
  // Some were missed while there was no connection: the server knows of them, and of those before.
  expect(after(at(7, 2), at(6, 9))).toEqual([7, 10]);
});

it('keeps what was read or answered since', () => {
  expect(after(at(7, 0), at(5, 2))).toEqual([7, 0]);
  expect(after(at(7, 1), at(5, 2))).toEqual([7, 1]);
});
