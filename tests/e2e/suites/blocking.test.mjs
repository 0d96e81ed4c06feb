// Blocking: what each side can still do, what neither sees of the other, and that groups are left alone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { conforms, users } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';

const BLOCKER = ['BLOCKED_BY_YOU', 'You cannot send messages to a blocked user'];
const BLOCKED = ['BLOCKED', 'Action not available'];

describe('blocking', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { TYPING_TIMEOUT: '120s' } });
  });
  after(() => server.close());

  const block = (who, whom) => who.rest.put(`/api/v1/users/${whom.id}/block`);
  const unblock = (who, whom) => who.rest.delete(`/api/v1/users/${whom.id}/block`);

  it('blocking, its list and its end', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    assert.deepEqual([(await block(ann, ben)).status, (await block(ann, ben)).data], [200, { blocked: true }]);
    const { data } = await ann.rest.get('/api/v1/users/blocked');
    data.users.forEach((user) => conforms(users.talentbridge, user));
    assert.deepEqual(data.users.map((user) => user._id), [ben.id]);
    assert.deepEqual((await ben.rest.get('/api/v1/users/blocked')).data.users, []);
    assert.deepEqual((await unblock(ann, ben)).data, { blocked: false });
    assert.deepEqual((await unblock(ann, ben)).data, { blocked: false });
    assert.deepEqual((await ann.rest.get('/api/v1/users/blocked')).data.users, []);
  });

  it('nobody blocks themselves or somebody unknown', async () => {
    const ann = await server.person('Ann');
    const self = await block(ann, ann);
    assert.deepEqual([self.status, self.body.code], [400, 'VALIDATION_FAILED']);
    const nobody = await ann.rest.put('/api/v1/users/nobody-knows/block');
    assert.deepEqual([nobody.status, nobody.body.code], [404, 'USER_NOT_FOUND']);
  });

  it('the blocker’s send and the blocked one’s send fail in the contract’s words, over every transport', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    await ann.say(conversationId, 'before');
    await block(ann, ben);
    for (const [person, expected] of [[ann, BLOCKER], [ben, BLOCKED]]) {
      for (const dialect of ['talentbridge', 'gateway', 'nextchat', 'ulearn']) {
        const client = await person.connect(dialect);
        const { code, error } = await client.call(...client.sending(conversationId, 'hello?'));
        assert.deepEqual([code, error], expected, dialect);
        if (dialect === 'ulearn') assert.equal((await client.until('error')).message, expected[1]);
      }
      for (const path of ['/api/v1/chat/messages', '/api/messages']) {
        const { status, body } = await person.rest.post(path, { conversationId, text: 'hello?' });
        assert.deepEqual([status, body.code, body.message], [403, ...expected]);
      }
    }
    assert.deepEqual((await ben.history(conversationId)).map((message) => message.text), ['before'], 'history stays readable');
    await unblock(ann, ben);
    await ben.say(conversationId, 'after');
    await ann.say(conversationId, 'after, too');
  });

  it('a conversation cannot be started across a block', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    await block(ann, ben);
    const start = (who, whom) => who.rest.post('/api/v1/chat/conversations/start', { targetUserId: whom.id });
    const byBlocker = await start(ann, ben);
    assert.deepEqual([byBlocker.status, byBlocker.body.code], [403, 'BLOCKED_BY_YOU']);
    const byBlocked = await start(ben, ann);
    assert.deepEqual([byBlocked.status, byBlocked.body.code], [403, 'BLOCKED']);
  });

  it('neither sees the other’s typing', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const [left, right] = [await ann.enter('ulearn', conversationId), await ben.enter('ulearn', conversationId)];
    await block(ann, ben);
    await left.startTyping(conversationId);
    await right.startTyping(conversationId);
    await fence(left, right);
    assert.deepEqual([left.typing(conversationId), right.typing(conversationId)], [[], []]);
    await unblock(ann, ben);
    await right.stopTyping(conversationId);
    await right.startTyping(conversationId);
    await left.untilTyping(conversationId, ben.id, true);
  });

  it('neither sees the other’s presence', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const direct = await ann.direct(ben);
    await ann.group('With a witness', [ben, eve]);
    const witness = await eve.connect('talentbridge');
    await block(ann, ben);
    const presence = (client, person) => client.log.filter(({ event, args }) => /^user:/.test(event) && args[0]?.userId === person.id);

    const left = await ann.connect('talentbridge');
    const right = await ben.connect('marketplace');
    await witness.until('user:online', ({ userId }) => userId === ben.id);
    await fence(left, right);
    assert.deepEqual([presence(left, ben), presence(right, ann)], [[], []]);

    for (const [client, other] of [[left, ben], [right, ann]]) {
      assert.deepEqual(await client.call('user:get-status', other.id), { userId: other.id, status: 'offline' });
      assert.deepEqual(await client.call('users:get-status', [other.id]), [{ userId: other.id, status: 'offline' }]);
      assert.equal((await client.person.rest.get(`/api/v1/users/${other.id}`)).data.status, 'offline');
    }
    const online = await left.ok('conversation:get_online_users', direct);
    assert.deepEqual(online.onlineUsers.map((user) => user._id), [ann.id]);
    assert.deepEqual(await right.call('conversation:get-online-users', direct), [ben.id]);
    const overRest = await ben.rest.get(`/api/v1/chat/conversations/${direct}/online`);
    assert.deepEqual(overRest.data.onlineUsers.map((user) => user._id), [ben.id]);

    right.close();
    await witness.until('user:offline', ({ userId }) => userId === ben.id);
    await left.fence();
    assert.deepEqual(presence(left, ben), []);
  });

  it('what was said before waits behind the block: a receipt would tell who came', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [conversationId, elsewhere] = [await ann.direct(ben), await eve.direct(ben)];
    const [author, witness] = [await ann.enter('ulearn', conversationId), await eve.enter('ulearn', elsewhere)];
    const { messageId } = await author.send(conversationId, 'before');
    await witness.send(elsewhere, 'to see that he came');
    await block(ben, ann);
    await ben.connect('talentbridge');
    await witness.until('message:delivered');
    await author.fence();
    assert.deepEqual(author.received('message:delivered'), []);
    assert.deepEqual((await ann.history(conversationId)).map((message) => message.status), ['sent']);
    await unblock(ben, ann);
    assert.deepEqual(await author.until('message:delivered'), { messageId }, 'he is there when the block goes');
  });

  it('groups are unaffected', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Together', [ben, eve]);
    await block(ann, ben);
    const [left, right] = [await ann.enter('gateway', group), await ben.enter('gateway', group)];
    await left.send(group, 'to all of you');
    await right.untilText('to all of you');
    await right.send(group, 'likewise');
    await left.untilText('likewise');
  });

  it('both may still join, read and delete their own in a blocked conversation', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const message = await ben.say(conversationId, 'regretted');
    await block(ann, ben);
    const client = await ann.connect('talentbridge');
    await client.join(conversationId);
    assert.equal((await client.ok('messages:mark_read', { conversationId })).unreadCount, 0);
    assert.equal((await ben.rest.delete(`/api/v1/chat/messages/${message._id}`)).status, 200);
  });

  it('a block while sends are under way: nothing is stored after the block is in force', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const client = await ben.connect('talentbridge');
    const sent = Array.from({ length: 150 }, (_, index) => client.call('message:send', { conversationId, text: `${index}` }));
    await client.untilText('10');
    await block(ann, ben);
    const inForce = await ann.history(conversationId);
    const acks = await Promise.all(sent);
    assert.deepEqual((await ann.history(conversationId)).map((message) => message._id), acks.filter((ack) => ack.success).map((ack) => ack.messageId));
    acks.filter((ack) => !ack.success).forEach((ack) => assert.deepEqual([ack.code, ack.error], BLOCKED));
    assert.deepEqual((await ann.history(conversationId)).length, inForce.length, 'stored when the block was answered, and no more');
  });
});
