// Somebody in a group: their role, and what one's own role allows with them.
import { Shield, UserMinus } from 'lucide-react';
import { type Participant, type User, useChatClient, useOnline } from '../../parlance';
import { UserAvatar } from '../avatar';
import { attempt, show } from '../ui';

interface MemberProps {
  id: string;
  participant: Participant;
  /** One's own role. */
  role: Participant['role'];
  me: User | null;
}

export function Member({ id, participant: { user, role: theirs }, role, me }: MemberProps) {
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
