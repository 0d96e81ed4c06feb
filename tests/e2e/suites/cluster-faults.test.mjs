// Three nodes under load while a seed decides what breaks: a node is killed or stands still, the broker between them is
// restarted, a node is cut off from it or from the database, the database ends all connections and is away. People write and
// read on all nodes, go to another one when theirs is gone, and catch up. At the end everything is compared with the storage.
// `make test-cluster` does it with more seeds, people and time, on MongoDB and over NATS too; SEED repeats one of them.
// CLUSTER_FAULTS names the faults to choose from, with commas between.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { chance, seed } from '../support/chance.mjs';
import { Citizen } from '../support/citizen.mjs';
import { Cluster, LINK } from '../support/cluster.mjs';
import { STORAGE } from '../support/database.mjs';
import { eventually, inFlight, within } from '../support/wait.mjs';

const SEEDS = Number(process.env.CLUSTER_SEEDS ?? 3);
const PEOPLE = Number(process.env.CLUSTER_PEOPLE ?? 12);
const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 6);
/** Between two messages of one person, three of which are under way at a time. */
const PACE = PEOPLE * Number(process.env.CLUSTER_PACE ?? 20);
const KEY = 'a-key-of-the-product';

const FAULTS = {
  async 'kill a node'({ node, luck }) {
    await node.kill();
    await pause(luck.below(2_000));
    await restarted(node);
  },
  async 'stop a node'({ node, luck }) {
    // Sometimes for so long that the others take it for gone.
    await stopped(node, luck.likely(SECONDS / 120) ? 10_000 + luck.below(1_000) : 1_000 + luck.below(3_000));
  },
  async 'restart the broker'({ cluster, luck }) {
    await cluster.broker.stop();
    await pause(luck.below(2_500));
    await cluster.broker.restart();
  },
  async 'silence between a node and the broker'({ node, luck }) {
    node.line.hold();
    await pause(500 + luck.below(3_000));
    node.line.release();
  },
  async 'break between a node and the broker'({ node, luck }) {
    node.line.cut();
    await pause(luck.below(3_000));
    node.line.mend();
  },
  async 'break between a node and the database'({ node, luck }) {
    node.databaseLine.cut();
    await pause(luck.below(2_000));
    node.databaseLine.mend();
  },
  // What nodes see of a database that is restarted; the database itself is shared with other suites.
  async 'restart the database'({ cluster, luck }) {
    for (const { databaseLine } of cluster.nodes) databaseLine.cut();
    await pause(luck.below(2_000));
    for (const { databaseLine } of cluster.nodes) databaseLine.mend();
  },
};

/** As a supervisor does it: a server that does not reach its database in time ends, and is started again. */
async function restarted(node) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await node.restart();
    } catch (error) {
      if (attempt === 10 || !error.message.includes('cannot be reached')) throw error;
      await pause(500);
    }
  }
}

async function stopped(node, milliseconds) {
  node.child.kill('SIGSTOP');
  await pause(milliseconds);
  node.child.kill('SIGCONT');
}

// One file is for one process.
if (STORAGE !== 'sqlite') {
  describe(`three nodes on one ${STORAGE} over ${LINK}, and what breaks`, () => {
    for (let n = 0; n < SEEDS; n++) {
      it(`with seed ${seed + n} nothing is lost, doubled or out of order`, { timeout: 380_000 }, async (test) => {
        const luck = chance(seed + n);
        const cluster = await Cluster.start({ env: { SERVER_API_KEYS: `test=${KEY}`, DATABASE_TIMEOUT: '3s' } });
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
  const { citizens, groups } = await gather(cluster, luck);
  const living = citizens.map((citizen) => citizen.live());
  const faults = [];
  for (const end = Date.now() + SECONDS * 1_000; Date.now() < end; ) {
    const name = luck.pick(process.env.CLUSTER_FAULTS?.split(',') ?? Object.keys(FAULTS));
    faults.push(name);
    await FAULTS[name]({ cluster, luck, node: luck.pick(cluster.nodes) });
    await pause(200 + luck.below(1_000));
  }
  for (const citizen of citizens) citizen.stopped = true;
  const waits = () => JSON.stringify(citizens.filter(({ sent }) => sent.some(({ messageId }) => !messageId)).map(({ client }) => [client.socket.connected, client.socket.io.uri]));
  await within(60_000, () => `every message to be acknowledged; nodes ${cluster.nodes.map(({ url }) => url)}, without an answer ${waits()}`, Promise.all(living));
  await cluster.whole();

  const histories = new Map(await inFlight(8, groups, async ({ id, members }) => [id, await members[0].history(id)]));
  // Without asking again: what came live and with the `sync` after each connect is all there is.
  const behind = () => citizens.filter((citizen) => differs(citizen, histories)).length;
  await eventually('everybody has everything', async () => behind(), (count) => count === 0).catch(() => undefined);

  const found = { ...faultsOfMessages(citizens, histories), behind: behind(), unread: await misread(citizens, histories) };
  const sum = (of) => citizens.reduce((total, citizen) => total + of(citizen), 0);
  const did = { people: citizens.length, sent: sum(({ sent }) => sent.length), read: sum(({ reads }) => reads), connections: sum(({ connection }) => connection), faults: faults.length };
  test.diagnostic(JSON.stringify({ ...did, ...found }));
  test.diagnostic(faults.join(', '));
  assert.deepEqual(found, { lost: 0, doubled: 0, outOfOrder: 0, holes: 0, flapped: 0, behind: 0, unread: 0 });

  // Who is there, and who is no longer, on each node.
  await presence(cluster, citizens, () => true);
  const stays = new Set(citizens.filter((_, index) => index % 2 === 0));
  for (const citizen of citizens) if (!stays.has(citizen)) citizen.client.close();
  await presence(cluster, citizens, (citizen) => stays.has(citizen));
  assert.equal(sum(({ flapped }) => flapped), 0, 'nobody comes or goes twice in a row');
}

async function gather(cluster, luck) {
  const people = await inFlight(20, Array(PEOPLE).keys(), (n) => cluster.nodes[n % 3].person(`P${n}`));
  const groups = [];
  const count = Math.max(3, Math.ceil(PEOPLE / 8));
  for (let n = 0; n < count; n++) {
    // Everybody is in one, and by chance in more.
    const members = people.filter((_, index) => index % count === n || luck.likely(Math.min(0.5, 8 / PEOPLE)));
    const [owner, ...others] = members;
    groups.push({ id: await owner.group(`G${n}`, others), members });
  }
  const citizens = await inFlight(20, people, async (person) => {
    const own = groups.filter(({ members }) => members.includes(person)).map(({ id }) => id);
    const client = await person.connect('talentbridge', { transports: ['websocket'] });
    return new Citizen(client, own, cluster.nodes, luck, PACE);
  });
  await cluster.whole();
  return { citizens, groups };
}

/** Whether somebody's copy is not what is stored, message for message. */
function differs({ conversations, replica }, histories) {
  const listed = (messages) => messages.filter(({ text }) => text !== null).map(({ id, seq, text }) => `${seq} ${id} ${text}`).join('\n');
  return conversations.some((id) => {
    const stored = histories.get(id).map(({ _id, seq, text }) => ({ id: _id, seq, text }));
    return listed(replica.view(id)) !== listed(stored);
  });
}

/** What was acknowledged and is not there as it was said, what is there twice, what came in another order than it has. */
function faultsOfMessages(citizens, histories) {
  const stored = new Map();
  let doubled = 0;
  for (const { _id, text, messageType } of [...histories.values()].flat()) {
    if (messageType === 'system') continue;
    if (stored.has(text)) doubled += 1;
    stored.set(text, _id);
  }
  const lost = citizens.flatMap(({ sent }) => sent).filter(({ text, messageId }) => stored.get(text) !== messageId).length;
  const outOfOrder = citizens.reduce((sum, citizen) => sum + citizen.outOfOrder, 0);
  const flapped = citizens.reduce((sum, citizen) => sum + citizen.flapped, 0);
  const holes = [...histories.values()].filter((messages) => messages.some(({ seq }, index) => index > 0 && seq <= messages[index - 1].seq)).length;
  return { lost, doubled, outOfOrder, holes, flapped };
}

/** How many positions are not where reading and writing has put them: one that went back leaves more unread. */
async function misread(citizens, histories) {
  const wrong = await inFlight(20, citizens, async ({ client: { person }, read }) => {
    const { data } = await person.rest.get('/api/v1/chat/unread');
    return [...read].filter(([id, { acked, asked }]) => {
      const messages = histories.get(id);
      const own = Math.max(0, ...messages.filter((message) => senderOf(message) === person.id).map(({ seq }) => seq));
      const after = (position) => messages.filter((message) => message.seq > Math.max(position, own) && senderOf(message) !== person.id);
      const unread = data.conversations[id] ?? 0;
      const least = after(asked).filter(({ messageType }) => messageType !== 'system').length;
      return unread > after(acked).length || unread < least;
    });
  });
  return wrong.flat().length;
}

const senderOf = ({ sender }) => sender?._id;

/** Each node knows of each whether they are online, and how many are. */
async function presence(cluster, citizens, isThere) {
  const ask = async (node, path) => {
    const response = await fetch(`${node.url}/api/v1/server/${path}`, { headers: { 'x-api-key': KEY } });
    return (await response.json()).data;
  };
  const count = citizens.filter(isThere).length;
  for (const node of cluster.nodes) {
    const many = async () => (await ask(node, 'online-count'))?.count;
    await eventually(`${count} are online on ${node.url}`, many, (known) => known === count);
    const wrong = await inFlight(20, citizens, async (citizen) => (await ask(node, `users/${citizen.client.person.id}/online`)).online !== isThere(citizen));
    assert.equal(wrong.filter(Boolean).length, 0, `who is online on ${node.url}`);
  }
}
