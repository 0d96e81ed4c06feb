// One running server of its own: a temporary folder, a database, a random secret, free ports on loopback. It can be
// stopped, killed and started again on the same data. Only processes started here are ever signalled, each by its own
// handle.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase } from './database.mjs';
import { Person } from './person.mjs';
import { within } from './wait.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const binary = process.env.PARLANCE_BIN ?? join(root, 'target', 'debug', 'parlance');

const LISTENING = /^parlance listening on (http:\/\/\S+) \(([\w-]+)\)/;
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
// Node's runner ends a file that takes too long with this signal, by which 'exit' is not called.
process.once('SIGTERM', () => process.exit(143));

export class Server {
  /**
   * `listen`: one entry per listener, a dialect's name or null for a listener without one.
   * `env`: settings on top of the suite's defaults; undefined leaves one out.
   * `disk`: the process sees this one, see `disk.mjs`; `network`: it is on this one, see `network.mjs`.
   */
  static async start({ listen = [null], env = {}, disk, network } = {}) {
    const dir = await mkdtemp(join(tmpdir(), 'parlance-e2e-'));
    const database = 'DATABASE_URL' in env ? undefined : await createDatabase(dir);
    const server = new Server(dir, listen, database, env);
    server.command = [...(disk?.enter ?? []), ...(network?.enter ?? []), binary, 'serve'];
    await server.#launch(listen.map((dialect) => address(0, dialect)));
    return server;
  }

  constructor(dir, listen, database, env) {
    this.dir = dir;
    this.database = database;
    this.listen = listen;
    this.log = '';
    this.secret = randomBytes(32).toString('hex');
    this.clients = new Set();
    /** What must not be in the log, beside the secret: tokens of people. */
    this.tokens = new Set();
    this.env = {
      PATH: process.env.PATH,
      HOME: dir,
      ACCESS_TOKEN_SECRET: this.secret,
      DATABASE_URL: database?.url,
      // Machines that run many tests at once are slow; what the default is good for is shown by storage.test.mjs.
      DATABASE_TIMEOUT: '20s',
      RATE_LIMITS: 'off',
      PRESENCE_GRACE: '200ms',
      RUST_LOG: 'warn',
      ...env,
    };
  }

  /** The first listener's address. */
  get url() {
    return this.urls[0];
  }

  get pid() {
    return this.child.pid;
  }

  async #launch(listeners) {
    const env = { ...this.env, LISTEN: listeners.join(',') };
    for (const [key, value] of Object.entries(env)) if (value === undefined) delete env[key];
    const [command, ...args] = this.command;
    const child = spawn(command, args, { cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.#assertDiscreet();
    this.log = '';
    running.add(child);
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }).finally(() => running.delete(child));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log = (this.log + text).slice(-2_000_000);
    });

    const found = [];
    const ready = new Promise((resolve) => {
      let pending = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        const lines = (pending + text).split('\n');
        pending = lines.pop();
        for (const line of lines) {
          const match = LISTENING.exec(line);
          if (!match) continue;
          found.push(match[1]);
          if (found.length === listeners.length) resolve('ready');
        }
      });
    });
    const outcome = await within(60_000, 'the server to listen', Promise.race([ready, this.exited]));
    if (outcome !== 'ready') {
      throw new Error(`the server did not start (${JSON.stringify(outcome)}):\n${this.log.slice(-20_000)}`);
    }
    this.urls = found;
  }

  /** SIGTERM, and the exit that follows. */
  async terminate() {
    this.child.kill('SIGTERM');
    return within(60_000, 'the server to shut down', this.exited);
  }

  /** SIGKILL: nothing gets a chance to be finished. */
  async kill() {
    this.child.kill('SIGKILL');
    return this.exited;
  }

  /** Starts again on the same data, secret and ports. */
  async restart() {
    const ports = this.urls.map((url) => new URL(url).port);
    await this.#launch(this.listen.map((dialect, index) => address(ports[index], dialect)));
  }

  /** Ends the clients, the process, the database and the folder. */
  async close() {
    for (const client of this.clients) client.close();
    const outcome = await this.terminate();
    await this.database?.drop();
    await rm(this.dir, { recursive: true, force: true });
    this.#assertDiscreet();
    return outcome;
  }

  /** Nothing that opens a door is in the log, of any test. */
  #assertDiscreet() {
    for (const key of [this.secret, ...this.tokens]) assert.ok(!this.log.includes(key), 'a secret or a token is in the log');
  }

  /** Somebody new, already known to the server; the id is the name with a random tail. */
  async person(name = 'someone', claims = {}) {
    const person = this.stranger(name, claims);
    await person.introduce();
    return person;
  }

  people(...names) {
    return Promise.all(names.map((name) => this.person(name)));
  }

  /** Somebody that the server has not seen yet. */
  stranger(name = 'someone', claims = {}) {
    return new Person(this, name, claims);
  }
}

const address = (port, dialect) => `127.0.0.1:${port}${dialect ? `=${dialect}` : ''}`;
