// What there is to know and do about a conversation: its people and their roles, its name and photo, leaving, blocking.
import { Ban, Camera, LogOut, Pencil, Shield, UserMinus, UserPlus, X } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import {
  type Conversation,
  type Participant,
  peerOf,
  type User,
  useChatClient,
  useChatState,
  useOnline,
} from '../../parlance';
import { ConversationAvatar, UserAvatar } from '../avatar';
import { titleOf } from '../format';
import { go } from '../route';
import { attempt, show, useUi } from '../ui';

export function DetailsPanel({ id }: { id: string }) {
  const conversation = useChatState((state) => state.conversations[id]);
  const me = useChatState((state) => state.me);
  if (!conversation) return null;
  const peer = peerOf(conversation, me);
  return (
    <aside className="details" aria-label="Details">
      <header className="panel-header">
        <h2>Details</h2>
        <button
          type="button"
          className="icon-button"
          aria-label="Close details"
          onClick={() => useUi.setState({ details: false })}
        >
          <X />
        </button>
      </header>
      <div className="panel-body">{peer ? <Person user={peer} /> : <Group conversation={conversation} me={me} />}</div>
    </aside>
  );
}

function Person({ user }: { user: User }) {
  const client = useChatClient();
  const online = useOnline(user._id);
  const blocked = useChatState((state) => user._id in state.blocked);
  const block = () =>
    show({
      kind: 'confirm',
      title: `Block ${user.fullName}?`,
      text: 'Neither of you can write to the other, or sees when the other is there. What was written stays.',
      action: 'Block',
      perform: () => client.block(user),
    });
  return (
    <>
      <div className="details-head">
        <UserAvatar user={user} size="huge" />
        <h3>{user.fullName}</h3>
        <p>{blocked ? 'Blocked' : online ? 'Online' : 'Offline'}</p>
      </div>
      <div className="details-actions">
        {blocked ? (
          <button type="button" className="row-button" onClick={() => void attempt(client.unblock(user))}>
            <Ban aria-hidden="true" /> Unblock
          </button>
        ) : (
          <button type="button" className="row-button row-button-danger" onClick={block}>
            <Ban aria-hidden="true" /> Block
          </button>
        )}
      </div>
    </>
  );
}

function Group({ conversation, me }: { conversation: Conversation; me: User | null }) {
  const client = useChatClient();
  const { _id: id, participants } = conversation;
  const role = participants.find(({ user }) => user._id === me?._id)?.role ?? 'member';
  const manages = role === 'owner' || role === 'admin';
  const leave = () =>
    show({
      kind: 'confirm',
      title: 'Leave this group?',
      text: 'You do not get its messages any more. Somebody in it can add you again.',
      action: 'Leave',
      perform: async () => {
        await client.quit(id);
        go(null);
      },
    });
  return (
    <>
      <div className="details-head">
        <Photo conversation={conversation} me={me} manages={manages} />
        <Title conversation={conversation} manages={manages} />
        <p>
          {participants.length} {participants.length === 1 ? 'member' : 'members'}
        </p>
      </div>
      <div className="details-actions">
        {manages && (
          <button type="button" className="row-button" onClick={() => show({ kind: 'add-people', conversationId: id })}>
            <UserPlus aria-hidden="true" /> Add people
          </button>
        )}
        <button type="button" className="row-button row-button-danger" onClick={leave}>
          <LogOut aria-hidden="true" /> Leave the group
        </button>
      </div>
      <h3 className="details-heading">Members</h3>
      <ul className="members">
        {participants.map((participant) => (
          <Member key={participant.user._id} id={id} participant={participant} role={role} me={me} />
        ))}
      </ul>
    </>
  );
}

function Photo({ conversation, me, manages }: { conversation: Conversation; me: User | null; manages: boolean }) {
  const client = useChatClient();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="details-photo">
      <ConversationAvatar conversation={conversation} me={me} size="huge" />
      {manages && (
        <>
          <input
            ref={input}
            type="file"
            accept="image/*"
            className="visually-hidden"
            tabIndex={-1}
            aria-label="Photo of the group"
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              if (file) void attempt(client.setPhoto(conversation._id, file));
              event.target.value = '';
            }}
          />
          <button
            type="button"
            className="icon-button photo-button"
            aria-label="Change the photo"
            title="Change the photo"
            onClick={() => input.current?.click()}
          >
            <Camera />
          </button>
          {conversation.groupImage && (
            <button
              type="button"
              className="link-button"
              onClick={() => void attempt(client.rest.removePhoto(conversation._id))}
            >
              Remove the photo
            </button>
          )}
        </>
      )}
    </div>
  );
}

function Title({ conversation, manages }: { conversation: Conversation; manages: boolean }) {
  const client = useChatClient();
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <h3>
        {titleOf(conversation, null)}
        {manages && (
          <button
            type="button"
            className="icon-button"
            aria-label="Rename the group"
            title="Rename the group"
            onClick={() => setDraft(conversation.title ?? '')}
          >
            <Pencil />
          </button>
        )}
      </h3>
    );
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await attempt(client.rest.rename(conversation._id, draft.trim()))) setDraft(null);
  };
  return (
    <form className="rename" onSubmit={submit}>
      <input
        className="field"
        aria-label="Name of the group"
        value={draft}
        maxLength={100}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && setDraft(null)}
      />
      <button type="submit" className="button button-primary" disabled={!draft.trim()}>
        Save
      </button>
    </form>
  );
}

interface MemberProps {
  id: string;
  participant: Participant;
  /** One's own role. */
  role: Participant['role'];
  me: User | null;
}

function Member({ id, participant: { user, role: theirs }, role, me }: MemberProps) {
  const client = useChatClient();
  const online = useOnline(user._id);
  const own = user._id === me?._id;
  const mayPromote = role === 'owner' && !own;
  const mayRemove = !own && theirs !== 'owner' && (role === 'owner' || role === 'admin');
  const promoted = theirs === 'admin';
  const remove = () =>
    show({
      kind: 'confirm',
      title: `Remove ${user.fullName}?`,
      text: 'They do not get the messages of this group any more.',
      action: 'Remove',
      perform: async () => void (await client.rest.removeParticipant(id, user._id)),
    });
  return (
    <li className="member">
      <UserAvatar user={user} size="small" online={online || own} />
      <span className="member-name">
        {user.fullName}
        {own && ' (you)'}
        {theirs !== 'member' && <span className="role">{theirs === 'owner' ? 'Owner' : 'Admin'}</span>}
      </span>
      {mayPromote && (
        <button
          type="button"
          className="icon-button"
          aria-label={promoted ? `Make ${user.fullName} a member` : `Make ${user.fullName} an admin`}
          title={promoted ? 'Make a member' : 'Make an admin'}
          aria-pressed={promoted}
          onClick={() => void attempt(client.rest.setRole(id, user._id, promoted ? 'member' : 'admin'))}
        >
          <Shield />
        </button>
      )}
      {mayRemove && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Remove ${user.fullName}`}
          title="Remove"
          onClick={remove}
        >
          <UserMinus />
        </button>
      )}
    </li>
  );
}
