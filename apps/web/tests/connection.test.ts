// The connection's life against the real server, and against a port where nobody listens.
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthenticationError, Connection, type ConnectionState, GivenUpError, NoAnswerError } from '../src/parlance';
import { RETRY_DELAYS_MS } from '../src/parlance/connection';
import { eventually, type Person, Server } from './support/people';
import { setOnline } from './support/setup';

let server: Server;
let ann: Person;
const open: Connection[] = [];
beforeAll(async () => {
  server = await Server.start();
  ann = await server.person('Ann');
});
afterAll(() => server.close());
afterEach(() => {
  for (const connection of open.splice(0)) connection.disconnect();
});

function connect(url: string, token: string | null): Connection {
  const connection = new Connection({ url, token: () => token, dialect: 'talentbridge' });
  open.push(connection);
  connection.connect();
  return connection;
}
const until = (connection: Connection, status: ConnectionState['status']) =>
  eventually(
    `the status ${status}`,
    () => connection.state.getState().status,
    (now: string) => now === status,
  );

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('a connection', () => {
  it('answers requests once it is there', async () => {
    const connection = connect(server.url, ann.token);
    await until(connection, 'connected');
    expect(await connection.request('users:get-status', [ann.id])).toEqual([{ userId: ann.id, status: 'online' }]);
    connection.disconnect();
    expect(connection.state.getState().status).toBe('idle');
    expect(connection.emit('typing:start', 'x')).toBe(false);
    await expect(connection.ask('sync', {})).rejects.toBeInstanceOf(NoAnswerError);
  });

  it('does not knock again with a token that is refused', async () => {
    const connection = connect(server.url, 'not.a.token');
    await until(connection, 'failed');
    expect(connection.state.getState()).toMatchObject({ attempt: 0, retryAt: null });
    expect(connection.state.getState().error).toBeInstanceOf(AuthenticationError);
  });

  it('tries again after 1, 2, 4, 8 and 16 seconds, then gives up until it is asked', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      const waits: number[] = [];
      const connection = new Connection({ url, token: () => ann.token, dialect: 'talentbridge' });
      open.push(connection);
      connection.state.subscribe(({ status, retryAt }, before) => {
        if (status === 'waiting' && before.status !== 'waiting') waits.push((retryAt ?? 0) - Date.now());
      });
      connection.connect();
      while (connection.state.getState().status !== 'failed') {
        await new Promise((resolve) => setImmediate(resolve));
        // The network's own steps take no time to speak of.
        vi.advanceTimersByTime(connection.state.getState().status === 'waiting' ? 250 : 1);
      }
      expect(waits).toEqual([...RETRY_DELAYS_MS]);
      const { error, slow } = connection.state.getState();
      expect(error).toBeInstanceOf(GivenUpError);
      expect(slow).toBe(false);
      connection.connect();
      expect(connection.state.getState()).toMatchObject({ status: 'connecting', attempt: 0 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds still while the browser is offline, and goes on at once when it is back', async () => {
    const connection = connect(server.url, ann.token);
    await until(connection, 'connected');
    setOnline(false);
    await until(connection, 'offline');
    expect(connection.isConnected).toBe(false);
    connection.connect();
    expect(connection.state.getState().status).toBe('offline');
    setOnline(true);
    await until(connection, 'connected');
  });

  it('comes back by itself when the server was away', async () => {
    const other = await Server.start();
    try {
      const connection = connect(other.url, (await other.person('Ann')).token);
      await until(connection, 'connected');
      await other.kill();
      await until(connection, 'waiting');
      await other.restart();
      await until(connection, 'connected');
      expect(connection.state.getState().attempt).toBe(0);
    } finally {
      await other.close();
    }
  });
});
