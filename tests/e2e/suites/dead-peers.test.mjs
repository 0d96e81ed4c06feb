// Connections whose other end begins something and leaves it, hangs, or vanishes: none is held for good, and nobody
// else notices.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Network } from '../support/network.mjs';
import { Server } from '../support/server.mjs';
import { eventually, inFlight, within } from '../support/wait.mjs';

const elsewhere = join(dirname(fileURLToPath(import.meta.url)), '..', 'support', 'sockets-elsewhere.mjs');

/** Longer than a ping and the answer to it may take, and than a connection is kept between two requests. */
const LONGEST = 100_000;

/** How many connections the server has not closed, by the system's own list. */
async function held(server) {
  const port = Number(new URL(server.url).port).toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile(`/proc/${server.pid}/net/tcp`, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  // 01 is established, 08 ended by the other side alone.
  return lines.filter(([, local, , state]) => local?.endsWith(`:${port}`) && ['01', '08'].includes(state)).length;
}

describe('dead peers', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('a thousand half-open connections disappear, and others chat meanwhile', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const [writer, reader] = await Promise.all([ann, ben].map((person) => person.enter('talentbridge', conversationId)));
    const before = await held(server);
    const { hostname, port } = new URL(server.url);
    const upgrade = ['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'host: a', 'connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''].join('\r\n');
    const beginnings = {
      'nothing': '',
      'half a request': 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: a\r\n',
      'a polling session': 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: a\r\n\r\n',
      'a WebSocket': upgrade,
    };
    const kinds = Object.keys(beginnings);
    const open = (index) => {
      const socket = createConnection({ host: hostname, port });
      socket.on('error', () => {});
      socket.resume();
      const kind = kinds[index % kinds.length];
      const closed = once(socket, 'close');
      if (beginnings[kind]) socket.write(beginnings[kind]);
      return once(socket, 'connect').then(() => ({ kind, closed }));
    };
    const sockets = await inFlight(50, Array.from({ length: 1000 }, (_, index) => index), open);
    await eventually('the server has them all', () => held(server), (count) => count >= before + 1000);
    for (let count = 0; count < 20; count++) {
      await writer.send(conversationId, `meanwhile ${count}`);
      await reader.untilText(`meanwhile ${count}`);
    }
    for (const kind of kinds) {
      const those = sockets.filter((socket) => socket.kind === kind).map((socket) => socket.closed);
      await within(LONGEST, `the server to close those that began ${kind}`, Promise.all(those));
    }
    await eventually('the server holds no more than before', () => held(server), (count) => count <= before);
    assert.ok(writer.socket.connected && reader.socket.connected);
  });

  it('peers that vanish without a word disappear, and are offline', async () => {
    const network = await Network.make();
    const own = await Server.start({ network });
    const strangers = Array.from({ length: 100 }, (_, number) => own.stranger(`Gone${number}`));
    const [command, ...args] = [...network.enter, process.execPath, elsewhere];
    const peers = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    peers.stdin.end(strangers.map(({ token }) => `${JSON.stringify([own.url, token])}\n`).join(''));
    await within(60_000, 'the peers to connect', once(peers.stdout, 'data'));
    assert.equal(await held(own), 100);
    await network.pull();
    peers.kill('SIGKILL');
    await once(peers, 'exit');
    await eventually('the server holds no more than before', () => held(own), (count) => count === 0, LONGEST);
    await network.plug();
    // Who comes then is let in.
    const late = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    late.stdin.end(`${JSON.stringify([own.url, strangers[0].token])}\n`);
    await within(60_000, 'somebody to connect', once(late.stdout, 'data'));
    late.kill('SIGKILL');
    assert.equal((await own.close()).code, 0);
    await network.close();
  });

  it('a client that stops reading is cut, and everybody else in the room hears everything', async () => {
    const [ann, ben, hung] = await server.people('Ann', 'Ben', 'Hung');
    const group = await ann.group('stalled', [ben, hung]);
    const [writer, reader] = await Promise.all([ann, ben].map((person) => person.enter('talentbridge', group)));
    const stalled = await hung.connect('talentbridge', { transports: ['websocket'], reconnection: false });
    await stalled.join(group);
    const online = async () => JSON.stringify((await ann.rest.get(`/api/v1/chat/conversations/${group}/online`)).body);
    assert.ok((await online()).includes(hung.id));
    // Nothing of it is read any more, not even that it ends.
    stalled.socket.io.engine.transport.ws._socket.pause();
    const big = 'x'.repeat(3500);
    let sent = 0;
    const deadline = Date.now() + 120_000;
    while ((await online()).includes(hung.id)) {
      assert.ok(Date.now() < deadline, 'it is still connected');
      await Promise.all(Array.from({ length: 20 }, () => writer.send(group, `${sent++} ${big}`)));
    }
    await writer.send(group, 'last');
    await reader.untilText('last');
    assert.deepEqual(reader.texts(group).map((text) => text.split(' ')[0]), [...Array.from({ length: sent }, (_, number) => `${number}`), 'last']);
    assert.ok(reader.socket.connected);
  });
});
