// Groups: roles, membership, what everybody hears of it, and that a removal holds at once.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { DIALECTS } from '../support/dialects.mjs';
import { conforms, conversation as conversationShape, events } from '../support/shapes.mjs';
import { Server } from '../support/server.mjs';
import { inFlight } from '../support/wait.mjs';

const chat = '/api/v1/chat/conversations';

describe('groups', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  const roles = async (person, group) => {
    const { participants } = await person.conversation(group);
    return Object.fromEntries(participants.map(({ user, role }) => [user._id, role]));
  };
  const expectRefusal = (answer, status, code) => assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));

  it('the caller owns a new group, the others are members, and all of them hear of it', async () => {
    const [ann, ...others] = await server.people('Ann', ...DIALECTS);
    const clients = await Promise.all(others.map((person, index) => person.connect(DIALECTS[index])));
    const { status, data } = await ann.rest.post(`${chat}/group`, { title: '  Hiking  ', participantIds: others.map(({ id }) => id) });
    assert.equal(status, 201);
    conforms(conversationShape, data.conversation);
    assert.deepEqual([data.conversation.type, data.conversation.title, data.conversation.groupImage], ['group', 'Hiking', null]);
    assert.equal(data.conversation.participantUsers.length, 6);
    for (const client of clients) {
      const event = await client.until('conversation:new', ({ conversation }) => conversation._id === data.conversation._id);
      conforms(events.conversation, event, client.dialect);
    }
    assert.deepEqual(await roles(ann, data.conversation._id), Object.fromEntries([[ann.id, 'owner'], ...others.map(({ id }) => [id, 'member'])]));
  });

  it('a direct conversation is announced to the one it was started with, once', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const clients = await Promise.all(DIALECTS.map((dialect) => ben.connect(dialect)));
    const conversationId = await ann.direct(ben);
    await ann.direct(ben);
    for (const client of clients) {
      const { conversation } = await client.until('conversation:new');
      conforms(conversationShape, conversation);
      assert.deepEqual([conversation._id, conversation.type], [conversationId, 'direct']);
    }
    await fence(...clients);
    for (const client of clients) {
      assert.equal(client.received('conversation:new').filter(({ conversation }) => conversation._id === conversationId).length, 1);
    }
  });

  it('duplicates and the caller among the participants do no harm', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const { data } = await ann.rest.post(`${chat}/group`, { title: 'Twice', participantIds: [ben.id, ben.id, ann.id] });
    assert.deepEqual(await roles(ann, data.conversation._id), { [ann.id]: 'owner', [ben.id]: 'member' });
  });

  it('a title has 1 to 100 characters', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    for (const title of ['', '   ', 'x'.repeat(101), 7, undefined]) {
      const answer = await ann.rest.post(`${chat}/group`, { title, participantIds: [ben.id] });
      expectRefusal(answer, 400, 'VALIDATION_FAILED');
      assert.equal(answer.body.errors[0].field, 'title');
    }
    const group = await ann.group('ü'.repeat(100), [ben]);
    expectRefusal(await ann.rest.patch(`${chat}/${group}`, { title: 'x'.repeat(101) }), 400, 'VALIDATION_FAILED');
  });

  it('unknown participants are refused', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    expectRefusal(await ann.rest.post(`${chat}/group`, { title: 'Ghosts', participantIds: [ben.id, 'nobody-knows'] }), 404, 'USER_NOT_FOUND');
    expectRefusal(await ann.rest.post(`${chat}/group`, { title: 'Ghosts', participantIds: 'all' }), 400, 'VALIDATION_FAILED');
    const group = await ann.group('Known', [ben]);
    expectRefusal(await ann.rest.post(`${chat}/${group}/participants`, { userIds: ['nobody-knows'] }), 404, 'USER_NOT_FOUND');
  });

  it('owner and admins rename; every participant hears conversation:updated', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Before', [ben, eve]);
    const clients = await Promise.all(DIALECTS.map((dialect) => eve.connect(dialect)));
    expectRefusal(await ben.rest.patch(`${chat}/${group}`, { title: 'Mutiny' }), 403, 'FORBIDDEN');
    const renamed = await ann.rest.patch(`${chat}/${group}`, { title: 'After' });
    assert.deepEqual([renamed.status, renamed.data.conversation.title], [200, 'After']);
    for (const client of clients) {
      const event = await client.until('conversation:updated', ({ conversation }) => conversation.title === 'After');
      conforms(events.conversation, event, client.dialect);
    }
    await ann.rest.patch(`${chat}/${group}/participants/${ben.id}`, { role: 'admin' });
    assert.equal((await ben.rest.patch(`${chat}/${group}`, { title: 'By an admin' })).data.conversation.title, 'By an admin');
  });

  it('only the owner gives and takes roles', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Roles', [ben, eve]);
    const path = (person) => `${chat}/${group}/participants/${person.id}`;
    expectRefusal(await ben.rest.patch(path(eve), { role: 'admin' }), 403, 'FORBIDDEN');
    const { data } = await ann.rest.patch(path(ben), { role: 'admin' });
    conforms(conversationShape, data.conversation);
    assert.equal((await roles(eve, group))[ben.id], 'admin');
    expectRefusal(await ben.rest.patch(path(eve), { role: 'admin' }), 403, 'FORBIDDEN');
    for (const role of ['owner', 'king', 3, undefined]) expectRefusal(await ann.rest.patch(path(eve), { role }), 400, 'VALIDATION_FAILED');
    await ann.rest.patch(path(ben), { role: 'member' });
    assert.equal((await roles(eve, group))[ben.id], 'member');
    expectRefusal(await ann.rest.patch(`${chat}/${group}/participants/nobody-knows`, { role: 'admin' }), 404, 'USER_NOT_FOUND');
  });

  it('owner and admins add; the new ones hear conversation:new, the others conversation:updated, and history says so', async () => {
    const [ann, ben, eve, kim] = await server.people('Ann', 'Ben', 'Eve', 'Kim');
    const group = await ann.group('Growing', [ben]);
    const [newcomer, member] = [await eve.connect('gateway'), await ben.enter('ulearn', group)];
    expectRefusal(await ben.rest.post(`${chat}/${group}/participants`, { userIds: [eve.id] }), 403, 'FORBIDDEN');
    const { status, data } = await ann.rest.post(`${chat}/${group}/participants`, { userIds: [eve.id, kim.id] });
    assert.ok([200, 201].includes(status));
    assert.equal(data.conversation.participants.length, 4);
    assert.equal((await newcomer.until('conversation:new')).conversation._id, group);
    await member.until('conversation:updated', ({ conversation }) => conversation.participants.length === 4);
    const line = await member.untilMessage((message) => message.type === 'system' && message.text.includes('Eve'));
    assert.equal(line.messageType, 'system');
    assert.ok((await kim.history(group)).some((message) => message.messageType === 'system' && message.text.includes('Kim')));
    await newcomer.join(group);
    await newcomer.send(group, 'thanks for having me');
  });

  it('adding somebody who is in already changes nothing', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Same', [ben]);
    await ann.rest.patch(`${chat}/${group}/participants/${ben.id}`, { role: 'admin' });
    await ann.rest.post(`${chat}/${group}/participants`, { userIds: [ben.id] });
    assert.deepEqual(await roles(ann, group), { [ann.id]: 'owner', [ben.id]: 'admin' });
  });

  it('removal: owner and admins remove others, nobody the owner, and members only themselves', async () => {
    const [ann, ben, eve, kim] = await server.people('Ann', 'Ben', 'Eve', 'Kim');
    const group = await ann.group('Shrinking', [ben, eve, kim]);
    const path = (person) => `${chat}/${group}/participants/${person.id}`;
    await ann.rest.patch(path(ben), { role: 'admin' });
    expectRefusal(await eve.rest.delete(path(kim)), 403, 'FORBIDDEN');
    expectRefusal(await ben.rest.delete(path(ann)), 403, 'FORBIDDEN');
    assert.equal((await ben.rest.delete(path(kim))).status, 200);
    assert.equal((await eve.rest.delete(path(eve))).status, 200);
    assert.deepEqual(await roles(ann, group), { [ann.id]: 'owner', [ben.id]: 'admin' });
    const lines = (await ann.history(group)).filter((message) => message.messageType === 'system').map((message) => message.text);
    assert.ok(lines.some((line) => line.includes('Kim')) && lines.some((line) => line.includes('Eve')), lines.join('\n'));
  });

  it('an owner who leaves hands over to the oldest admin, else the oldest member', async () => {
    const [ann, ben, eve, kim] = await server.people('Ann', 'Ben', 'Eve', 'Kim');
    const group = await ann.group('Dynasty', [ben]);
    await ann.rest.post(`${chat}/${group}/participants`, { userIds: [eve.id] });
    await ann.rest.post(`${chat}/${group}/participants`, { userIds: [kim.id] });
    const leave = (person) => person.rest.delete(`${chat}/${group}/participants/${person.id}`);
    await ann.rest.patch(`${chat}/${group}/participants/${kim.id}`, { role: 'admin' });
    await leave(ann);
    assert.deepEqual(await roles(ben, group), { [ben.id]: 'member', [eve.id]: 'member', [kim.id]: 'owner' });
    await leave(kim);
    assert.deepEqual(await roles(ben, group), { [ben.id]: 'owner', [eve.id]: 'member' });
    await leave(ben);
    assert.deepEqual(await roles(eve, group), { [eve.id]: 'owner' });
  });

  it('a removed participant loses room, history, sending and lists at once, on every socket', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Leaving', [ben]);
    const sockets = await Promise.all(DIALECTS.map((dialect) => ben.enter(dialect, group)));
    const watcher = await ann.enter('talentbridge', group);
    const message = await ann.say(group, 'before');
    await ann.rest.delete(`${chat}/${group}/participants/${ben.id}`);
    for (const client of sockets) {
      const event = await client.until('conversation:removed', ({ conversationId }) => conversationId === group);
      assert.deepEqual(event, { conversationId: group });
    }
    await ann.say(group, 'after');
    await watcher.startTyping(group);
    await fence(...sockets);
    for (const client of sockets) {
      assert.ok(!client.texts(group).includes('after'), client.dialect);
      assert.deepEqual(client.typing(group), [], client.dialect);
      if (client.words.send) assert.equal((await client.call(...client.sending(group, 'still here?'))).code, 'NOT_PARTICIPANT');
      assert.equal((await client.call(...client.words.join(group))).code, 'NOT_PARTICIPANT');
      const { conversations, unknown } = await client.ok('sync', { conversations: { [group]: 0 } });
      assert.deepEqual([conversations, unknown], [[], [group]]);
    }
    for (const path of [`${chat}/${group}`, `/api/v1/chat/messages/all/${group}`, `${chat}/${group}/online`, `${chat}/${group}/changes?since=0`]) {
      expectRefusal(await ben.rest.get(path), 403, 'NOT_PARTICIPANT');
    }
    expectRefusal(await ben.rest.patch(`/api/v1/chat/messages/${message._id}`, { text: 'x' }), 404, 'MESSAGE_NOT_FOUND');
    const list = (await ben.rest.get(`${chat}?limit=100`)).data.conversations;
    assert.ok(!list.some(({ _id }) => _id === group));
    assert.equal((await ben.rest.get('/api/v1/chat/unread')).data.conversations[group], undefined);
  });

  it('a removed participant and the group no longer see each other come and go', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Parting', [ben, eve]);
    const removed = await ben.connect('talentbridge');
    const member = await eve.connect('talentbridge');
    await ann.rest.delete(`${chat}/${group}/participants/${ben.id}`);
    await removed.until('conversation:removed');
    const owner = await ann.connect('talentbridge');
    await member.until('user:online', ({ userId }) => userId === ann.id);
    const device = await ben.connect('marketplace');
    removed.close();
    device.close();
    // Eve goes after Ben, so that by the time her absence is known his would be, too.
    member.close();
    await owner.until('user:offline', ({ userId }) => userId === eve.id);
    await fence(owner);
    const about = (client, person) => client.log.filter(({ event, args }) => /^user:(on|off|status)/.test(event) && args[0].userId === person.id);
    assert.deepEqual([about(removed, ann), about(device, ann), about(owner, ben)], [[], [], []]);
    const back = await ben.connect('marketplace');
    owner.close();
    const witness = await eve.connect('talentbridge');
    await ann.connect('talentbridge').then((client) => client.close());
    await witness.until('user:offline', ({ userId }) => userId === ann.id);
    await fence(back);
    assert.deepEqual(about(back, ann), []);
  });

  it('a removal holds in the middle of sends: nothing of the removed one is stored after it', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Race', [ben]);
    const client = await ben.connect('talentbridge');
    const sent = Array.from({ length: 150 }, (_, index) => client.call('message:send', { conversationId: group, text: `${index}` }));
    await client.untilText('10');
    await ann.rest.delete(`${chat}/${group}/participants/${ben.id}`);
    const acks = await Promise.all(sent);
    const late = await client.call('message:send', { conversationId: group, text: 'late' });
    assert.equal(late.code, 'NOT_PARTICIPANT');
    const history = await ann.history(group);
    const stored = history.filter((message) => message.sender._id === ben.id && message.messageType === 'text').map((message) => message._id);
    assert.deepEqual(stored, acks.filter((ack) => ack.success).map((ack) => ack.messageId));
    acks.filter((ack) => !ack.success).forEach((ack) => assert.equal(ack.code, 'NOT_PARTICIPANT'));
    const farewell = history.findLastIndex((message) => message.messageType === 'system');
    assert.ok(history.slice(farewell + 1).every((message) => message.sender._id !== ben.id));
  });

  it('somebody who is added again sees the conversation again', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Revolving door', [ben]);
    await ben.rest.delete(`${chat}/${group}/participants/${ben.id}`);
    await ann.rest.post(`${chat}/${group}/participants`, { userIds: [ben.id] });
    const client = await ben.enter('gateway', group);
    await ann.say(group, 'welcome back');
    await client.untilText('welcome back');
  });

  it('a direct conversation has fixed participants, no title and no photo', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const direct = await ann.direct(ben);
    expectRefusal(await ann.rest.post(`${chat}/${direct}/participants`, { userIds: [eve.id] }), 409, 'CONFLICT');
    expectRefusal(await ann.rest.delete(`${chat}/${direct}/participants/${ben.id}`), 409, 'CONFLICT');
    expectRefusal(await ann.rest.delete(`${chat}/${direct}/participants/${ann.id}`), 409, 'CONFLICT');
  });

  it('the group photo by address: set and removed by owner and admins, told to the room', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Pictured', [ben]);
    const learner = await ben.enter('ulearn', group);
    const other = await ben.connect('talentbridge');
    const url = 'https://files.example/group.png';
    expectRefusal(await ben.rest.put(`${chat}/${group}/photo`, { url }), 403, 'FORBIDDEN');
    const set = await ann.rest.put(`${chat}/${group}/photo`, { url });
    assert.deepEqual([set.status, set.data.groupImage], [200, url]);
    const updated = await learner.until('group:photo:updated');
    conforms(events.photo, updated);
    assert.deepEqual(updated, { groupId: group, groupImage: url, updatedBy: ann.id });
    await other.until('conversation:updated', ({ conversation }) => conversation.groupImage === url);
    assert.equal((await ben.conversation(group)).groupImage, url);

    expectRefusal(await ben.rest.delete(`${chat}/${group}/photo`), 403, 'FORBIDDEN');
    const removed = await ann.rest.delete(`${chat}/${group}/photo`);
    assert.deepEqual([removed.status, removed.data.groupImage], [200, null]);
    const gone = await learner.until('group:photo:removed');
    conforms(events.photoRemoved, gone);
    assert.deepEqual(gone, { groupId: group, groupImage: null, removedBy: ann.id });
    for (const bad of ['http://files.example/a.png', 'javascript:alert(1)', 5]) {
      expectRefusal(await ann.rest.put(`${chat}/${group}/photo`, { url: bad }), 400, 'VALIDATION_FAILED');
    }
  });

  it('owner and admins delete any message of the group, members only their own', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const group = await ann.group('Moderated', [ben, eve]);
    await ann.rest.patch(`${chat}/${group}/participants/${ben.id}`, { role: 'admin' });
    const message = () => eve.say(group, 'questionable');
    for (const person of [ann, ben, eve]) {
      const { _id } = await message();
      assert.equal((await person.rest.delete(`/api/v1/chat/messages/${_id}`)).status, 200);
    }
    const { _id } = await ann.say(group, 'by the owner');
    expectRefusal(await eve.rest.delete(`/api/v1/chat/messages/${_id}`), 403, 'FORBIDDEN');
    const direct = await ann.direct(ben);
    const own = await ann.say(direct, 'direct');
    expectRefusal(await ben.rest.delete(`/api/v1/chat/messages/${own._id}`), 403, 'FORBIDDEN');
  });

  it('a person who has no socket in the group finds everything on the next visit', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Quiet', [ben]);
    await ann.rest.patch(`${chat}/${group}`, { title: 'Renamed while away' });
    await ann.say(group, 'see you');
    const found = await ben.conversation(group);
    assert.deepEqual([found.title, found.lastMessage.text], ['Renamed while away', 'see you']);
  });
});

describe('a large group', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  it('a thousand people are in one group, and that is all', { timeout: 120_000 }, async () => {
    const people = await inFlight(16, Array.from({ length: 1_000 }, (_, index) => `Person ${index}`), (name) => server.person(name));
    const [owner, ...others] = people;
    const group = await owner.group('Everybody', others);
    assert.equal((await others.at(-1).conversation(group)).participants.length, 1_000);
    const clients = await inFlight(8, others.slice(0, 40), (person, index) => person.enter(DIALECTS[index % DIALECTS.length], group));
    await owner.say(group, 'hello, all of you');
    for (const client of clients) await client.untilText('hello, all of you');
    assert.equal(await others.at(-1).unread(group), 1);
    const late = await server.person('Late');
    const refused = await owner.rest.post(`${chat}/${group}/participants`, { userIds: [late.id] });
    assert.deepEqual([refused.status, refused.body.code], [409, 'CONFLICT']);
  });
});

describe('group size', () => {
  let server;
  before(async () => {
    server = await Server.start({ env: { MAX_GROUP_SIZE: '3' } });
  });
  after(() => server.close());

  it('a full group takes nobody more', async () => {
    const [ann, ben, eve, kim] = await server.people('Ann', 'Ben', 'Eve', 'Kim');
    const group = await ann.group('Full', [ben, eve]);
    const more = await ann.rest.post(`${chat}/${group}/participants`, { userIds: [kim.id] });
    assert.deepEqual([more.status, more.body.code], [409, 'CONFLICT']);
    const tooMany = await ann.rest.post(`${chat}/group`, { title: 'Too many', participantIds: [ben.id, eve.id, kim.id] });
    assert.deepEqual([tooMany.status, tooMany.body.code], [409, 'CONFLICT']);
  });
});
