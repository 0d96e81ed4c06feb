// How the conversation's header reaches the one telephone of the page.
import { createContext } from 'react';
import type { CallMedia } from '../../parlance';

export const CallContext = createContext<{ start: (id: string, media: CallMedia) => Promise<void>; busy: boolean }>({
  start: async () => undefined,
  busy: true,
});
