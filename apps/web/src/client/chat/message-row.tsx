// One message: who, what, when, how far it has come, and what can be done with it. What can be done is drawn for the
// row that is pointed at or focused, so that a long list stays light.
import { type FocusEvent, memo, type PointerEvent, type ReactNode, useState } from 'react';
import type { Message, Pending, User } from '../../parlance';
import { UserAvatar } from '../avatar';
import { clock, dayLabel, firstName, fullTime, previewOf } from '../format';
import { MessageMedia } from './media';
import { MessageActions } from './message-actions';
import { MessageText } from './message-text';
import { Reactions } from './reactions';
import { Ticks } from './ticks';

export interface RowProps {
  message: Message;
  mine: boolean;
  group: boolean;
  /** The first and the last of several by one person in a row. */
  first: boolean;
  last: boolean;
  /** Set where a day begins. */
  day: string | null;
  /** Set on the first that was not read when the conversation was opened. */
  unread: boolean;
  flash: boolean;
  focusable: boolean;
  onJump: (messageId: string) => void;
}

export const MessageRow = memo(function MessageRow(props: RowProps) {
  const { message, mine, group, first, last, day, unread, flash, focusable, onJump } = props;
  const [active, setActive] = useState(false);
  if (message.messageType === 'system') {
    return (
      <Place day={day} unread={unread}>
        <p className="system-message">
          {message.text} <time dateTime={message.createdAt}>{clock(message.createdAt)}</time>
        </p>
      </Place>
    );
  }
  const deleted = message.deletedAt !== null;
  return (
    <Place day={day} unread={unread}>
      <article
        className={`message ${mine ? 'message-mine' : 'message-theirs'}`}
        data-first={first || undefined}
        data-last={last || undefined}
        data-flash={flash || undefined}
        data-seq={message.seq}
        tabIndex={focusable ? 0 : -1}
        aria-label={labelOf(message, mine)}
        onPointerEnter={(event) => hovers(event) && setActive(true)}
        onPointerLeave={(event) => hovers(event) && setActive(false)}
        onFocus={() => setActive(true)}
        onBlur={(event) => isElsewhere(event) && setActive(false)}
      >
        {group && !mine && (
          <span className="message-face">{last && <UserAvatar user={message.sender} size="small" />}</span>
        )}
        <div className="message-column">
          {group && !mine && first && <span className="message-sender">{message.sender.fullName}</span>}
          <div className="bubble">
            {message.replyTo && !deleted && (
              <Quote user={message.replyTo.sender} onClick={() => onJump(message.replyTo?._id ?? '')}>
                {message.replyTo.text ?? 'Message'}
              </Quote>
            )}
            {deleted ? (
              <p className="message-text message-deleted">This message was deleted</p>
            ) : (
              <>
                <MessageMedia media={message.media} />
                {message.text && <MessageText text={message.text} />}
              </>
            )}
            <span className="message-meta">
              {message.editedAt && !deleted && <span>edited</span>}
              <time dateTime={message.createdAt} title={fullTime(message.createdAt)}>
                {clock(message.createdAt)}
              </time>
              {mine && !deleted && <Ticks status={message.status} />}
            </span>
            {active && !deleted && <MessageActions message={message} mine={mine} />}
          </div>
          {message.reactions.length > 0 && <Reactions message={message} />}
        </div>
      </article>
    </Place>
  );
});

/** A finger does not: it leaves before its press counts, and what it touches is focused. */
const hovers = ({ pointerType }: PointerEvent) => pointerType !== 'touch';

/** Whether the focus goes to another place. From a dialogue that the row has opened it comes back. */
function isElsewhere({ currentTarget, relatedTarget }: FocusEvent): boolean {
  return !currentTarget.contains(relatedTarget) && !relatedTarget?.closest('dialog');
}

function labelOf(message: Message, mine: boolean): string {
  return `${mine ? 'You' : message.sender.fullName}: ${previewOf(message)}, ${clock(message.createdAt)}`;
}

function Place({ day, unread, children }: { day: string | null; unread: boolean; children: ReactNode }) {
  return (
    <div className="message-place" role="listitem">
      {day && (
        <div className="day">
          <span>{dayLabel(day)}</span>
        </div>
      )}
      {unread && (
        <div className="unread-line">
          <span>New messages</span>
        </div>
      )}
      {children}
    </div>
  );
}

export function Quote({ user, children, onClick }: { user: User; children: ReactNode; onClick?: () => void }) {
  const words = (
    <>
      <strong>{firstName(user)}</strong>
      <span>{children}</span>
    </>
  );
  if (!onClick) return <div className="quote">{words}</div>;
  return (
    <button type="button" className="quote" onClick={onClick}>
      {words}
    </button>
  );
}

export interface PendingProps {
  entry: Pending;
  first: boolean;
  day: string | null;
  onRetry: (clientMessageId: string) => void;
  onDiscard: (clientMessageId: string) => void;
}

/** One that the server does not have yet. */
export const PendingRow = memo(function PendingRow({ entry, first, day, onRetry, onDiscard }: PendingProps) {
  const failed = entry.state === 'failed';
  return (
    <Place day={day} unread={false}>
      <article
        className="message message-mine message-pending"
        data-first={first || undefined}
        data-last
        data-failed={failed || undefined}
        aria-label={`You: ${entry.text}, ${failed ? 'not sent' : 'waiting to be sent'}`}
      >
        <div className="message-column">
          <div className="bubble">
            {entry.replyTo && <Quote user={entry.replyTo.sender}>{entry.replyTo.text ?? 'Message'}</Quote>}
            <MessageMedia media={entry.media} />
            {entry.text && <MessageText text={entry.text} />}
            <span className="message-meta">
              <time dateTime={entry.createdAt}>{clock(entry.createdAt)}</time>
              <Ticks status={failed ? 'failed' : 'waiting'} />
            </span>
          </div>
          {failed && (
            <div className="failed-line" role="alert">
              <span>{entry.error ?? 'Not sent'}</span>
              <button type="button" onClick={() => onRetry(entry.clientMessageId)}>
                Try again
              </button>
              <button type="button" onClick={() => onDiscard(entry.clientMessageId)}>
                Delete
              </button>
            </div>
          )}
        </div>
      </article>
    </Place>
  );
});
