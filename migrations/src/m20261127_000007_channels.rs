//! Where people are reached who are not there, and what they are still to be told.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::engine::Statements;

/// The tables of channels.
pub(crate) struct Channels;

impl MigrationName for Channels {
    fn name(&self) -> &'static str {
        "m20261127_000007_channels"
    }
}

#[async_trait]
impl MigrationTrait for Channels {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Statements { sqlite: SQLITE, postgres: POSTGRES }.run(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SQLITE: &[&str] = &[
    "CREATE TABLE addresses (
        user_id TEXT NOT NULL REFERENCES users (id),
        channel TEXT NOT NULL,
        target TEXT NOT NULL,
        extra TEXT NOT NULL,
        put_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, channel, target)
    ) WITHOUT ROWID",
    "CREATE INDEX addresses_by_target ON addresses (channel, target)",
    // One that is handed out has attempts, and is due again when its lease ends; `again_at` is when it is due after it
    // was finished.
    "CREATE TABLE errands (
        channel TEXT NOT NULL,
        user_id TEXT NOT NULL REFERENCES users (id),
        subject TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        again_at INTEGER,
        PRIMARY KEY (channel, user_id, subject)
    ) WITHOUT ROWID",
    "CREATE INDEX errands_by_due ON errands (channel, due_at)",
];

const POSTGRES: &[&str] = &[
    r#"CREATE TABLE addresses (
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        channel TEXT COLLATE "C" NOT NULL,
        target TEXT COLLATE "C" NOT NULL,
        extra TEXT NOT NULL,
        put_at BIGINT NOT NULL,
        PRIMARY KEY (user_id, channel, target)
    )"#,
    "CREATE INDEX addresses_by_target ON addresses (channel, target)",
    r#"CREATE TABLE errands (
        channel TEXT COLLATE "C" NOT NULL,
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        subject TEXT COLLATE "C" NOT NULL,
        due_at BIGINT NOT NULL,
        attempts BIGINT NOT NULL DEFAULT 0,
        again_at BIGINT,
        PRIMARY KEY (channel, user_id, subject)
    ) WITH (fillfactor = 70)"#,
    "CREATE INDEX errands_by_due ON errands (channel, due_at)",
];
