// Finding people by name, a moment after the last key.
import { useEffect, useState } from 'react';
import { type User, useChatClient, useChatState } from '../parlance';

const PAUSE_MS = 200;

/** Those whose name contains the text, without oneself. */
export function usePeople(search: string): { people: readonly User[]; searching: boolean } {
  const { rest } = useChatClient();
  const me = useChatState((state) => state.me?._id);
  const [found, setFound] = useState<{ search: string; people: User[] } | null>(null);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () => {
        rest
          .users(search)
          .then((people) => current && setFound({ search, people: people.filter(({ _id }) => _id !== me) }))
          // The connection banner says why nothing is found.
          .catch(() => current && setFound({ search, people: [] }));
      },
      search ? PAUSE_MS : 0,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [rest, search, me]);
  return { people: found?.people ?? [], searching: found?.search !== search };
}
