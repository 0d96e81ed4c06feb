// Notifications: the list, and what one wants to be told.
import { BellOff, CheckCheck, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { type Notification as Notice, type Preferences, useChatClient, useChatState } from '../../parlance';
import { canNotify, mayNotify } from '../browser-notifications';
import { relative, useNow } from '../format';
import { go } from '../route';
import { attempt, toast } from '../ui';
import { subscribePush, unsubscribePush } from '../web-push';
import { DialogueFrame } from './dialogue';
import { Switch } from './switch';

export function NotificationCentre({ onClose }: { onClose: () => void }) {
  const { notices } = useChatClient();
  const notifications = useChatState((state) => state.notifications);
  const more = useChatState((state) => state.moreNotifications);
  const unread = useChatState((state) => state.unreadNotifications);
  const now = useNow();
  useEffect(() => {
    void attempt(notices.refresh());
  }, [notices]);

  const open = (notice: Notice) => {
    if (!notice.read) void attempt(notices.read(notice._id));
    if (!notice.conversationId) return;
    go(notice.conversationId);
    onClose();
  };
  return (
    <DialogueFrame
      title="Notifications"
      onClose={onClose}
      extra={
        unread > 0 && (
          <button type="button" className="link-button" onClick={() => void attempt(notices.readAll())}>
            <CheckCheck aria-hidden="true" /> Mark all read
          </button>
        )
      }
    >
      {notifications.length === 0 && (
        <div className="panel-empty">
          <BellOff aria-hidden="true" />
          <p>Nothing new.</p>
        </div>
      )}
      <ul className="notices">
        {notifications.map((notice) => (
          <li key={notice._id} data-unread={!notice.read || undefined}>
            <button type="button" className="notice" onClick={() => open(notice)}>
              <span className="conversation-line">
                <strong>{notice.title}</strong>
                <time dateTime={notice.createdAt}>{relative(notice.createdAt, now)}</time>
              </span>
              <span className="notice-text">{notice.message}</span>
              {!notice.read && <span className="visually-hidden">unread</span>}
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label={`Delete ${notice.title}`}
              onClick={() => void attempt(notices.remove(notice._id))}
            >
              <Trash2 />
            </button>
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" className="button" onClick={() => void attempt(notices.more())}>
          Show more
        </button>
      )}
      <Wishes />
    </DialogueFrame>
  );
}

const WISHES: { key: keyof Preferences; label: string; about: string }[] = [
  { key: 'chatNotifications', label: 'Messages', about: 'In conversations that you are not looking at' },
  { key: 'jobMatchNotifications', label: 'Matches', about: 'What your product finds for you' },
  { key: 'emailNotifications', label: 'E-mail', about: 'When you are away for longer' },
  { key: 'pushNotifications', label: 'Push', about: 'On your phone and other devices' },
];

function Wishes() {
  const { notices, rest } = useChatClient();
  const preferences = useChatState((state) => state.preferences);
  const [allowed, setAllowed] = useState(mayNotify);
  const ask = async () => {
    const answer = await Notification.requestPermission();
    setAllowed(answer === 'granted');
    if (answer === 'granted' && preferences?.pushNotifications !== false) void attempt(subscribePush(rest));
    if (answer === 'denied') toast('The browser does not allow notifications of this page', 'error');
  };
  const wish = async (key: keyof Preferences, on: boolean) => {
    await notices.prefer({ [key]: on });
    if (key !== 'pushNotifications') return;
    if (!on) await unsubscribePush(rest);
    else if (mayNotify()) await subscribePush(rest);
    else if (canNotify()) await ask();
  };
  return (
    <section className="wishes" aria-label="What you are told">
      <h3>What you are told</h3>
      {canNotify() && (
        <Switch
          label="In this browser"
          about="While the page is in the background or closed"
          on={allowed}
          disabled={allowed}
          onChange={() => void ask()}
        />
      )}
      {WISHES.map(({ key, label, about }) => (
        <Switch
          key={key}
          label={label}
          about={about}
          on={preferences?.[key] ?? true}
          disabled={!preferences}
          onChange={(on) => void attempt(wish(key, on))}
        />
      ))}
    </section>
  );
}
