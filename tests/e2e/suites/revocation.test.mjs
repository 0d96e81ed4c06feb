// Tokens of one user that the product's backend takes back: all doors are shut to them, and sockets that showed one end.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { Rest } from '../support/rest.mjs';
import { Server } from '../support/server.mjs';
import { mintToken, nowSeconds } from '../support/tokens.mjs';

const key = randomBytes(24).toString('hex');

describe('revocation', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { SERVER_API_KEYS: `shop=${key},news:presence+emit=${randomBytes(24).toString('hex')}` } });
    server.tokens.add(key);
  });
  after(() => server.close());

  async function ask(id, body, shown = key) {
    const headers = { 'content-type': 'application/json', 'x-api-key': shown };
    const url = new URL(`/api/v1/server/users/${id}/revoke-tokens`, server.url);
    const answer = await fetch(url, { method: 'POST', headers, body: body && JSON.stringify(body) });
    return { status: answer.status, ...(await answer.json()) };
  }
  const revoke = async (id, body) => {
    const answer = await ask(id, body);
    assert.equal(answer.success, true, JSON.stringify(answer));
    return answer.data.before;
  };
  const token = (person, claims) => {
    const made = mintToken(server.secret, { sub: person.id, name: person.name, ...claims });
    server.tokens.add(made);
    return made;
  };
  /** A token that is newer than whatever a test does, however long it takes: a clock may be so far ahead. */
  const later = (person) => token(person, { iat: nowSeconds() + 300 });
  const refusal = (person, shown) => Client.connect(person, { token: shown, reconnection: false }).then(
    () => assert.fail('a revoked token was let in'),
    (error) => error.message,
  );
  const status = async (shown) => {
    const { status: code, body } = await new Rest(server, shown).get('/api/v1/users/me');
    return [code, body.code];
  };

  it('a revoked token is refused as invalid by REST, the handshake and auth:refresh, and a newer one is let in', async () => {
    const ann = await server.person('Ann');
    const fresh = later(ann);
    const client = await ann.connect('talentbridge', { token: fresh });
    await revoke(ann.id);
    assert.deepEqual(await status(ann.token), [401, 'INVALID_TOKEN']);
    assert.equal(await refusal(ann, ann.token), 'Authentication error: Invalid token');
    const answer = await client.call('auth:refresh', { token: ann.token });
    assert.deepEqual([answer.success, answer.code], [false, 'INVALID_TOKEN']);
    await client.ok('auth:refresh', { token: fresh });
    assert.deepEqual(await status(fresh), [200, undefined]);
    const again = await ann.connect('talentbridge', { token: fresh });
    assert.ok(client.socket.connected && again.socket.connected);
  });

  it('sockets of any dialect and transport that showed a revoked token end with the reason; newer ones and others’ stay', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const old = await Promise.all(DIALECTS.map((dialect) => ann.connect(dialect)));
    old.push(await ann.connect('talentbridge', { transports: ['polling'], upgrade: false }));
    const refreshed = await ann.connect();
    await refreshed.ok('auth:refresh', { token: later(ann) });
    const newer = await ann.connect('ulearn', { token: later(ann) });
    const other = await ben.connect();
    await revoke(ann.id, { reason: 'password changed' });
    for (const socket of old) {
      assert.deepEqual(await socket.until('session:ended'), { reason: 'password changed' });
      assert.equal(await socket.until('disconnect'), 'io server disconnect');
    }
    for (const socket of [refreshed, newer, other]) {
      assert.equal((await socket.call('sync', { conversations: {} })).success, true);
      assert.deepEqual(socket.received('session:ended'), []);
    }
  });

  it('a token without a credible iat counts as issued before everything', async () => {
    const ann = await server.person('Ann');
    const silent = [undefined, 'yesterday', Date.now()].map((iat) => token(ann, { iat }));
    const client = await ann.connect('talentbridge', { token: silent[0] });
    for (const shown of silent) assert.deepEqual(await status(shown), [200, undefined]);
    await revoke(ann.id, { before: '2020-01-01T00:00:00Z' });
    await client.until('session:ended');
    for (const shown of silent) assert.deepEqual(await status(shown), [401, 'INVALID_TOKEN']);
    assert.deepEqual(await status(ann.token), [200, undefined], 'it says that it is newer');
  });

  it('a moment in the past spares what was issued since, and a revocation never moves back', async () => {
    const ann = await server.person('Ann');
    const [older, newer] = [token(ann, { iat: nowSeconds() - 7200 }), token(ann, { iat: nowSeconds() - 60 })];
    const sockets = [await ann.connect('talentbridge', { token: older }), await ann.connect('talentbridge', { token: newer })];
    const hourAgo = new Date((nowSeconds() - 3600) * 1000).toISOString();
    assert.equal(await revoke(ann.id, { before: hourAgo }), hourAgo);
    assert.deepEqual(await sockets[0].until('session:ended'), { reason: null });
    assert.equal((await sockets[1].call('sync', { conversations: {} })).success, true);
    assert.deepEqual([await status(older), await status(newer)], [[401, 'INVALID_TOKEN'], [200, undefined]]);
    assert.equal(await revoke(ann.id, { before: '2001-09-09T01:46:40.000Z' }), hourAgo, 'the later moment holds');
    assert.deepEqual(await status(older), [401, 'INVALID_TOKEN']);
  });

  it('tokens of somebody who was never here can be revoked before they come', async () => {
    const eve = server.stranger('Eve');
    await revoke(eve.id);
    assert.equal(await refusal(eve, eve.token), 'Authentication error: Invalid token');
    const fresh = later(eve);
    assert.equal((await new Rest(server, fresh).get('/api/v1/users/me')).data.user.fullName, 'Eve');
  });

  it('a revocation outlives a restart', async () => {
    const ann = await server.person('Ann');
    await revoke(ann.id);
    assert.equal((await server.terminate()).code, 0);
    await server.restart();
    assert.deepEqual(await status(ann.token), [401, 'INVALID_TOKEN']);
    assert.deepEqual(await status(later(ann)), [200, undefined]);
  });

  it('handshakes that race with a revocation leave no socket with a revoked token', async () => {
    const ann = await server.person('Ann');
    for (let round = 0; round < 10; round++) {
      const shown = token(ann, { iat: nowSeconds() - 100 + round });
      const sockets = Array.from({ length: 8 }, () => new Client(ann, { token: shown, reconnection: false, transports: ['websocket'] }));
      const before = new Date((nowSeconds() - 100 + round) * 1000 + 500).toISOString();
      await Promise.all([revoke(ann.id, { before }), ...sockets.map((socket) => socket.untilAny(['connect_error', 'disconnect']))]);
      sockets.forEach((socket) => socket.close());
    }
  });

  it('it takes a key with the scope, a moment that has been, and a reason of at most 200 characters', async () => {
    const ann = await server.person('Ann');
    const refused = async (...call) => {
      const { status: code, success, code: name } = await ask(...call);
      assert.equal(success, false);
      return [code, name];
    };
    assert.deepEqual(await refused(ann.id, {}, 'x'.repeat(48)), [401, 'INVALID_API_KEY']);
    const newsKey = server.env.SERVER_API_KEYS.split('=').at(-1);
    assert.deepEqual(await refused(ann.id, {}, newsKey), [403, 'FORBIDDEN']);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    for (const wrong of [{ before: tomorrow }, { before: 'now' }, { before: 1_700_000_000 }, { reason: 'x'.repeat(201) }, { reason: 7 }]) {
      assert.deepEqual(await refused(ann.id, wrong), [400, 'VALIDATION_FAILED'], JSON.stringify(wrong));
    }
    assert.deepEqual(await status(ann.token), [200, undefined], 'nothing was revoked');
  });
});
