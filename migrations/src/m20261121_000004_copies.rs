//! What is remembered of a copy into this database that has not been finished.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The table of copies.
pub(crate) struct Copies;

impl MigrationName for Copies {
    fn name(&self) -> &'static str {
        "m20261121_000004_copies"
    }
}

#[async_trait]
impl MigrationTrait for Copies {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The same on every backend.
        manager.get_connection().execute_unprepared(TABLE).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// At most one row: the hash by which the source is known, and the place of the last record that was taken in.
const TABLE: &str = "CREATE TABLE unfinished_copy (
        one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
        source TEXT NOT NULL,
        reached TEXT
    )";
