//! From when on a user's tokens are good.

use async_trait::async_trait;
use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::engine::Statements;

/// The column of revocations.
pub(crate) struct Revocations;

impl MigrationName for Revocations {
    fn name(&self) -> &'static str {
        "m20261126_000005_revocations"
    }
}

#[async_trait]
impl MigrationTrait for Revocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The moment before which tokens are revoked; none for nearly everybody.
        Statements {
            sqlite: &["ALTER TABLE users ADD COLUMN revoked_before INTEGER"],
            postgres: &["ALTER TABLE users ADD COLUMN revoked_before BIGINT"],
        }
        .run(manager)
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
