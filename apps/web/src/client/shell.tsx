// The frame: list, conversation, details, and what lies above them. On narrow screens one of the three is seen.
import { MessageSquareText } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo } from 'react';
import { useCalls, useChatState } from '../parlance';
import { useBrowserNotifications } from './browser-notifications';
import { CallContext } from './call/call-context';
import { ChatWindow } from './chat/chat-window';
import { ConnectionBanner } from './connection-banner';
import { DetailsPanel } from './details/details-panel';
import { Dialogues } from './dialogs/dialogues';
import { badge } from './format';
import { go, useRoute } from './route';
import { Sidebar } from './sidebar/sidebar';
import { Toasts } from './toasts';
import { show, useUi } from './ui';

const CallOverlay = lazy(() => import('./call/call-overlay'));

export function Shell({ onSignOut }: { onSignOut: () => void }) {
  const route = useRoute();
  const details = useUi((ui) => ui.details);
  const known = useChatState((state) => (route ? route in state.conversations : false));
  const ready = useChatState((state) => state.ready);
  const unread = useChatState((state) =>
    Object.values(state.conversations).reduce((sum, { unreadCount }) => sum + unreadCount, 0),
  );
  const calls = useCalls();
  useBrowserNotifications(route);
  useShortcuts();

  useEffect(() => {
    document.title = unread > 0 ? `(${badge(unread)}) Parlance` : 'Parlance';
  }, [unread]);
  useEffect(() => {
    useUi.setState({ replyTo: null, editing: null, ...(route ? {} : { details: false }) });
  }, [route]);
  // A conversation that is gone leads back to the list.
  const gone = useChatState((state) => ready && route !== null && !known && state.failures[route] !== undefined);
  useEffect(() => {
    if (gone) go(null);
  }, [gone]);

  const starter = useMemo(() => ({ start: calls.start, busy: calls.call !== null }), [calls.start, calls.call]);
  return (
    <CallContext value={starter}>
      <div className="shell" data-view={route ? (details ? 'details' : 'chat') : 'list'}>
        <ConnectionBanner />
        <Sidebar route={route} />
        <main className="main" aria-label="Conversation">
          {route ? <ChatWindow key={route} id={route} /> : <Welcome />}
        </main>
        {route && details && known && <DetailsPanel id={route} />}
      </div>
      <Dialogues onSignOut={onSignOut} />
      {calls.call && (
        <Suspense fallback={null}>
          <CallOverlay calls={calls} />
        </Suspense>
      )}
      <Toasts />
    </CallContext>
  );
}

function Welcome() {
  return (
    <div className="welcome">
      <span className="sign-in-mark" aria-hidden="true">
        <MessageSquareText />
      </span>
      <h2>Pick up where you left off</h2>
      <p>Choose a conversation, or begin a new one.</p>
      <div className="welcome-actions">
        <button type="button" className="button button-primary" onClick={() => show({ kind: 'new-chat' })}>
          New chat
        </button>
        <button type="button" className="button" onClick={() => show({ kind: 'new-group' })}>
          New group
        </button>
      </div>
    </div>
  );
}

/** Ctrl+K searches; Alt with an arrow goes to the next conversation. */
function useShortcuts(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault();
        document.getElementById('search')?.focus();
      }
      if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
        event.preventDefault();
        const links = [...document.querySelectorAll<HTMLAnchorElement>('.conversation-row')];
        const at = links.findIndex((link) => link.getAttribute('aria-current') === 'page');
        links[at + (event.key === 'ArrowDown' ? 1 : -1)]?.click();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
