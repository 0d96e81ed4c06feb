// Everything in the README and the guides that readers may copy works: each fenced block is tested in the way that it
// names, commands in running text are ones that there are, links lead somewhere. A block that names no way is a failure.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { ROOT, isTextOf, pages, source } from '../support/documents.mjs';
import { binary, Server } from '../support/server.mjs';
import { mintToken } from '../support/tokens.mjs';
import { eventually, within } from '../support/wait.mjs';

const python = process.env.PARLANCE_E2E_PYTHON ?? fileURLToPath(new URL('../.venv/bin/python', import.meta.url));
const secret = randomBytes(32).toString('hex');

/** What is elsewhere in a page, and is here in a test: addresses, databases, a secret that is left out. */
const HERE = [
  [/\b0\.0\.0\.0:\d+/g, '127.0.0.1:0'],
  [/sqlite:\/\/\/var\/lib\/parlance\/\w+\.db/g, 'sqlite://./first.db'],
  [/postgres:\/\/parlance@db\/chat/g, 'sqlite://./second.db'],
  [/mongodb:\/\/db\/chat/g, 'sqlite://./third.db'],
  [/ACCESS_TOKEN_SECRET=…/g, `ACCESS_TOKEN_SECRET=${secret}`],
];
const here = (script) => HERE.reduce((text, [there, stand]) => text.replace(there, stand), script);

/** The server is built by whoever runs the tests. */
const PRELUDE = 'set -euo pipefail\ncargo() { [ "$1" = build ]; }\n';

let dir;
/** Where the commands of one page run, one after the other. */
let work;
const environment = (env = {}) => ({ PATH: `${dir}/bin${delimiter}${process.env.PATH}`, HOME: dir, ...env });

/** Runs a script to its end, in a folder of its own where `parlance` is the binary under test. */
const run = (script, env) =>
  new Promise((resolve) => {
    const options = { cwd: work, env: environment(env), timeout: 60_000 };
    execFile('bash', ['-c', PRELUDE + script], options, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
const succeeds = async (script, env) => {
  const { code, stdout, stderr } = await run(script, env);
  assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
  return stdout;
};

/** What each way of testing does with a block of a page. */
const WAYS = {
  /** `text of FILE`: it is in that file, which is compiled and tested as what it is. */
  async text({ text }, _, file) {
    assert.ok(isTextOf(file, text), `${file} says it differently`);
  },

  /** `by FILE`: that test reads it out of the page. */
  async by(_, page, file) {
    assert.ok(source(file).includes(page.name.replace('docs/', '')), `${file} does not read it`);
  },

  /** Targets of the Makefile: they are there, and make knows how to get to them. */
  async make({ text }) {
    for (const line of text.trim().split('\n')) {
      const [, target] = /^make ([a-z0-9-]+)(?:\s+#.*)?$/.exec(line) ?? assert.fail(`no target: ${line}`);
      await succeeds(`make --dry-run --directory '${ROOT}' ${target} >/dev/null`);
    }
  },

  /** Commands that come to an end, on a database that is there. */
  async shell({ text }) {
    await succeeds(`parlance migrate\n${here(text)}`, { ACCESS_TOKEN_SECRET: secret, DATABASE_URL: 'sqlite://./first.db' });
  },

  /** The same, where there is an archive file already. */
  async import({ text }) {
    await copyFile(join(ROOT, 'crates', 'archive-file', 'tests', 'golden', 'version-1.ndjson'), join(work, 'all.ndjson'));
    await succeeds(here(text), { ACCESS_TOKEN_SECRET: secret });
  },

  /** Settings before `parlance serve`, of a server whose databases are not here: they can be used. */
  async settings({ text }) {
    const script = text.includes('parlance serve') ? text.replace('parlance serve', 'parlance check-config') : `set -a\n${text}\nparlance check-config`;
    const shown = await succeeds(script.replaceAll('ACCESS_TOKEN_SECRET=…', `ACCESS_TOKEN_SECRET=${secret}`), { ACCESS_TOKEN_SECRET: secret });
    for (const [, name] of text.matchAll(/^(?:.* )?([A-Z_]{4,})=/gm)) assert.match(shown, new RegExp(`\\b${name.toLowerCase()}\\b(?! is not set)`));
  },

  /** `environment FILE`: commands that write settings into a file, which can be used. */
  async environment({ text }, _, file) {
    const shown = await succeeds(`${text}\nset -a\n. ./${file}\nparlance check-config`, { ACCESS_TOKEN_SECRET: secret });
    for (const [, name] of text.matchAll(/\b([A-Z_]{4,})=/g)) assert.match(shown, new RegExp(`\\b${name.toLowerCase()}\\b(?! is not set)`));
  },

  /** How a client subscribes to web push, with a browser's part played here. */
  async subscription({ text }) {
    const vapid = await succeeds('parlance keys vapid');
    const [, key] = /^VAPID_PRIVATE_KEY=(\S+)$/m.exec(vapid);
    const server = await Server.start({ env: { VAPID_PRIVATE_KEY: key, VAPID_SUBJECT: 'mailto:ops@example.com', PUSH_PRIVATE_ADDRESSES: 'on' } });
    try {
      const headers = { authorization: `Bearer ${mintToken(server.secret, { sub: 'ann', name: 'Ann' })}`, 'content-type': 'application/json' };
      const answers = [];
      const ask = (method) => async (path, body) => {
        const answer = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
        return answers[answers.push(await answer.json()) - 1];
      };
      const browser = createECDH('prime256v1');
      const keys = { p256dh: browser.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
      const offered = [];
      const subscribe = async (options) => {
        offered.push(options);
        return { toJSON: () => ({ endpoint: 'http://127.0.0.1:9/ann', keys }) };
      };
      const AsyncFunction = (async () => {}).constructor;
      await new AsyncFunction('get', 'put', 'registration', text)(ask('GET'), ask('PUT'), { pushManager: { subscribe } });
      assert.deepEqual(answers.map(({ success }) => success), [true, true], JSON.stringify(answers));
      assert.ok(vapid.includes(offered[0].applicationServerKey) && offered[0].userVisibleOnly);
    } finally {
      await server.close();
    }
  },

  /** A script whose last command is a server that runs until it is ended. */
  async serve({ text }) {
    const script = here(text);
    const child = spawn('bash', ['-c', PRELUDE + script], { cwd: work, env: environment({ DATABASE_URL: 'memory:' }), detached: true });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let said = '';
    child.stdout.on('data', (data) => (said += data));
    child.stderr.on('data', (data) => (said += data));
    try {
      const wanted = [...script.matchAll(/127\.0\.0\.1:0=(\w+)/g)].map(([, dialect]) => dialect);
      const listening = () => [...said.matchAll(/^parlance listening on \S+ \((\w+)\)$/gm)].map(([, dialect]) => dialect);
      await Promise.race([
        eventually(`the listeners of ${script}`, listening, (found) => found.length === Math.max(wanted.length, 1)),
        ended.then((code) => assert.fail(`it ended with ${code}: ${said}`)),
      ]);
      assert.deepEqual(listening(), wanted);
    } finally {
      // Its own group: the shell, and the server that it started.
      if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await within(20_000, 'the server to end', ended);
    }
  },

  /** `printed by COMMAND`: that prints it, whichever way. */
  async printed({ text }, _, command) {
    const { stdout, stderr } = await run(command, { ACCESS_TOKEN_SECRET: secret });
    assert.equal(stdout + stderr, text);
  },

  /** A call of the server API with curl, and what a page of the product hears of it by the page's `js`. */
  async calls({ text }, page) {
    const key = randomBytes(24).toString('hex');
    const server = await Server.start({ env: { SERVER_API_KEYS: `shop=${key}` } });
    const socket = io(server.url, { auth: { token: mintToken(server.secret, { sub: 'buyer-1', name: 'Buyer' }) }, forceNew: true });
    try {
      await within(20_000, 'the buyer to connect', new Promise((resolve) => socket.once('connect', resolve)));
      const shown = [];
      const listeners = page.blocks.filter(({ language }) => language === 'js');
      for (const { text: code } of listeners) new Function('socket', 'show', code)(socket, (...all) => shown.push(all));
      const answer = JSON.parse(await succeeds(text.replace('http://localhost:4000', server.url), { KEY: key }));
      assert.equal(answer.success, true, JSON.stringify(answer));
      await eventually('what the page shows', () => shown, (all) => all.length === listeners.length);
      assert.deepEqual(shown, [[7, 'shipped']]);
    } finally {
      socket.disconnect();
      await server.close();
    }
  },

  /** The part of a client that the block of `calls` on the same page makes speak. */
  async heard(_, page) {
    assert.ok(page.blocks.some(({ way }) => way === 'calls'), 'nobody calls');
  },

  /** `client DIALECT`: the least that a client of a family does, against a server that listens as the page says. */
  async client({ text }, _, dialect) {
    const server = await Server.start({ listen: [dialect] });
    const token = (user) => mintToken(server.secret, { sub: user, name: user });
    const sockets = [];
    const shown = [];
    try {
      const ask = (path, user, body) => fetch(`${server.url}/api/v1/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${token(user)}`, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      }).then((answer) => answer.json());
      await ask('users/me', 'bob');
      const { data } = await ask('chat/conversations/start', 'alice', { targetUserId: 'bob' });
      const connect = (...options) => sockets[sockets.push(io(...options)) - 1];
      const AsyncFunction = (async () => {}).constructor;
      const code = text.replaceAll(/http:\/\/localhost:\d+/g, server.url);
      await new AsyncFunction('io', 'token', 'userId', 'conversationId', 'show', code)(connect, token('alice'), 'alice', data.conversation.id, (what) => shown.push(what));
      await eventually('what the client shows', () => shown, (all) => all.length > 0);
      assert.deepEqual(shown, ['hello']);
    } finally {
      for (const socket of sockets) socket.disconnect();
      await server.close();
    }
  },

  /** A whole page with a client in it, run without a browser: the library is the one from the lock file. */
  async page({ text }) {
    const server = await Server.start();
    const token = (user, name) => mintToken(server.secret, { sub: user, name });
    const me = { headers: { authorization: `Bearer ${token('bob', 'Bob')}` } };
    const shown = [];
    try {
      assert.ok((await fetch(`${server.url}/api/v1/users/me`, me)).ok);
      const [, script] = /<script type="module">([\s\S]*)<\/script>/.exec(text);
      const code = script
        .replace(/^ *import \{ io \} from '[^']*';$/m, '')
        .replace('http://127.0.0.1:4000', server.url)
        .replace('ALICE’S TOKEN', token('alice', 'Alice'));
      const AsyncFunction = (async () => {}).constructor;
      const sockets = [];
      const connect = (...options) => sockets[sockets.push(io(...options)) - 1];
      const document = { body: { append: (what) => shown.push(what) } };
      try {
        await new AsyncFunction('io', 'document', 'console', code)(connect, document, { log: () => {} });
        await eventually('what the page shows', () => shown, (all) => all.length > 0);
      } finally {
        for (const socket of sockets) socket.disconnect();
      }
      assert.deepEqual(shown, ['Alice: Hello Bob ']);
    } finally {
      await server.close();
    }
  },

  /** What takes Docker: ports, volumes and settings are those of the image. */
  async container({ text }) {
    const dockerfile = source('Dockerfile');
    await succeeds(`bash -n <<'SCRIPT'\n${text}\nSCRIPT`);
    const config = await succeeds('parlance check-config', { ACCESS_TOKEN_SECRET: secret });
    for (const [, port] of text.matchAll(/--publish \d+:(\d+)/g)) assert.match(dockerfile, new RegExp(`^EXPOSE ${port}$`, 'm'));
    for (const [, path] of text.matchAll(/--volume [\w-]+:(\S+)/g)) assert.match(dockerfile, new RegExp(`^VOLUME ${path}$`, 'm'));
    for (const [, name] of text.matchAll(/--env (\w+)/g)) assert.match(config, new RegExp(`\\b${name.toLowerCase()}\\b`));
  },

  /** What changes a machine: the shell can read it, and the files and services that it names are in the package. */
  async machine({ text }) {
    await succeeds(`bash -n <<'SCRIPT'\n${text}\nSCRIPT`);
    const manifest = source('apps/server/Cargo.toml');
    for (const [, path] of text.matchAll(/ \/((?:etc|usr)\/\S+)/g)) assert.ok(manifest.includes(`"${path}"`) || manifest.includes(`"${path.replace(/[^/]+$/, '')}"`), path);
    for (const [, unit] of text.matchAll(/systemctl .*\b([\w-]+)$/gm)) assert.ok(existsSync(join(ROOT, 'packaging', `${unit}.service`)), unit);
  },

  /** Lines of JSON in which some is left out. */
  async json({ text }) {
    for (const line of text.trim().split('\n')) JSON.parse(line.replaceAll(/, …/g, '').replaceAll(/\{ … \}/g, '{}'));
  },

  /** YAML that a parser takes. */
  async yaml({ text }) {
    await succeeds(`'${python}' -c 'import sys, yaml; yaml.safe_load(sys.argv[1])["scrape_configs"]' "$BLOCK"`, { BLOCK: text });
  },

  /** A diagram: folders in it are there, and whoever says something in it was introduced. */
  async diagram({ text }) {
    for (const [, folder] of text.matchAll(/\["((?:apps|crates)\/[\w-]+|migrations)/g)) assert.ok(statSync(join(ROOT, folder)).isDirectory(), folder);
    const introduced = [...text.matchAll(/participant (\w+) as/g)].map(([, name]) => name);
    for (const [, from, to] of text.matchAll(/^\s*(\w+)-+>>(\w+):/gm)) assert.ok(introduced.includes(from) && introduced.includes(to), `${from} to ${to}`);
  },
};

describe('what the guides tell people to do', () => {
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parlance-documents-'));
    await mkdir(join(dir, 'bin'));
    await symlink(binary, join(dir, 'bin', 'parlance'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const all = pages();
  for (const page of all) {
    for (const block of page.blocks) {
      it(`${block.place} (${block.language || 'text'}) works`, async () => {
        assert.ok(block.way, 'it does not say how it is tested: put <!-- tested: WAY --> before it');
        const [, way, argument] = /^(\w+)(?: (?:of |by )?(.*))?$/.exec(block.way) ?? [];
        const test = WAYS[way] ?? assert.fail(`there is no way ${way}`);
        work = join(dir, page.name.replaceAll('/', '-'));
        await mkdir(work, { recursive: true });
        await test(block, page, argument);
      });
    }
  }

  it('commands in running text are ones that there are, with flags that they have', async () => {
    work = dir;
    const help = new Map();
    const helpOf = async (command) => {
      if (!help.has(command)) help.set(command, await succeeds(`parlance ${command} --help`));
      return help.get(command);
    };
    const commands = [...(await helpOf('')).matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name);
    for (const page of all) {
      for (const span of page.spans) {
        const [, command, rest] = /^(?:[A-Z_]+=\S* )*parlance ([a-z-]+)\b(.*)$/.exec(span) ?? [];
        if (!command) continue;
        // Another name of `check-config`, with a word after it.
        assert.ok([...commands, 'config'].includes(command), `${page.name}: ${span}`);
        for (const [flag] of rest.matchAll(/--[a-z-]+/g)) assert.ok((await helpOf(command)).includes(flag), `${page.name}: ${span}`);
      }
    }
  });

  it('targets of make in running text are in the Makefile', () => {
    const targets = [...source('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name);
    for (const page of all) {
      for (const span of page.spans) {
        const [, target] = /^(?:[A-Z_]+=\S* )*make ([a-z0-9-]+)/.exec(span) ?? [];
        if (target) assert.ok(targets.includes(target), `${page.name}: ${span}`);
      }
    }
  });

  it('links lead to files and headings that there are', () => {
    for (const page of all) {
      for (const { target, file, heading } of page.links) {
        assert.ok(existsSync(join(ROOT, file)), `${page.name}: ${target}`);
        const there = all.find(({ name }) => name === file);
        if (heading && there) assert.ok(there.headings.includes(heading), `${page.name}: ${target}`);
      }
    }
  });
});
