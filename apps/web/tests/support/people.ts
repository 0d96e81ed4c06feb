// People of a running server as clients of the library: started, and closed with the test that made them.
import { afterEach } from 'vitest';
import { Person } from '../../../../tests/e2e/support/person.mjs';
import { Server } from '../../../../tests/e2e/support/server.mjs';
import { eventually as asked } from '../../../../tests/e2e/support/wait.mjs';
import { ChatClient } from '../../src/parlance';
import type { History } from '../../src/parlance/history';

export { Person, Server };

/** Asks again until the answer satisfies. */
export const eventually = asked as <T>(
  what: string,
  ask: () => T | Promise<T>,
  satisfied?: (answer: T) => boolean,
) => Promise<T>;

const clients = new Set<ChatClient>();
afterEach(() => {
  for (const client of clients) client.stop();
  clients.clear();
});

let databases = 0;

/** Somebody for each name, known to the server. */
export function folk<Names extends string[]>(
  server: Server,
  ...names: Names
): Promise<{ [At in keyof Names]: Person }> {
  return server.people(...names) as Promise<{ [At in keyof Names]: Person }>;
}

/** A client of somebody, connected and with its conversations. `outboxName`: the browser's database, its own by default. */
export async function clientOf(person: Person, outboxName = `test-${++databases}`): Promise<ChatClient> {
  const client = begun(person, outboxName);
  await eventually('a client that is ready', () => client.store.getState().ready);
  return client;
}

/** A client that is only told to start. */
export function begun(person: Person, outboxName = `test-${++databases}`): ChatClient {
  const client = new ChatClient({ url: person.server.url, token: person.token, outboxName });
  clients.add(client);
  client.start();
  return client;
}

export const historyOf = (client: ChatClient, id: string): History | undefined => client.store.getState().histories[id];

/** The texts that a client has of a conversation, oldest first. */
export const texts = (client: ChatClient, id: string): (string | null)[] =>
  (historyOf(client, id)?.messages ?? []).map(({ text }) => text);

export const untilTexts = (client: ChatClient, id: string, expected: (string | null)[]) =>
  eventually(
    `the texts ${expected.join(', ')}`,
    () => texts(client, id),
    (now: unknown) => JSON.stringify(now) === JSON.stringify(expected),
  );
