// Calls: ringing on every device, answering, the words that two browsers pass each other, and every way in which a
// call ends. No media flow here; what flows between browsers is not the server's matter.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, events } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const OFFER = { type: 'offer', sdp: 'v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\n', nested: { levels: [1, 2.5, null, true, 'ü'] } };

describe('calls', () => {
  let server;
  let quick;
  before(async () => {
    server = await Server.start({ env: { ICE_SERVERS: 'stun:stun.example.com:3478,turn:turn.example.com?transport=udp', TURN_SECRET: 'north', TURN_TTL: '10m' } });
    quick = await Server.start({ env: { CALL_RING_TIMEOUT: '300ms' } });
  });
  after(() => Promise.all([server.close(), quick.close()]));

  async function pair(host = server) {
    const [ann, ben] = await host.people('Ann', 'Ben');
    return { ann, ben, conversationId: await ann.direct(ben), callId: randomUUID() };
  }
  async function ringing(callerDialect = 'talentbridge', calleeDialect = callerDialect, host = server) {
    const made = await pair(host);
    const { ann, ben, conversationId, callId } = made;
    const [caller, callee] = [await ann.connect(callerDialect), await ben.connect(calleeDialect)];
    await caller.ok('call:invite', { conversationId, callId, media: 'audio' });
    await callee.until('call:invite');
    return { ...made, caller, callee };
  }
  async function talking(...dialects) {
    const made = await ringing(...dialects);
    await made.callee.ok('call:accept', { callId: made.callId });
    await made.caller.until('call:accept');
    return made;
  }
  const refused = async (client, event, payload) => {
    const { success, code } = await client.call(event, payload);
    assert.equal(success, false);
    return code;
  };
  const missed = async (person) => (await person.rest.get('/api/v1/notifications')).data.notifications.filter(({ type }) => type === 'missed_call');
  const system = async (person, id) => (await person.history(id)).filter(({ messageType }) => messageType === 'system').map(({ text }) => text);

  for (const [index, dialect] of DIALECTS.entries()) {
    const other = DIALECTS[(index + 1) % DIALECTS.length];
    it(`${dialect} calls ${other}: rung on every device, answered on one, words between the two, hung up`, async () => {
      const { ann, ben, conversationId, callId } = await pair();
      const caller = await ann.connect(dialect);
      const [phone, laptop] = [await ben.connect(other), await ben.connect('talentbridge')];
      const invitation = { conversationId, callId, media: 'video', data: { hd: true } };
      assert.deepEqual(await caller.call('call:invite', invitation), { success: true });
      for (const device of [phone, laptop]) assert.deepEqual(await device.until('call:invite'), { ...invitation, from: ann.id });

      assert.deepEqual(await phone.call('call:accept', { callId }), { success: true });
      for (const device of [caller, phone, laptop]) {
        const step = await device.until('call:accept');
        conforms(events.callStep, step);
        assert.deepEqual(step, { callId, conversationId, userId: ben.id, reason: null });
      }
      assert.deepEqual(await caller.call('call:signal', { callId, to: ben.id, data: OFFER }), { success: true });
      assert.deepEqual(await phone.until('call:signal'), { callId, from: ann.id, data: OFFER });
      await phone.ok('call:signal', { callId, to: ann.id, data: 'candidate' });
      assert.deepEqual(await caller.until('call:signal'), { callId, from: ben.id, data: 'candidate' });

      await phone.ok('call:hangup', { callId, reason: 'bye' });
      for (const device of [caller, phone, laptop]) {
        assert.deepEqual(await device.until('call:hangup'), { callId, conversationId, userId: ben.id, reason: 'bye' });
      }
      await fence(caller, phone, laptop);
      assert.deepEqual(laptop.received('call:signal'), [], 'that device is not in the call');
      assert.deepEqual(caller.received('call:invite'), [], 'who calls is not rung at');
      assert.equal(await refused(caller, 'call:signal', { callId, to: ben.id, data: 1 }), 'CONFLICT');
      assert.deepEqual([await missed(ben), await system(ben, conversationId)], [[], []]);
    });
  }

  it('a call that is rejected ends on every device and is not missed', async () => {
    const { ann, ben, conversationId, callId, caller, callee } = await ringing();
    const second = await ann.connect();
    await callee.ok('call:reject', { callId, reason: 'later' });
    for (const device of [caller, callee, second]) {
      assert.deepEqual(await device.until('call:reject'), { callId, conversationId, userId: ben.id, reason: 'later' });
    }
    assert.equal(await refused(callee, 'call:accept', { callId }), 'CONFLICT');
    await fence(caller, callee);
    assert.deepEqual([await missed(ben), await system(ben, conversationId)], [[], []]);
  });

  it('a call that nobody takes rings out and leaves a system message and a notification', async () => {
    const { ann, ben, conversationId, callId, caller, callee } = await ringing('talentbridge', 'gateway', quick);
    for (const device of [caller, callee]) {
      assert.deepEqual(await device.until('call:hangup'), { callId, conversationId, userId: ann.id, reason: 'timeout' });
    }
    const told = await callee.until('notification', ({ type }) => type === 'missed_call');
    assert.deepEqual([told.title, told.message, told.data], ['Missed audio call', 'Ann called you', { conversationId }]);
    await callee.until('unreadCount', (count) => count === 1);
    await eventually('the system message', () => system(ben, conversationId), (lines) => lines.length === 1);
    assert.deepEqual(await system(ben, conversationId), ['Missed audio call']);
    assert.equal((await missed(ben)).length, 1);
    assert.deepEqual(await missed(ann), []);
  });

  it('a caller who gives up leaves a missed call', async () => {
    const { ben, conversationId, callId, caller, callee } = await ringing();
    await caller.ok('call:hangup', { callId });
    assert.equal((await callee.until('call:hangup')).reason, null);
    assert.equal((await callee.until('notification:new')).type, 'missed_call');
    assert.deepEqual(await eventually('the system message', () => system(ben, conversationId), (lines) => lines.length === 1), ['Missed audio call']);
  });

  it('who is in a call is busy, and the caller hears so at once', async () => {
    const { ben, callId, caller, callee } = await talking();
    const cem = await server.person('Cem');
    const conversationId = await cem.direct(ben);
    const third = await cem.connect('marketplace');
    const another = randomUUID();
    await third.ok('call:invite', { conversationId, callId: another, media: 'screen' });
    assert.deepEqual(await third.until('call:reject'), { callId: another, conversationId, userId: ben.id, reason: 'busy' });
    assert.equal((await callee.until('notification:new')).title, 'Missed screen share');
    assert.equal(await refused(callee, 'call:invite', { conversationId, callId: randomUUID(), media: 'audio' }), 'CONFLICT');
    assert.equal(await refused(third, 'call:invite', { conversationId, callId, media: 'audio' }), 'CONFLICT');
    await callee.fence();
    assert.equal(callee.received('call:invite').length, 1);
    await caller.ok('call:hangup', { callId });
    await callee.until('call:hangup');
    await third.ok('call:invite', { conversationId, callId: randomUUID(), media: 'audio' });
    await callee.until('call:invite', ({ from }) => from === cem.id);
  });

  it('people who block each other cannot ring, nor can strangers', async () => {
    const { ann, ben, conversationId, callId } = await pair();
    const [left, right, outside] = [await ann.connect(), await ben.connect(), await (await server.person('Cem')).connect()];
    const invitation = { conversationId, callId, media: 'audio' };
    await ben.rest.put(`/api/v1/users/${ann.id}/block`);
    assert.equal(await refused(left, 'call:invite', invitation), 'BLOCKED');
    assert.equal(await refused(right, 'call:invite', invitation), 'BLOCKED_BY_YOU');
    assert.equal(await refused(outside, 'call:invite', invitation), 'NOT_PARTICIPANT');
    await ben.rest.delete(`/api/v1/users/${ann.id}/block`);
    await left.ok('call:invite', invitation);
    await right.until('call:invite');
    assert.equal(right.received('call:invite').length, 1);
    for (const event of ['call:accept', 'call:reject', 'call:hangup']) assert.equal(await refused(outside, event, { callId }), 'NOT_FOUND');
    assert.equal(await refused(outside, 'call:signal', { callId, to: ann.id, data: 1 }), 'NOT_FOUND');
  });

  it('words pass only between people in the call, and only short ones', async () => {
    const { ann, ben, callId, caller, callee } = await ringing('nextchat', 'ulearn');
    assert.equal(await refused(caller, 'call:signal', { callId, to: ben.id, data: OFFER }), 'CONFLICT');
    assert.equal(await refused(callee, 'call:signal', { callId, to: ann.id, data: OFFER }), 'CONFLICT');
    await callee.ok('call:accept', { callId });
    assert.equal(await refused(caller, 'call:signal', { callId, to: 'somebody', data: OFFER }), 'CONFLICT');
    const long = 'x'.repeat(64 * 1024 - 2);
    assert.equal(await refused(caller, 'call:signal', { callId, to: ben.id, data: `${long}x` }), 'VALIDATION_FAILED');
    assert.equal(await refused(caller, 'call:signal', { callId, to: ben.id }), 'VALIDATION_FAILED');
    await caller.ok('call:signal', { callId, to: ben.id, data: long });
    assert.equal((await callee.until('call:signal')).data, long);
    assert.equal(callee.received('call:signal').length, 1);
  });

  it('what cannot be a call is refused by name', async () => {
    const { ann, conversationId, callId } = await pair();
    const client = await ann.connect();
    const good = { conversationId, callId, media: 'audio' };
    for (const [field, wrong] of [['callId', undefined], ['callId', ''], ['callId', 'x'.repeat(65)], ['media', 'smell'], ['media', undefined], ['conversationId', 5]]) {
      const { code, error } = await client.call('call:invite', { ...good, [field]: wrong });
      assert.equal(code, 'VALIDATION_FAILED', field);
      assert.match(error, new RegExp(field));
    }
    assert.equal(await refused(client, 'call:invite', { ...good, conversationId: 'nope' }), 'CONVERSATION_NOT_FOUND');
    assert.equal(await refused(client, 'call:reject', { callId, reason: 5 }), 'VALIDATION_FAILED');
    assert.equal(await refused(client, 'call:accept', { callId }), 'NOT_FOUND');
  });

  it('a connection that comes back within ten seconds keeps the call', async () => {
    const { ann, callId, caller, callee } = await talking();
    const since = callee.mark();
    callee.drop();
    await callee.untilAny(['connect'], undefined, { since });
    await callee.ok('call:accept', { callId });
    await caller.ok('call:signal', { callId, to: callee.person.id, data: 'still there?' });
    assert.equal((await callee.until('call:signal')).data, 'still there?');
    caller.drop();
    const again = await ann.connect();
    await again.ok('call:signal', { callId, to: callee.person.id, data: 'here again' });
    await callee.until('call:signal', ({ data }) => data === 'here again');
    await callee.ok('call:signal', { callId, to: ann.id, data: 'good' });
    assert.equal((await again.until('call:signal')).data, 'good');
    await fence(again, callee);
    assert.deepEqual([caller, callee, again].flatMap((client) => client.received('call:hangup')), []);
  });

  it('a connection that stays away ends the call', async () => {
    const { ben, callId, caller, callee } = await talking();
    callee.close();
    const over = await caller.until('call:hangup');
    assert.deepEqual([over.callId, over.userId, over.reason], [callId, ben.id, 'disconnected']);
  });

  it('a call that rang at a member is over for a former one, and goes on for the others', async () => {
    const [ann, ben, cem] = await server.people('Ann', 'Ben', 'Cem');
    const conversationId = await ann.group('Team', [ben, cem]);
    const [caller, former, other] = [await ann.connect(), await ben.connect('ulearn'), await cem.connect('gateway')];
    const callId = randomUUID();
    await caller.ok('call:invite', { conversationId, callId, media: 'audio' });
    await former.until('call:invite');
    await other.ok('call:accept', { callId });
    await ann.rest.delete(`/api/v1/chat/conversations/${conversationId}/participants/${ben.id}`);
    for (const device of [caller, former, other]) {
      assert.deepEqual(await device.until('call:hangup'), { callId, conversationId, userId: ben.id, reason: 'removed' });
    }
    const since = former.mark();
    for (const [event, more] of [['call:accept', {}], ['call:signal', { to: ann.id, data: OFFER }], ['call:hangup', {}]]) {
      assert.equal(await refused(former, event, { callId, ...more }), 'NOT_FOUND', event);
    }
    await other.ok('call:signal', { callId, to: ann.id, data: OFFER });
    await caller.until('call:signal', ({ from }) => from === cem.id);
    await other.ok('call:hangup', { callId });
    await fence(caller, other, former);
    assert.deepEqual(former.log.slice(since).filter(({ event }) => event.startsWith('call:')), []);
    // Who was put out is free for another call.
    const [direct, nextId] = [await ben.direct(cem), randomUUID()];
    await former.ok('call:invite', { conversationId: direct, callId: nextId, media: 'audio' });
    await former.ok('call:hangup', { callId: nextId });
  });

  it('a group call goes on with those who came, until the last one goes', async () => {
    const [ann, ben, cem] = await server.people('Ann', 'Ben', 'Cem');
    const conversationId = await ann.group('Team', [ben, cem]);
    const clients = [await ann.connect('talentbridge'), await ben.connect('ulearn'), await cem.connect('gateway')];
    const [first, second, third] = clients;
    const callId = randomUUID();
    await first.ok('call:invite', { conversationId, callId, media: 'video' });
    for (const client of [second, third]) await client.until('call:invite');
    await second.ok('call:accept', { callId });
    await first.ok('call:hangup', { callId });
    for (const client of clients) await client.until('call:hangup', ({ userId }) => userId === ann.id);
    await third.ok('call:accept', { callId });
    await second.ok('call:signal', { callId, to: cem.id, data: 1 });
    await third.until('call:signal', ({ from }) => from === ben.id);
    await second.ok('call:hangup', { callId });
    await third.ok('call:hangup', { callId });
    for (const client of clients) await client.until('call:hangup', ({ userId }) => userId === cem.id);
    assert.equal(await refused(third, 'call:accept', { callId }), 'CONFLICT');
  });

  it('ICE servers come from the configuration, TURN with credentials that coturn accepts for a while', async () => {
    const person = await server.person('Ann');
    const { status, data } = await person.rest.get('/api/v1/calls/ice-servers');
    assert.equal(status, 200);
    const [stun, turn] = data.iceServers;
    assert.deepEqual(stun, { urls: ['stun:stun.example.com:3478'] });
    assert.deepEqual(turn.urls, ['turn:turn.example.com?transport=udp']);
    const [expiry, user] = turn.username.split(':');
    assert.equal(user, person.id);
    const left = Number(expiry) - Date.now() / 1000;
    assert.ok(left > 500 && left <= 601, `${left} s`);
    assert.equal(turn.credential, createHmac('sha1', 'north').update(turn.username).digest('base64'));
    assert.equal(data.ttl, 600);
    assert.equal((await quick.stranger().rest.get('/api/v1/calls/ice-servers')).data.iceServers.length, 0);
    assert.equal((await fetch(new URL('/api/v1/calls/ice-servers', server.url))).status, 401);
  });
});
