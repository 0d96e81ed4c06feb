// Who gets in, under which name, and what a refusal says.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { Rest } from '../support/rest.mjs';
import { Server } from '../support/server.mjs';
import { mintMislabelled, mintToken, mintUnsigned, nowSeconds } from '../support/tokens.mjs';

const refusal = (person, options) =>
  assert.rejects(Client.connect(person, { reconnection: false, ...options }), (error) => {
    refusal.last = error.message;
    return true;
  }).then(() => refusal.last);

describe('handshake', () => {
  let server;
  before(async () => {
    server = await Server.start({ listen: ['talentbridge'] });
  });
  after(() => server.close());

  it('a socket without a token is refused with the text of the guides', async () => {
    const nobody = server.stranger();
    assert.equal(await refusal(nobody, { auth: {} }), 'Authentication error: Token required');
    assert.equal(await refusal(nobody, { auth: { token: null } }), 'Authentication error: Token required');
  });

  const wrong = {
    'a malformed': () => 'not.a.token',
    'an expired': (secret, sub) => mintToken(secret, { sub, exp: nowSeconds() - 3600 }),
    'a not yet valid': (secret, sub) => mintToken(secret, { sub, nbf: nowSeconds() + 3600 }),
    'a wrongly signed': (secret, sub) => mintToken(`${secret}x`, { sub }),
    'an unsigned': (_, sub) => mintUnsigned({ sub }),
    'a mislabelled': (secret, sub) => mintMislabelled(secret, { sub }),
    'a nameless': (secret) => mintToken(secret, { name: 'No Id' }),
  };
  for (const [kind, make] of Object.entries(wrong)) {
    it(`${kind} token is refused with the text of the guides`, async () => {
      const nobody = server.stranger();
      const token = make(server.secret, nobody.id);
      assert.equal(await refusal(nobody, { token }), 'Authentication error: Invalid token');
    });
  }

  it('a user id with control characters or over 128 bytes is no valid token', async () => {
    const nobody = server.stranger();
    for (const sub of ['', 'tab\there', 'x'.repeat(129)]) {
      assert.equal(await refusal(nobody, { token: mintToken(server.secret, { sub }) }), 'Authentication error: Invalid token', JSON.stringify(sub));
    }
    const longest = await Client.connect(nobody, { token: mintToken(server.secret, { sub: 'x'.repeat(128) }) });
    assert.ok(longest.socket.connected);
  });

  it('the word Bearer before the token is optional in auth', async () => {
    const person = server.stranger();
    for (const token of [person.token, `Bearer ${person.token}`]) {
      const client = await person.connect('talentbridge', { token });
      assert.ok(client.socket.connected);
    }
  });

  for (const transport of ['polling', 'websocket']) {
    it(`the Authorization header carries the token over ${transport}`, async () => {
      const person = server.stranger();
      for (const authorization of [person.token, `Bearer ${person.token}`]) {
        const client = await person.connect('talentbridge', { auth: {}, extraHeaders: { authorization }, transports: [transport] });
        assert.deepEqual(await client.call('user:get-status', person.id), { userId: person.id, status: 'online' });
      }
    });
  }

  it('auth.token goes before the Authorization header', async () => {
    const person = server.stranger();
    const extraHeaders = { authorization: `Bearer ${person.token}` };
    assert.equal(await refusal(person, { token: 'rubbish', extraHeaders }), 'Authentication error: Invalid token');
    const client = await person.connect('talentbridge', { extraHeaders: { authorization: 'Bearer rubbish' } });
    assert.ok(client.socket.connected);
  });

  it('REST takes a raw token too, and refuses in the same words', async () => {
    const person = server.stranger();
    const raw = await person.rest.get('/api/v1/users/me', { headers: { authorization: person.token } });
    assert.equal(raw.data.user._id, person.id);
    const none = await new Rest(server, undefined).get('/api/v1/users/me');
    assert.deepEqual([none.status, none.body.code, none.body.message], [401, 'TOKEN_REQUIRED', 'Authentication error: Token required']);
    const bad = await new Rest(server, 'rubbish').get('/api/v1/users/me');
    assert.deepEqual([bad.status, bad.body.code, bad.body.message], [401, 'INVALID_TOKEN', 'Authentication error: Invalid token']);
  });

  it('the user id is the first present of sub, _id, id and userId', async () => {
    const own = server.stranger().id;
    const cases = [
      [{ sub: `${own}1`, _id: 'b', id: 'c', userId: 'd' }, `${own}1`],
      [{ _id: `${own}2`, id: 'c', userId: 'd' }, `${own}2`],
      [{ id: `${own}3`, userId: 'd' }, `${own}3`],
      [{ userId: `${own}4` }, `${own}4`],
    ];
    for (const [claims, expected] of cases) {
      const { data } = await new Rest(server, mintToken(server.secret, claims)).get('/api/v1/users/me');
      assert.equal(data.user._id, expected);
    }
  });

  it('name and picture come from the claims that each guide\'s backend uses', async () => {
    const own = server.stranger().id;
    const cases = [
      [{ name: 'Ann', fullName: 'Other', picture: 'https://p.example/1.png' }, 'Ann', 'https://p.example/1.png'],
      [{ fullName: 'Ann Two', profileImage: 'https://p.example/2.png' }, 'Ann Two', 'https://p.example/2.png'],
      [{ name: 'Ann Three', profilePicture: 'https://p.example/3.png' }, 'Ann Three', 'https://p.example/3.png'],
      [{ name: 'Ann Four' }, 'Ann Four', null],
    ];
    for (const [index, [claims, fullName, profilePicture]] of cases.entries()) {
      const sub = `${own}-${index}`;
      const { data } = await new Rest(server, mintToken(server.secret, { sub, ...claims })).get('/api/v1/users/me');
      assert.deepEqual({ _id: data.user._id, fullName: data.user.fullName, profilePicture: data.user.profilePicture }, { _id: sub, fullName, profilePicture });
    }
  });

  it('a later token changes the profile only where it differs from the last token', async () => {
    const sub = server.stranger().id;
    const as = (claims) => new Rest(server, mintToken(server.secret, { sub, ...claims }));
    const me = async (claims) => (await as(claims).get('/api/v1/users/me')).data.user;
    await me({ name: 'Token Name', picture: 'https://p.example/old.png' });
    const patched = await as({ name: 'Token Name', picture: 'https://p.example/old.png' }).patch('/api/v1/users/me', { fullName: 'Chosen Name' });
    assert.equal(patched.status, 200);
    const kept = await me({ name: 'Token Name', picture: 'https://p.example/new.png' });
    assert.deepEqual([kept.fullName, kept.profilePicture], ['Chosen Name', 'https://p.example/new.png']);
    const renamed = await me({ name: 'Married Name', picture: 'https://p.example/new.png' });
    assert.equal(renamed.fullName, 'Married Name');
  });

  it('a token that expires ends the session with session:expired, and auth:refresh extends it', async () => {
    const person = server.stranger('Shortlived');
    const brief = () => mintToken(server.secret, { sub: person.id, name: 'Shortlived', exp: nowSeconds() + 2 });
    const refreshed = await person.connect('talentbridge', { token: brief(), reconnection: false });
    await refreshed.ok('auth:refresh', { token: `Bearer ${person.token}` });
    const doomed = await person.connect('ulearn', { token: brief(), reconnection: false });
    assert.deepEqual(await doomed.until('session:expired'), {});
    await doomed.until('disconnect');
    // The refreshed session's first token expired before the other one did.
    await refreshed.fence();
    assert.ok(refreshed.socket.connected);
    assert.equal(refreshed.received('session:expired').length, 0);
  });

  it('auth:refresh refuses a token of somebody else, a bad one and none, and the session stays', async () => {
    const [person, other] = await server.people('Refresher', 'Other');
    const client = await person.connect();
    const codes = [];
    for (const payload of [{ token: other.token }, { token: 'rubbish' }, {}]) {
      const answer = await client.call('auth:refresh', payload);
      assert.equal(answer.success, false);
      codes.push(answer.code);
    }
    assert.equal(codes[1], 'INVALID_TOKEN');
    assert.ok(codes.every((code) => typeof code === 'string'));
    await client.fence();
  });

  it('the twenty-first socket of a user is refused', async () => {
    const person = server.stranger('Hoarder');
    const clients = await Promise.all(Array.from({ length: 20 }, () => person.connect('talentbridge', { transports: ['websocket'] })));
    assert.equal(await refusal(person, { transports: ['websocket'] }), 'Too many connections');
    clients[0].close();
    // The place is free again as soon as the server has seen the goodbye.
    const again = new Client(person, { transports: ['websocket'], reconnection: false });
    for (let connected = false; !connected; ) {
      const since = again.mark();
      again.socket.connect();
      connected = (await again.untilAny(['connect', 'connect_error'], () => true, { since })).event === 'connect';
    }
    assert.ok(again.socket.connected);
  });
});

describe('handshake with issuer and audience', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'chat' } });
  });
  after(() => server.close());

  it('tokens of another issuer or for another audience are refused', async () => {
    const person = server.stranger();
    const token = (claims) => mintToken(server.secret, { sub: person.id, ...claims });
    const right = { iss: 'https://id.example', aud: 'chat' };
    for (const claims of [{}, { ...right, iss: 'https://evil.example' }, { ...right, aud: 'shop' }, { iss: right.iss }, { aud: right.aud }]) {
      assert.equal(await refusal(person, { token: token(claims) }), 'Authentication error: Invalid token', JSON.stringify(claims));
    }
    const client = await person.connect('talentbridge', { token: token(right) });
    assert.ok(client.socket.connected);
  });
});

describe('handshake with a user directory', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { AUTH_PROVISION: 'directory' } });
  });
  after(() => server.close());

  it('an unknown user is refused with the text of the guides', async () => {
    const person = server.stranger();
    assert.equal(await refusal(person, {}), 'Authentication error: User not found');
    const { status, body } = await person.rest.get('/api/v1/users/me');
    assert.deepEqual([status, body.code], [401, 'USER_NOT_FOUND']);
  });
});
