// nginx or HAProxy in front of several nodes, with the configuration that docs/operating.md tells people to use: only the
// addresses of the nodes are put in, and a port of loopback without TLS takes the place of the one with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.mjs';
import { Person } from './person.mjs';
import { eventually, within } from './wait.mjs';

const DOCUMENT = fileURLToPath(new URL('../../../docs/operating.md', import.meta.url));
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** What surrounds the document's part, how it is listened on, and how it is started. */
const KINDS = {
  nginx: {
    listening: [/listen 443 ssl;/, (port) => `listen 127.0.0.1:${port};`],
    // One process, so that nothing is left behind that nobody knows of.
    whole: (dir, part) => `
      daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/log;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
        ${part}
      }`,
    command: (file, dir) => ['/usr/sbin/nginx', '-p', dir, '-e', join(dir, 'log'), '-c', file],
  },
  haproxy: {
    listening: [/bind :443 ssl crt \S+/, (port) => `bind 127.0.0.1:${port}`],
    whole: (_, part) => part,
    command: (file) => ['/usr/sbin/haproxy', '-db', '-f', file],
  },
};

/** What people connect to instead of a node; it is to them what a server is. */
export class Balancer {
  static async start(kind, nodes) {
    const balancer = new Balancer(kind, await freePort(), await mkdtemp(join(tmpdir(), 'parlance-balancer-')));
    balancer.secret = nodes[0].secret;
    await balancer.#run(nodes);
    return balancer;
  }

  constructor(kind, port, dir) {
    this.kind = KINDS[kind];
    this.name = kind;
    this.dir = dir;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.clients = new Set();
  }

  async #run(nodes) {
    const file = join(this.dir, 'configuration');
    await chmod(this.dir, 0o755);
    await writeFile(file, `${this.kind.whole(this.dir, await this.#documented(nodes))}\n`);
    const [command, ...args] = this.kind.command(file, this.dir);
    this.log = '';
    this.child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(this.child);
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.log = (this.log + text).slice(-10_000)));
    this.exited = once(this.child, 'exit').finally(() => running.delete(this.child));
    const answers = () => fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false);
    await eventually(this.name, answers).catch((error) => {
      throw new Error(`${error.message}:\n${this.log}`);
    });
  }

  /** The document's part, on these nodes. */
  async #documented(nodes) {
    const text = await readFile(DOCUMENT, 'utf8');
    const parts = text.split('```').filter((part) => part.startsWith(`${this.name}\n`));
    assert.equal(parts.length, 1, `docs/operating.md has one configuration of ${this.name}`);
    let part = parts[0].slice(this.name.length);
    const [pattern, replacement] = this.kind.listening;
    assert.match(part, pattern);
    part = part.replace(pattern, replacement(this.port));
    nodes.forEach((node, index) => {
      const place = `10.0.0.${index + 1}:4000`;
      assert.ok(part.includes(place), place);
      part = part.replace(place, new URL(node.url).host);
    });
    assert.doesNotMatch(part, /10\.0\.0\./, 'as many nodes as the document has');
    return part;
  }

  /** Somebody whose way goes through here, and whose machine has an address of its own. */
  async person(name, number) {
    const person = new Person(this, name);
    await person.introduce();
    person.agent = new Agent({ localAddress: `127.0.1.${number}` });
    return person;
  }

  async close() {
    for (const client of this.clients) client.close();
    this.child.kill('SIGTERM');
    await within(20_000, `${this.name} to end`, this.exited);
    await rm(this.dir, { recursive: true, force: true });
  }
}
