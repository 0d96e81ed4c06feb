// A user with a token: how they appear over REST, and the sockets that they open.
import { randomBytes } from 'node:crypto';
import assert from 'node:assert/strict';
import { Client } from './client.mjs';
import { Rest } from './rest.mjs';
import { mintToken } from './tokens.mjs';

export class Person {
  constructor(server, name, claims = {}) {
    this.server = server;
    this.id = `${name.toLowerCase()}-${randomBytes(4).toString('hex')}`;
    this.name = name;
    this.token = mintToken(server.secret, { sub: this.id, name, ...claims });
    server.tokens?.add(this.token);
    this.rest = new Rest(server, this.token);
  }

  /** The first valid token makes a user known. */
  async introduce() {
    const { status, body } = await this.rest.get('/api/v1/users/me');
    assert.equal(status, 200, JSON.stringify(body));
  }

  /** Opens a socket and waits until it is connected. */
  connect(dialect = 'talentbridge', options = {}) {
    return Client.connect(this, { dialect, ...options });
  }

  /** Opens a socket and joins these conversations. */
  async enter(dialect, ...conversations) {
    const client = await this.connect(dialect);
    for (const id of conversations) await client.join(id);
    return client;
  }

  /** The id of the direct conversation with `other`. */
  async direct(other) {
    const { body, data } = await this.rest.post('/api/v1/chat/conversations/start', { targetUserId: other.id });
    assert.ok(body.success, JSON.stringify(body));
    return data.conversation._id;
  }

  /** The id of a new group that this person owns. */
  async group(title, others) {
    const participantIds = others.map((other) => other.id);
    const { status, body, data } = await this.rest.post('/api/v1/chat/conversations/group', { title, participantIds });
    assert.equal(status, 201, JSON.stringify(body));
    return data.conversation._id;
  }

  /** Sends over REST and returns the message in talentbridge's shape. */
  async say(conversationId, text, more = {}) {
    const { body, data } = await this.rest.post('/api/v1/chat/messages', { conversationId, text, ...more });
    assert.ok(body.success, JSON.stringify(body));
    return data.message;
  }

  /** Says many things over one socket, which keeps their order; a hundred at a time, since its queue has an end. */
  async recite(conversationId, texts) {
    const client = await this.connect();
    for (let at = 0; at < texts.length; at += 100) {
      await Promise.all(texts.slice(at, at + 100).map((text) => client.send(conversationId, text)));
    }
    client.close();
  }

  async conversation(id) {
    const { body, data } = await this.rest.get(`/api/v1/chat/conversations/${id}`);
    assert.ok(body.success, JSON.stringify(body));
    return data.conversation;
  }

  /** The whole history, oldest first, page by page. */
  async history(conversationId, { limit = 200 } = {}) {
    const pages = [];
    for (let cursor = null; ; ) {
      const query = new URLSearchParams({ limit, ...(cursor ? { cursor } : {}) });
      const { body, data } = await this.rest.get(`/api/v1/chat/messages/all/${conversationId}?${query}`);
      assert.ok(body.success, JSON.stringify(body));
      pages.unshift(data.messages);
      if (!data.pagination.hasMore) return pages.flat();
      cursor = data.pagination.nextCursor;
    }
  }

  /** History without the server's own lines about membership. */
  async talk(conversationId) {
    return (await this.history(conversationId)).filter((message) => message.messageType !== 'system');
  }

  async unread(conversationId) {
    const { data } = await this.rest.get('/api/v1/chat/unread');
    return data.conversations[conversationId] ?? 0;
  }
}
