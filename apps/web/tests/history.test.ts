// The laws of a history: sorted, each message once in its newest form, no holes, statuses that never go back.
import { describe, expect, it } from 'vitest';
import type { Message } from '../src/parlance';
import { EMPTY, extended, follows, type History, merged, raised, tombstone } from '../src/parlance/history';

const alice = { _id: 'alice', fullName: 'Alice', profilePicture: null };

function message(seq: number, change: Partial<Message> = {}): Message {
  const id = String(seq).padStart(24, '0');
  const at = new Date(seq).toISOString();
  return {
    _id: id,
    id,
    conversationId: 'c',
    seq,
    rev: seq,
    sender: alice,
    text: `text ${seq}`,
    messageType: 'text',
    media: [],
    replyTo: null,
    status: 'sent',
    clientMessageId: null,
    reactions: [],
    createdAt: at,
    updatedAt: at,
    editedAt: null,
    deletedAt: null,
    ...change,
  };
}

const seqs = ({ messages }: History) => messages.map(({ seq }) => seq);
const run = (from: number, to: number, hasMore = false): History => ({
  messages: Array.from({ length: to - from + 1 }, (_, index) => message(from + index)),
  hasMore,
  cursor: null,
});

describe('a history', () => {
  it('puts messages where they belong, whatever the order they come in', () => {
    expect(seqs(merged({ ...EMPTY, hasMore: false }, [message(3), message(1), message(2)]))).toEqual([1, 2, 3]);
    expect(seqs(merged(run(1, 2), [message(2), message(3), message(3)]))).toEqual([1, 2, 3]);
  });

  it('leaves out what would come before its beginning while there is more on the server', () => {
    expect(seqs(merged(run(10, 12, true), [message(4), message(13)]))).toEqual([10, 11, 12, 13]);
    expect(seqs(merged(run(2, 3), [message(1)]))).toEqual([1, 2, 3]);
  });

  it('keeps the newest form of a message', () => {
    const edited = message(2, { rev: 9, text: 'edited' });
    const history = merged(run(1, 3), [edited]);
    expect(history.messages[1]?.text).toBe('edited');
    expect(merged(history, [message(2)]).messages[1]?.text).toBe('edited');
  });

  it('never takes a status back', () => {
    const read = merged(run(1, 1), [message(1, { status: 'read' })]);
    expect(merged(read, [message(1, { rev: 5, status: 'sent', text: 'edited' })]).messages[0]).toMatchObject({
      status: 'read',
      text: 'edited',
    });
  });

  it('extends by a page without doubling what overlaps', () => {
    const history = extended(run(4, 6, true), run(2, 5).messages, true, 'cursor');
    expect(seqs(history)).toEqual([2, 3, 4, 5, 6]);
    expect(history).toMatchObject({ hasMore: true, cursor: 'cursor' });
  });

  it('knows whether a message leaves a hole', () => {
    expect(follows(run(1, 3), message(4))).toBe(true);
    expect(follows(run(1, 3), message(2))).toBe(true);
    expect(follows(run(1, 3), message(5))).toBe(false);
    expect(follows(EMPTY, message(7))).toBe(true);
    expect(follows({ ...EMPTY, hasMore: false }, message(2))).toBe(false);
    expect(follows({ ...EMPTY, hasMore: false }, message(1))).toBe(true);
  });

  it('raises only what somebody sent, and only what was reached', () => {
    const mixed = merged(run(1, 4), [message(3, { rev: 9, sender: { ...alice, _id: 'bob' } })]);
    const history = raised(mixed, 'alice', 'read', ({ seq }) => seq <= 3);
    expect(history.messages.map(({ status }) => status)).toEqual(['read', 'read', 'sent', 'sent']);
    expect(raised(history, 'alice', 'delivered', () => true).messages.map(({ status }) => status)).toEqual([
      'read',
      'read',
      'sent',
      'delivered',
    ]);
  });

  it('leaves nothing of a deleted message but its place', () => {
    const media = [{ url: '/x', type: 'image' as const, filename: null, size: null, thumbnailUrl: null }];
    const gone = tombstone(message(1, { media, reactions: [{ emoji: '👍', count: 1, userIds: ['bob'] }] }));
    expect(gone).toMatchObject({ seq: 1, text: null, media: [], reactions: [] });
    expect(gone.deletedAt).not.toBeNull();
  });
});
