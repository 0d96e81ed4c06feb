// The hooks of the guides, drawn by React, against the real server.
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ChatProvider,
  useCalls,
  useChat,
  useConnection,
  useConversation,
  useOnline,
  useReadMarking,
  useRealtime,
  useRealtimeMessages,
  useRealtimeNotifications,
  useTyping,
  useTypingUsers,
  useUploads,
} from '../src/parlance';
import { folk, type Person, Server } from './support/people';

let server: Server;
beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.close());

const target = (person: Person) => ({ url: server.url, token: person.token });
const patience = { timeout: 60_000 };

describe('useRealtime', () => {
  it('connects, hears events, is answered, and disconnects with its component', async () => {
    const ann = await server.person('Ann');
    const [onConnect, onDisconnect, heard] = [vi.fn(), vi.fn(), vi.fn()];
    const { result, unmount } = renderHook(() => useRealtime({ ...target(ann), onConnect, onDisconnect }));
    await waitFor(() => expect(result.current.isConnected).toBe(true), patience);
    expect(onConnect).toHaveBeenCalledTimes(1);
    result.current.on('unreadCount', heard);
    expect(await result.current.ask('joinConversation', { conversationId: '0'.repeat(24) })).toMatchObject({
      success: false,
      code: 'CONVERSATION_NOT_FOUND',
    });
    act(() => result.current.disconnect());
    expect(result.current).toMatchObject({ isConnected: false, state: 'idle' });
    expect(onDisconnect).toHaveBeenCalledTimes(1);
    unmount();
  });

  it('with autoConnect: false waits until it is told', async () => {
    const ann = await server.person('Ann');
    const { result } = renderHook(() => useRealtime({ ...target(ann), autoConnect: false }));
    expect(result.current.state).toBe('idle');
    act(() => result.current.connect());
    await waitFor(() => expect(result.current.isConnected).toBe(true), patience);
  });

  it('tells of a refused token', async () => {
    const onError = vi.fn();
    const { result } = renderHook(() => useRealtime({ url: server.url, token: 'wrong', onError }));
    await waitFor(() => expect(result.current.state).toBe('failed'), patience);
    expect(onError.mock.calls[0]?.[0].message).toMatch(/authentication/i);
  });
});

describe('useRealtimeMessages', () => {
  it('sends and hears in its conversation alone, over one socket with the others', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const [id, other] = [await ann.direct(ben), await ann.group('Other', [ben])];
    const mine = renderHook(() => {
      const realtime = useRealtime(target(ann));
      return { realtime, ...useRealtimeMessages(id, target(ann)), badge: useRealtimeNotifications(target(ann)) };
    });
    const theirs = renderHook(() => useRealtimeMessages(id, target(ben)));
    await waitFor(
      () => expect(mine.result.current.isConnected && theirs.result.current.isConnected).toBe(true),
      patience,
    );
    const answer = await act(() => mine.result.current.sendMessage('Hello Ben'));
    expect(answer).toMatchObject({ success: true });
    await waitFor(() => expect(theirs.result.current.newMessage?.content).toBe('Hello Ben'), patience);
    await ben.say(other, 'elsewhere');
    await ben.say(id, 'here');
    await waitFor(() => expect(mine.result.current.newMessage?.content).toBe('here'), patience);
    await waitFor(() => expect(mine.result.current.badge.unreadCount).toBe(1), patience);
  });
});

describe('useRealtimeNotifications', () => {
  it('has the badge from the start, hears of new ones, and marks', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    await ben.say(await ben.direct(ann), 'waiting for you');
    const onNotification = vi.fn();
    const { result } = renderHook(() => useRealtimeNotifications({ ...target(ann), onNotification }));
    await waitFor(() => expect(result.current.unreadCount).toBe(1), patience);
    await ben.say(await ben.group('Plans', [ann]), 'and here');
    await waitFor(() => expect(result.current.newNotification?.type).toBe('chat_message'), patience);
    expect(onNotification).toHaveBeenCalledTimes(1);
    act(() => result.current.markAsRead(result.current.newNotification?.id ?? ''));
    await waitFor(() => expect(result.current.unreadCount).toBe(1), patience);
    act(() => result.current.markAllAsRead());
    await waitFor(() => expect(result.current.unreadCount).toBe(0), patience);
  });
});

const around =
  (person: Person) =>
  ({ children }: { children: ReactNode }) => <ChatProvider {...target(person)}>{children}</ChatProvider>;

describe('ChatProvider and useChat', () => {
  it('give what the guide says: conversations, the active one, its messages, presence and typing', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const id = await ann.direct(ben);
    const mine = renderHook(() => useChat(), { wrapper: around(ann) });
    const theirs = renderHook(() => ({ chat: useChat(), typing: useTyping(id) }), { wrapper: around(ben) });
    await waitFor(() => expect(mine.result.current?.conversations).toHaveLength(1), patience);
    await waitFor(() => expect(theirs.result.current?.chat.conversations).toHaveLength(1), patience);
    const [conversation] = mine.result.current.conversations;
    await act(() => mine.result.current.setActiveConversation(conversation ?? null));
    expect(mine.result.current.activeConversation?._id).toBe(id);
    expect(await act(() => mine.result.current.sendMessage(id, ' Hello '))).toMatchObject({ method: 'socket' });
    await waitFor(() => expect(mine.result.current.messages.map(({ text }) => text)).toEqual(['Hello']), patience);
    await waitFor(() => expect(mine.result.current.onlineUsers.get(ben.id)).toBe(true), patience);
    await waitFor(() => expect(theirs.result.current.chat.conversations[0]?.unreadCount).toBe(1), patience);
    act(() => theirs.result.current.typing.onInput('H'));
    await waitFor(() => expect([...mine.result.current.typingUsers.keys()]).toEqual([ben.id]), patience);
    act(() => theirs.result.current.typing.onInput(''));
    await waitFor(() => expect(mine.result.current.typingUsers.size).toBe(0), patience);
    expect(await act(() => theirs.result.current.chat.markAsRead(id))).toBe(true);
    await waitFor(() => expect(mine.result.current.messages[0]?.status).toBe('read'), patience);
  });

  it('useConversation opens, pages and shows what is on its way', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const id = await ann.direct(ben);
    const numbers = Array.from({ length: 60 }, (_, index) => `${index + 1}`);
    await ben.recite(id, numbers);
    const { result } = renderHook(() => useConversation(id), { wrapper: around(ann) });
    await waitFor(() => expect(result.current?.messages).toHaveLength(50), patience);
    expect(result.current.hasMore).toBe(true);
    await act(() => result.current.loadEarlier());
    expect(result.current.messages.map(({ text }) => text)).toEqual(numbers);
    expect(result.current).toMatchObject({ hasMore: false, loading: false, error: null });
  });
});

describe('hooks for parts of a chat', () => {
  it('useConnection connects when it is told to, useOnline and useTypingUsers know of others', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const id = await ann.direct(ben);
    const lazily = ({ children }: { children: ReactNode }) => (
      <ChatProvider {...target(ann)} autoConnect={false}>
        {children}
      </ChatProvider>
    );
    const { result } = renderHook(
      () => ({
        connection: useConnection(),
        conversation: useConversation(id),
        online: useOnline(ben.id),
        typing: useTypingUsers(id),
      }),
      { wrapper: lazily },
    );
    await waitFor(() => expect(result.current?.connection.status).toBe('idle'), patience);
    act(() => result.current.connection.connect());
    await waitFor(() => expect(result.current.connection.status).toBe('connected'), patience);
    expect(result.current.online).toBe(false);
    const other = await ben.enter('talentbridge', id);
    await waitFor(() => expect(result.current.online).toBe(true), patience);
    other.socket.emit('typing:start', id);
    await waitFor(() => expect(result.current.typing.map(({ _id }) => _id)).toEqual([ben.id]), patience);
    other.close();
    await waitFor(() => expect(result.current.online).toBe(false), patience);
    act(() => result.current.connection.disconnect());
    expect(result.current.connection.status).toBe('idle');
  });

  it('useReadMarking marks up to what is seen, and no further', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const id = await ann.direct(ben);
    for (const text of ['one', 'two', 'three']) await ben.say(id, text);
    const { result } = renderHook(() => ({ view: useConversation(id), mark: useReadMarking(id) }), {
      wrapper: around(ann),
    });
    await waitFor(() => expect(result.current?.view.messages).toHaveLength(3), patience);
    act(() => result.current.mark(result.current.view.messages[1]));
    await waitFor(async () => expect(await ann.unread(id)).toBe(1), patience);
    // What is further up was read before.
    act(() => result.current.mark(result.current.view.messages[0]));
    act(() => result.current.mark(undefined));
    act(() => result.current.mark(result.current.view.messages[2]));
    await waitFor(async () => expect(await ann.unread(id)).toBe(0), patience);
  });

  it('useUploads keeps what is refused, and gives what is there', async () => {
    const [ann] = await folk(server, 'Ann');
    const { result } = renderHook(() => useUploads(), { wrapper: around(ann) });
    await waitFor(() => expect(result.current).not.toBeNull(), patience);
    const page = new File(['<!doctype html><script>alert(1)</script>'], 'page.png', { type: 'image/png' });
    act(() => result.current.add([new File(['a few words'], 'notes.txt', { type: 'text/plain' }), page]));
    expect(result.current).toMatchObject({ busy: true, uploads: [{ type: 'file' }, { type: 'image' }] });
    await waitFor(() => expect(result.current.busy).toBe(false), patience);
    expect(result.current.uploads.map(({ state }) => state)).toEqual(['done', 'failed']);
    let taken = result.current.uploads.map(({ medium }) => medium);
    act(() => {
      taken = result.current.take();
    });
    expect(taken).toMatchObject([{ filename: 'notes.txt', type: 'file', size: 11 }]);
    expect(result.current.uploads).toMatchObject([{ state: 'failed', file: { name: 'page.png' } }]);
    act(() => result.current.remove(result.current.uploads[0]?.id ?? ''));
    expect(result.current.uploads).toEqual([]);
  });

  it('useCalls rings, declines, and says why it cannot call', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const id = await ann.direct(ben);
    const { result } = renderHook(() => ({ calls: useCalls(), connection: useConnection() }), { wrapper: around(ann) });
    await waitFor(() => expect(result.current?.connection.status).toBe('connected'), patience);
    const caller = await ben.connect();
    const rejected = new Promise((resolve) => caller.socket.once('call:reject', resolve));
    caller.socket.emit('call:invite', { conversationId: id, callId: `of-${ben.id}`, media: 'video' });
    await waitFor(() => expect(result.current.calls.call).toMatchObject({ phase: 'ringing', from: ben.id }), patience);
    act(() => result.current.calls.reject());
    expect(result.current.calls.call).toBeNull();
    expect(await rejected).toMatchObject({ userId: ann.id });
    // This environment has neither microphone nor camera.
    await act(() => result.current.calls.start(id, 'audio'));
    expect(result.current.calls.call).toMatchObject({ phase: 'ended', note: expect.stringContaining('secure page') });
    act(() => result.current.calls.dismiss());
    expect(result.current.calls.call).toBeNull();
    caller.close();
  });
});
