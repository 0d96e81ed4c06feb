// What an operator's tools ask: without a token, and while the server runs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Server } from '../support/server.mjs';

describe('operation', () => {
  let server;
  before(async () => {
    server = await Server.start({ listen: ['talentbridge', 'ulearn'] });
  });
  after(() => server.close());

  it('the open routes answer without a token', async () => {
    for (const url of server.urls) {
      for (const path of ['/healthz', '/readyz']) {
        const answer = await fetch(new URL(path, url));
        assert.equal(answer.status, 200, `${url}${path}`);
        await answer.text();
      }
    }
  });

  it('REST is the same on every listener, whatever its dialect', async () => {
    const ann = await server.person('Ann');
    const answers = await Promise.all(server.urls.map((url) =>
      fetch(new URL('/api/v1/users/me', url), { headers: { authorization: `Bearer ${ann.token}` } }).then((answer) => answer.json())));
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(answers[0].data.user.fullName, 'Ann');
  });

  for (const filter of [undefined, 'trace']) {
    it(`the log carries no token and no text of a message, with RUST_LOG=${filter}`, async () => {
      const own = await Server.start({ env: { RUST_LOG: filter } });
      const [ann, ben] = await own.people('Ann', 'Ben');
      const client = await ann.connect('talentbridge');
      const secretText = 'the cake is in the third drawer';
      await client.send(await ann.direct(ben), secretText);
      await own.close();
      assert.ok(own.log.includes('shut down'), 'there is a log');
      assert.ok(!own.log.includes(secretText));
      assert.ok(!own.log.includes(ann.token));
      assert.ok(!own.log.includes(own.secret));
    });
  }
});
