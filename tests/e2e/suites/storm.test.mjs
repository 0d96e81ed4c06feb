// Everybody loses the connection at once and comes back, while a few stay and talk.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const CROWD = 300;

describe('a reconnect storm', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('brings everybody back, once, and those who stayed miss nothing', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const [writer, reader] = await Promise.all([ann, ben].map((person) => person.enter('talentbridge', conversationId)));
    const crowd = await inFlight(20, Array.from({ length: CROWD }, (_, number) => server.stranger(`Crowd${number}`)), (person) => person.connect('talentbridge', { transports: ['websocket'] }));
    const marks = crowd.map((client) => client.mark());
    crowd.forEach((client) => client.drop());
    const back = Promise.all(crowd.map((client, index) => client.until('connect', undefined, { since: marks[index], patience: 60_000 })));
    let sent = 0;
    let over = false;
    const talking = (async () => {
      while (!over) {
        await writer.send(conversationId, `${sent}`);
        await reader.untilText(`${sent++}`);
      }
    })();
    await back;
    over = true;
    await talking;
    assert.deepEqual(reader.texts(conversationId), Array.from({ length: sent }, (_, number) => `${number}`));
    assert.ok(writer.socket.connected && reader.socket.connected);
    // Each is there and answered, and none twice.
    await Promise.all(crowd.map((client) => client.ok('sync', { conversations: {} })));
    crowd.forEach((client, index) => assert.equal(client.received('connect', { since: marks[index] }).length, 1));
  });
});
