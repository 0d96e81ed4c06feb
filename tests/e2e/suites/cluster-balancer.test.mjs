// Two nodes behind one address, with the configurations of docs/operating.md: clients that poll, that open a WebSocket at
// once, and that begin with one and go on with the other, on whichever node they come out.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Balancer } from '../support/balancer.mjs';
import { Cluster } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { eventually } from '../support/wait.mjs';

const TRANSPORTS = { polling: ['polling'], websocket: ['websocket'], both: ['polling', 'websocket'] };

/** How many sockets are connected to a node. */
async function sockets(node) {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  return [...text.matchAll(/^parlance_sockets\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

// One file is for one process.
if (STORAGE !== 'sqlite') {
  for (const kind of ['nginx', 'haproxy']) {
    describe(`two nodes behind ${kind}`, () => {
      let cluster;
      let balancer;
      let people;
      let clients;
      let group;
      before(async () => {
        cluster = await Cluster.start({ count: 2, env: { TRUSTED_PROXIES: '127.0.0.1' } });
        await cluster.whole();
        balancer = await Balancer.start(kind, cluster.nodes);
        // Several of each kind: where one comes out is for the load balancer to say.
        const kinds = Object.entries(TRANSPORTS).flatMap((entry) => [entry, entry, entry]);
        people = await Promise.all(kinds.map(([name], n) => balancer.person(name, n + 1)));
        group = await people[0].group('Team', people.slice(1));
        // A client in a browser keeps cookies by itself.
        const options = (n) => ({ transports: kinds[n][1], agent: people[n].agent, withCredentials: kind === 'haproxy' });
        clients = await Promise.all(people.map((person, n) => person.connect('talentbridge', options(n))));
      });
      after(async () => {
        await balancer?.close();
        await cluster?.close();
      });

      /** Everybody says something, and everybody hears all of it once. */
      const talk = async (name) => {
        const marks = clients.map((client) => client.mark());
        await Promise.all(clients.map((client, n) => client.ok('message:send', { conversationId: group, text: `${name} ${n}` })));
        const texts = (client, mark) => client.texts(group, { since: mark }).filter((text) => text.startsWith(name));
        for (const [n, client] of clients.entries()) {
          await client.untilTrue(`all of ${name}`, () => texts(client, marks[n]).length >= clients.length);
          assert.equal(new Set(texts(client, marks[n])).size, clients.length);
          assert.equal(texts(client, marks[n]).length, clients.length);
        }
      };

      it('whoever polls or has a WebSocket talks with everybody, on both nodes', async () => {
        assert.deepEqual(clients.slice(0, 3).map(({ transport }) => transport), ['polling', 'polling', 'polling']);
        const held = await Promise.all(cluster.nodes.map(sockets));
        assert.ok(held.every((count) => count > 0), `both have some: ${held}`);
        assert.equal(held[0] + held[1], clients.length);
        await talk('before');
      });

      it('a client that begins with polling goes on over a WebSocket, on the same node', async () => {
        const upgrading = clients.slice(6);
        for (const client of upgrading) await client.upgraded();
        await talk('upgraded');
        assert.deepEqual(upgrading.map((client) => client.received('disconnect')), [[], [], []]);
      });

      it('when a node is killed its clients come back on the other one, and talk goes on', async () => {
        const [lost, left] = cluster.nodes;
        const moved = await sockets(lost);
        await lost.kill();
        await eventually('everybody is back', () => sockets(left), (count) => count === clients.length);
        await eventually('everybody knows', () => clients.every(({ socket }) => socket.connected));
        const gone = clients.filter((client) => client.received('disconnect').length > 0).length;
        assert.equal(gone, moved, 'nobody else was disturbed');
        await talk('after');
        await lost.restart();
        await cluster.whole();
      });
    });
  }
}
