// Whose client this is. A product gives the access token in one of two ways: in the page's fragment (`/#token=…`), or in
// `localStorage` as `accessToken` where it shares the origin, and renews it there. Signing in at a `--dev` server is for
// one window, so that two windows can be two people.
import { useCallback, useEffect, useState } from 'react';
import { bearerOf } from '../parlance';
import { unsubscribePush } from './web-push';

const OF_THIS_WINDOW = 'parlance.token';
const OF_THE_PRODUCT = 'accessToken';

export interface Session {
  token: string;
  /** Changes with the person, not with a renewed token. */
  bearer: string;
}

const sessionOf = (token: string | null): Session | null =>
  token ? { token, bearer: bearerOf(token) ?? token } : null;

function given(): Session | null {
  const fragment = new URLSearchParams(location.hash.slice(1)).get('token');
  if (fragment) {
    sessionStorage.setItem(OF_THIS_WINDOW, fragment);
    // Out of the address at once: it would be copied with it.
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionOf(sessionStorage.getItem(OF_THIS_WINDOW) ?? localStorage.getItem(OF_THE_PRODUCT));
}

export interface SessionControl {
  session: Session | null;
  /** Why there is none any more. */
  ended: string | null;
  signIn: (token: string) => void;
  signOut: (reason?: string) => void;
}

export function useSession(): SessionControl {
  const [session, setSession] = useState(given);
  const [ended, setEnded] = useState<string | null>(null);

  useEffect(() => {
    const renewed = ({ key, newValue }: StorageEvent) => {
      if (key !== OF_THE_PRODUCT || sessionStorage.getItem(OF_THIS_WINDOW)) return;
      setSession(sessionOf(newValue));
    };
    addEventListener('storage', renewed);
    return () => removeEventListener('storage', renewed);
  }, []);

  const signIn = useCallback((token: string) => {
    sessionStorage.setItem(OF_THIS_WINDOW, token);
    setEnded(null);
    setSession(sessionOf(token));
  }, []);
  const signOut = useCallback((reason?: string) => {
    sessionStorage.removeItem(OF_THIS_WINDOW);
    localStorage.removeItem(OF_THE_PRODUCT);
    setEnded(reason ?? null);
    setSession(null);
    // Whoever sits here next is not told what is for somebody else. A browser that fails at it has nothing to be told by.
    unsubscribePush().catch(() => undefined);
    location.hash = '';
  }, []);
  return { session, ended, signIn, signOut };
}
