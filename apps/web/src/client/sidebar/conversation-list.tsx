// The conversations, latest activity first. Arrows move through them; further pages come when the end is near.
import { type KeyboardEvent, memo, useCallback, useEffect, useRef } from 'react';
import {
  type Conversation,
  peerOf,
  type User,
  useChatClient,
  useChatState,
  useConversations,
  useOnline,
} from '../../parlance';
import { ConversationAvatar, UserAvatar } from '../avatar';
import { Ticks } from '../chat/ticks';
import { badge, firstName, previewOf, relative, titleOf, useNow } from '../format';
import { usePeople } from '../people';
import { go, hrefOf } from '../route';
import { attempt } from '../ui';

export function ConversationList({ route }: { route: string | null }) {
  const client = useChatClient();
  const conversations = useConversations();
  const ready = useChatState((state) => state.ready);
  const more = useChatState((state) => state.moreConversations !== null);
  const now = useNow();
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!more || !end.current) return;
    const seen = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) void attempt(client.syncing.conversations({ more: true }));
    });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [more, client]);

  if (!ready) return <Skeleton />;
  if (conversations.length === 0) return <Nobody />;
  return (
    <nav className="conversations" aria-label="Conversations" onKeyDown={moveFocus}>
      <ul>
        {conversations.map((conversation) => (
          <ConversationRow
            key={conversation._id}
            conversation={conversation}
            current={conversation._id === route}
            now={now}
          />
        ))}
      </ul>
      <div ref={end} />
    </nav>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('.conversation-row')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0 || event.altKey) return;
  event.preventDefault();
  links[at + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
}

interface RowProps {
  conversation: Conversation;
  current: boolean;
  now: number;
}

const ConversationRow = memo(function ConversationRow({ conversation, current, now }: RowProps) {
  const me = useChatState((state) => state.me);
  const online = useOnline(peerOf(conversation, me)?._id);
  const typing = useChatState((state) => state.typing[conversation._id]?.[0]);
  const { lastMessage, unreadCount } = conversation;
  const title = titleOf(conversation, me);
  return (
    <li>
      <a
        className="conversation-row"
        href={hrefOf(conversation._id)}
        aria-current={current ? 'page' : undefined}
        data-unread={unreadCount > 0 || undefined}
      >
        <ConversationAvatar conversation={conversation} me={me} online={online} />
        <span className="conversation-main">
          <span className="conversation-line">
            <span className="conversation-title">
              {title}
              {online && <span className="visually-hidden"> (online)</span>}
            </span>
            {lastMessage && <time dateTime={lastMessage.createdAt}>{relative(lastMessage.createdAt, now)}</time>}
          </span>
          <span className="conversation-line">
            <span className="conversation-preview">
              {typing ? (
                <em>{conversation.type === 'group' ? `${firstName(typing)} is typing …` : 'typing …'}</em>
              ) : (
                <Preview conversation={conversation} me={me} />
              )}
            </span>
            {unreadCount > 0 && (
              <span className="unread-badge">
                {badge(unreadCount)}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
});

function Preview({ conversation: { lastMessage, type }, me }: { conversation: Conversation; me: User | null }) {
  if (!lastMessage) return <>No messages yet</>;
  const mine = lastMessage.sender._id === me?._id;
  if (lastMessage.messageType === 'system') return <>{lastMessage.text}</>;
  return (
    <>
      {mine && !lastMessage.deletedAt && <Ticks status={lastMessage.status} />}
      {!mine && type === 'group' && `${firstName(lastMessage.sender)}: `}
      {previewOf(lastMessage)}
    </>
  );
}

function Skeleton() {
  return (
    <div className="conversations" role="status" aria-label="Conversations are loading">
      {[72, 48, 60, 55, 66].map((width) => (
        <div key={width} className="skeleton-row">
          <span className="skeleton skeleton-circle" />
          <span className="skeleton-lines">
            <span className="skeleton" data-width={width} />
            <span className="skeleton" data-width={width - 20} />
          </span>
        </div>
      ))}
    </div>
  );
}

/** Nobody to talk with yet: whom there is. */
function Nobody() {
  const client = useChatClient();
  const { people } = usePeople('');
  const begin = useCallback(
    async (user: User) => {
      const conversation = await attempt(client.startDirect(user._id));
      if (conversation) go(conversation._id);
    },
    [client],
  );
  return (
    <div className="nobody">
      <h2>No conversations yet</h2>
      <p>
        {people.length > 0
          ? 'People that you can write to:'
          : 'As soon as somebody else is here, you can write to them.'}
      </p>
      <ul>
        {people.slice(0, 8).map((user) => (
          <li key={user._id}>
            <button type="button" className="person-button" onClick={() => void begin(user)}>
              <UserAvatar user={user} />
              <span>{user.fullName}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
