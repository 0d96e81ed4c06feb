// What can be done with a message: react, answer, copy, and with one's own edit and delete.
import { Copy, Pencil, Reply, SmilePlus, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { type Message, useChatClient, useChatState } from '../../parlance';
import { attempt, show, toast, useUi } from '../ui';
import { QUICK } from './emoji';

export function MessageActions({ message, mine }: { message: Message; mine: boolean }) {
  const client = useChatClient();
  const [reacting, setReacting] = useState(false);
  const role = useChatState(
    (state) =>
      state.conversations[message.conversationId]?.participants.find(({ user }) => user._id === state.me?._id)?.role,
  );
  const mayDelete = mine || role === 'owner' || role === 'admin';
  const bar = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone: whoever goes by keyboard goes on with what is in its place.
  useEffect(() => {
    if (reacting) bar.current?.querySelector('button')?.focus();
  }, [reacting]);
  const react = (emoji: string) => {
    setReacting(false);
    bar.current?.closest('article')?.focus();
    void attempt(client.react(message, emoji));
  };
  const copy = () => {
    navigator.clipboard?.writeText(message.text ?? '').then(
      () => toast('Copied'),
      () => toast('The browser does not allow copying', 'error'),
    );
  };
  const remove = () =>
    show({
      kind: 'confirm',
      title: 'Delete this message?',
      text: 'It is deleted for everybody in the conversation.',
      action: 'Delete',
      perform: () => client.delete(message),
    });
  return (
    <div ref={bar} className="message-actions" role="toolbar" aria-label="Message">
      {reacting ? (
        <>
          {QUICK.map((emoji) => (
            <button key={emoji} type="button" className="quick-emoji" onClick={() => react(emoji)}>
              {emoji}
            </button>
          ))}
          <button type="button" aria-label="More emoji" onClick={() => show({ kind: 'react', message })}>
            <SmilePlus />
          </button>
        </>
      ) : (
        <>
          <button type="button" aria-label="React" title="React" onClick={() => setReacting(true)}>
            <SmilePlus />
          </button>
          <button
            type="button"
            aria-label="Reply"
            title="Reply"
            onClick={() => useUi.setState({ replyTo: message, editing: null })}
          >
            <Reply />
          </button>
          {message.text && (
            <button type="button" aria-label="Copy" title="Copy" onClick={copy}>
              <Copy />
            </button>
          )}
          {mine && message.text && (
            <button
              type="button"
              aria-label="Edit"
              title="Edit"
              onClick={() => useUi.setState({ editing: message, replyTo: null })}
            >
              <Pencil />
            </button>
          )}
          {mayDelete && (
            <button type="button" aria-label="Delete" title="Delete" onClick={remove}>
              <Trash2 />
            </button>
          )}
        </>
      )}
    </div>
  );
}
