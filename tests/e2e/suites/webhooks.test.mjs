// What happens is told to a receiver of the product's own: signed, in order, until it is taken, whatever becomes of the server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, it } from 'node:test';
import { Load } from '../support/load.mjs';
import { isFromChat, Receiver } from '../support/receiver.mjs';
import { binary, Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

/** A claim of a server that was killed lasts half a minute where others may be on its database. */
const PATIENCE = 90_000;

describe('webhooks', () => {
  let server;
  let receiver;
  const [secret, next] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  const key = randomBytes(24).toString('hex');

  afterEach(async () => {
    await server?.close();
    receiver?.close();
    server = receiver = undefined;
  });

  async function start(mood, env = {}) {
    receiver = await Receiver.start(mood);
    const settings = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRETS: `${next},${secret}`, SERVER_API_KEYS: `shop=${key}` };
    server = await Server.start({ env: { ...settings, ...env } });
    for (const hidden of [secret, next, key]) server.tokens.add(hidden);
  }

  const parlance = (...args) =>
    new Promise((resolve, reject) => {
      execFile(binary, args, { cwd: server.dir, env: server.env, timeout: 30_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(stderr));
        else resolve(stdout);
      });
    });

  async function ask(method, path, body) {
    const headers = { 'content-type': 'application/json', 'x-api-key': key };
    const answer = await fetch(new URL(`/api/v1/server/webhooks/dead-letters${path}`, server.url), { method, headers, body: body && JSON.stringify(body) });
    const { success, data } = await answer.json();
    assert.ok(success);
    return data;
  }

  it('tells of a conversation in order, with signatures that the code of the guide takes', async () => {
    await start();
    const [ann, bob] = await server.people('Ann', 'Bob');
    const group = await ann.group('Team', [bob]);
    const said = await ann.say(group, 'hello');
    await ann.rest.patch(`/api/v1/chat/conversations/${group}`, { title: 'Band' });
    const client = await bob.connect();
    await eventually('presence', () => receiver.taken.some(({ type, data }) => type === 'user.online' && data.userId === bob.id));
    client.close();
    await eventually('absence', () => receiver.taken.some(({ type, data }) => type === 'user.offline' && data.userId === bob.id));
    await eventually('the conversation', () => receiver.taken.some(({ type }) => type === 'conversation.updated'));

    const ours = receiver.taken.filter(({ data }) => data.conversationId === group);
    assert.deepEqual(ours.map(({ type }) => type), ['conversation.created', 'message.created', 'conversation.updated']);
    const [, created, updated] = ours;
    assert.deepEqual([created.data.messageId, created.data.message.text, created.data.message.sender.fullName], [said._id, 'hello', 'Ann']);
    assert.equal(updated.data.conversation.title, 'Band');
    assert.ok(receiver.taken.some(({ type, data }) => type === 'notification.created' && data.userId === bob.id && data.notification.message === 'Ann: hello'));
    assert.equal(new Set(receiver.taken.map(({ id }) => id)).size, receiver.taken.length);

    for (const { headers, body } of receiver.requests) {
      assert.equal(headers['parlance-webhook-id'], JSON.parse(body).id);
      for (const known of [secret, next]) assert.ok(isFromChat(headers, body, known));
      assert.ok(!isFromChat(headers, `${body} `, secret), 'other words');
      assert.ok(!isFromChat(headers, body, randomBytes(24).toString('hex')), 'another secret');
      const old = { ...headers, 'parlance-webhook-timestamp': String(headers['parlance-webhook-timestamp'] - 301) };
      assert.ok(!isFromChat(old, body, secret) && !isFromChat({}, body, secret), 'an old request, and one without a signature');
    }
  });

  it('SIGKILL under load: what was acked is told at least once, and in order', { timeout: 240_000 }, async () => {
    let count = 0;
    // Now and then it fails, as receivers do.
    await start(() => (count++ % 200 === 199 ? 503 : 200), { WEBHOOK_EVENTS: 'message.created' });
    const [owner, ...others] = await server.people('Owner', 'One', 'Two', 'Three');
    const groups = await Promise.all(others.map((other) => owner.group('Load', [other])));
    const enter = (person) => person.connect('ulearn', { transports: ['websocket'] });
    const clients = await Promise.all(others.map((other) => Promise.all([owner, other].map(enter))));
    const loads = groups.map((group, at) => new Load(clients[at], group));
    const acked = () => loads.flatMap((load) => load.acked);
    await eventually('the load', () => acked().length, (number) => number >= 400);
    await server.kill();
    loads.forEach((load) => load.stop());
    // What they have not sent yet they shall not send to the next.
    clients.flat().forEach((client) => client.close());
    await server.restart();
    const history = new Map();
    for (const group of groups) history.set(group, (await owner.history(group)).map(({ _id }) => _id));
    for (const group of groups) {
      await eventually('all of it', () => receiver.firstTold(group).length, (told) => told === history.get(group).length, PATIENCE);
      assert.deepEqual(receiver.firstTold(group), history.get(group), 'each, in the order of the conversation');
    }
    const told = new Set(groups.flatMap((group) => receiver.firstTold(group)));
    for (const { messageId } of acked()) assert.ok(told.has(messageId), 'acked and never told');
  });

  it('what is refused for good is a dead letter, for the command line and the server API', async () => {
    let gone = true;
    await start(({ data }) => (gone && data.message?.text === 'poison' ? 410 : 200), { WEBHOOK_EVENTS: 'message.created' });
    const [ann, bob] = await server.people('Ann', 'Bob');
    const direct = await ann.direct(bob);
    const poisons = [await ann.say(direct, 'poison'), await ann.say(direct, 'poison')];
    const fine = await ann.say(direct, 'fine');
    await eventually('the rest', () => receiver.firstTold(direct).includes(fine._id));
    const { deadLetters } = await eventually('dead letters', () => ask('GET', ''), ({ deadLetters: listed }) => listed.length === 2);
    assert.deepEqual(deadLetters.map(({ type, attempts, problem }) => [type, attempts, problem]), Array(2).fill(['message.created', 1, 'the receiver answers with status 410']));
    const lines = (await parlance('webhooks', 'list', '--json')).trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines, deadLetters);
    assert.equal((await parlance('webhooks', 'list')).split('\n').length, 3);

    gone = false;
    assert.equal(await parlance('webhooks', 'retry', deadLetters[0].id), 'put 1 dead letters back\n');
    await eventually('the first', () => receiver.firstTold(direct).includes(poisons[0]._id));
    assert.deepEqual(await ask('POST', '/retry', { ids: [deadLetters[0].id] }), { retried: 0 });
    assert.deepEqual(await ask('POST', '/drop', {}), { dropped: 1 });
    assert.equal(await parlance('webhooks', 'drop', '--all'), 'dropped 0 dead letters\n');
    assert.deepEqual(await ask('GET', ''), { deadLetters: [], pagination: { hasMore: false, nextCursor: null } });
  });
});
