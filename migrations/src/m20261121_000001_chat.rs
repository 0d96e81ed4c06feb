//! Users, conversations, participants, messages, blocks, and the full-text index over messages.
//!
//! Written as SQL, because partial indexes, tables without row ids and full-text indexes are beyond the
//! portable builder. Ids made by the server are 12-byte blobs; moments are milliseconds since 1970.
//! What a column or an index is for stands at SQLite's; PostgreSQL's say where they differ.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::engine::Statements;

/// The first schema.
pub(crate) struct Chat;

impl MigrationName for Chat {
    fn name(&self) -> &'static str {
        "m20261121_000001_chat"
    }
}

#[async_trait]
impl MigrationTrait for Chat {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Statements { sqlite: SQLITE, postgres: POSTGRES }.run(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SQLITE: &[&str] = &[
    // `claimed_*` is what the last token said: a claim that repeats it must not undo the user's own change.
    "CREATE TABLE users (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        picture TEXT,
        claimed_name TEXT,
        claimed_picture TEXT,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID",
    // `direct_key` is the pair of a direct conversation, in id order, with a line feed between (which no user
    // id contains): one conversation per pair, whoever starts it.
    "CREATE TABLE conversations (
        id BLOB NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL,
        direct_key TEXT UNIQUE,
        title TEXT,
        image TEXT,
        last_seq INTEGER NOT NULL DEFAULT 0,
        rev INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        active_at INTEGER NOT NULL
    ) WITHOUT ROWID",
    // `ahead` holds single reads beyond the position as JSON [[first, last], …]. Nothing up to `floor_seq`, the end
    // of the history when somebody came in, is unread by them, though they have not read it. Beyond both,
    // `ahead_count` counts single reads, and `dead_count` tombstones that these do not cover. So unread =
    // last_seq - max(read_position, floor_seq) - ahead_count - dead_count.
    "CREATE TABLE participants (
        conversation_id BLOB NOT NULL REFERENCES conversations (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        role INTEGER NOT NULL,
        joined_at INTEGER NOT NULL,
        floor_seq INTEGER NOT NULL,
        read_position INTEGER NOT NULL,
        delivered_position INTEGER NOT NULL,
        ahead TEXT,
        ahead_count INTEGER NOT NULL DEFAULT 0,
        dead_count INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (conversation_id, user_id)
    ) WITHOUT ROWID",
    "CREATE INDEX participants_by_user ON participants (user_id, conversation_id)",
    // What people who have left had read and received: the status of a message never goes back. Nobody has a
    // row here and among the participants.
    "CREATE TABLE former_participants (
        conversation_id BLOB NOT NULL REFERENCES conversations (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        read_position INTEGER NOT NULL,
        delivered_position INTEGER NOT NULL,
        ahead TEXT,
        PRIMARY KEY (conversation_id, user_id)
    ) WITHOUT ROWID",
    // `place` orders all messages by time (milliseconds * 2^20 + a running number): the full-text index, which
    // can walk its matches in the order of this key only, thereby gives the newest first.
    "CREATE TABLE messages (
        place INTEGER NOT NULL PRIMARY KEY,
        id BLOB NOT NULL,
        conversation_id BLOB NOT NULL,
        seq INTEGER NOT NULL,
        rev INTEGER NOT NULL,
        sender_id TEXT NOT NULL,
        kind INTEGER NOT NULL,
        text TEXT,
        media TEXT,
        reply_to BLOB,
        client_message_id TEXT,
        reactions TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        edited_at INTEGER,
        deleted_at INTEGER
    )",
    "CREATE UNIQUE INDEX messages_by_id ON messages (id)",
    "CREATE UNIQUE INDEX messages_by_seq ON messages (conversation_id, seq)",
    "CREATE UNIQUE INDEX messages_by_rev ON messages (conversation_id, rev)",
    "CREATE UNIQUE INDEX messages_by_client_message_id
        ON messages (conversation_id, sender_id, client_message_id) WHERE client_message_id IS NOT NULL",
    "CREATE INDEX messages_deleted ON messages (conversation_id, seq) WHERE deleted_at IS NOT NULL",
    "CREATE TABLE blocks (
        place INTEGER NOT NULL PRIMARY KEY,
        blocker TEXT NOT NULL,
        blocked TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )",
    "CREATE UNIQUE INDEX blocks_by_pair ON blocks (blocker, blocked)",
    "CREATE INDEX blocks_by_blocked ON blocks (blocked, blocker)",
    // Each word of a message, with the hex digits of its conversation before it: the words of one conversation lie
    // side by side, and a search never sees another's. The words are folded before they come here, so the
    // tokenizer has nothing to do but to split at spaces. No text is kept a second time.
    "CREATE VIRTUAL TABLE message_search USING fts5 (
        words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
    )",
];

const POSTGRES: &[&str] = &[
    // The functions of SQLite that statements of both engines use, small enough for the planner to see through them.
    "CREATE FUNCTION unhex(digits text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
        AS $$ SELECT decode(digits, 'hex') $$",
    "CREATE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value jsonb, atom text)
        LANGUAGE sql STABLE PARALLEL SAFE
        AS $$ SELECT item.place - 1, item.value, item.value #>> '{}'
              FROM jsonb_array_elements(CAST(list AS jsonb)) WITH ORDINALITY AS item (value, place) $$",
    // Ids are compared by their bytes, wherever the server thinks it lives.
    r#"CREATE TABLE users (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        picture TEXT,
        claimed_name TEXT,
        claimed_picture TEXT,
        created_at BIGINT NOT NULL
    )"#,
    // Rows that change with every message leave room on their page, so that no index has to be told.
    r#"CREATE TABLE conversations (
        id BYTEA NOT NULL PRIMARY KEY,
        kind BIGINT NOT NULL,
        direct_key TEXT COLLATE "C" UNIQUE,
        title TEXT,
        image TEXT,
        last_seq BIGINT NOT NULL DEFAULT 0,
        rev BIGINT NOT NULL DEFAULT 0,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        active_at BIGINT NOT NULL
    ) WITH (fillfactor = 70)"#,
    r#"CREATE TABLE participants (
        conversation_id BYTEA NOT NULL REFERENCES conversations (id),
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        role BIGINT NOT NULL,
        joined_at BIGINT NOT NULL,
        floor_seq BIGINT NOT NULL,
        read_position BIGINT NOT NULL,
        delivered_position BIGINT NOT NULL,
        ahead TEXT,
        ahead_count BIGINT NOT NULL DEFAULT 0,
        dead_count BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (conversation_id, user_id)
    ) WITH (fillfactor = 70)"#,
    "CREATE INDEX participants_by_user ON participants (user_id, conversation_id)",
    r#"CREATE TABLE former_participants (
        conversation_id BYTEA NOT NULL REFERENCES conversations (id),
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        read_position BIGINT NOT NULL,
        delivered_position BIGINT NOT NULL,
        ahead TEXT,
        PRIMARY KEY (conversation_id, user_id)
    )"#,
    r#"CREATE TABLE messages (
        id BYTEA NOT NULL,
        conversation_id BYTEA NOT NULL,
        seq BIGINT NOT NULL,
        rev BIGINT NOT NULL,
        sender_id TEXT COLLATE "C" NOT NULL,
        kind BIGINT NOT NULL,
        text TEXT,
        media TEXT,
        reply_to BYTEA,
        client_message_id TEXT COLLATE "C",
        reactions TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        edited_at BIGINT,
        deleted_at BIGINT
    )"#,
    "CREATE UNIQUE INDEX messages_by_id ON messages (id)",
    "CREATE UNIQUE INDEX messages_by_seq ON messages (conversation_id, seq)",
    "CREATE UNIQUE INDEX messages_by_rev ON messages (conversation_id, rev)",
    "CREATE UNIQUE INDEX messages_by_client_message_id
        ON messages (conversation_id, sender_id, client_message_id) WHERE client_message_id IS NOT NULL",
    "CREATE INDEX messages_deleted ON messages (conversation_id, seq) WHERE deleted_at IS NOT NULL",
    r#"CREATE TABLE blocks (
        place BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        blocker TEXT COLLATE "C" NOT NULL,
        blocked TEXT COLLATE "C" NOT NULL,
        created_at BIGINT NOT NULL
    )"#,
    "CREATE UNIQUE INDEX blocks_by_pair ON blocks (blocker, blocked)",
    "CREATE INDEX blocks_by_blocked ON blocks (blocked, blocker)",
    // The words as in SQLite, one row for each message that can be found; the key walks a conversation by time. Apart
    // from the messages, because every change of a message's `rev` would write all its words anew.
    "CREATE TABLE message_search (
        conversation_id BYTEA NOT NULL,
        created_at BIGINT NOT NULL,
        message_id BYTEA NOT NULL,
        words TSVECTOR NOT NULL,
        PRIMARY KEY (conversation_id, created_at, message_id)
    )",
    "CREATE INDEX message_search_by_word ON message_search USING gin (words) WITH (fastupdate = off)",
];
