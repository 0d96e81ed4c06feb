// The history on the screen. Only what is in view is drawn, so its length does not matter. It stays at the newest message
// while somebody is there, and where they are while they read further up.
import { ArrowDown, LoaderCircle } from 'lucide-react';
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { type ConversationView, type Message, useChatClient, useReadMarking } from '../../parlance';
import { badge, sameDay } from '../format';
import { attempt, toast, useUi } from '../ui';
import { MessageRow, PendingRow } from './message-row';
import { isStored, keyOf, type Row, senderOf, together, useShift } from './rows';
import { useFirstUnread, useUnseen } from './unread';

/** As near to the end as this counts as being there. */
const END_PX = 80;
/** As near to the beginning as this the page before is asked for. */
const EARLY_PX = 1_500;
const FLASH_MS = 1_800;

export interface MessageListProps {
  id: string;
  me: string;
  group: boolean;
  view: ConversationView;
  /** How many were unread when the conversation was opened. */
  unreadAtOpening: number;
}

export function MessageList({ id, me, group, view, unreadAtOpening }: MessageListProps) {
  const client = useChatClient();
  const { messages, pending, hasMore, loading, loadEarlier } = view;
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo<readonly Row[]>(
    () => (pending.length > 0 ? [...messages, ...pending] : messages),
    [messages, pending],
  );
  const shift = useShift(rows);
  const [atEnd, setAtEnd] = useState(true);
  const stuck = useRef(true);
  const seen = useRef({ offset: 0, size: 0, rows: 0 });
  const placed = useRef(false);
  const mark = useReadMarking(id);
  const [flashing, setFlashing] = useState<string | null>(null);
  const [focused, setFocused] = useState<string | null>(null);

  const firstUnread = useFirstUnread(messages, hasMore, me, unreadAtOpening);

  const look = useCallback(() => {
    const handle = list.current;
    if (!handle || !placed.current) return;
    const { scrollOffset, scrollSize, viewportSize } = handle;
    const end = scrollSize - viewportSize - scrollOffset < END_PX;
    // Rows that turn out higher than they were taken for leave the end too; only who goes up wants to be elsewhere. Rows
    // that come, or turn out lower, move the window up as well.
    const { offset, size, rows: count } = seen.current;
    const shrunk = Math.max(size - scrollSize, 0);
    if (end) stuck.current = true;
    else if (count === rows.length && scrollOffset < offset - shrunk - 1) stuck.current = false;
    seen.current = { offset: scrollOffset, size: scrollSize, rows: rows.length };
    setAtEnd(end);
    if (scrollOffset < EARLY_PX && hasMore && !loading) void loadEarlier();
    const row = rows[end ? messages.length - 1 : handle.findItemIndex(scrollOffset + viewportSize - 12)];
    if (isStored(row)) mark(row);
  }, [rows, messages.length, hasMore, loading, loadEarlier, mark]);

  // Whatever grows or shrinks, the window as well as the rows: who was at the end stays there.
  useEffect(() => {
    const element = scroller.current;
    const inner = element?.lastElementChild;
    if (!element || !inner) return;
    const resized = new ResizeObserver(() => {
      if (stuck.current && placed.current) element.scrollTop = element.scrollHeight;
    });
    resized.observe(element);
    resized.observe(inner);
    return () => resized.disconnect();
  }, []);

  const toEnd = useCallback(() => {
    if (rows.length > 0) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [rows.length]);

  // Where the keyboard enters the history: at a row that is drawn. Who is at the end enters at the newest.
  const settle = useCallback(() => {
    const handle = list.current;
    if (!handle || scroller.current?.contains(document.activeElement)) return;
    let at = handle.findItemIndex(handle.scrollOffset + handle.viewportSize - 12);
    while (messages[at]?.messageType === 'system') at--;
    setFocused(stuck.current ? null : (messages[at]?._id ?? null));
  }, [messages]);

  // The first rows: at what is unread, else at the end.
  const filled = rows.length > 0;
  useLayoutEffect(() => {
    if (!filled || placed.current) return;
    const unread = firstUnread === null ? -1 : rows.findIndex((row) => isStored(row) && row._id === firstUnread);
    if (unread >= 0) list.current?.scrollToIndex(unread, { align: 'start', offset: -80 });
    else list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
    const settled = requestAnimationFrame(() => {
      placed.current = true;
      const handle = list.current;
      if (!handle) return;
      // Where all that is unread fits into the window, the end is the better place.
      const fits = unread >= 0 && handle.scrollSize - handle.getItemOffset(unread) < handle.viewportSize - 90;
      stuck.current = unread < 0 || fits;
      if (fits) handle.scrollToIndex(rows.length - 1, { align: 'end' });
      settle();
    });
    return () => cancelAnimationFrame(settled);
  }, [filled, firstUnread, rows, settle]);

  // A new row at the end is followed by those who are there, and by whoever wrote it.
  const newest = rows.at(-1);
  const newestKey = newest ? keyOf(newest) : null;
  const followed = useRef(newestKey);
  useLayoutEffect(() => {
    if (!newest || followed.current === newestKey) return;
    followed.current = newestKey;
    // The first rows have a place of their own, and this would take it from them.
    if (!placed.current) return;
    if (stuck.current || senderOf(newest) === me) toEnd();
  }, [newest, newestKey, me, toEnd]);
  useEffect(() => {
    const soon = requestAnimationFrame(look);
    return () => cancelAnimationFrame(soon);
  }, [look]);

  const jumpTo = useCallback(
    async (messageId: string) => {
      const index = await attempt(client.syncing.back(id, messageId));
      if (index === undefined) return;
      if (index < 0) return toast('This message is not there any more', 'error');
      // One frame for the rows to be there.
      await new Promise(requestAnimationFrame);
      stuck.current = false;
      placed.current = true;
      list.current?.scrollToIndex(index, { align: 'center' });
      setFlashing(messageId);
      setTimeout(() => setFlashing((now) => (now === messageId ? null : now)), FLASH_MS);
    },
    [client, id],
  );
  const jump = useUi((ui) => ui.jump);
  useEffect(() => {
    if (jump?.conversationId !== id || !filled) return;
    useUi.setState({ jump: null });
    void jumpTo(jump.messageId);
  }, [jump, id, filled, jumpTo]);

  const retry = useCallback((entry: string) => void client.sending.retry(entry), [client]);
  const discard = useCallback((entry: string) => void client.sending.discard(entry), [client]);
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    if (!['ArrowUp', 'ArrowDown', 'End'].includes(event.key) || event.altKey) return;
    const article = (event.target as HTMLElement).closest('article');
    if (!article || event.target !== article) return;
    event.preventDefault();
    const at = messages.findIndex(({ seq }) => String(seq) === article.dataset.seq);
    const step = event.key === 'ArrowUp' ? -1 : 1;
    let to = event.key === 'End' ? messages.length - 1 : at + step;
    while (messages[to]?.messageType === 'system') to += step;
    const target = messages[to];
    if (!target) return;
    setFocused(target._id);
    list.current?.scrollToIndex(to, { align: 'nearest' });
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`article[data-seq="${target.seq}"]`)?.focus());
  };
  const tabStop = focused ?? messages.at(-1)?._id;
  const unseen = useUnseen(messages, me, atEnd);

  return (
    <div className="history">
      {loading && (
        <div className="history-loading" role="status">
          <LoaderCircle className="spinning" aria-hidden="true" />
          <span className="visually-hidden">{filled ? 'Earlier messages' : 'Messages'} are loading</span>
        </div>
      )}
      <div ref={scroller} className="messages" role="list" aria-label="Messages" onKeyDown={move}>
        <div className="messages-top" />
        <Virtualizer ref={list} data={rows} shift={shift} onScroll={look} onScrollEnd={settle}>
          {(row, index) => {
            const [before, after] = [rows[index - 1], rows[index + 1]];
            const day = !before || !sameDay(before.createdAt, row.createdAt) ? row.createdAt : null;
            const first = day !== null || !together(before, row);
            if (!isStored(row)) {
              return (
                <PendingRow key={keyOf(row)} entry={row} first={first} day={day} onRetry={retry} onDiscard={discard} />
              );
            }
            return (
              <MessageRow
                key={keyOf(row)}
                message={row}
                mine={row.sender._id === me}
                group={group}
                first={first}
                last={!together(row, after)}
                day={day}
                unread={row._id === firstUnread}
                flash={row._id === flashing}
                focusable={row._id === tabStop}
                onJump={jumpTo}
              />
            );
          }}
        </Virtualizer>
      </div>
      {!filled && !loading && <p className="history-empty">No messages yet. Say hello 👋</p>}
      {!atEnd && (
        <button
          type="button"
          className="to-end"
          aria-label={unseen > 0 ? `${unseen} new messages, go to the newest` : 'Go to the newest message'}
          onClick={toEnd}
        >
          {unseen > 0 && <span className="unread-badge">{badge(unseen)}</span>}
          <ArrowDown aria-hidden="true" />
        </button>
      )}
      <Announcer newest={messages.at(-1)} loaded={messages.length > 0 || !hasMore} me={me} />
    </div>
  );
}

/** Reads out what comes in: rows appear and go as one scrolls, so the list itself must not be read out. */
function Announcer({ newest, loaded, me }: { newest: Message | undefined; loaded: boolean; me: string }) {
  const [since, setSince] = useState<number | null>(null);
  if (since === null && loaded) setSince(newest?.seq ?? 0);
  const said = newest && since !== null && newest.seq > since && newest.sender._id !== me;
  return (
    <p className="visually-hidden" aria-live="polite">
      {said && newest.text ? `${newest.sender.fullName}: ${newest.text}` : ''}
    </p>
  );
}
