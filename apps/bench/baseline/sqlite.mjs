// The store on SQLite: better-sqlite3, prepared statements, WAL, and `synchronous=FULL`, so that what was acked
// survives a power cut. A call is synchronous, which is this library's way and the fastest one from Node; a send is one
// transaction. `postgres.mjs` offers the same functions.

import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL, picture TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, title TEXT, pair TEXT UNIQUE, seq INTEGER NOT NULL DEFAULT 0,
    rev INTEGER NOT NULL DEFAULT 0, lastMessageId TEXT, createdAt INTEGER NOT NULL, updatedAt INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS participants (
    conversationId TEXT NOT NULL, userId TEXT NOT NULL, role TEXT NOT NULL, readSeq INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversationId, userId)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS participants_user ON participants (userId);
  CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, conversationId TEXT NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL,
    senderId TEXT NOT NULL, text TEXT, replyTo TEXT, clientMessageId TEXT, createdAt INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS messages_seq ON messages (conversationId, seq);
  CREATE UNIQUE INDEX IF NOT EXISTS messages_client ON messages (conversationId, senderId, clientMessageId)
    WHERE clientMessageId IS NOT NULL;
  CREATE TABLE IF NOT EXISTS blocks (
    blockerId TEXT NOT NULL, blockedId TEXT NOT NULL, PRIMARY KEY (blockerId, blockedId)
  ) WITHOUT ROWID;
`;

export function openSqlite(file) {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('busy_timeout = 5000');
  db.pragma('cache_size = -65536');
  db.exec(SCHEMA);

  const sql = {
    upsertUser: db.prepare(
      'INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, picture = excluded.picture',
    ),
    user: db.prepare('SELECT id, name, picture FROM users WHERE id = ?'),
    member: db.prepare(`
      SELECT c.type, p.readSeq,
        (SELECT o.userId FROM participants o WHERE c.type = 'direct' AND o.conversationId = c.id AND o.userId <> p.userId) AS otherId
      FROM participants p JOIN conversations c ON c.id = p.conversationId
      WHERE p.conversationId = ? AND p.userId = ?`),
    conversation: db.prepare('SELECT * FROM conversations WHERE id = ?'),
    pair: db.prepare('SELECT * FROM conversations WHERE pair = ?'),
    insertConversation: db.prepare(
      'INSERT INTO conversations (id, type, title, pair, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    insertParticipant: db.prepare('INSERT INTO participants (conversationId, userId, role) VALUES (?, ?, ?)'),
    participants: db.prepare(
      'SELECT u.id, u.name, u.picture, p.role FROM participants p JOIN users u ON u.id = p.userId WHERE p.conversationId = ?',
    ),
    conversationIds: db.prepare('SELECT conversationId FROM participants WHERE userId = ?').pluck(),
    block: db.prepare(
      'SELECT blockerId FROM blocks WHERE (blockerId = @me AND blockedId = @other) OR (blockerId = @other AND blockedId = @me)',
    ).pluck(),
    repeated: db.prepare('SELECT * FROM messages WHERE conversationId = ? AND senderId = ? AND clientMessageId = ?'),
    message: db.prepare('SELECT * FROM messages WHERE id = ? AND conversationId = ?'),
    advance: db.prepare(
      'UPDATE conversations SET seq = seq + 1, rev = rev + 1, lastMessageId = ?, updatedAt = ? WHERE id = ? RETURNING seq, rev',
    ),
    insertMessage: db.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    read: db.prepare('UPDATE participants SET readSeq = ? WHERE conversationId = ? AND userId = ? AND readSeq < ?'),
    newlyRead: db.prepare(`
      SELECT id FROM (
        SELECT id, seq FROM messages WHERE conversationId = ? AND seq > ? AND seq <= ? AND senderId <> ? ORDER BY seq DESC LIMIT 500
      ) ORDER BY seq`).pluck(),
    page: db.prepare('SELECT * FROM messages WHERE conversationId = ? AND seq < ? ORDER BY seq DESC LIMIT ?'),
    list: db.prepare(`
      SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversationId = c.id AND m.seq > p.readSeq AND m.senderId <> p.userId) AS unread
      FROM participants p JOIN conversations c ON c.id = p.conversationId WHERE p.userId = ? ORDER BY c.updatedAt DESC LIMIT ?`),
    block_: db.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?)'),
  };

  const append = db.transaction((draft) => {
    const { conversationId, senderId, text, replyTo, clientMessageId, id, createdAt } = draft;
    const member = sql.member.get(conversationId, senderId);
    if (!member) return { refused: sql.conversation.get(conversationId) ? 'notParticipant' : 'noConversation' };
    if (member.otherId) {
      const blocker = sql.block.get({ me: senderId, other: member.otherId });
      if (blocker) return { refused: blocker === senderId ? 'blockedByYou' : 'blocked' };
    }
    if (clientMessageId) {
      const row = sql.repeated.get(conversationId, senderId, clientMessageId);
      if (row) return { row, repeated: true, newlyRead: [] };
    }
    const { seq, rev } = sql.advance.get(id, createdAt, conversationId);
    sql.insertMessage.run(id, conversationId, seq, rev, senderId, text, replyTo, clientMessageId, createdAt);
    // Who sends has read what came before.
    sql.read.run(seq, conversationId, senderId, seq);
    const newlyRead = member.readSeq < seq - 1 ? sql.newlyRead.all(conversationId, member.readSeq, seq - 1, senderId) : [];
    return { row: { id, conversationId, seq, rev, senderId, text, replyTo, clientMessageId, createdAt }, newlyRead };
  });

  const create = db.transaction((conversation, members) => {
    const { id, type, title, pair, createdAt } = conversation;
    const existing = pair && sql.pair.get(pair);
    if (existing) return { conversation: existing, created: false };
    sql.insertConversation.run(id, type, title, pair, createdAt, createdAt);
    for (const { userId, role } of members) sql.insertParticipant.run(id, userId, role);
    return { conversation: sql.conversation.get(id), created: true };
  });

  const markRead = db.transaction((conversationId, userId, upToMessageId) => {
    const member = sql.member.get(conversationId, userId);
    if (!member) return { refused: 'notParticipant' };
    const upTo = upToMessageId
      ? sql.message.get(upToMessageId, conversationId)?.seq
      : sql.conversation.get(conversationId).seq;
    if (upTo === undefined || upTo <= member.readSeq) return { newlyRead: [] };
    sql.read.run(upTo, conversationId, userId, upTo);
    return { newlyRead: sql.newlyRead.all(conversationId, member.readSeq, upTo, userId) };
  });

  return {
    // A synchronous transaction needs no queue: the order of commits is the order of calls.
    inOrder: (_conversationId, work) => work(),
    upsertUser: (user) => sql.upsertUser.run(user.id, user.name, user.picture),
    user: (id) => sql.user.get(id),
    member: (conversationId, userId) => sql.member.get(conversationId, userId),
    participants: (conversationId) => sql.participants.all(conversationId),
    conversationIds: (userId) => sql.conversationIds.all(userId),
    message: (id, conversationId) => sql.message.get(id, conversationId),
    page: (conversationId, before, limit) => sql.page.all(conversationId, before ?? Number.MAX_SAFE_INTEGER, limit),
    list: (userId, limit) => sql.list.all(userId, limit),
    block: (blockerId, blockedId) => sql.block_.run(blockerId, blockedId),
    append,
    create,
    markRead,
    close: () => db.close(),
  };
}
