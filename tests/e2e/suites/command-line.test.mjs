// The binary's other commands and what it says to a bad configuration.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDatabase } from '../support/database.mjs';
import { Rest } from '../support/rest.mjs';
import { binary, Server } from '../support/server.mjs';

let dir;
const run = (args, env = {}) =>
  new Promise((resolve) => {
    execFile(binary, args, { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, ...env }, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });

describe('command line', () => {
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parlance-cli-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it('parlance token mints a token that the server takes', async () => {
    const server = await Server.start();
    try {
      const secret = { ACCESS_TOKEN_SECRET: server.secret };
      const minted = await run(['token', '--user', 'alice', '--name', 'Alice', '--picture', 'https://p.example/a.png', '--expires', '1h'], secret);
      assert.equal(minted.code, 0, minted.stderr);
      const { data } = await new Rest(server, minted.stdout.trim()).get('/api/v1/users/me');
      assert.deepEqual([data.user._id, data.user.fullName, data.user.profilePicture], ['alice', 'Alice', 'https://p.example/a.png']);
    } finally {
      await server.close();
    }
  });

  it('parlance completions needs no configuration, and names commands and flags', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout, stderr } = await run(['completions', shell], { PORT: 'none' });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /check-config/);
      assert.match(stdout, /presence-grace/);
    }
  });

  it('parlance migrate makes the database that serve then uses', async () => {
    const database = await createDatabase(dir);
    try {
      const env = { DATABASE_URL: database.url, DATABASE_MIGRATE: 'off' };
      const { code, stderr } = await run(['serve'], { ...secret, ...env, LISTEN: '127.0.0.1:0' });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^parlance: DATABASE_URL \(environment\): .*`parlance migrate`.*\n$/);
      for (const time of ['first', 'second']) assert.equal((await run(['migrate'], env)).code, 0, time);
      const server = await Server.start({ env });
      await server.person('Ann');
      await server.close();
    } finally {
      await database.drop();
    }
  });

  const secret = { ACCESS_TOKEN_SECRET: 'secret-of-this-test-secret-of-this-test' };
  const bad = {
    ACCESS_TOKEN_SECRET: {},
    PORT: { ...secret, PORT: 'harbour' },
    LISTEN: { ...secret, LISTEN: '127.0.0.1:0=klingon' },
    DATABASE_URL: { ...secret, DATABASE_URL: 'abacus://beads' },
    PRESENCE_GRACE: { ...secret, PRESENCE_GRACE: 'a while' },
    DEFAULT_DIALECT: { ...secret, DEFAULT_DIALECT: 'klingon' },
    PRESENCE_SCOPE: { ...secret, PRESENCE_SCOPE: 'nobody' },
  };
  for (const [setting, env] of Object.entries(bad)) {
    it(`a bad ${setting} is one line that names it, and exit code 2`, async () => {
      for (const command of ['check-config', 'serve']) {
        const { code, stderr } = await run([command], { DATABASE_URL: 'memory:', LISTEN: '127.0.0.1:0', ...env });
        assert.equal(code, 2, `${command}: ${stderr}`);
        const lines = stderr.trim().split('\n');
        assert.equal(lines.length, 1, stderr);
        assert.ok(lines[0].includes(setting), stderr);
      }
    });
  }

  it('a second server on the same port is a one-line error, not a second start', async () => {
    const server = await Server.start();
    try {
      const { code, stderr } = await run(['serve'], { ...secret, DATABASE_URL: 'memory:', LISTEN: `127.0.0.1:${new URL(server.url).port}` });
      assert.notEqual(code, 0);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    } finally {
      await server.close();
    }
  });
});

describe('memory', () => {
  it('DATABASE_URL=memory: serves a chat without a file', async () => {
    const server = await Server.start({ env: { DATABASE_URL: 'memory:' } });
    try {
      const [ann, ben] = await server.people('Ann', 'Ben');
      const conversationId = await ann.direct(ben);
      const client = await ben.enter('ulearn', conversationId);
      await ann.say(conversationId, 'from memory');
      await client.untilText('from memory');
    } finally {
      await server.close();
    }
  });
});
