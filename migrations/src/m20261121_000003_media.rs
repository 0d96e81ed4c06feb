//! Uploaded media and what uses them.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::engine::Statements;

/// The tables of media.
pub(crate) struct Media;

impl MigrationName for Media {
    fn name(&self) -> &'static str {
        "m20261121_000003_media"
    }
}

#[async_trait]
impl MigrationTrait for Media {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Statements { sqlite: SQLITE, postgres: POSTGRES }.run(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SQLITE: &[&str] = &[
    // `uses` counts the medium's rows in `media_uses`, so that the unused ones have an index of their own.
    "CREATE TABLE media (
        id BLOB NOT NULL PRIMARY KEY,
        uploader TEXT NOT NULL REFERENCES users (id),
        media_type INTEGER NOT NULL,
        format TEXT NOT NULL,
        content_type TEXT NOT NULL,
        filename TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        digest TEXT NOT NULL,
        width INTEGER,
        height INTEGER,
        thumbnail_content_type TEXT,
        thumbnail_bytes INTEGER,
        thumbnail_width INTEGER,
        thumbnail_height INTEGER,
        uploaded_at INTEGER NOT NULL,
        uses INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    "CREATE INDEX media_unused ON media (uploaded_at, id) WHERE uses = 0",
    // By kind, `used_by` is 0 a message's id in hex, 1 a group's, 2 a user's id.
    "CREATE TABLE media_uses (
        medium_id BLOB NOT NULL REFERENCES media (id),
        kind INTEGER NOT NULL,
        used_by TEXT NOT NULL,
        PRIMARY KEY (medium_id, kind, used_by)
    ) WITHOUT ROWID",
    // Triggers, because an insertion that passes over what is there does not say which rows were new.
    "CREATE TRIGGER media_used AFTER INSERT ON media_uses BEGIN
        UPDATE media SET uses = uses + 1 WHERE id = new.medium_id;
    END",
    "CREATE TRIGGER media_released AFTER DELETE ON media_uses BEGIN
        UPDATE media SET uses = uses - 1 WHERE id = old.medium_id;
    END",
];

const POSTGRES: &[&str] = &[
    r#"CREATE TABLE media (
        id BYTEA NOT NULL PRIMARY KEY,
        uploader TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        media_type BIGINT NOT NULL,
        format TEXT NOT NULL,
        content_type TEXT NOT NULL,
        filename TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        digest TEXT NOT NULL,
        width BIGINT,
        height BIGINT,
        thumbnail_content_type TEXT,
        thumbnail_bytes BIGINT,
        thumbnail_width BIGINT,
        thumbnail_height BIGINT,
        uploaded_at BIGINT NOT NULL,
        uses BIGINT NOT NULL DEFAULT 0
    )"#,
    "CREATE INDEX media_unused ON media (uploaded_at, id) WHERE uses = 0",
    r#"CREATE TABLE media_uses (
        medium_id BYTEA NOT NULL REFERENCES media (id),
        kind BIGINT NOT NULL,
        used_by TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (medium_id, kind, used_by)
    )"#,
    "CREATE FUNCTION media_used() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE media SET uses = media.uses + n.uses
        FROM (SELECT medium_id, count(*) AS uses FROM changed GROUP BY medium_id) AS n WHERE media.id = n.medium_id;
        RETURN NULL;
    END $$",
    "CREATE FUNCTION media_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE media SET uses = media.uses - n.uses
        FROM (SELECT medium_id, count(*) AS uses FROM changed GROUP BY medium_id) AS n WHERE media.id = n.medium_id;
        RETURN NULL;
    END $$",
    "CREATE TRIGGER media_used AFTER INSERT ON media_uses REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION media_used()",
    "CREATE TRIGGER media_released AFTER DELETE ON media_uses REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION media_released()",
];
