// Three nodes under load while a seed decides what breaks: a node is killed or stands still, Redis is restarted, a node is
// cut off from Redis or from the database. People write on all nodes, go to another one when theirs is gone, and catch up
// as `socket.io-client` and an app with a local store do. At the end everything is compared with the storage.
// `make test-cluster` does it with more seeds, people and time, and on MongoDB too; SEED repeats one of them.
// CLUSTER_FAULTS names the faults to choose from, with commas between.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { chance, seed } from '../support/chance.mjs';
import { Cluster } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { plainMessage } from '../support/dialects.mjs';
import { Replica } from '../support/replica.mjs';
import { eventually, within } from '../support/wait.mjs';

const SEEDS = Number(process.env.CLUSTER_SEEDS ?? 1);
const PEOPLE = Number(process.env.CLUSTER_PEOPLE ?? 12);
const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 15);
const KEY = 'a-key-of-the-product';

/** Somebody who writes, keeps a copy, and goes elsewhere when their node is gone. */
class Citizen {
  constructor(client, conversations, nodes, luck) {
    Object.assign(this, { client, conversations, nodes, luck, sent: [], connection: 0, last: new Map(), outOfOrder: 0 });
    this.replica = new Replica(client, conversations);
    const { socket, words } = client;
    socket.on(words.messageEvent, (data) => {
      const { conversationId, seq } = plainMessage(client.dialect, words.unwrap(data));
      const place = `${this.connection} ${conversationId}`;
      if (seq <= (this.last.get(place) ?? 0)) this.outOfOrder += 1;
      this.last.set(place, seq);
    });
    socket.on('connect', () => {
      this.connection += 1;
      this.#catchUp();
    });
    socket.on('disconnect', () => this.#elsewhere());
    socket.on('connect_error', () => this.#elsewhere());
    this.#catchUp();
  }

  #elsewhere() {
    this.client.socket.io.uri = this.luck.pick(this.nodes).url;
  }

  async #catchUp() {
    const { connection } = this;
    while (this.client.socket.connected && connection === this.connection) {
      const entered = await this.replica.enter().then(() => true, () => false);
      if (entered) return;
      await pause(100);
    }
  }

  /** A few at a time, as the server allows: who gets no answer waits. */
  async write() {
    const lane = async () => {
      while (!this.stopped) {
        const message = { conversationId: this.luck.pick(this.conversations), text: randomUUID(), clientMessageId: randomUUID() };
        this.sent.push(message);
        await this.#send(message);
        await pause(PEOPLE * (10 + this.luck.below(20)));
      }
    };
    await Promise.all([lane(), lane(), lane()]);
  }

  /** Until it is acknowledged, with the same mark each time. */
  async #send(message) {
    const { conversationId, text, clientMessageId } = message;
    while (!message.messageId) {
      const event = this.client.sending(conversationId, text, { clientMessageId });
      const answer = await this.client.socket.timeout(10_000).emitWithAck(...event).catch(() => undefined);
      if (answer?.success) message.messageId = answer.messageId ?? answer.message?._id;
      else await pause(100);
    }
  }
}

const FAULTS = {
  async 'kill a node'({ node, luck }) {
    await node.kill();
    await pause(luck.below(2_000));
    await node.restart();
  },
  async 'stop a node'({ node, luck }) {
    node.child.kill('SIGSTOP');
    await pause(1_000 + luck.below(3_000));
    node.child.kill('SIGCONT');
  },
  async 'restart Redis'({ cluster, luck }) {
    await cluster.redis.stop();
    await pause(luck.below(2_500));
    await cluster.redis.restart();
  },
  async 'silence between a node and Redis'({ node, luck }) {
    node.line.hold();
    await pause(500 + luck.below(3_000));
    node.line.release();
  },
  async 'break between a node and Redis'({ node, luck }) {
    node.line.cut();
    await pause(luck.below(3_000));
    node.line.mend();
  },
  async 'break between a node and the database'({ node, luck }) {
    node.databaseLine.cut();
    await pause(luck.below(2_000));
    node.databaseLine.mend();
  },
};

const onlineCount = async (node) => {
  const response = await fetch(`${node.url}/api/v1/server/online-count`, { headers: { 'x-api-key': KEY } });
  return (await response.json()).data?.count;
};

// One file is for one process.
if (STORAGE !== 'sqlite') {
  describe(`three nodes on one ${STORAGE}, and what breaks`, () => {
    for (let n = 0; n < SEEDS; n++) {
      it(`with seed ${seed + n} nothing is lost, doubled or out of order`, { timeout: 380_000 }, async (test) => {
        const luck = chance(seed + n);
        const cluster = await Cluster.start({ env: { SERVER_API_KEYS: `test=${KEY}`, DATABASE_ACQUIRE_TIMEOUT: '1s' } });
        try {
          await ordeal(cluster, luck, test);
        } finally {
          for (const node of cluster.nodes) node.child.kill('SIGCONT');
          await cluster.close();
        }
      });
    }
  });
}

async function ordeal(cluster, luck, test) {
  const people = [];
  for (let n = 0; n < PEOPLE; n++) people.push(await cluster.nodes[n % 3].person(`P${n}`));
  const groups = [];
  for (let n = 0; n < Math.max(3, PEOPLE / 8); n++) {
    const members = people.filter((_, index) => index === n || luck.likely(Math.min(0.6, 12 / PEOPLE)));
    const [owner, ...others] = members;
    groups.push({ id: await owner.group(`G${n}`, others), members });
  }
  const citizens = [];
  for (const person of people) {
    const own = groups.filter(({ members }) => members.includes(person)).map(({ id }) => id);
    if (own.length === 0) continue;
    const client = await person.connect('talentbridge', { transports: ['websocket'] });
    citizens.push(new Citizen(client, own, cluster.nodes, luck));
  }
  await cluster.whole();

  const writing = citizens.map((citizen) => citizen.write());
  const faults = [];
  for (const end = Date.now() + SECONDS * 1_000; Date.now() < end; ) {
    const name = luck.pick(process.env.CLUSTER_FAULTS?.split(',') ?? Object.keys(FAULTS));
    faults.push(name);
    await FAULTS[name]({ cluster, luck, node: luck.pick(cluster.nodes) });
    await pause(200 + luck.below(1_000));
  }
  for (const citizen of citizens) citizen.stopped = true;
  const waits = () => JSON.stringify(citizens.filter(({ sent }) => sent.some(({ messageId }) => !messageId)).map(({ client }) => [client.socket.connected, client.socket.io.uri]));
  await within(60_000, () => `every message to be acknowledged; nodes ${cluster.nodes.map(({ url }) => url)}, without an answer ${waits()}`, Promise.all(writing));
  await cluster.whole();

  // Without asking again: what came live and with the `sync` after each connect is all there is.
  const stored = new Map();
  for (const { id, members } of groups) stored.set(id, await members[0].talk(id));
  const missing = (citizen) =>
    citizen.conversations.filter((id) => {
      const talk = (view) => view.filter(({ text }) => text !== null).map(({ id: message, text }) => `${message} ${text}`);
      const own = new Set(talk(citizen.replica.view(id)));
      return stored.get(id).some(({ _id, text }) => !own.has(`${_id} ${text}`));
    }).length;
  const behind = () => citizens.filter((citizen) => missing(citizen) > 0).length;
  await eventually('everybody has everything', async () => behind(), (count) => count === 0).catch(() => undefined);

  const sent = citizens.flatMap((citizen) => citizen.sent);
  const copies = new Map();
  for (const message of [...stored.values()].flat()) copies.set(message.text, (copies.get(message.text) ?? 0) + 1);
  const lost = sent.filter(({ text }) => !copies.has(text)).length;
  const doubled = [...copies.values()].filter((count) => count > 1).length;
  const outOfOrder = citizens.reduce((sum, citizen) => sum + citizen.outOfOrder, 0);
  const holes = [...stored.values()].filter((talk) => talk.some(({ seq }, index) => index > 0 && seq <= talk[index - 1].seq)).length;
  const connections = citizens.reduce((sum, citizen) => sum + citizen.connection, 0);
  test.diagnostic(
    JSON.stringify({ people: citizens.length, sent: sent.length, connections, faults: faults.length, lost, doubled, outOfOrder, behind: behind() }),
  );
  test.diagnostic(faults.join(', '));
  assert.deepEqual({ lost, doubled, outOfOrder, holes, behind: behind() }, { lost: 0, doubled: 0, outOfOrder: 0, holes: 0, behind: 0 });

  // Who is there, and who is no longer, on each node.
  for (const node of cluster.nodes) await eventually('who is online', () => onlineCount(node), (count) => count === citizens.length);
  const [leaver] = citizens;
  leaver.client.close();
  for (const node of cluster.nodes) await eventually('who is gone', () => onlineCount(node), (count) => count === citizens.length - 1);
}
