// What an operator's tools ask: without a token, and while the server runs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

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

  it('SIGHUP takes a changed limit over, and those who are connected notice nothing but the limit', async () => {
    const own = await Server.start({ env: { RUST_LOG: 'info' } });
    const [ann, ben] = await own.people('Ann', 'Ben');
    const client = await ann.connect('talentbridge');
    const conversation = await ann.direct(ben);
    const changed = async (file, said) => {
      await writeFile(join(own.dir, 'parlance.toml'), file);
      own.child.kill('SIGHUP');
      await eventually(`the log says: ${said}`, () => own.log.includes(said));
    };
    await client.send(conversation, 'a text of some length');
    await changed('max_text_chars = 5\n', 'the configuration was read again');
    assert.equal((await client.call(...client.sending(conversation, 'a text of some length'))).code, 'VALIDATION_FAILED');
    await client.send(conversation, 'short');
    await changed('max_text_chars = "none"\n', 'MAX_TEXT_CHARS (parlance.toml)');
    await client.send(conversation, 'still');
    assert.deepEqual(client.received('disconnect'), []);
    await own.close();
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
