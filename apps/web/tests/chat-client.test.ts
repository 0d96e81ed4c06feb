// A client of the library against the real server, as two and three people use it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatClient } from '../src/parlance';
import { begun, clientOf, eventually, folk, historyOf, Server, texts, untilTexts } from './support/people';
import { setOnline } from './support/setup';

let server: Server;
beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.close());

async function pair() {
  const [ann, ben] = await folk(server, 'Ann', 'Ben');
  const id = await ann.direct(ben);
  return { ann, ben, id };
}
const status = (client: ChatClient, id: string, index = -1) => historyOf(client, id)?.messages.at(index)?.status;

describe('a chat client', () => {
  it('shows a message at once and once, and the other sees it', async () => {
    const { ann, ben, id } = await pair();
    const [mine, theirs] = await Promise.all([clientOf(ann), clientOf(ben)]);
    await Promise.all([mine.open(id), theirs.open(id)]);
    const sending = mine.send({ conversationId: id, text: 'Hello' });
    await eventually(
      'an optimistic message',
      () => mine.store.getState().pending.length === 1 || texts(mine, id).length === 1,
    );
    const sent = await sending;
    expect(sent).toMatchObject({ success: true, method: 'socket' });
    await untilTexts(theirs, id, ['Hello']);
    await untilTexts(mine, id, ['Hello']);
    expect(mine.store.getState().pending).toEqual([]);
    expect(historyOf(mine, id)?.messages[0]?.clientMessageId).toBe(sent.clientMessageId);
  });

  it('sends over REST where there is no socket', async () => {
    const { ann, id } = await pair();
    const client = await clientOf(ann);
    await client.open(id);
    client.connection.disconnect();
    expect(await client.send({ conversationId: id, text: 'by post' })).toMatchObject({ success: true, method: 'rest' });
    expect(texts(client, id)).toEqual(['by post']);
  });

  it('keeps what is written offline and sends it in order when it is back, each once', async () => {
    const { ann, ben, id } = await pair();
    const client = await clientOf(ann);
    await client.open(id);
    setOnline(false);
    const written = ['one', 'two', 'three', 'four', 'five'];
    for (const text of written) {
      expect(await client.send({ conversationId: id, text })).toMatchObject({ success: true, method: 'queued' });
    }
    expect(client.store.getState().pending.map(({ text }) => text)).toEqual(written);
    expect(await ben.talk(id)).toEqual([]);
    setOnline(true);
    await untilTexts(client, id, written);
    expect((await ben.talk(id)).map(({ text }: { text: string }) => text)).toEqual(written);
    expect(client.store.getState().pending).toEqual([]);
  });

  it('misses nothing that happened before its own messages when it comes back', async () => {
    const [ann, ben] = await folk(server, 'Ann', 'Ben');
    const [empty, other] = [await ann.direct(ben), await ann.group('Edits', [ben])];
    const theirs = await clientOf(ben);
    const client = await clientOf(ann);
    await ben.say(other, 'befor');
    for (const id of [other, empty]) await client.open(id);
    await theirs.open(other);
    setOnline(false);
    await ben.say(empty, 'first of all');
    await client.send({ conversationId: empty, text: 'second' });
    setOnline(true);
    await untilTexts(client, empty, ['first of all', 'second']);
    await client.open(other);
    setOnline(false);
    const typo = (await ben.talk(other)).at(-1);
    await ben.rest.patch(`/api/v1/chat/messages/${typo._id}`, { text: 'before' });
    await client.send({ conversationId: other, text: 'after' });
    setOnline(true);
    const spoken = () => texts(client, other).slice(-2).join();
    await eventually('the edit', spoken, (now) => now === 'before,after');
  });

  it('sends after a reload what was written before it', async () => {
    const { ann, ben, id } = await pair();
    const before = await clientOf(ann, 'reloaded');
    await before.open(id);
    setOnline(false);
    await before.send({ conversationId: id, text: 'first' });
    await before.send({ conversationId: id, text: 'second' });
    before.stop();
    setOnline(true);
    const after = await clientOf(ann, 'reloaded');
    await eventually('an empty outbox', () => after.store.getState().pending.length === 0);
    expect((await ben.talk(id)).map(({ text }: { text: string }) => text)).toEqual(['first', 'second']);
    after.stop();
    const again = await clientOf(ann, 'reloaded');
    await again.open(id);
    expect(texts(again, id)).toEqual(['first', 'second']);
    expect(again.store.getState().pending).toEqual([]);
  });

  it('shows what was refused as failed, with the reason, and sends it again on demand', async () => {
    const { ann, ben, id } = await pair();
    const client = await clientOf(ann);
    await client.open(id);
    const user = { _id: ben.id, fullName: 'Ben', profilePicture: null };
    await client.block(user);
    const refused = await client.send({ conversationId: id, text: 'psst' });
    expect(refused).toMatchObject({ success: false, error: 'You cannot send messages to a blocked user' });
    expect(client.store.getState().pending).toMatchObject([{ text: 'psst', state: 'failed' }]);
    await client.unblock(user);
    await client.sending.retry(refused.clientMessageId);
    await untilTexts(client, id, ['psst']);
    expect(client.store.getState().pending).toEqual([]);
  });

  it('gets with a reconnect what it missed: new ones, edits, deletions, reactions', async () => {
    const { ann, ben, id } = await pair();
    const theirs = await clientOf(ben);
    await theirs.open(id);
    const [first, second, third] = [await ben.say(id, 'a'), await ben.say(id, 'b'), await ben.say(id, 'c')];
    const client = await clientOf(ann);
    await client.open(id);
    expect(texts(client, id)).toEqual(['a', 'b', 'c']);
    client.connection.socket.disconnect();
    const told = (text: string) => (historyOf(theirs, id)?.messages ?? []).find((message) => message.text === text);
    await untilTexts(theirs, id, ['a', 'b', 'c']);
    for (const [text, work] of [
      ['a', (m: NonNullable<ReturnType<typeof told>>) => theirs.edit(m, 'A')],
      ['b', (m: NonNullable<ReturnType<typeof told>>) => theirs.delete(m)],
      ['c', (m: NonNullable<ReturnType<typeof told>>) => theirs.react(m, '🎉')],
    ] as const) {
      const message = told(text);
      if (message) await work(message);
    }
    const more = Array.from({ length: 230 }, (_, index) => `more ${index}`);
    await ben.recite(id, more);
    await untilTexts(client, id, ['A', null, 'c', ...more]);
    expect(historyOf(client, id)?.messages[2]?.reactions).toEqual([{ emoji: '🎉', count: 1, userIds: [ben.id] }]);
    expect([first, second, third].every(Boolean)).toBe(true);
  });

  it('catches up by itself when a message skips ahead', async () => {
    const { ann, ben, id } = await pair();
    const client = await clientOf(ann);
    await client.open(id);
    await ben.say(id, 'a');
    await untilTexts(client, id, ['a']);
    // Two messages of which no event arrives.
    const deaf = () => undefined;
    const listeners = client.connection.socket.listeners('message:new');
    client.connection.socket.off('message:new').on('message:new', deaf);
    await ben.say(id, 'b');
    await client.ask('users:get-status', [ben.id]);
    client.connection.socket.off('message:new', deaf);
    for (const listener of listeners) client.connection.socket.on('message:new', listener as () => void);
    await ben.say(id, 'c');
    await untilTexts(client, id, ['a', 'b', 'c']);
  });

  it('turns ticks from sent over delivered to read', async () => {
    const { ann, ben, id } = await pair();
    const mine = await clientOf(ann);
    await mine.open(id);
    await mine.send({ conversationId: id, text: 'Hello' });
    expect(status(mine, id)).toBe('sent');
    const theirs = await clientOf(ben);
    await eventually('delivered', () => status(mine, id) === 'delivered');
    await eventually('an unread count', () => theirs.store.getState().conversations[id]?.unreadCount === 1);
    await theirs.open(id);
    const newest = historyOf(theirs, id)?.messages.at(-1);
    if (newest) theirs.reading.mark(id, newest);
    await eventually('read', () => status(mine, id) === 'read');
    await eventually('nothing unread', () => theirs.store.getState().conversations[id]?.unreadCount === 0);
  });

  it('knows who is there and who is typing', async () => {
    const { ann, ben, id } = await pair();
    const [mine, theirs] = await Promise.all([clientOf(ann), clientOf(ben)]);
    await Promise.all([mine.open(id), theirs.open(id)]);
    await eventually('Ben online', () => mine.store.getState().online[ben.id]);
    theirs.typist.start(id);
    await eventually('Ben typing', () => mine.store.getState().typing[id]?.[0]?._id === ben.id);
    await theirs.send({ conversationId: id, text: 'done' });
    await eventually('nobody typing', () => mine.store.getState().typing[id]?.length === 0);
    theirs.stop();
    await eventually('Ben gone', () => mine.store.getState().online[ben.id] === false);
  });

  it('hears of groups that it comes into, what becomes of them, and that it is out', async () => {
    const [ann, ben, cem] = await folk(server, 'Ann', 'Ben', 'Cem');
    const [mine, theirs] = await Promise.all([clientOf(ann), clientOf(ben)]);
    const group = await mine.createGroup('Walkers', [ben.id, cem.id]);
    await eventually('the group', () => theirs.store.getState().conversations[group._id]?.title === 'Walkers');
    await mine.rest.rename(group._id, 'Hikers');
    await eventually('its new name', () => theirs.store.getState().conversations[group._id]?.title === 'Hikers');
    await mine.rest.setRole(group._id, ben.id, 'admin');
    const role = () =>
      theirs.store.getState().conversations[group._id]?.participants.find(({ user }) => user._id === ben.id)?.role;
    await eventually('the role', () => role() === 'admin');
    await theirs.open(group._id);
    await mine.rest.removeParticipant(group._id, ben.id);
    await eventually('out', () => !(group._id in theirs.store.getState().conversations));
    expect(theirs.store.getState().activeId).toBeNull();
  });

  it('has the badge and the list of notifications', async () => {
    const { ann, ben, id } = await pair();
    const client = await clientOf(ann);
    await ben.say(id, 'are you there?');
    await eventually('a badge', () => client.store.getState().unreadNotifications === 1);
    expect(client.store.getState().notifications[0]).toMatchObject({
      type: 'chat_message',
      conversationId: id,
      read: false,
    });
    await client.reading.read(id, null);
    await eventually('no badge', () => client.store.getState().unreadNotifications === 0);
  });

  it('goes back page by page to the beginning', async () => {
    const { ann, ben, id } = await pair();
    const numbers = Array.from({ length: 120 }, (_, index) => `${index + 1}`);
    await ben.recite(id, numbers);
    // Who wrote them has read them.
    const client = await clientOf(ben);
    await client.open(id);
    // Where all is unread the first page begins before it.
    const reader = await clientOf(ann);
    await reader.open(id);
    expect(texts(reader, id)).toHaveLength(120);
    expect(historyOf(client, id)).toMatchObject({ hasMore: true });
    expect(texts(client, id)).toHaveLength(50);
    await client.syncing.page(id);
    await Promise.all([client.syncing.page(id), client.syncing.page(id)]);
    expect(texts(client, id)).toEqual(numbers);
    expect(historyOf(client, id)).toMatchObject({ hasMore: false });
  });

  it('survives a killed server: what was written meanwhile is stored once', async () => {
    const other = await Server.start();
    try {
      const [ann, ben] = await folk(other, 'Ann', 'Ben');
      const id = await ann.direct(ben);
      const client = begun(ann);
      await eventually('ready', () => client.store.getState().ready);
      await client.open(id);
      await other.kill();
      await eventually('away', () => client.connection.state.getState().status !== 'connected');
      expect(await client.send({ conversationId: id, text: 'into the dark' })).toMatchObject({ method: 'queued' });
      await other.restart();
      await untilTexts(client, id, ['into the dark']);
      expect(await ben.talk(id)).toHaveLength(1);
    } finally {
      await other.close();
    }
  });
});
