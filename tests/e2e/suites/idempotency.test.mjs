// One `clientMessageId`, one message: over whatever transport, in whatever order, however often.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { fence } from '../support/client.mjs';
import { Server } from '../support/server.mjs';

describe('idempotency', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  /** Two people in a conversation, both listening. */
  async function pair(dialect) {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    return { ann, ben, conversationId, sender: await ann.enter(dialect, conversationId), listener: await ben.enter('talentbridge', conversationId) };
  }

  async function assertOnce({ ben, conversationId, sender, listener }, text) {
    await fence(sender, listener);
    assert.deepEqual(listener.texts(conversationId), [text]);
    assert.deepEqual(sender.texts(conversationId), [text]);
    const stored = await ben.history(conversationId);
    assert.deepEqual(stored.map((message) => message.text), [text]);
    assert.equal(await ben.unread(conversationId), 1);
  }

  for (const dialect of ['talentbridge', 'ulearn', 'gateway', 'nextchat']) {
    const viaRest = (scene, clientMessageId, text) =>
      scene.ann.rest.post('/api/v1/chat/messages', { conversationId: scene.conversationId, text, clientMessageId });

    it(`${dialect}: the socket first, then REST with the same clientMessageId`, async () => {
      const scene = await pair(dialect);
      const clientMessageId = randomUUID();
      const first = await scene.sender.send(scene.conversationId, 'once', { clientMessageId });
      const again = await viaRest(scene, clientMessageId, 'once');
      assert.equal(again.status, 200);
      assert.equal(again.data.message._id, first.messageId);
      assert.equal(again.data.message.clientMessageId, clientMessageId);
      await assertOnce(scene, 'once');
    });

    it(`${dialect}: REST first, then the socket with the same clientMessageId`, async () => {
      const scene = await pair(dialect);
      const clientMessageId = randomUUID();
      const first = await viaRest(scene, clientMessageId, 'once');
      assert.equal(first.status, 201);
      const again = await scene.sender.send(scene.conversationId, 'once', { clientMessageId });
      assert.equal(again.messageId, first.data.message._id);
      await assertOnce(scene, 'once');
    });

    it(`${dialect}: the socket and REST at the same instant`, async () => {
      const scene = await pair(dialect);
      const clientMessageId = randomUUID();
      const answers = await Promise.all([
        scene.sender.send(scene.conversationId, 'once', { clientMessageId }).then((ack) => ack.messageId),
        ...Array.from({ length: 4 }, () => viaRest(scene, clientMessageId, 'once').then(({ data }) => data.message._id)),
        scene.sender.send(scene.conversationId, 'once', { clientMessageId }).then((ack) => ack.messageId),
      ]);
      assert.equal(new Set(answers).size, 1);
      await assertOnce(scene, 'once');
    });
  }

  it('a repeat with another text gets the first message back unchanged', async () => {
    const scene = await pair('talentbridge');
    const clientMessageId = randomUUID();
    await scene.sender.send(scene.conversationId, 'the first', { clientMessageId });
    const again = await scene.sender.send(scene.conversationId, 'another', { clientMessageId });
    assert.equal(again.message.text, 'the first');
    await assertOnce(scene, 'the first');
  });

  it('the same clientMessageId of another sender or in another conversation is another message', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const [withBen, withEve] = [await ann.direct(ben), await ann.direct(eve)];
    const clientMessageId = 'shared-id';
    const ids = [
      (await ann.say(withBen, 'one', { clientMessageId }))._id,
      (await ben.say(withBen, 'two', { clientMessageId }))._id,
      (await ann.say(withEve, 'three', { clientMessageId }))._id,
    ];
    assert.equal(new Set(ids).size, 3);
  });

  it('a repeat is answered with the first message even when it was edited or deleted since', async () => {
    const { ann, conversationId, sender } = await pair('talentbridge');
    const [edited, deleted] = ['edited-later', 'deleted-later'];
    const first = await sender.send(conversationId, 'v1', { clientMessageId: edited });
    await sender.ok('message:edit', { messageId: first.messageId, text: 'v2' });
    const second = await sender.send(conversationId, 'soon gone', { clientMessageId: deleted });
    await sender.ok('message:delete', { messageId: second.messageId });
    assert.equal((await sender.send(conversationId, 'v1', { clientMessageId: edited })).messageId, first.messageId);
    assert.equal((await sender.send(conversationId, 'soon gone', { clientMessageId: deleted })).messageId, second.messageId);
    assert.equal((await ann.history(conversationId)).length, 2);
  });

  it('sends without a clientMessageId are never merged', async () => {
    const { ann, conversationId, sender } = await pair('talentbridge');
    await Promise.all([sender.send(conversationId, 'same'), sender.send(conversationId, 'same'), ann.say(conversationId, 'same')]);
    assert.equal((await ann.history(conversationId)).length, 3);
  });

  it('two users who start a conversation at the same moment get the same one', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const ids = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 ? ann.direct(ben) : ben.direct(ann))));
    assert.equal(new Set(ids).size, 1);
  });
});
