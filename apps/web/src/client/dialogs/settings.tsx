// About oneself: name, looks, who is blocked, signing out.
import { LogOut } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useChatClient, useChatState } from '../../parlance';
import { UserAvatar } from '../avatar';
import { type Theme, useTheme } from '../theme';
import { attempt, toast } from '../ui';
import { DialogueFrame } from './dialogue';

const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function Settings({ onClose, onSignOut }: { onClose: () => void; onSignOut: () => void }) {
  const client = useChatClient();
  const me = useChatState((state) => state.me);
  const blocked = useChatState((state) => state.blocked);
  const [name, setName] = useState(me?.fullName ?? '');
  const [theme, setTheme] = useTheme();
  const rename = async (event: FormEvent) => {
    event.preventDefault();
    await attempt(client.rename(name.trim()).then(() => toast('Saved')));
  };
  const leave = () => {
    onClose();
    onSignOut();
  };
  return (
    <DialogueFrame title="Settings" onClose={onClose}>
      <form className="profile" onSubmit={(event) => void rename(event)}>
        {me && <UserAvatar user={me} size="large" />}
        <label>
          Your name
          <input className="field" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit" className="button button-primary" disabled={!name.trim() || name.trim() === me?.fullName}>
          Save
        </button>
      </form>
      <fieldset className="choices">
        <legend>Looks</legend>
        <div>
          {THEMES.map(({ value, label }) => (
            <label key={value}>
              <input
                type="radio"
                name="theme"
                value={value}
                checked={theme === value}
                onChange={() => setTheme(value)}
              />
              <span>{label}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <section>
        <h3>Blocked people</h3>
        {Object.values(blocked).length === 0 && <p className="hint">Nobody.</p>}
        <ul className="members">
          {Object.values(blocked).map((user) => (
            <li key={user._id} className="member">
              <UserAvatar user={user} size="small" />
              <span className="member-name">{user.fullName}</span>
              <button type="button" className="button" onClick={() => void attempt(client.unblock(user))}>
                Unblock
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section className="keys-section">
        <h3>Keys</h3>
        <dl className="keys">
          <dt>
            <kbd>Ctrl</kbd> <kbd>K</kbd>
          </dt>
          <dd>Search</dd>
          <dt>
            <kbd>Alt</kbd> <kbd>↑</kbd> <kbd>↓</kbd>
          </dt>
          <dd>Conversation before, next</dd>
          <dt>
            <kbd>↑</kbd>
          </dt>
          <dd>In an empty field: edit your last message</dd>
          <dt>
            <kbd>Shift</kbd> <kbd>Enter</kbd>
          </dt>
          <dd>New line</dd>
        </dl>
      </section>
      <div className="details-actions">
        <button type="button" className="row-button row-button-danger" onClick={leave}>
          <LogOut aria-hidden="true" /> Sign out
        </button>
      </div>
    </DialogueFrame>
  );
}
