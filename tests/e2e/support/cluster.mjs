// Several servers on one database and one broker, Redis or NATS. Each reaches both over lines of its own, so that it can be
// cut off; the broker is the cluster's own, so that it can be stopped. E2E_LINK says which broker it is.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STORAGE, createDatabase } from './database.mjs';
import { freePort } from './free-port.mjs';
import { Line } from './line.mjs';
import { Server } from './server.mjs';
import { eventually } from './wait.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export const LINK = process.env.E2E_LINK || 'redis';

const BROKERS = {
  redis: {
    command: (port, dir) => ['redis-server', '--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
    setting: (port) => ({ REDIS_URL: `redis://127.0.0.1:${port}` }),
  },
  nats: {
    command: (port) => [process.env.TEST_NATS_SERVER ?? 'nats-server', '--addr', '127.0.0.1', '--port', port],
    setting: (port) => ({ NATS_URL: `nats://127.0.0.1:${port}` }),
  },
};

/** A broker on a free port of loopback that keeps nothing. */
class Broker {
  static async start(kind) {
    if (!BROKERS[kind]) throw new Error(`E2E_LINK=${kind} is not one of ${Object.keys(BROKERS).join(', ')}`);
    const broker = new Broker(BROKERS[kind], await freePort(), await mkdtemp(join(tmpdir(), 'parlance-broker-')));
    await broker.restart();
    return broker;
  }

  constructor(kind, port, dir) {
    this.kind = kind;
    this.port = port;
    this.dir = dir;
  }

  async restart() {
    const [command, ...options] = this.kind.command(this.port, this.dir);
    this.child = spawn(command, options.map(String), { stdio: 'ignore' });
    running.add(this.child);
    this.exited = once(this.child, 'exit').finally(() => running.delete(this.child));
    await eventually('the broker', () => this.#answers());
  }

  #answers() {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('connect', () => socket.destroy() && resolve(true));
      socket.once('error', () => resolve(false));
    });
  }

  async stop() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async close() {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export class Cluster {
  /** `count` nodes, the first of which people belong to unless they are asked of another. */
  static async start({ count = 3, env = {}, listen, link = LINK } = {}) {
    const cluster = new Cluster();
    cluster.link = link;
    cluster.database = await createDatabase();
    cluster.broker = await Broker.start(link);
    cluster.secret = randomBytes(32).toString('hex');
    cluster.nodes = [];
    for (let n = 0; n < count; n++) {
      const line = await Line.open('127.0.0.1', cluster.broker.port);
      const { url, line: databaseLine } = await toDatabase(cluster.database.url);
      const node = await Server.start({
        listen,
        env: {
          DATABASE_URL: url,
          ...cluster.broker.kind.setting(line.port),
          ACCESS_TOKEN_SECRET: cluster.secret,
          ...env,
        },
      });
      node.secret = cluster.secret;
      cluster.nodes.push(Object.assign(node, { line, databaseLine }));
    }
    return cluster;
  }

  /** What a node says of itself. */
  static async readiness(node) {
    const response = await fetch(`${node.url}/readyz`);
    return { status: response.status, ...(await response.json()).data };
  }

  /** Every node hears the others. */
  async whole() {
    for (const node of this.nodes) await eventually('a node is whole', () => Cluster.readiness(node), ({ status }) => status === 'ok');
  }

  async close() {
    for (const node of this.nodes) {
      await node.close();
      await node.line.close();
      await node.databaseLine.close();
    }
    await this.broker.close();
    await this.database.drop();
  }
}

/** A way to the database that can be cut. */
async function toDatabase(database) {
  const url = new URL(database);
  const line = await Line.open(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${line.port}`;
  // The driver would ask a replica set for its members, and reach them past the line.
  if (STORAGE === 'mongodb') url.searchParams.set('directConnection', 'true');
  return { url: url.href, line };
}
