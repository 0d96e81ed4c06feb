// The HTTP API's user routes, and who may call it from a browser.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { conforms, envelope, failure, users } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

describe('REST users', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('one’s own profile, read and changed', async () => {
    const ann = await server.person('Ann', { picture: 'https://p.example/ann.png' });
    const me = await ann.rest.get('/api/v1/users/me');
    conforms(envelope, me.body);
    conforms(users.talentbridge, me.data.user);
    const changed = await ann.rest.patch('/api/v1/users/me', { fullName: 'Ann Marie', profilePicture: 'https://p.example/new.png' });
    assert.deepEqual([changed.status, changed.data.user.fullName, changed.data.user.profilePicture], [200, 'Ann Marie', 'https://p.example/new.png']);
    const again = await ann.rest.patch('/api/v1/users/me', { profilePicture: null });
    assert.deepEqual([again.data.user.fullName, again.data.user.profilePicture], ['Ann Marie', null]);
    for (const body of [{ fullName: 5 }, { fullName: '' }]) {
      const answer = await ann.rest.patch('/api/v1/users/me', body);
      conforms(failure, answer.body);
      assert.deepEqual([answer.status, answer.body.code, answer.body.errors[0].field], [400, 'VALIDATION_FAILED', 'fullName']);
    }
  });

  it('a new name shows in conversations and messages', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    await ann.rest.patch('/api/v1/users/me', { fullName: 'Ann Marie' });
    await ann.say(conversationId, 'guess who');
    assert.equal((await ben.history(conversationId))[0].sender.fullName, 'Ann Marie');
    assert.ok((await ben.conversation(conversationId)).participantUsers.some(({ fullName }) => fullName === 'Ann Marie'));
  });

  it('another user, with status; an unknown one is 404', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const { status, data } = await ann.rest.get(`/api/v1/users/${ben.id}`);
    conforms(users.talentbridge, data.user);
    assert.deepEqual([status, data.user._id, data.user.fullName, data.status], [200, ben.id, 'Ben', 'offline']);
    const unknown = await ann.rest.get('/api/v1/users/nobody-knows');
    assert.deepEqual([unknown.status, unknown.body.code, unknown.body.message], [404, 'USER_NOT_FOUND', 'User not found']);
  });

  it('search by name', async () => {
    const ann = await server.person('Ann');
    const wanted = await server.person('Quirin Zweig');
    const { status, data } = await ann.rest.get('/api/v1/users?search=quirin');
    assert.equal(status, 200);
    data.users.forEach((user) => conforms(users.talentbridge, user));
    assert.deepEqual(data.users.map(({ _id }) => _id), [wanted.id]);
    assert.deepEqual((await ann.rest.get(`/api/v1/users?search=${encodeURIComponent('%')}`)).data.users, []);
  });

  it('user ids with odd characters work in every place', async () => {
    const [ann] = await server.people('Ann');
    const odd = server.stranger('Odd', { sub: `o/d d?#%é-${ann.id}` });
    odd.id = `o/d d?#%é-${ann.id}`;
    await odd.introduce();
    const path = `/api/v1/users/${encodeURIComponent(odd.id)}`;
    assert.equal((await ann.rest.get(path)).data.user._id, odd.id);
    assert.deepEqual((await ann.rest.put(`${path}/block`)).data, { blocked: true });
    assert.deepEqual((await ann.rest.delete(`${path}/block`)).data, { blocked: false });
    const conversationId = await ann.direct(odd);
    const client = await odd.enter('ulearn', conversationId);
    await client.send(conversationId, 'odd but here');
    assert.equal((await ann.history(conversationId))[0].sender._id, odd.id);
  });
});

describe('CORS', () => {
  const allowed = ['http://localhost:3000', 'http://localhost:5173'];
  let server;
  let person;
  before(async () => {
    server = await Server.start({ env: { CORS_ORIGIN: allowed.join(',') } });
    person = await server.person('Browser');
  });
  after(() => server.close());

  const corsHeaders = ({ headers }) => [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')];
  const from = (origin, more = {}) => ({ headers: { origin, ...more } });

  for (const origin of allowed) {
    it(`${origin} is allowed with credentials, on success and on errors`, async () => {
      const good = await person.rest.get('/api/v1/users/me', from(origin));
      assert.deepEqual([good.status, ...corsHeaders(good)], [200, origin, 'true']);
      const unauthorized = await person.rest.get('/api/v1/users/me', from(origin, { authorization: 'Bearer rubbish' }));
      assert.deepEqual([unauthorized.status, ...corsHeaders(unauthorized)], [401, origin, 'true']);
      const missing = await person.rest.get('/api/v1/nowhere', from(origin));
      assert.deepEqual([missing.status, ...corsHeaders(missing)], [404, origin, 'true']);
    });

    it(`${origin} gets its preflight answered`, async () => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await fetch(new URL('/api/v1/chat/messages', server.url), {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type,x-dialect' },
        });
        assert.ok(answer.ok, `${method}: ${answer.status}`);
        assert.deepEqual(corsHeaders(answer), [origin, 'true']);
        assert.ok(answer.headers.get('access-control-allow-methods').includes(method));
        const headers = answer.headers.get('access-control-allow-headers').toLowerCase();
        for (const name of ['authorization', 'content-type', 'x-dialect']) assert.ok(headers.includes(name), headers);
      }
    });

    it(`${origin} may poll Socket.IO`, async () => {
      const answer = await fetch(new URL('/socket.io/?EIO=4&transport=polling', server.url), { headers: { origin } });
      assert.deepEqual([answer.status, ...corsHeaders(answer)], [200, origin, 'true']);
      const bad = await fetch(new URL('/socket.io/?EIO=4&transport=pigeon', server.url), { headers: { origin } });
      assert.deepEqual(corsHeaders(bad), [origin, 'true']);
    });
  }

  it('other origins get no CORS header', async () => {
    for (const origin of ['http://evil.example', 'http://localhost:30001', 'https://localhost:3000', 'null']) {
      const answer = await person.rest.get('/api/v1/users/me', from(origin));
      assert.deepEqual(corsHeaders(answer), [null, null], origin);
      const polling = await fetch(new URL('/socket.io/?EIO=4&transport=polling', server.url), { headers: { origin } });
      assert.deepEqual(corsHeaders(polling), [null, null], origin);
    }
  });
});

describe('CORS not set', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('no origin gets a CORS header', async () => {
    const person = await server.person();
    const { headers } = await person.rest.get('/api/v1/users/me', { headers: { origin: 'http://localhost:3000' } });
    assert.equal(headers.get('access-control-allow-origin'), null);
  });
});
