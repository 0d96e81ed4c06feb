// Notifications of the browser for those who have the page in the background: messages in any conversation, and what
// the server notifies of beside them. Asked for in the notification centre, never by itself.
import { useEffect, useRef } from 'react';
import { type Message, type Notification as Notice, useChatClient, useChatState } from '../parlance';
import { previewOf, titleOf } from './format';
import { go } from './route';
import { subscribePush } from './web-push';

export const canNotify = () => 'Notification' in window;
export const mayNotify = () => canNotify() && Notification.permission === 'granted';

export function useBrowserNotifications(route: string | null): void {
  const client = useChatClient();
  const open = useRef(route);
  useEffect(() => {
    open.current = route;
  }, [route]);
  useEffect(() => {
    const told = ({ message, conversationId }: { message: Message; conversationId: string }) => {
      const { me, conversations, preferences } = client.store.getState();
      const looking = document.visibilityState === 'visible' && document.hasFocus();
      if (!mayNotify() || looking || message.sender._id === me?._id) return;
      if (preferences?.chatNotifications === false) return;
      const conversation = conversations[conversationId];
      const group = conversation?.type === 'group' ? `${titleOf(conversation, me)}: ` : '';
      announce(`${group}${message.sender.fullName}`, previewOf(message), conversationId, () => go(conversationId));
    };
    const noticed = (notice: Notice) => {
      // Messages are announced above, with their words.
      if (!mayNotify() || notice.type === 'chat_message' || document.visibilityState === 'visible') return;
      announce(notice.title, notice.message, notice._id, () => undefined);
    };
    client.connection.on('message:new', told);
    client.connection.on('notification:new', noticed);
    return () => {
      client.connection.off('message:new', told);
      client.connection.off('notification:new', noticed);
    };
  }, [client]);
  // Somebody else may have been signed in here, and push services may have given the browser another address.
  const pushed = useChatState((state) => state.preferences?.pushNotifications);
  useEffect(() => {
    // Nobody has asked for it just now, so a browser that fails at it says nothing.
    if (pushed && mayNotify()) subscribePush(client.rest).catch(() => undefined);
  }, [client, pushed]);
}

function announce(title: string, body: string, tag: string, opened: () => void): void {
  // One for each conversation: a newer one replaces it.
  const shown = new Notification(title, { body, tag, icon: './favicon.svg' });
  shown.onclick = () => {
    window.focus();
    opened();
    shown.close();
  };
}
