// Every event of every dialect with every wrong payload (`support/hostile.mjs` makes them): each is refused with the
// code that the contract has for it, once, by the way that was asked for; the socket goes on, nobody else sees
// anything, and the server finds nothing to complain of.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DIALECTS } from '../support/dialects.mjs';
import { HALF_CHARACTER, STRANGE, attacks, bareAnswer, inbound, outbound } from '../support/hostile.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const UNKNOWN_ID = '64f123abc456def789012345';
/** Names that socket.io-client keeps for itself and does not send. */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
/** Fewer than the 256 events that may wait at a socket, and with all of their long strings less than its 2 MiB. */
const AT_ONCE = 60;

const fits = (code, expected) => (expected instanceof RegExp ? expected.test(code) : code === expected);
const shown = (args) => JSON.stringify(args).slice(0, 200);
const groupsOf = (size, list) => Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));

describe('hostile events', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  /** Sends these at once, those with `ack` with one, and compares the answers with what each has to come to. */
  async function send(client, sent) {
    const since = client.mark();
    const answers = sent.map(({ event, args, ack }) => (ack ? client.call(event, ...args) : client.emit(event, ...args)));
    const acks = await Promise.all(answers);
    // Events of one socket are carried out in order: after this one's answer all errors are here.
    await client.ok('notifications:read-all');
    const errors = client.received('error', { since }).map(({ code }) => code);
    const expected = [];
    for (const [at, { event, args, ack, code }] of sent.entries()) {
      const what = `${client.dialect} ${event} ${shown(args)} → ${JSON.stringify(acks[at])}`;
      const shape = bareAnswer(event);
      if (ack && shape === 'list') assert.ok(code === null ? Array.isArray(acks[at]) : acks[at].length === 0, what);
      else if (ack && shape === 'status') assert.equal(acks[at].status, 'offline', what);
      else if (ack) assert.ok(code === null ? acks[at].success === true : acks[at].success === false && fits(acks[at].code, code) && acks[at].error, what);
      if (code !== null && (!ack || shape || client.dialect === 'ulearn')) expected.push({ code, what });
    }
    for (const [at, { code, what }] of expected.entries()) assert.ok(fits(errors[at], code), `${what}, error ${errors[at]}`);
    assert.equal(errors.length, expected.length, `${client.dialect}: one error for each`);
  }

  for (const [turn, dialect] of DIALECTS.entries()) {
    it(`${dialect}: every event with every wrong payload is refused in the contract’s words, and nobody else sees anything`, async () => {
      const [mallory, ann] = await server.people('Mallory', 'Ann');
      const conversationId = await mallory.direct(ann);
      const witnesses = await Promise.all(DIALECTS.map((other) => ann.enter(other, conversationId)));
      const client = await mallory.enter(dialect, conversationId);
      // What their coming leads to is over: what is published after it comes after it.
      for (const [shower, event] of [['talentbridge', 'user:online'], ['gateway', 'unreadCount']]) await witnesses[DIALECTS.indexOf(shower)].until(event);
      const message = await mallory.say(conversationId, 'before');
      for (const witness of witnesses) await witness.untilText('before');
      const right = {
        conversationId, messageId: message._id, upToMessageId: message._id, replyTo: message._id, messageIds: [message._id], text: 'right', emoji: '👍',
        messageType: 'text', ownId: mallory.id, userId: ann.id, callee: ann.id, userIds: [ann.id], newCallId: 'a-call', callMedia: 'audio', callId: 'no-call', data: { sdp: '' },
        media: [], clientMessageId: undefined, notificationId: UNKNOWN_ID, known: { [conversationId]: 0 }, token: mallory.token,
      };
      const marks = witnesses.map((witness) => witness.mark());
      const began = client.socket.ids;
      // Every other one asks for an ack, and in the next dialect those that did not.
      const all = inbound(dialect).flatMap((event) => attacks(dialect, event, right).map((attack) => ({ event, ...attack })));
      const sent = all.map((one, at) => ({ ...one, ack: (at + turn) % 2 === 0 }));
      for (const some of groupsOf(AT_ONCE, sent)) await send(client, some);

      const acked = Array.from({ length: client.socket.ids - began }, (_, at) => client.ackCounts.get(began + at));
      assert.ok(acked.length > sent.length / 2 && acked.every((count) => count === 1), 'every ack that was asked for came once');
      await mallory.say(conversationId, 'after');
      for (const [at, witness] of witnesses.entries()) {
        await witness.untilText('after');
        const heard = witness.log.slice(marks[at]).map(({ event }) => event);
        assert.deepEqual(heard, [witness.words.messageEvent], `${witness.dialect} has seen more than the last message: ${JSON.stringify(witness.log.slice(marks[at])).slice(0, 500)}`);
      }
      await client.untilText('after');
      assert.deepEqual((await ann.talk(conversationId)).map(({ text }) => text), ['before', 'after']);
      assert.doesNotMatch(server.log, /panicked|ERROR/);
    });

    it(`${dialect}: an event that is none of its own is refused by name`, async () => {
      const client = await (await server.person()).connect(dialect);
      const own = inbound(dialect);
      const foreign = DIALECTS.flatMap((other) => [...inbound(other), ...outbound(other)]);
      const plain = STRANGE.filter((name) => name && JSON.stringify(name) === `"${name}"`);
      const more = ['error', 'message', 'ping', 'toString', 'hasOwnProperty', ...RESERVED.map((name) => `${name} `)];
      const names = [...new Set([...foreign, ...plain, ...more])];
      const unknown = names.filter((name) => !own.includes(name));
      assert.ok(unknown.length > 60);
      const answers = await inFlight(AT_ONCE, unknown, (name) => client.call(name, { conversationId: UNKNOWN_ID }));
      for (const [at, name] of unknown.entries()) {
        const { success, code, error } = answers[at];
        assert.deepEqual([success, code], [false, 'VALIDATION_FAILED'], name);
        assert.ok(error.includes([...name].slice(0, 100).join('')) && error.length < 200, `${name}: ${error}`);
      }
      await send(client, unknown.slice(0, AT_ONCE).map((event) => ({ event, args: [], ack: false, code: 'VALIDATION_FAILED' })));
      assert.doesNotMatch(server.log, /panicked|ERROR/);
    });

    it(`${dialect}: a call with a bare ack fails in its own shape, also where its payload is unreadable`, async () => {
      const mallory = await server.person('Mallory');
      const client = await mallory.connect(dialect);
      const half = [[HALF_CHARACTER], [{ userId: HALF_CHARACTER }], [mallory.id, { more: HALF_CHARACTER }]];
      const sent = inbound(dialect).filter(bareAnswer).flatMap((event) => half.map((args) => ({ event, args, ack: true, code: 'VALIDATION_FAILED' })));
      await send(client, sent);
    });
  }
});
