// The left side: who I am, search, and the conversations.
import { Bell, Search, Settings, SquarePen, Users, X } from 'lucide-react';
import { useState } from 'react';
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
        <button
          type="button"
          className="icon-button"
          aria-label={unread > 0 ? `Notifications, ${unread} unread` : 'Notifications'}
          title="Notifications"
          onClick={() => show({ kind: 'notifications' })}
        >
          <Bell />
          {unread > 0 && <span className="icon-badge">{badge(unread)}</span>}
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="New group"
          title="New group"
          onClick={() => show({ kind: 'new-group' })}
        >
          <Users />
        </button>
        <button
          type="button"
          className="icon-button icon-button-strong"
          aria-label="New chat"
          title="New chat"
          onClick={() => show({ kind: 'new-chat' })}
        >
          <SquarePen />
        </button>
      </div>
    </header>
  );
}
