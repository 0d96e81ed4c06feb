// The left side: who I am, search, and the conversations.
import { Bell, Search, Settings, SquarePen, Users, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useChatState } from '../../parlance';
import { UserAvatar } from '../avatar';
import { badge } from '../format';
import { show } from '../ui';
import { ConversationList } from './conversation-list';
import { SearchResults } from './search-results';

export function Sidebar({ route }: { route: string | null }) {
  const [search, setSearch] = useState('');
  const searching = search.trim().length > 0;
  return (
    <aside className="sidebar" aria-label="Conversations">
      <SidebarHeader />
      <div className="search">
        <Search aria-hidden="true" />
        <input
          id="search"
          type="search"
          className="search-field"
          placeholder="Search people and messages"
          aria-label="Search people and messages"
          autoComplete="off"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && setSearch('')}
        />
        {searching && (
          <button type="button" className="icon-button" aria-label="Clear search" onClick={() => setSearch('')}>
            <X />
          </button>
        )}
      </div>
      {searching ? (
        <SearchResults search={search.trim()} onDone={() => setSearch('')} />
      ) : (
        <ConversationList route={route} />
      )}
    </aside>
  );
}

function SidebarHeader() {
  const me = useChatState((state) => state.me);
  const unread = useChatState((state) => state.unreadNotifications);
  return (
    <header className="sidebar-header">
      <button type="button" className="me" onClick={() => show({ kind: 'settings' })}>
        {me && <UserAvatar user={me} size="small" />}
        <span className="me-name">{me?.fullName ?? ''}</span>
        <span className="visually-hidden">Settings</span>
        <Settings aria-hidden="true" />
      </button>
      <div className="sidebar-actions">
        <Opener
          dialogue="notifications"
          title="Notifications"
          label={unread > 0 ? `Notifications, ${unread} unread` : undefined}
        >
          <Bell />
          {unread > 0 && <span className="icon-badge">{badge(unread)}</span>}
        </Opener>
        <Opener dialogue="new-group" title="New group">
          <Users />
        </Opener>
        <Opener dialogue="new-chat" title="New chat" strong>
          <SquarePen />
        </Opener>
      </div>
    </header>
  );
}

interface OpenerProps {
  dialogue: 'notifications' | 'new-group' | 'new-chat';
  title: string;
  /** What a screen reader says where that is more than the title. */
  label?: string | undefined;
  strong?: boolean;
  children: ReactNode;
}

function Opener({ dialogue, title, label = title, strong = false, children }: OpenerProps) {
  return (
    <button
      type="button"
      className={`icon-button ${strong ? 'icon-button-strong' : ''}`}
      aria-label={label}
      title={title}
      onClick={() => show({ kind: dialogue })}
    >
      {children}
    </button>
  );
}
