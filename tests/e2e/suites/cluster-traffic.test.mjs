// What crosses between nodes for a message to many, counted in the bytes on each node's line to Redis.
// FANOUT_MEMBERS and FANOUT_MESSAGES do it with more.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cluster } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { eventually, inFlight } from '../support/wait.mjs';

const MEMBERS = Number(process.env.FANOUT_MEMBERS ?? 60);
const MESSAGES = Number(process.env.FANOUT_MESSAGES ?? 20);

/** Counts how often a line carries each of these, out to Redis and in from it. */
function count(line, names) {
  const counts = new Map(names.map((name) => [name, { out: 0, in: 0 }]));
  const before = new WeakMap();
  const times = (text, name) => text.split(name).length - 1;
  line.overhear((piece, isOut, socket) => {
    // A name may come in two pieces.
    const rest = before.get(socket) ?? '';
    const text = rest + piece.toString('latin1');
    for (const [name, found] of counts) found[isOut ? 'out' : 'in'] += times(text, name) - times(rest, name);
    before.set(socket, text.slice(1 - Math.max(...names.map(({ length }) => length))));
  });
  return counts;
}

// One file is for one process.
if (STORAGE !== 'sqlite') {
  describe(`three nodes on one ${STORAGE}, and what goes over Redis`, () => {
    it(`a message to ${MEMBERS} people on three nodes is said once and comes to each node once`, { timeout: 380_000 }, async (test) => {
      // Names of channels are read out of the bytes.
      const cluster = await Cluster.start({ link: 'redis' });
      try {
        await cluster.whole();
        const names = Array.from({ length: MEMBERS }, (_, n) => n);
        const people = await inFlight(20, names, (n) => cluster.nodes[n % 3].person(`P${n}`));
        const [owner, ...others] = people;
        const group = await owner.group('Everybody', others);
        const clients = await inFlight(20, people, (person) => person.connect('talentbridge', { transports: ['websocket'], reconnection: false }));
        const [sender] = clients;
        const heard = (client, text) => client.texts(group).includes(text);
        const everybody = (text) => Promise.all(clients.map((client) => client.untilTrue(text, () => heard(client, text), { patience: 60_000 })));
        // The first message makes everybody a notification; from then on they have one.
        await sender.ok('message:send', { conversationId: group, text: 'first' });
        await everybody('first');
        const notified = (client) => client.received('notification:new').length > 0;
        await eventually('everybody is notified', () => clients.slice(1).every(notified), Boolean, 60_000);

        const [room, user] = [`:room:${group}`, ':user:'];
        const lines = cluster.nodes.map(({ line }) => count(line, [room, user]));
        const of = (name) => lines.map((counts) => counts.get(name));
        const began = Date.now();
        for (let n = 1; n <= MESSAGES; n++) await sender.ok('message:send', { conversationId: group, text: `m${n}` });
        await everybody(`m${MESSAGES}`);
        const took = Date.now() - began;
        for (const client of clients) assert.equal(client.texts(group).length, MESSAGES + 1, 'each message once');
        const said = of(room);
        test.diagnostic(JSON.stringify({ members: MEMBERS, messages: MESSAGES, took, said, users: of(user) }));
        assert.deepEqual(said.map((line) => line.out), [MESSAGES, 0, 0], 'said once, by the node on which it was sent');
        assert.deepEqual(said.map((line) => line.in), [MESSAGES, MESSAGES, MESSAGES], 'and heard once by each');
      } finally {
        await cluster.close();
      }
    });
  });
}
