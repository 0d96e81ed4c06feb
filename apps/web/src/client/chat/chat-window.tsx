// One conversation: who it is with, its history, and the field to write in. Files can be dropped anywhere on it.
import { ArrowLeft, FileUp, Info, Monitor, Phone, Video } from 'lucide-react';
import { type DragEvent, useContext, useRef, useState } from 'react';
import {
  type Conversation,
  peerOf,
  useChatClient,
  useChatState,
  useConversation,
  useOnline,
  useTypingUsers,
  useUploads,
} from '../../parlance';
import { ConversationAvatar } from '../avatar';
import { CallContext } from '../call/call-context';
import { firstName, titleOf } from '../format';
import { go } from '../route';
import { attempt, useUi } from '../ui';
import { Composer } from './composer';
import { MessageList } from './message-list';

export function ChatWindow({ id }: { id: string }) {
  const client = useChatClient();
  // As it was when it was opened: reading it takes the count away.
  const [unreadAtOpening] = useState(() => client.store.getState().conversations[id]?.unreadCount ?? 0);
  const view = useConversation(id);
  const conversation = useChatState((state) => state.conversations[id]);
  const me = useChatState((state) => state.me?._id);
  const uploads = useUploads();
  const [dragging, setDragging] = useState(false);
  const depth = useRef(0);

  const drag = (event: DragEvent, step: number) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + step);
    setDragging(depth.current > 0);
  };
  const drop = (event: DragEvent) => {
    drag(event, -depth.current);
    uploads.add(event.dataTransfer.files);
  };
  if (!conversation || !me) {
    return (
      <div className="chat">
        <div className="chat-header">
          <BackButton />
        </div>
        <p className="history-empty" role="status">
          {view.error ? view.error.message : ''}
        </p>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen with the button and pasted
    <div
      className="chat"
      onDragEnter={(event) => drag(event, 1)}
      onDragLeave={(event) => drag(event, -1)}
      onDragOver={(event) => drag(event, 0)}
      onDrop={drop}
    >
      <ChatHeader conversation={conversation} />
      {view.error && (
        <div className="banner banner-bad" role="alert">
          <span>The messages could not be loaded.</span>
          <button type="button" className="banner-button" onClick={() => void attempt(client.open(id))}>
            Try again
          </button>
        </div>
      )}
      <MessageList
        id={id}
        me={me}
        group={conversation.type === 'group'}
        view={view}
        unreadAtOpening={unreadAtOpening}
      />
      <TypingLine id={id} />
      <Composer conversation={conversation} uploads={uploads} />
      {dragging && (
        <div className="drop-zone" aria-hidden="true">
          <FileUp />
          <span>Drop files to send them</span>
        </div>
      )}
    </div>
  );
}

function BackButton() {
  return (
    <button type="button" className="icon-button back" aria-label="Back to the conversations" onClick={() => go(null)}>
      <ArrowLeft />
    </button>
  );
}

function ChatHeader({ conversation }: { conversation: Conversation }) {
  const me = useChatState((state) => state.me);
  const peer = peerOf(conversation, me);
  const online = useOnline(peer?._id);
  const blocked = useChatState((state) => (peer ? peer._id in state.blocked : false));
  const details = useUi((ui) => ui.details);
  const { start, busy } = useContext(CallContext);
  const toggleDetails = () => useUi.setState({ details: !details });
  const title = titleOf(conversation, me);
  const calls = [
    { media: 'audio' as const, icon: Phone, label: 'Audio call' },
    { media: 'video' as const, icon: Video, label: 'Video call' },
    { media: 'screen' as const, icon: Monitor, label: 'Share the screen' },
  ];
  return (
    <header className="chat-header">
      <BackButton />
      <button type="button" className="chat-title" onClick={toggleDetails}>
        <ConversationAvatar conversation={conversation} me={me} size="small" online={online} />
        <span className="chat-title-words">
          <span className="chat-name">{title}</span>
          <span className="chat-state">
            <Presence conversation={conversation} online={online} />
          </span>
          <span className="visually-hidden">Details</span>
        </span>
      </button>
      <div className="chat-actions">
        {!blocked &&
          calls.map(({ media, icon: Icon, label }) => (
            <button
              key={media}
              type="button"
              className={`icon-button call-${media}`}
              aria-label={label}
              title={label}
              disabled={busy}
              onClick={() => void start(conversation._id, media)}
            >
              <Icon />
            </button>
          ))}
        <button
          type="button"
          className="icon-button"
          aria-label="Details"
          title="Details"
          aria-expanded={details}
          onClick={toggleDetails}
        >
          <Info />
        </button>
      </div>
    </header>
  );
}

function Presence({ conversation, online }: { conversation: Conversation; online: boolean }) {
  const there = useChatState((state) =>
    conversation.type === 'group'
      ? conversation.participantUsers.filter(({ _id }) => _id === state.me?._id || state.online[_id]).length
      : 0,
  );
  if (conversation.type === 'direct') return online ? 'Online' : 'Offline';
  const count = conversation.participants.length;
  return `${count} ${count === 1 ? 'member' : 'members'}, ${there} online`;
}

function TypingLine({ id }: { id: string }) {
  const users = useTypingUsers(id);
  const names = users.slice(0, 2).map(firstName);
  const others = users.length > 2 ? ' and others' : '';
  const verb = users.length > 1 ? 'are' : 'is';
  return (
    <div className="typing-line" aria-live="polite">
      {users.length > 0 && (
        <>
          <span className="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {`${names.join(' and ')}${others} ${verb} typing`}
        </>
      )}
    </div>
  );
}
