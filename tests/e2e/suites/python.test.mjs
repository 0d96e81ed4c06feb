// A client of another make: python-socketio chats with a JavaScript one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from '../support/server.mjs';
import { within } from '../support/wait.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const python = process.env.PARLANCE_E2E_PYTHON ?? join(here, '.venv', 'bin', 'python');

/** Runs the Python client; `heard` fills as its lines come, `until` waits for one, `ended` is its exit. */
function startPython(...args) {
  const child = spawn(python, [join(here, 'python', 'chat.py'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const heard = [];
  const listeners = new Set();
  let rest = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (complaints += text));
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    heard.push(...lines.map((line) => JSON.parse(line)));
    listeners.forEach((listener) => listener());
  });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  const until = (satisfied) =>
    within(60_000, () => `the Python client, which said ${JSON.stringify(heard)} and complained ${complaints}`, new Promise((resolve) => {
      const look = () => {
        const found = heard.find(satisfied);
        if (found) resolve(found);
      };
      listeners.add(look);
      look();
    }));
  return { heard, until, ended };
}

describe('python-socketio', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  for (const transport of ['polling', 'websocket']) {
    it(`a Python client chats over ${transport} with a JavaScript one`, { timeout: 120_000 }, async () => {
      const [ann, py] = await server.people('Ann', 'Py');
      const conversationId = await ann.direct(py);
      const first = await ann.say(conversationId, 'are you there?');
      const client = await ann.enter('talentbridge', conversationId);
      const snake = startPython(server.url, py.token, conversationId, transport, 'hello from Python', 'ünïcödé 🐍');
      await snake.until(({ event }) => event === 'ready');
      await client.untilText('hello from Python');
      await client.untilText('ünïcödé 🐍');
      await client.until('messages:read', ({ userId, messageIds }) => userId === py.id && messageIds.includes(first._id));

      await snake.until(({ event, code }) => event === 'error' && code === 'CONVERSATION_NOT_FOUND');
      await client.startTyping(conversationId);
      await snake.until(({ event, userId }) => event === 'typing:start' && userId === ann.id);
      await client.send(conversationId, 'hello from JavaScript');
      await client.send(conversationId, 'goodbye');
      assert.equal(await snake.ended, 0);

      const stored = (await ann.talk(conversationId)).filter(({ sender }) => sender._id === py.id).map(({ _id }) => _id);
      const acks = snake.heard.filter(({ event }) => event === 'ack');
      assert.deepEqual(acks.map(({ success, messageId }) => [success, messageId]), stored.map((id) => [true, id]));
      assert.deepEqual(snake.heard.filter(({ event }) => event === 'message:sent').map(({ messageId }) => messageId), stored);
      assert.deepEqual(snake.heard.filter(({ event }) => event === 'new:message').map(({ text }) => text),
        ['hello from Python', 'ünïcödé 🐍', 'hello from JavaScript', 'goodbye']);
    });
  }

  it('a Python client with a bad token is told so', { timeout: 60_000 }, async () => {
    const snake = startPython(server.url, 'rubbish', '64f123abc456def789012345', 'websocket');
    await snake.ended;
    const { reason } = snake.heard.find(({ event }) => event === 'refused');
    assert.equal(reason, 'Authentication error: Invalid token');
  });
});
