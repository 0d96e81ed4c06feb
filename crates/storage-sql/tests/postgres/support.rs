//! A database with an ear on its statements, and a session to look behind the storage.

use parlance_storage_sql::{Options, SqlStorage};
use sqlx::postgres::PgConnection;

use crate::database::{Database, session};
pub(crate) use crate::world::{Heard, draft, id};

/// An append of a batch runs so many statements: one more than in SQLite, which locks everything at once.
pub(crate) const APPEND_STATEMENTS: usize = 8;

/// One more where webhooks are told of it.
pub(crate) const OUTBOX_STATEMENTS: usize = 1;

/// A search of something rare in many conversations runs so many: it looks through the newest messages first.
pub(crate) const SEARCH_STATEMENTS: usize = 2;

/// A migrated database.
pub(crate) struct Bench {
    pub(crate) storage: SqlStorage,
    pub(crate) heard: Heard,
    pub(crate) database: Database,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let database = Database::migrated().await;
        let heard = Heard::default();
        let options = Options { observer: Some(heard.observer()), ..Options::default() };
        let storage = SqlStorage::connect(&database.url, &options).await.expect("a migrated database opens");
        heard.take();
        Self { storage, heard, database }
    }

    /// Another session on the same database.
    pub(crate) async fn look(&self) -> PgConnection {
        session(&self.database.url).await
    }
}
