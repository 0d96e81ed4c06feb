// What there is to know and do about a conversation, beside it. Here: somebody's, and blocking them; a group's is in `group`.
import { Ban, X } from 'lucide-react';
import { peerOf, type User, useChatClient, useChatState, useOnline } from '../../parlance';
import { UserAvatar } from '../avatar';
import { attempt, show, useUi } from '../ui';
import { Group } from './group';

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
