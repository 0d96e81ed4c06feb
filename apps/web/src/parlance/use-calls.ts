// Calls in a component: the state of the one call that there may be, and what can be done with it. What calls need is
// loaded with the first one.
import { useEffect, useLayoutEffect, useMemo, useState } from 'react';
import type { CallSession, CallState } from './call-session';
import { useChatClient } from './chat-provider';
import type { CallInvite, CallMedia } from './contract';

export interface Calls {
  /** `null` while there is none. */
  call: CallState | null;
  start: (conversationId: string, media: CallMedia) => Promise<void>;
  accept: () => void;
  reject: () => void;
  hangUp: () => void;
  toggleMute: () => void;
  toggleCamera: () => void;
  toggleScreen: () => void;
  dismiss: () => void;
}

/** To be used once in a page: each use is a telephone of its own. */
export function useCalls(): Calls {
  const { connection, rest, store } = useChatClient();
  const [session, setSession] = useState<CallSession | null>(null);
  const [call, setCall] = useState<CallState | null>(null);

  const load = useMemo(() => {
    let loaded: Promise<CallSession> | undefined;
    return () => {
      loaded ??= import('./call-session').then((module) => {
        const fresh = new module.CallSession(connection, rest, () => store.getState().me?._id ?? '');
        fresh.state.subscribe((state) => setCall(state.phase === 'idle' ? null : state));
        setSession(fresh);
        return fresh;
      });
      return loaded;
    };
  }, [connection, rest, store]);

  useEffect(() => {
    const invited = (invite: CallInvite) => void load().then((loaded) => loaded.invited(invite));
    connection.on('call:invite', invited);
    return () => connection.off('call:invite', invited);
  }, [connection, load]);

  // A page that is closed does not leave the others waiting for it. While it still has a connection to say so over.
  useLayoutEffect(() => {
    const leave = () => session?.leave();
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      leave();
    };
  }, [session]);

  return useMemo(
    () => ({
      call,
      start: async (conversationId, media) => {
        const { conversations, me } = store.getState();
        const people = conversations[conversationId]?.participantUsers ?? [];
        const others = people.map(({ _id }) => _id).filter((id) => id !== me?._id);
        await (await load()).call(conversationId, media, others);
      },
      accept: () => void session?.accept(),
      reject: () => void session?.reject(),
      hangUp: () => void session?.hangUp(),
      toggleMute: () => session?.toggleMute(),
      toggleCamera: () => session?.toggleCamera(),
      toggleScreen: () => void session?.toggleScreen(),
      dismiss: () => session?.dismiss(),
    }),
    [call, session, load, store],
  );
}
