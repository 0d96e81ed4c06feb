// The field to write in: text, files, emoji, an answer or an edit. What is written stays with its conversation until it
// is sent.
import { Ban, Paperclip, Pencil, Reply as ReplyIcon, SendHorizontal, Smile, X } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import {
  type Conversation,
  type Message,
  peerOf,
  type Uploads,
  useChatClient,
  useChatState,
  useConnection,
  useTyping,
} from '../../parlance';
import { firstName, previewOf } from '../format';
import { attempt, toast, useUi } from '../ui';
import { EmojiPicker } from './emoji-picker';
import { UploadTray } from './upload-tray';

/** As the server's default limits say. */
const MAX_TEXT_CHARS = 10_000;
const MAX_FILES = 10;
const ACCEPTED = 'image/*,video/*,.pdf,.txt,.csv,.zip,.doc,.docx,.xls,.xlsx,.ppt,.pptx,.odt,.ods,.odp';

/** Drafts of this window, by conversation. A handful of texts; gone with the window. */
const drafts = new Map<string, string>();

export function Composer({ conversation, uploads }: { conversation: Conversation; uploads: Uploads }) {
  const client = useChatClient();
  const me = useChatState((state) => state.me);
  const peer = peerOf(conversation, me);
  const blocked = useChatState((state) => (peer ? state.blocked[peer._id] : undefined));
  if (blocked) {
    return (
      <div className="composer-blocked">
        <Ban aria-hidden="true" />
        <span>You have blocked {blocked.fullName}.</span>
        <button type="button" className="button" onClick={() => void attempt(client.unblock(blocked))}>
          Unblock
        </button>
      </div>
    );
  }
  return <Field id={conversation._id} uploads={uploads} />;
}

function Field({ id, uploads }: { id: string; uploads: Uploads }) {
  const client = useChatClient();
  const { status } = useConnection();
  const { onInput, stop } = useTyping(id);
  const [text, setText] = useState(() => drafts.get(id) ?? '');
  const [picking, setPicking] = useState(false);
  const replyTo = useUi((ui) => ui.replyTo);
  const editing = useUi((ui) => ui.editing);
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (editing) return;
    if (text) drafts.set(id, text);
    else drafts.delete(id);
  }, [id, text, editing]);
  useEffect(() => {
    if (editing) setText(editing.text ?? '');
    if (editing || replyTo) field.current?.focus();
  }, [editing, replyTo]);
  // A phone's keyboard would cover the conversation that was just opened.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);
  // As high as its text, for browsers that do not size fields by themselves.
  useLayoutEffect(() => {
    const area = field.current;
    if (!area || CSS.supports('field-sizing', 'content')) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, text ? 160 : 40)}px`;
  }, [text]);

  const done = uploads.uploads.filter(({ state }) => state === 'done').length;
  const hasContent = text.trim().length > 0 || done > 0;
  const ready = hasContent && !uploads.busy;

  const cancel = () => {
    if (editing) setText(drafts.get(id) ?? '');
    useUi.setState({ replyTo: null, editing: null });
  };
  const send = () => {
    if (!ready) return;
    if (editing) {
      void attempt(client.edit(editing, text.trim()));
      cancel();
      return;
    }
    const quote = replyTo && { _id: replyTo._id, text: previewOf(replyTo), sender: replyTo.sender };
    void attempt(client.send({ conversationId: id, text: text.trim(), replyTo: quote, media: uploads.take() }));
    setText('');
    stop();
    useUi.setState({ replyTo: null });
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    }
    if (event.key === 'Escape' && (replyTo || editing)) cancel();
    if (event.key === 'ArrowUp' && !event.altKey && !text && !editing) {
      const { histories, me } = client.store.getState();
      const own = histories[id]?.messages.findLast((message) => message.sender._id === me?._id && message.text);
      if (own) {
        event.preventDefault();
        useUi.setState({ editing: own, replyTo: null });
      }
    }
  };
  const add = (chosen: Iterable<File>) => {
    const room = MAX_FILES - uploads.uploads.length;
    const all = [...chosen];
    if (all.length > room) toast(`A message has at most ${MAX_FILES} files`, 'error');
    uploads.add(all.slice(0, room));
  };
  const pasted = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    add(event.clipboardData.files);
  };
  const insert = (emoji: string) => {
    const area = field.current;
    const at = area?.selectionStart ?? text.length;
    const next = text.slice(0, at) + emoji + text.slice(area?.selectionEnd ?? at);
    setText(next);
    onInput(next);
    setPicking(false);
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(at + emoji.length, at + emoji.length);
    });
  };

  return (
    <div className="composer">
      {(replyTo || editing) && (
        <Context message={(editing ?? replyTo) as Message} editing={!!editing} onCancel={cancel} />
      )}
      {uploads.uploads.length > 0 && <UploadTray uploads={uploads} />}
      <div className="composer-line">
        <input
          ref={files}
          type="file"
          multiple
          accept={ACCEPTED}
          className="visually-hidden"
          tabIndex={-1}
          aria-label="Files"
          onChange={(event) => {
            add(event.target.files ?? []);
            event.target.value = '';
          }}
        />
        <button
          type="button"
          className="icon-button"
          aria-label="Attach files"
          title="Attach files"
          disabled={!!editing}
          onClick={() => files.current?.click()}
        >
          <Paperclip />
        </button>
        <textarea
          ref={field}
          className="composer-field"
          rows={1}
          value={text}
          maxLength={MAX_TEXT_CHARS}
          placeholder={status === 'connected' ? 'Write a message' : 'Write a message; it is sent later'}
          aria-label="Message"
          enterKeyHint="send"
          dir="auto"
          onChange={(event) => {
            setText(event.target.value);
            if (!editing) onInput(event.target.value);
          }}
          onKeyDown={pressed}
          onPaste={pasted}
        />
        <div className="composer-emoji">
          <button
            type="button"
            className="icon-button"
            aria-label="Emoji"
            title="Emoji"
            aria-expanded={picking}
            onClick={() => setPicking(!picking)}
          >
            <Smile />
          </button>
          {picking && <EmojiPicker onPick={insert} onClose={() => setPicking(false)} />}
        </div>
        <button type="button" className="send" aria-label={editing ? 'Save' : 'Send'} disabled={!ready} onClick={send}>
          <SendHorizontal />
        </button>
      </div>
    </div>
  );
}

/** Whether a key belongs to a character that is being composed. Safari tells of the last one by its code alone. */
const isComposing = ({ nativeEvent, keyCode }: KeyboardEvent) => nativeEvent.isComposing || keyCode === 229;

function Context({ message, editing, onCancel }: { message: Message; editing: boolean; onCancel: () => void }) {
  const Icon = editing ? Pencil : ReplyIcon;
  return (
    <div className="composer-context">
      <Icon aria-hidden="true" />
      <span>
        <strong>{editing ? 'Edit the message' : `Reply to ${firstName(message.sender)}`}</strong>
        <span>{previewOf(message)}</span>
      </span>
      <button type="button" className="icon-button" aria-label="Cancel" onClick={onCancel}>
        <X />
      </button>
    </div>
  );
}
