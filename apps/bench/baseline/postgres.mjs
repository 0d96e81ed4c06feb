// The store on PostgreSQL: a pool, named (so prepared) statements, one transaction for a send with the conversation's
// row locked by the update that allots `seq`. The same functions as `sqlite.mjs`, as promises.

import pg from 'pg';

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL, picture TEXT);
  CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, title TEXT, pair TEXT UNIQUE, seq BIGINT NOT NULL DEFAULT 0,
    rev BIGINT NOT NULL DEFAULT 0, "lastMessageId" TEXT, "createdAt" BIGINT NOT NULL, "updatedAt" BIGINT NOT NULL
  ) WITH (fillfactor = 80);
  CREATE TABLE IF NOT EXISTS participants (
    "conversationId" TEXT NOT NULL, "userId" TEXT NOT NULL, role TEXT NOT NULL, "readSeq" BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY ("conversationId", "userId")
  ) WITH (fillfactor = 80);
  CREATE INDEX IF NOT EXISTS participants_user ON participants ("userId");
  CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, "conversationId" TEXT NOT NULL, seq BIGINT NOT NULL, rev BIGINT NOT NULL,
    "senderId" TEXT NOT NULL, text TEXT, "replyTo" TEXT, "clientMessageId" TEXT, "createdAt" BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS messages_seq ON messages ("conversationId", seq);
  CREATE UNIQUE INDEX IF NOT EXISTS messages_client ON messages ("conversationId", "senderId", "clientMessageId")
    WHERE "clientMessageId" IS NOT NULL;
  CREATE TABLE IF NOT EXISTS blocks (
    "blockerId" TEXT NOT NULL, "blockedId" TEXT NOT NULL, PRIMARY KEY ("blockerId", "blockedId")
  );
`;

const SQL = {
  upsertUser:
    'INSERT INTO users VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET name = excluded.name, picture = excluded.picture',
  user: 'SELECT id, name, picture FROM users WHERE id = $1',
  member: `
    SELECT c.type, p."readSeq",
      (SELECT o."userId" FROM participants o WHERE c.type = 'direct' AND o."conversationId" = c.id AND o."userId" <> p."userId") AS "otherId"
    FROM participants p JOIN conversations c ON c.id = p."conversationId"
    WHERE p."conversationId" = $1 AND p."userId" = $2`,
  conversation: 'SELECT * FROM conversations WHERE id = $1',
  pair: 'SELECT * FROM conversations WHERE pair = $1',
  insertConversation: `
    INSERT INTO conversations (id, type, title, pair, "createdAt", "updatedAt") VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (pair) DO NOTHING`,
  insertParticipants:
    'INSERT INTO participants ("conversationId", "userId", role) SELECT $1, * FROM unnest($2::text[], $3::text[])',
  participants: `
    SELECT u.id, u.name, u.picture, p.role FROM participants p JOIN users u ON u.id = p."userId"
    WHERE p."conversationId" = $1`,
  conversationIds: 'SELECT "conversationId" AS id FROM participants WHERE "userId" = $1',
  blockBetween: `
    SELECT "blockerId" FROM blocks
    WHERE ("blockerId" = $1 AND "blockedId" = $2) OR ("blockerId" = $2 AND "blockedId" = $1)`,
  repeated: 'SELECT * FROM messages WHERE "conversationId" = $1 AND "senderId" = $2 AND "clientMessageId" = $3',
  message: 'SELECT * FROM messages WHERE id = $1 AND "conversationId" = $2',
  advance: `
    UPDATE conversations SET seq = seq + 1, rev = rev + 1, "lastMessageId" = $1, "updatedAt" = $2
    WHERE id = $3 RETURNING seq, rev`,
  insertMessage: 'INSERT INTO messages VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  read: `
    UPDATE participants SET "readSeq" = $1 WHERE "conversationId" = $2 AND "userId" = $3 AND "readSeq" < $1`,
  newlyRead: `
    SELECT id FROM (
      SELECT id, seq FROM messages WHERE "conversationId" = $1 AND seq > $2 AND seq <= $3 AND "senderId" <> $4
      ORDER BY seq DESC LIMIT 500
    ) newest ORDER BY seq`,
  page: 'SELECT * FROM messages WHERE "conversationId" = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3',
  list: `
    SELECT c.*, (SELECT count(*) FROM messages m
      WHERE m."conversationId" = c.id AND m.seq > p."readSeq" AND m."senderId" <> p."userId") AS unread
    FROM participants p JOIN conversations c ON c.id = p."conversationId"
    WHERE p."userId" = $1 ORDER BY c."updatedAt" DESC LIMIT $2`,
  block: 'INSERT INTO blocks VALUES ($1, $2) ON CONFLICT DO NOTHING',
};

export async function openPostgres(url) {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(SCHEMA);

  const run = async (client, name, values) => (await client.query({ name, text: SQL[name], values })).rows;
  const all = (name, ...values) => run(pool, name, values);
  const one = async (name, ...values) => (await all(name, ...values))[0];

  async function transaction(work) {
    const client = await pool.connect();
    const query = (name, ...values) => run(client, name, values);
    try {
      await client.query('BEGIN');
      const result = await work(query);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.release();
    }
  }

  // Answers of two connections may overtake each other: what is stored in one conversation is told in that order.
  const last = new Map();
  function inOrder(conversationId, work) {
    const mine = (last.get(conversationId) ?? Promise.resolve()).then(work);
    const settled = mine.catch(() => {});
    last.set(conversationId, settled);
    settled.then(() => {
      if (last.get(conversationId) === settled) last.delete(conversationId);
    });
    return mine;
  }

  const append = (draft) =>
    transaction(async (query) => {
      const { conversationId, senderId, text, replyTo, clientMessageId, id, createdAt } = draft;
      const [member] = await query('member', conversationId, senderId);
      if (!member) {
        const [conversation] = await query('conversation', conversationId);
        return { refused: conversation ? 'notParticipant' : 'noConversation' };
      }
      if (member.otherId) {
        const [block] = await query('blockBetween', senderId, member.otherId);
        if (block) return { refused: block.blockerId === senderId ? 'blockedByYou' : 'blocked' };
      }
      if (clientMessageId) {
        const [row] = await query('repeated', conversationId, senderId, clientMessageId);
        if (row) return { row, repeated: true, newlyRead: [] };
      }
      const [{ seq, rev }] = await query('advance', id, createdAt, conversationId);
      await query('insertMessage', id, conversationId, seq, rev, senderId, text, replyTo, clientMessageId, createdAt);
      // Who sends has read what came before.
      await query('read', seq, conversationId, senderId);
      const newlyRead =
        member.readSeq < seq - 1
          ? (await query('newlyRead', conversationId, member.readSeq, seq - 1, senderId)).map((row) => row.id)
          : [];
      return { row: { id, conversationId, seq, rev, senderId, text, replyTo, clientMessageId, createdAt }, newlyRead };
    });

  const create = ({ id, type, title, pair, createdAt }, members) =>
    transaction(async (query) => {
      await query('insertConversation', id, type, title, pair, createdAt);
      const [made] = await query('conversation', id);
      if (!made) return { conversation: (await query('pair', pair))[0], created: false };
      const users = members.map((member) => member.userId);
      const roles = members.map((member) => member.role);
      await query('insertParticipants', id, users, roles);
      return { conversation: made, created: true };
    });

  const markRead = (conversationId, userId, upToMessageId) =>
    transaction(async (query) => {
      const [member] = await query('member', conversationId, userId);
      if (!member) return { refused: 'notParticipant' };
      const [row] = upToMessageId
        ? await query('message', upToMessageId, conversationId)
        : await query('conversation', conversationId);
      if (!row || row.seq <= member.readSeq) return { newlyRead: [] };
      await query('read', row.seq, conversationId, userId);
      const newlyRead = await query('newlyRead', conversationId, member.readSeq, row.seq, userId);
      return { newlyRead: newlyRead.map(({ id }) => id) };
    });

  return {
    inOrder,
    upsertUser: (user) => all('upsertUser', user.id, user.name, user.picture),
    user: (id) => one('user', id),
    member: (conversationId, userId) => one('member', conversationId, userId),
    participants: (conversationId) => all('participants', conversationId),
    conversationIds: async (userId) => (await all('conversationIds', userId)).map((row) => row.id),
    message: (id, conversationId) => one('message', id, conversationId),
    page: (conversationId, before, limit) => all('page', conversationId, before ?? Number.MAX_SAFE_INTEGER, limit),
    list: (userId, limit) => all('list', userId, limit),
    block: (blockerId, blockedId) => all('block', blockerId, blockedId),
    append,
    create,
    markRead,
    close: () => pool.end(),
  };
}
