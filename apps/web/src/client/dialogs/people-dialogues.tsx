// Choosing people: for a direct conversation, for a new group, for a group that is there.
import { Check, Search, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { type User, useChatClient, useChatState } from '../../parlance';
import { UserAvatar } from '../avatar';
import { usePeople } from '../people';
import { go } from '../route';
import { attempt } from '../ui';
import { DialogueFrame } from './dialogue';

interface PickerProps {
  /** Not offered. */
  without?: ReadonlySet<string>;
  chosen?: readonly User[];
  onPick: (user: User) => void;
}

function PeoplePicker({ without, chosen, onPick }: PickerProps) {
  const [search, setSearch] = useState('');
  const { people, searching } = usePeople(search.trim());
  const online = useChatState((state) => state.online);
  const offered = people.filter(({ _id }) => !without?.has(_id));
  return (
    <>
      <div className="search search-inline">
        <Search aria-hidden="true" />
        <input
          type="search"
          className="search-field"
          placeholder="Search by name"
          aria-label="Search people"
          autoComplete="off"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      <ul className="people">
        {offered.map((user) => {
          const picked = chosen?.some(({ _id }) => _id === user._id);
          return (
            <li key={user._id}>
              <button type="button" className="person-button" aria-pressed={picked} onClick={() => onPick(user)}>
                <UserAvatar user={user} online={online[user._id]} />
                <span>{user.fullName}</span>
                {picked && <Check aria-hidden="true" />}
              </button>
            </li>
          );
        })}
      </ul>
      {offered.length === 0 && !searching && <p className="hint">Nobody found.</p>}
    </>
  );
}

function usePicked() {
  const [picked, setPicked] = useState<readonly User[]>([]);
  const toggle = (user: User) =>
    setPicked((now) =>
      now.some(({ _id }) => _id === user._id) ? now.filter(({ _id }) => _id !== user._id) : [...now, user],
    );
  return { picked, toggle };
}

function Chips({ people, onRemove }: { people: readonly User[]; onRemove: (user: User) => void }): ReactNode {
  if (people.length === 0) return null;
  return (
    <ul className="chips" aria-label="Chosen">
      {people.map((user) => (
        <li key={user._id}>
          <button type="button" onClick={() => onRemove(user)}>
            <UserAvatar user={user} size="small" />
            <span className="visually-hidden">Remove </span>
            {user.fullName}
            <X aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function NewChat({ onClose }: { onClose: () => void }) {
  const client = useChatClient();
  const begin = async (user: User) => {
    const conversation = await attempt(client.startDirect(user._id));
    if (!conversation) return;
    go(conversation._id);
    onClose();
  };
  return (
    <DialogueFrame title="New chat" onClose={onClose}>
      <PeoplePicker onPick={(user) => void begin(user)} />
    </DialogueFrame>
  );
}

export function NewGroup({ onClose }: { onClose: () => void }) {
  const client = useChatClient();
  const { picked, toggle } = usePicked();
  const [title, setTitle] = useState('');
  const make = async () => {
    const ids = picked.map(({ _id }) => _id);
    const conversation = await attempt(client.createGroup(title.trim(), ids));
    if (!conversation) return;
    go(conversation._id);
    onClose();
  };
  return (
    <DialogueFrame
      title="New group"
      onClose={onClose}
      actions={
        <button
          type="button"
          className="button button-primary"
          disabled={!title.trim() || picked.length === 0}
          onClick={() => void make()}
        >
          Make the group
        </button>
      }
    >
      <input
        className="field"
        placeholder="Name of the group"
        aria-label="Name of the group"
        maxLength={100}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <Chips people={picked} onRemove={toggle} />
      <PeoplePicker chosen={picked} onPick={toggle} />
    </DialogueFrame>
  );
}

export function AddPeople({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const client = useChatClient();
  const inside = useChatState((state) => state.conversations[conversationId]?.participantUsers);
  const { picked, toggle } = usePicked();
  const add = async () => {
    const ids = picked.map(({ _id }) => _id);
    if (await attempt(client.rest.addParticipants(conversationId, ids))) onClose();
  };
  return (
    <DialogueFrame
      title="Add people"
      onClose={onClose}
      actions={
        <button
          type="button"
          className="button button-primary"
          disabled={picked.length === 0}
          onClick={() => void add()}
        >
          Add
        </button>
      }
    >
      <Chips people={picked} onRemove={toggle} />
      <PeoplePicker chosen={picked} without={new Set((inside ?? []).map(({ _id }) => _id))} onPick={toggle} />
    </DialogueFrame>
  );
}
