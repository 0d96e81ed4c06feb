// The server answers as its description says: Schemathesis reads the document from a running server, makes up requests
// that fit it and some that do not, and looks at each answer. The run is short and seeded; a longer one is
// `SCHEMATHESIS_SECONDS=200 ./run.sh suites/openapi.test.mjs`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Server } from '../support/server.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const python = process.env.PARLANCE_E2E_PYTHON ?? join(here, '.venv', 'bin', 'python');
const key = randomBytes(24).toString('hex');
const CHECKS = [
  'not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance',
  'response_schema_conformance', 'unsupported_method', 'missing_required_header', 'ignored_auth',
];

/** Runs a command to its end; what it said goes with its exit code. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

describe('the description of the API', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { SERVER_API_KEYS: `shop=${key}` } });
    server.tokens.add(key);
  });
  after(() => server.close());

  it('every answer to what is made up from the description is as the description says', { timeout: 300_000 }, async (t) => {
    const [ann, bob] = await server.people('Ann', 'Bob');
    const conversationId = await ann.group('Team', [bob]);
    const message = await ann.say(conversationId, 'hello');
    // Ids of what exists, so that not everything is answered with 404.
    const known = { conversation: conversationId, message: message._id, user: bob.id, emoji: '👍', id: conversationId };
    const config = [
      '[parameters]',
      ...Object.entries(known).map(([name, value]) => `"path.${name}" = ${JSON.stringify(value)}`),
      `conversationId = ${JSON.stringify(conversationId)}`,
    ];
    const file = join(server.dir, 'schemathesis.toml');
    await writeFile(file, `${config.join('\n')}\n`);
    const { code, said } = await run(python, [
      '-m', 'schemathesis.cli', '--config-file', file, 'run', `${server.url}/openapi.json`, '--no-color',
      '--header', `Authorization: Bearer ${ann.token}`, '--header', `X-Api-Key: ${key}`,
      '--checks', CHECKS.join(','), '--phases', 'coverage,fuzzing', '--workers', '1', '--no-shrink', '--max-time', process.env.SCHEMATHESIS_SECONDS ?? '20',
      '--max-examples', '3', '--seed', process.env.SEED ?? '7', '--generation-database', 'none',
    ], { cwd: server.dir, env: { PATH: process.env.PATH, HOME: server.dir } });
    t.diagnostic(said.trim().split('\n').at(-1));
    assert.equal(code, 0, said);
  });

  it('the document and its page are there, and load nothing from elsewhere', async () => {
    for (const path of ['/openapi.json', '/api/openapi.json']) {
      const document = await (await fetch(new URL(path, server.url))).json();
      assert.equal(document.openapi, '3.1.0');
    }
    for (const path of ['/docs', '/docs/page.js', '/docs/page.css']) {
      const answer = await fetch(new URL(path, server.url));
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'/);
      assert.doesNotMatch(await answer.text(), /https?:\/\//, path);
    }
    const closed = await Server.start({ env: { API_DOCS: 'off' } });
    const { status } = await fetch(new URL('/docs', closed.url));
    await closed.close();
    assert.equal(status, 404);
  });
});
