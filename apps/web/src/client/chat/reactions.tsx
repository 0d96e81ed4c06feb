// The reactions to a message, each a switch for one's own.
import { type Message, useChatClient, useChatState } from '../../parlance';
import { attempt } from '../ui';

export function Reactions({ message }: { message: Message }) {
  const client = useChatClient();
  const me = useChatState((state) => state.me?._id ?? '');
  const people = useChatState((state) => state.conversations[message.conversationId]?.participantUsers);
  const nameOf = (id: string) => (id === me ? 'You' : (people?.find(({ _id }) => _id === id)?.fullName ?? 'Somebody'));
  return (
    <div className="reactions">
      {message.reactions.map(({ emoji, count, userIds }) => (
        <button
          key={emoji}
          type="button"
          aria-pressed={userIds.includes(me)}
          aria-label={`${emoji}, ${count}`}
          title={userIds.slice(0, 12).map(nameOf).join(', ')}
          onClick={() => void attempt(client.react(message, emoji))}
        >
          {emoji} <span>{count > 1 ? count : ''}</span>
        </button>
      ))}
    </div>
  );
}
