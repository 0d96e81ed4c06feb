// Which of the five vocabularies a socket speaks: auth, query, listener, default, in this order.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, messages } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

/**
 * The dialect that a socket turns out to speak. `join` words tell apart the families that share a message
 * shape, and the shape tells apart those that share words.
 */
async function spokenBy(client, conversationId) {
  const { conversations } = await client.ok('sync', { conversations: { [conversationId]: 0 } });
  const sample = conversations[0].messages.at(-1);
  const understands = async (event) => (await client.call(event, { conversationId })).success === true;
  const spoken = [];
  for (const dialect of DIALECTS) {
    const fits = (() => {
      try {
        conforms(messages[dialect], sample);
        return true;
      } catch {
        return false;
      }
    })();
    if (fits && (await understands(joinWord[dialect]))) spoken.push(dialect);
  }
  return spoken.join(' or ');
}

const joinWord = {
  talentbridge: 'conversation:join',
  ulearn: 'join:conversation',
  gateway: 'joinConversation',
  marketplace: 'join:conversation',
  nextchat: 'joinConversation',
};

describe('choice of dialect', () => {
  let server;
  let person;
  let conversationId;
  before(async () => {
    server = await Server.start({ listen: [...DIALECTS, null] });
    person = await server.person('Polyglot');
    conversationId = await person.direct(await server.person('Friend'));
    await person.say(conversationId, 'a sample');
  });
  after(() => server.close());

  const speaks = async (options) => spokenBy(await Client.connect(person, { announce: false, ...options }), conversationId);
  const listener = (dialect) => server.urls[dialect ? DIALECTS.indexOf(dialect) : DIALECTS.length];

  for (const dialect of DIALECTS) {
    it(`auth.dialect chooses ${dialect}`, async () => {
      assert.equal(await speaks({ url: listener(null), auth: { token: person.token, dialect } }), dialect);
    });

    it(`the query parameter chooses ${dialect}`, async () => {
      assert.equal(await speaks({ url: listener(null), query: { dialect } }), dialect);
    });

    it(`the listener chooses ${dialect}`, async () => {
      assert.equal(await speaks({ url: listener(dialect) }), dialect);
    });
  }

  it('without any choice a socket speaks talentbridge', async () => {
    assert.equal(await speaks({ url: listener(null) }), 'talentbridge');
  });

  it('auth goes before the query, and the query before the listener', async () => {
    const url = listener('gateway');
    assert.equal(await speaks({ url, query: { dialect: 'ulearn' }, auth: { token: person.token, dialect: 'nextchat' } }), 'nextchat');
    assert.equal(await speaks({ url, query: { dialect: 'ulearn' } }), 'ulearn');
  });

  it('after an upgrade from polling the dialect is still that of the handshake', async () => {
    const client = await Client.connect(person, { announce: false, url: listener('marketplace'), transports: ['polling', 'websocket'] });
    await client.upgraded();
    assert.equal(await spokenBy(client, conversationId), 'marketplace');
  });

  it('an unknown dialect is refused by name', async () => {
    for (const options of [{ auth: { token: person.token, dialect: 'klingon' } }, { query: { dialect: 'klingon' } }]) {
      await assert.rejects(Client.connect(person, { announce: false, reconnection: false, ...options }), { message: 'Unknown dialect: klingon' });
    }
    const { status, body } = await person.rest.in('klingon').get('/api/v1/users/me');
    assert.deepEqual([status, body.code], [400, 'VALIDATION_FAILED']);
    assert.match(body.message, /klingon/);
  });
});

describe('default dialect', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { DEFAULT_DIALECT: 'ulearn' } });
  });
  after(() => server.close());

  it('DEFAULT_DIALECT speaks where nothing else was chosen', async () => {
    const [person, friend] = await server.people('Person', 'Friend');
    const conversationId = await person.direct(friend);
    await person.say(conversationId, 'a sample');
    assert.equal(await spokenBy(await Client.connect(person, { announce: false }), conversationId), 'ulearn');
  });
});
