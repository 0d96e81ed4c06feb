// Any emoji as a reaction, beside the few that the message itself offers.
import { type Message, useChatClient } from '../../parlance';
import { EmojiBoard } from '../chat/emoji-picker';
import { attempt } from '../ui';
import { DialogueFrame } from './dialogue';

export function ReactWith({ message, onClose }: { message: Message; onClose: () => void }) {
  const client = useChatClient();
  const react = (emoji: string) => {
    onClose();
    void attempt(client.react(message, emoji));
  };
  return (
    <DialogueFrame title="React with" onClose={onClose}>
      <EmojiBoard onPick={react} />
    </DialogueFrame>
  );
}
