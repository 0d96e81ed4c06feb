//! Opening a database and bringing its schema up to date. How each engine is opened is in the file of its name;
//! here is what they share: options, the errors of starting, and the transactions that the ports run in.

mod doubt;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parlance_domain::meters::StorageMeters;
use parlance_migrations::{Migrator, MigratorTrait};
use sea_orm::{AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel};
use sea_orm::{ConnectionTrait, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tracing::Instrument;

pub(crate) use self::doubt::Doubt;
use crate::error::root_cause;
use crate::prepared::Prepared;
use crate::spans;
use crate::statement::Sql;

/// Told of every statement that ran, with its text and how long it took; of one that ran for each row of a batch once,
/// for all of them. Bound values are not shown, since they are what people wrote. Called on the runtime: it must not
/// block.
pub type StatementObserver = Arc<dyn Fn(&str, Duration) + Send + Sync>;

/// How to open a database. The defaults suit a program that would rather wait; a chat server tells its clients sooner
/// that the database does not answer.
#[derive(Clone)]
pub struct Options {
    /// SQLite: connections that read at the same time; at least 1. Default 4.
    pub readers: u32,
    /// SQLite: how long a statement waits for another process that holds the database. Default 5 s.
    pub busy_timeout: Duration,
    /// SQLite: page cache of each of the two connections that write, in KiB; one that reads has a quarter, since the
    /// system holds the file's pages as well. Default 16,384.
    pub cache_kib: u32,
    /// PostgreSQL: connections of this process to the server, at least 1; all nodes together must stay below the
    /// server's own `max_connections`. Default 10.
    pub max_connections: u32,
    /// How long a call waits for a free connection, or for a server that does not accept any, before it fails as
    /// unavailable. Default 5 s.
    pub acquire_timeout: Duration,
    /// PostgreSQL: how long a call may take in all before it fails as unavailable; at least 10 ms. The server gives a
    /// statement up, a wait for a lock, or for the next statement of a transaction, after three quarters of it, and then
    /// nothing has happened. Default 20 s. Migrations have no such limit.
    pub call_timeout: Duration,
    /// PostgreSQL: how long opening waits for the server. Default 5 s.
    pub connect_timeout: Duration,
    /// Told of every statement. Default: nobody.
    pub observer: Option<StatementObserver>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            cache_kib: 16 * 1024,
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            observer: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            readers,
            busy_timeout,
            cache_kib,
            max_connections,
            acquire_timeout,
            call_timeout,
            connect_timeout,
            observer,
        } = self;
        f.debug_struct("Options")
            .field("readers", readers)
            .field("busy_timeout", busy_timeout)
            .field("cache_kib", cache_kib)
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("call_timeout", call_timeout)
            .field("connect_timeout", connect_timeout)
            .field("observer", &observer.is_some())
            .finish()
    }
}

/// Why a database cannot be used. Each reads as one line that an operator can act on; none repeats a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not one of this storage.
    #[error("{0}")]
    Url(String),
    /// The folder of the file is not there. It is not made: a missing folder is more often a volume that
    /// was not mounted.
    #[error("the folder {} of the database does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The file is there and cannot be opened, or cannot be made.
    #[error("the database {} cannot be opened: {reason}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the driver says, in one line.
        reason: String,
        /// The driver's error.
        #[source]
        source: DbErr,
    },
    /// The server does not answer, or does not let us in.
    #[error("the database {server} cannot be reached: {reason}")]
    Reach {
        /// Host, port and database.
        server: String,
        /// What the driver says, in one line.
        reason: String,
        /// The driver's error.
        #[source]
        source: DbErr,
    },
    /// The database cannot hold every text.
    #[error("the database {server} has the encoding {encoding}; it must be created with the encoding UTF8")]
    Encoding {
        /// Host, port and database.
        server: String,
        /// Its encoding.
        encoding: String,
    },
    /// A newer release has changed the schema; this one would damage it.
    #[error(
        "the database was written by a newer release (it has the migration `{0}`); install that release or a later one"
    )]
    Newer(String),
    /// This release has changed the schema, and nobody has brought the database's up to date.
    #[error("the database schema is older than this release (it lacks the migration `{0}`)")]
    Older(String),
    /// Bringing the schema up to date failed; it is as it was before.
    #[error("the database schema cannot be brought up to date: {reason}")]
    Migrate {
        /// What the driver says, in one line.
        reason: String,
        /// The driver's error.
        #[source]
        source: DbErr,
    },
}

/// An open database. SQLite has one connection that writes and several that read; PostgreSQL has one pool for both.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    prepared: Option<Prepared>,
    limits: Limits,
}

/// What bounds a call.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// How many connections may turn out to be dead before a fresh one is made.
    pub(crate) connections: u32,
    /// How long a call may take, where it can be given up.
    pub(crate) call: Option<Duration>,
    /// What becomes of connections on which a call was given up.
    pub(crate) doubt: Doubt,
}

impl Pools {
    /// Opens the database that `url` names.
    pub(crate) async fn open(url: &str, options: &Options) -> Result<Self, ConnectError> {
        let options = &Options { observer: Some(measured(options.observer.clone())), ..options.clone() };
        match url.split_once(':') {
            Some(("sqlite", file)) => sqlite::open(file, options).await,
            Some(("postgres" | "postgresql", _)) => postgres::open(url, options).await,
            // Only the scheme is repeated: the rest of such a URL may hold a password.
            other => Err(ConnectError::Url(format!(
                "the database URL must begin with `sqlite:` or `postgres:`, as in `sqlite:///var/lib/parlance/chat.db` \
                 or `postgres://user@host/database` (its scheme is `{}`)",
                other.map_or("none", |(scheme, _)| scheme)
            ))),
        }
    }

    /// What bounds a call.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A transaction that writes. SQLite's holds the write lock from its first moment, so that it cannot fail later
    /// because another process wrote between its reads and its writes; PostgreSQL's takes `locks` as it goes.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        self.writer
            .begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() })
            .instrument(spans::begin())
            .await
    }

    /// The way for what is written most often, which SQLite has.
    pub(crate) fn prepared(&self) -> Option<&Prepared> {
        self.prepared.as_ref()
    }

    /// Any of the reading connections, for one statement.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// A transaction for several statements that must see one state of the database.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        match self.readers.get_database_backend() {
            DbBackend::Postgres => {
                let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
                self.readers.begin_with_config(Some(isolation), Some(access)).await
            }
            _ => self.readers.begin().await,
        }
    }

    /// Refuses a database that a newer release has migrated.
    pub(crate) async fn refuse_newer(&self) -> Result<(), ConnectError> {
        unknown_migration(&self.writer).await
    }

    /// Refuses a database that lacks a migration of this release.
    pub(crate) async fn refuse_older(&self) -> Result<(), ConnectError> {
        let applied = applied_migrations(&self.writer).await?;
        match known_migrations().into_iter().find(|name| !applied.contains(name)) {
            Some(missing) => Err(ConnectError::Older(missing)),
            None => Ok(()),
        }
    }

    /// Applies what is missing of the schema, all or nothing.
    pub(crate) async fn migrate(&self) -> Result<(), ConnectError> {
        // One transaction around everything: two servers that start at once must not both migrate.
        let transaction = self.begin().await.map_err(not_migrated)?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            postgres::queue_for_migrating(&transaction).await.map_err(not_migrated)?;
        }
        unknown_migration(&transaction).await?;
        Migrator::up(&transaction, None).await.map_err(not_migrated)?;
        transaction.commit().await.map_err(not_migrated)
    }

    /// Asks the database for an answer.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        Sql::new("SELECT count(*)").scalar::<i64, _>(&self.readers).await.map(|_| ())
    }

    /// Waits for running statements and closes every connection.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.readers.close_by_ref().await?;
        self.writer.close_by_ref().await?;
        if let Some(prepared) = &self.prepared {
            prepared.close().await;
        }
        Ok(())
    }
}

/// Measures each statement, and passes it on.
fn measured(observer: Option<StatementObserver>) -> StatementObserver {
    let meters = StorageMeters::new();
    Arc::new(move |text, took| {
        if reads(text) {
            meters.read(took);
        } else {
            meters.wrote(took);
        }
        if let Some(observer) = &observer {
            observer(text, took);
        }
    })
}

/// Whether a statement only looks something up.
fn reads(text: &str) -> bool {
    let writes = || ["INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| text.contains(verb));
    text.starts_with("SELECT") || (text.starts_with("WITH") && !writes())
}

async fn unknown_migration<C: ConnectionTrait>(on: &C) -> Result<(), ConnectError> {
    let known = known_migrations();
    match applied_migrations(on).await?.into_iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(ConnectError::Newer(unknown)),
        None => Ok(()),
    }
}

/// What this release would apply, in order.
fn known_migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// What the database has; nothing if it is empty.
async fn applied_migrations<C: ConnectionTrait>(on: &C) -> Result<Vec<String>, ConnectError> {
    let installed = Sql::either(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
        "SELECT count(to_regclass('seaql_migrations'))",
    );
    if installed.scalar::<i64, _>(on).await.map_err(not_migrated)?.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    let applied = Sql::new("SELECT version FROM seaql_migrations ORDER BY version");
    applied.scalars::<String, _>(on).await.map_err(not_migrated)
}

fn not_migrated(source: DbErr) -> ConnectError {
    ConnectError::Migrate { reason: root_cause(&source), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart_by_what_they_do() {
        for text in ["SELECT 1 FROM users FOR UPDATE", "WITH a AS (SELECT 1) SELECT * FROM a"] {
            assert!(reads(text), "{text}");
        }
        for text in ["INSERT INTO a SELECT 1", "UPDATE a SET b = 1", "WITH a AS (SELECT 1) DELETE FROM b WHERE c IN a"]
        {
            assert!(!reads(text), "{text}");
        }
    }
}
