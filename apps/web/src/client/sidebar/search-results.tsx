// What a search finds: conversations, people to write to, and messages, where each leads.
import { useEffect, useState } from 'react';
import { type Conversation, type Message, type User, useChatClient, useChatState } from '../../parlance';
import { ConversationAvatar, UserAvatar } from '../avatar';
import { firstName, previewOf, relative, titleOf, useNow } from '../format';
import { usePeople } from '../people';
import { go } from '../route';
import { attempt, useUi } from '../ui';

const PAUSE_MS = 250;

interface Found {
  search: string;
  conversations: Conversation[];
  messages: Message[];
}

export function SearchResults({ search, onDone }: { search: string; onDone: () => void }) {
  const client = useChatClient();
  const me = useChatState((state) => state.me);
  const { people } = usePeople(search);
  const [found, setFound] = useState<Found | null>(null);
  const [failed, setFailed] = useState(false);
  const now = useNow();

  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const [{ conversations }, { messages }] = await Promise.all([
          client.rest.conversations({ search, limit: 10 }),
          client.rest.search({ q: search, limit: 30 }),
        ]);
        if (!current) return;
        setFailed(false);
        setFound({ search, conversations, messages });
      } catch {
        if (current) setFailed(true);
      }
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, search]);

  const open = (conversationId: string, message?: Message) => {
    if (message) useUi.setState({ jump: { conversationId, messageId: message._id, seq: message.seq } });
    go(conversationId);
    onDone();
  };
  const write = async (user: User) => {
    const conversation = await attempt(client.startDirect(user._id));
    if (conversation) open(conversation._id);
  };

  const conversations = found?.conversations ?? [];
  const messages = found?.messages ?? [];
  const others = people.slice(0, 6);
  const nothing = found?.search === search && conversations.length + messages.length + others.length === 0;
  return (
    <section className="conversations search-results" aria-label="Search results">
      <p className="visually-hidden" role="status">
        {found?.search === search
          ? `${conversations.length} conversations, ${others.length} people, ${messages.length} messages`
          : 'Searching'}
      </p>
      {failed && <p className="hint">The search did not work. Is the server there?</p>}
      {nothing && <p className="hint">Nothing found for “{search}”.</p>}
      {conversations.length > 0 && <h2>Conversations</h2>}
      <ul>
        {conversations.map((conversation) => (
          <li key={conversation._id}>
            <button type="button" className="person-button" onClick={() => open(conversation._id)}>
              <ConversationAvatar conversation={conversation} me={me} size="small" />
              <span>{titleOf(conversation, me)}</span>
            </button>
          </li>
        ))}
      </ul>
      {others.length > 0 && <h2>People</h2>}
      <ul>
        {others.map((user) => (
          <li key={user._id}>
            <button type="button" className="person-button" onClick={() => void write(user)}>
              <UserAvatar user={user} size="small" />
              <span>{user.fullName}</span>
            </button>
          </li>
        ))}
      </ul>
      {messages.length > 0 && <h2>Messages</h2>}
      <ul>
        {messages.map((message) => (
          <li key={message._id}>
            <MessageHit
              message={message}
              search={search}
              now={now}
              onOpen={() => open(message.conversationId, message)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface MessageHitProps {
  message: Message;
  search: string;
  now: number;
  onOpen: () => void;
}

/** Where it was said, by whom, and the words. A conversation that is not here yet is known by who speaks. */
function MessageHit({ message, search, now, onOpen }: MessageHitProps) {
  const me = useChatState((state) => state.me);
  const conversation = useChatState((state) => state.conversations[message.conversationId]);
  const { sender, createdAt } = message;
  const speaker = sender._id === me?._id ? 'You' : firstName(sender);
  return (
    <button type="button" className="person-button message-hit" onClick={onOpen}>
      {conversation ? (
        <ConversationAvatar conversation={conversation} me={me} size="small" />
      ) : (
        <UserAvatar user={sender} size="small" />
      )}
      <span className="message-hit-text">
        <span className="conversation-line">
          <strong>{conversation ? titleOf(conversation, me) : sender.fullName}</strong>
          <time dateTime={createdAt}>{relative(createdAt, now)}</time>
        </span>
        <span className="message-hit-preview">
          {(speaker === 'You' || conversation?.type === 'group') && `${speaker}: `}
          <Marked text={previewOf(message)} search={search} />
        </span>
      </span>
    </button>
  );
}

/** The text from a little before the place that was found, which is marked. */
function Marked({ text, search }: { text: string; search: string }) {
  const at = text.toLocaleLowerCase().indexOf(search.toLocaleLowerCase());
  if (at < 0) return <>{text}</>;
  const from = at > 24 ? text.lastIndexOf(' ', at - 16) + 1 : 0;
  return (
    <>
      {from > 0 && '… '}
      {text.slice(from, at)}
      <mark>{text.slice(at, at + search.length)}</mark>
      {text.slice(at + search.length)}
    </>
  );
}
