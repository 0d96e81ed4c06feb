//! Notifications, and each user's inbox: how many they have, and what they want to be told.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::engine::Statements;

/// The tables of notifications.
pub(crate) struct Notifications;

impl MigrationName for Notifications {
    fn name(&self) -> &'static str {
        "m20261121_000002_notifications"
    }
}

#[async_trait]
impl MigrationTrait for Notifications {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Statements { sqlite: SQLITE, postgres: POSTGRES }.run(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SQLITE: &[&str] = &[
    // `total` and `unread` count the user's rows in `notifications`, so that nobody has to. Who has no row has no
    // notifications and wants everything.
    "CREATE TABLE inboxes (
        user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
        total INTEGER NOT NULL DEFAULT 0,
        unread INTEGER NOT NULL DEFAULT 0,
        email INTEGER NOT NULL DEFAULT 1,
        push INTEGER NOT NULL DEFAULT 1,
        chat INTEGER NOT NULL DEFAULT 1,
        job_match INTEGER NOT NULL DEFAULT 1
    ) WITHOUT ROWID",
    // A chat notification has a conversation and no words. Its message is the one that it was made for, and from
    // when it is read the one that it stood for then; in between it stands for the conversation's newest.
    "CREATE TABLE notifications (
        id BLOB NOT NULL,
        user_id TEXT NOT NULL REFERENCES users (id),
        kind TEXT NOT NULL,
        conversation_id BLOB REFERENCES conversations (id),
        message_id BLOB,
        title TEXT,
        message TEXT,
        link TEXT,
        data TEXT,
        read INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        CHECK (conversation_id IS NULL AND title IS NOT NULL AND message IS NOT NULL
            OR conversation_id IS NOT NULL AND message_id IS NOT NULL AND title IS NULL AND message IS NULL)
    )",
    "CREATE UNIQUE INDEX notifications_by_id ON notifications (id)",
    "CREATE INDEX notifications_by_user ON notifications (user_id, created_at, id)",
    "CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read = 0",
    "CREATE UNIQUE INDEX notifications_standing
        ON notifications (user_id, conversation_id) WHERE read = 0 AND conversation_id IS NOT NULL",
];

const POSTGRES: &[&str] = &[
    r#"CREATE TABLE inboxes (
        user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id),
        total BIGINT NOT NULL DEFAULT 0,
        unread BIGINT NOT NULL DEFAULT 0,
        email BIGINT NOT NULL DEFAULT 1,
        push BIGINT NOT NULL DEFAULT 1,
        chat BIGINT NOT NULL DEFAULT 1,
        job_match BIGINT NOT NULL DEFAULT 1
    ) WITH (fillfactor = 70)"#,
    r#"CREATE TABLE notifications (
        id BYTEA NOT NULL,
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        kind TEXT NOT NULL,
        conversation_id BYTEA REFERENCES conversations (id),
        message_id BYTEA,
        title TEXT,
        message TEXT,
        link TEXT,
        data TEXT,
        read BIGINT NOT NULL DEFAULT 0,
        created_at BIGINT NOT NULL,
        CHECK (conversation_id IS NULL AND title IS NOT NULL AND message IS NOT NULL
            OR conversation_id IS NOT NULL AND message_id IS NOT NULL AND title IS NULL AND message IS NULL)
    )"#,
    "CREATE UNIQUE INDEX notifications_by_id ON notifications (id)",
    "CREATE INDEX notifications_by_user ON notifications (user_id, created_at, id)",
    "CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read = 0",
    "CREATE UNIQUE INDEX notifications_standing
        ON notifications (user_id, conversation_id) WHERE read = 0 AND conversation_id IS NOT NULL",
];
