// How fast clients may go, with real clients and small numbers: what is just below a limit passes, what is just
// above is refused in the contract's words, and after the pause that was told it goes on. Other suites run with
// RATE_LIMITS=off.
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { after, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { Server } from '../support/server.mjs';
import { within } from '../support/wait.mjs';

const HIGH = '100000/100000';
const servers = [];

/** A server with these limits; those that are not named are too high to be met. */
async function limited(env) {
  const rates = { RATE_LIMITS: 'on', RATE_EVENTS: HIGH, RATE_SENDS: HIGH, RATE_TYPING: HIGH, RATE_REST: HIGH, RATE_UPLOADS: '1000000' };
  const server = await Server.start({ env: { ...rates, RATE_FAILED_HANDSHAKES: '1000000', ...env } });
  servers.push(server);
  return server;
}

const refused = (answer) => {
  assert.deepEqual({ ...answer, retryAfterMs: undefined }, { success: false, error: 'Too many requests', code: 'RATE_LIMITED', retryAfterMs: undefined });
  assert.ok(Number.isInteger(answer.retryAfterMs) && answer.retryAfterMs > 0, JSON.stringify(answer));
  return answer.retryAfterMs;
};

/**
 * Does `count` things at once and splits the answers. As many passed as may come at once, and those that the rate gave
 * back meanwhile, however slow the machine is.
 */
async function atOnce(burst, rate, count, act, passes) {
  const begun = Date.now();
  const answers = await Promise.all(Array.from({ length: count }, (_, at) => act(at)));
  const most = burst + rate * Math.ceil((Date.now() - begun) / 1000);
  const [passed, others] = [answers.filter(passes), answers.filter((answer) => !passes(answer))];
  assert.ok(passed.length >= burst && passed.length <= most, `${passed.length} passed, of ${burst} to ${most}`);
  return { passed, others };
}

/** Why a handshake is refused, or `welcome`. */
const outcome = (person, options) =>
  Client.connect(person, { reconnection: false, ...options }).then(
    (client) => (client.close(), 'welcome'),
    (error) => error.message,
  );

const upload = (person, route = '/api/v1/media/upload') => {
  const form = new FormData();
  form.set('media', new Blob(['hello']), 'hello.txt');
  return fetch(new URL(route, person.server.url), { method: 'POST', headers: { authorization: `Bearer ${person.token}` }, body: form });
};

describe('limits', () => {
  after(() => Promise.all(servers.map((server) => server.close())));

  it('events above the rate are answered RATE_LIMITED with the time to wait, and pass after it', async () => {
    const server = await limited({ RATE_EVENTS: '2/5' });
    const [alice, bob] = await server.people('Alice', 'Bob');
    const client = await alice.connect();
    const { others } = await atOnce(5, 2, 30, () => client.call('notifications:read-all'), (answer) => answer.success);
    const waits = others.map(refused);
    assert.ok(Math.max(...waits) <= 500, `${waits}`);
    await pause(Math.max(...waits));
    await client.ok('notifications:read-all');
    await (await bob.connect()).ok('notifications:read-all');
  });

  it('every dialect hears of events above the rate, with an ack and without one', async () => {
    const server = await limited({ RATE_EVENTS: '1/3' });
    for (const dialect of DIALECTS) {
      const person = await server.person();
      const client = await person.connect(dialect);
      const { others } = await atOnce(3, 1, 10, () => client.call('notifications:read-all'), (answer) => answer.success);
      others.forEach(refused);
      const since = client.mark();
      for (let event = 0; event < 10; event += 1) client.emit('notifications:read-all');
      const error = await client.until('error', () => true, { since });
      assert.deepEqual([error.code, error.message], ['RATE_LIMITED', 'Too many requests'], dialect);
      assert.ok(error.retryAfterMs > 0, dialect);
    }
  });

  it('sends by socket and over HTTP count together', async () => {
    const server = await limited({ RATE_SENDS: '1/4' });
    const [alice, bob] = await server.people('Alice', 'Bob');
    const id = await alice.direct(bob);
    const client = await alice.connect();
    const bySocket = (at) => client.call(...client.sending(id, `socket ${at}`));
    const overHttp = (at) => alice.rest.post(at % 4 === 1 ? '/api/messages' : '/api/v1/chat/messages', { conversationId: id, text: `http ${at}` });
    const { passed, others } = await atOnce(4, 1, 24, (at) => (at % 2 === 0 ? bySocket(at) : overHttp(at)), (answer) => answer.success ?? answer.body.success);
    for (const answer of others) {
      if (answer.status === undefined) refused(answer);
      else {
        assert.deepEqual([answer.status, answer.body.code, answer.body.message], [429, 'RATE_LIMITED', 'Too many requests']);
        assert.equal(answer.headers.get('retry-after'), '1');
      }
    }
    await client.ok('notifications:read-all');
    await pause(1000);
    await client.send(id, 'after the pause');
    const texts = (await bob.talk(id)).map((message) => message.text);
    assert.equal(texts.length, passed.length + 1, 'what was refused is not stored');
    assert.equal(texts.at(-1), 'after the pause');
  });

  it('typing above the rate is acked and not told', async () => {
    const server = await limited({ RATE_TYPING: '1/2' });
    const [alice, bob] = await server.people('Alice', 'Bob');
    const id = await alice.direct(bob);
    const [one, other] = [await alice.enter('talentbridge', id), await bob.enter('talentbridge', id)];
    const starts = () => other.typing(id).filter(([, typing]) => typing).length;
    const { passed } = await atOnce(20, 0, 20, () => Promise.all([one.startTyping(id), one.stopTyping(id)]), (answers) => answers.every((answer) => answer.success));
    assert.equal(passed.length, 20, 'all are acked');
    await other.fence();
    const told = starts();
    assert.ok(told >= 2 && told < 20, `${told}`);
    await pause(1000);
    await one.startTyping(id);
    await other.untilTrue('typing again', () => starts() === told + 1);
  });

  it('HTTP requests above the rate are 429 with Retry-After, and pass after it', async () => {
    const server = await limited({ RATE_REST: '1/10' });
    const [alice, bob] = [server.stranger('Alice'), server.stranger('Bob')];
    const { others } = await atOnce(10, 1, 40, () => alice.rest.get('/api/v1/users/me'), ({ status }) => status === 200);
    for (const { status, body, headers } of others) {
      assert.deepEqual([status, body.success, body.code, body.message], [429, false, 'RATE_LIMITED', 'Too many requests']);
      assert.equal(headers.get('retry-after'), '1');
    }
    assert.equal((await bob.rest.get('/api/v1/users/me')).status, 200);
    assert.equal((await fetch(new URL('/healthz', server.url))).status, 200);
    await pause(1000);
    assert.equal((await alice.rest.get('/api/v1/users/me')).status, 200);
  });

  it('uploads above the rate are 429', async () => {
    const server = await limited({ RATE_UPLOADS: '3' });
    const [alice, bob] = await server.people('Alice', 'Bob');
    for (const route of ['/api/v1/media/upload', '/api/media/upload', '/api/v1/media/upload']) assert.equal((await upload(alice, route)).status, 201);
    const answer = await upload(alice);
    assert.equal(answer.status, 429);
    const wait = Number(answer.headers.get('retry-after'));
    assert.ok(wait > 0 && wait <= 20, `${wait} s`);
    assert.equal((await upload(bob)).status, 201);
  });

  it('after so many failed handshakes an address hears Too many requests, whoever it is', async () => {
    const server = await limited({ RATE_FAILED_HANDSHAKES: '3' });
    const alice = server.stranger('Alice');
    assert.equal(await outcome(alice), 'welcome');
    for (const token of ['rubbish', 'rubbish', null]) assert.match(await outcome(alice, { token }), /^Authentication error: /);
    assert.equal(await outcome(alice, { token: 'rubbish' }), 'Too many requests');
    assert.equal(await outcome(alice), 'Too many requests');
    assert.equal((await alice.rest.get('/api/v1/users/me')).status, 200, 'handshakes alone are counted');
  });

  it('a client’s address is what trusted proxies say, and nobody else', async () => {
    const behind = (address) => ({ extraHeaders: { 'x-forwarded-for': address } });
    const trusting = await limited({ RATE_FAILED_HANDSHAKES: '2', TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' });
    const alice = trusting.stranger('Alice');
    for (const address of ['203.0.113.9', '8.8.8.8, 203.0.113.9, 10.1.1.1']) {
      assert.match(await outcome(alice, { token: 'rubbish', ...behind(address) }), /Invalid token/);
    }
    assert.equal(await outcome(alice, behind('203.0.113.9')), 'Too many requests');
    assert.equal(await outcome(alice, behind('203.0.113.9, 203.0.113.10')), 'welcome');
    const wary = await limited({ RATE_FAILED_HANDSHAKES: '2', RUST_LOG: 'warn' });
    const bob = wary.stranger('Bob');
    for (const address of ['203.0.113.1', '203.0.113.2']) await outcome(bob, { token: 'rubbish', ...behind(address) });
    assert.equal(await outcome(bob, behind('203.0.113.3')), 'Too many requests');
    assert.equal(wary.log.match(/TRUSTED_PROXIES/g)?.length, 1, 'an operator is told once of a proxy that is not named');
  });

  it('a socket that keeps sending above its rate is disconnected after ten seconds', async () => {
    const server = await limited({ RATE_EVENTS: '5/5' });
    const [greedy, calm] = await server.people('Greedy', 'Calm');
    const [fast, slow] = [await greedy.connect('talentbridge', { reconnection: false }), await calm.connect()];
    const begun = Date.now();
    const gone = fast.until('disconnect', () => true, { patience: 30_000 });
    let running = true;
    gone.finally(() => { running = false; });
    while (running) {
      fast.emit('notifications:read-all');
      await pause(50);
    }
    assert.equal(await gone, 'io server disconnect');
    const took = Date.now() - begun;
    assert.ok(took >= 10_000 && took < 20_000, `${took} ms`);
    assert.ok(fast.received('error').every((error) => error.code === 'RATE_LIMITED'));
    await slow.ok('notifications:read-all');
  });

  it('RATE_LIMITS=off lifts them all and says so', async () => {
    const server = await limited({ RATE_LIMITS: 'off', RATE_EVENTS: '1/1', RATE_REST: '1/1', RATE_FAILED_HANDSHAKES: '1' });
    const alice = await server.person('Alice');
    for (let attempt = 0; attempt < 3; attempt += 1) assert.match(await outcome(alice, { token: 'rubbish' }), /Invalid token/);
    const client = await alice.connect();
    for (let event = 0; event < 100; event += 1) await client.ok('notifications:read-all');
    assert.match(server.log, /RATE_LIMITS is off/);
  });

  it('a page from elsewhere opens no WebSocket where origins are configured', async () => {
    const server = await limited({ CORS_ORIGIN: 'https://app.example' });
    const alice = server.stranger('Alice');
    const from = (origin) => ({ transports: ['websocket'], extraHeaders: { origin } });
    for (const origin of ['https://app.example', server.url]) assert.equal(await outcome(alice, from(origin)), 'welcome', origin);
    for (const origin of ['https://evil.example', 'null']) assert.match(await outcome(alice, from(origin)), /^websocket error/, origin);
  });

  it('a connection that brings no request is closed', async () => {
    const server = await limited({});
    const { hostname, port } = new URL(server.url);
    const ended = ['', 'GET /healthz HTTP/1.1\r\nhost: a\r\n'].map(async (beginning) => {
      const socket = createConnection({ host: hostname, port });
      socket.write(beginning);
      // A header a second keeps it no longer.
      const trickle = setInterval(() => socket.writable && beginning && socket.write('x-a: b\r\n'), 1000);
      socket.on('error', () => {});
      await within(30_000, 'the server to close the connection', new Promise((resolve) => socket.once('close', resolve)));
      clearInterval(trickle);
    });
    await Promise.all(ended);
  });

  it('heads of requests are bounded', async () => {
    const server = await limited({});
    const answer = await fetch(new URL('/healthz', server.url), { headers: { 'x-padding': 'x'.repeat(14_000) } });
    assert.equal(answer.status, 200);
    const { hostname, port } = new URL(server.url);
    const socket = createConnection({ host: hostname, port });
    let heard = '';
    socket.setEncoding('utf8').on('data', (text) => { heard += text; });
    socket.on('error', () => {});
    socket.write(`GET /healthz HTTP/1.1\r\nhost: a\r\nx-padding: ${'x'.repeat(100_000)}\r\n\r\n`);
    await within(30_000, 'the answer', new Promise((resolve) => socket.once('close', resolve)));
    // The system may throw the answer away with what was not read.
    assert.match(heard, /^(HTTP\/1\.1 431 |$)/);
  });
});
