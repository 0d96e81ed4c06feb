// What operators see at /metrics while real clients do things that they can be told of.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const servers = [];
const start = async (env) => {
  const server = await Server.start({ env });
  servers.push(server);
  return server;
};

/** All samples: `name{labels}` to its value. */
async function samples(server) {
  const answer = await fetch(new URL('/metrics', server.url));
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
  const pairs = lines.map((line) => /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line)).map(([, name, value]) => [name, Number(value)]);
  return { text, of: new Map(pairs) };
}

describe('metrics', () => {
  after(() => Promise.all(servers.map((server) => server.close())));

  it('what happens is counted at /metrics, and nobody is named', async () => {
    const server = await start({ RATE_LIMITS: 'on', RATE_SENDS: '1/3' });
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversation = await ann.direct(ben);
    const annsPhone = await ann.enter('talentbridge', conversation);
    await ben.enter('gateway', conversation);
    const send = (id, text) => annsPhone.call(...annsPhone.sending(id, text));
    // Twenty at once are too many, however long they take; how many are stored is for the acks to say.
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => send(conversation, `message ${at}`)));
    const stored = answers.filter(({ success }) => success).length;
    const refused = answers.filter(({ code }) => code === 'RATE_LIMITED').length;
    assert.ok(stored >= 3 && refused >= 1 && stored + refused === 20, JSON.stringify(answers));

    const { text, of } = await samples(server);
    const at = (name) => of.get(name) ?? 0;
    assert.equal(at('parlance_sockets{dialect="talentbridge"}'), 1);
    assert.equal(at('parlance_sockets{dialect="gateway"}'), 1);
    assert.equal(at('parlance_sockets{dialect="ulearn"}'), 0);
    assert.equal(at('parlance_send_seconds_count'), stored);
    assert.equal(at('parlance_append_batch_messages_sum'), stored);
    assert.equal(at('parlance_append_seconds_count'), at('parlance_append_batch_messages_count'));
    assert.equal(at('parlance_append_failures_total'), 0);
    for (const kind of ['read', 'write']) assert.ok(at(`parlance_storage_seconds_count{kind="${kind}"}`) > 0, kind);
    assert.ok(!text.includes('\nparlance_link_up'), 'it is alone');
    assert.equal(at('parlance_delivery_seconds_count'), stored);
    assert.ok(at('parlance_events_in_total{dialect="talentbridge"}') >= 21, 'a join and all sends');
    assert.ok(at('parlance_events_out_total{dialect="gateway"}') >= stored, 'each message');
    assert.equal(at('parlance_event_errors_total{dialect="talentbridge",code="RATE_LIMITED"}'), refused);
    assert.equal(at('parlance_rate_limited_total{limit="sends"}'), refused);
    const started = 'method="POST",route="/api/v1/chat/conversations/start",status="201"';
    assert.equal(at(`parlance_http_request_seconds_count{${started}}`), 1);
    assert.ok(at('process_resident_memory_bytes') > 1e6);
    for (const secret of [ann.id, ben.id, conversation, ann.token]) assert.ok(!text.includes(secret), secret);

    await annsPhone.close();
    const left = async () => (await samples(server)).of.get('parlance_sockets{dialect="talentbridge"}');
    await eventually('a socket that is gone', left, (sockets) => sockets === 0);
  });

  it('what a client makes up does not become a label', async () => {
    const server = await start({});
    await fetch(new URL('/no/such/route', server.url));
    await fetch(new URL('/api/v1/users/some-one', server.url), { method: 'PURGE' });
    const { text } = await samples(server);
    assert.ok(!text.includes('/no/such/route') && !text.includes('some-one') && !text.includes('PURGE'));
    assert.match(text, /route="unknown"/);
  });

  it('METRICS=off hides it', async () => {
    const server = await start({ METRICS: 'off' });
    assert.equal((await fetch(new URL('/metrics', server.url))).status, 404);
  });
});
