//! Running a migration's statements on the engine that is there.

use sea_orm_migration::SchemaManager;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// What a migration runs, for each engine. Tables, columns and indexes have the same names in both.
pub(crate) struct Statements {
    /// For SQLite.
    pub(crate) sqlite: &'static [&'static str],
    /// For PostgreSQL.
    pub(crate) postgres: &'static [&'static str],
}

impl Statements {
    /// Runs them one after the other.
    pub(crate) async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Sqlite => self.sqlite,
            DbBackend::Postgres => self.postgres,
            other => return Err(DbErr::BackendNotSupported { db: other.as_str(), ctx: "the schema" }),
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
