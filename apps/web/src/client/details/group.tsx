// A group's name and photo, leaving it, and who is in it.
import { Camera, LogOut, Pencil, UserPlus } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { type Conversation, type User, useChatClient } from '../../parlance';
import { ConversationAvatar } from '../avatar';
import { titleOf } from '../format';
import { go } from '../route';
import { attempt, show } from '../ui';
import { Member } from './member';

export function Group({ conversation, me }: { conversation: Conversation; me: User | null }) {
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
