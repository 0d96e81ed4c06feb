//! Opening a database and bringing its schema up to date. One connection writes, a small pool reads: in
//! WAL mode readers never wait for the writer, and a single writer never meets a lock of this process.
//! Every commit is on disk before it is acknowledged (`synchronous=FULL`). Queries are elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parlance_migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode};
use sea_orm::{TransactionOptions, TransactionTrait};

use crate::error::root_cause;
use crate::statement::Sql;

/// Told of every statement that ran, with its text and how long it took. Bound values are not shown, since
/// they are what people wrote. Called on the runtime: it must not block.
pub type StatementObserver = Arc<dyn Fn(&str, Duration) + Send + Sync>;

/// How to open a database. The defaults suit a server of its own on one machine.
#[derive(Clone)]
pub struct Options {
    /// Connections that read at the same time; at least 1. Default 4.
    pub readers: u32,
    /// How long a statement waits for another process that holds the database. Default 5 s.
    pub busy_timeout: Duration,
    /// How long a call waits for a free connection before it fails as unavailable. Default 5 s.
    pub acquire_timeout: Duration,
    /// Page cache of each connection, in KiB. Default 16,384.
    pub cache_kib: u32,
    /// Told of every statement. Default: nobody.
    pub observer: Option<StatementObserver>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            cache_kib: 16 * 1024,
            observer: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { readers, busy_timeout, acquire_timeout, cache_kib, observer } = self;
        f.debug_struct("Options")
            .field("readers", readers)
            .field("busy_timeout", busy_timeout)
            .field("acquire_timeout", acquire_timeout)
            .field("cache_kib", cache_kib)
            .field("observer", &observer.is_some())
            .finish()
    }
}

/// Why a database cannot be used. Each reads as one line that an operator can act on.
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
    /// A newer release has changed the schema; this one would damage it.
    #[error(
        "the database was written by a newer release (it has the migration `{0}`); install that release or a later one"
    )]
    Newer(String),
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

/// An open database: one connection that writes, several that read.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
}

impl Pools {
    /// Opens the file that `url` names, and makes it if it is not there.
    pub(crate) async fn open(url: &str, options: &Options) -> Result<Self, ConnectError> {
        let path = file_of(url)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(ConnectError::NoFolder(folder.to_owned()));
        }
        let failed = |source: DbErr| ConnectError::Open { path: path.clone(), reason: root_cause(&source), source };
        let file = path.clone();
        let writer = pool(options, 1, move |connect| {
            connect
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                // Pages that many commits touch go to the file once per 16 MiB of log, not once per 4.
                .pragma("wal_autocheckpoint", "4096")
                // Without it the log keeps the size of its largest burst for good.
                .pragma("journal_size_limit", "67108864")
        })
        .await
        .map_err(failed)?;
        let file = path.clone();
        let readers =
            pool(options, options.readers.max(1), move |connect| connect.filename(&file).pragma("query_only", "ON"))
                .await
                .map_err(failed)?;
        Ok(Self { writer, readers })
    }

    /// A transaction that holds the write lock from its first moment, so that it cannot fail later because
    /// another process wrote between its reads and its writes.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.writer
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            })
            .await
    }

    /// Any of the reading connections, for one statement.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// A transaction for several statements that must see one state of the database.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        self.readers.begin().await
    }

    /// Refuses a database that a newer release has migrated.
    pub(crate) async fn refuse_newer(&self) -> Result<(), ConnectError> {
        let failed = |source: DbErr| ConnectError::Migrate { reason: root_cause(&source), source };
        let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let installed =
            Sql::new("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'");
        if installed.scalar::<i64, _>(&self.writer).await.map_err(failed)?.unwrap_or(0) == 0 {
            return Ok(());
        }
        let applied = Sql::new("SELECT version FROM seaql_migrations ORDER BY version");
        let applied = applied.scalars::<String, _>(&self.writer).await.map_err(failed)?;
        match applied.into_iter().find(|name| !known.contains(name)) {
            Some(unknown) => Err(ConnectError::Newer(unknown)),
            None => Ok(()),
        }
    }

    /// Applies what is missing of the schema, all or nothing.
    pub(crate) async fn migrate(&self) -> Result<(), ConnectError> {
        let failed = |source: DbErr| ConnectError::Migrate { reason: root_cause(&source), source };
        self.refuse_newer().await?;
        // One transaction around everything: two servers that start at once must not both migrate.
        let transaction = self.begin().await.map_err(failed)?;
        Migrator::up(&transaction, None).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Asks the database for an answer.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        Sql::new("SELECT 1").scalar::<i64, _>(&self.readers).await.map(|_| ())
    }

    /// Waits for running statements and closes every connection.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.readers.close_by_ref().await?;
        self.writer.close_by_ref().await
    }
}

async fn pool(
    options: &Options,
    size: u32,
    set: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection, DbErr> {
    let Options { readers: _, busy_timeout, acquire_timeout, cache_kib, observer } = options.clone();
    // The file is named by `set`: a URL would have to be escaped and parsed again.
    let mut connect = ConnectOptions::new("sqlite::memory:");
    connect
        .min_connections(1)
        .max_connections(size)
        .acquire_timeout(acquire_timeout)
        // A connection to a file does not go stale, and each test would cost a hop to its thread.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |base| {
            let base = base
                .in_memory(false)
                .shared_cache(false)
                .foreign_keys(true)
                .busy_timeout(busy_timeout)
                .statement_cache_capacity(200)
                .pragma("cache_size", format!("-{cache_kib}"))
                .pragma("temp_store", "MEMORY");
            set(base)
        });
    let mut pool = Database::connect(connect).await?;
    if let Some(observer) = observer {
        pool.set_metric_callback(move |info| observer(&info.statement.sql, info.elapsed));
    }
    Ok(pool)
}

/// The file that a `sqlite:` URL names. Query parameters are refused rather than ignored.
fn file_of(url: &str) -> Result<PathBuf, ConnectError> {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        // Only the scheme is repeated: the rest of such a URL may hold a password.
        let scheme = url.split_once(':').map_or("none", |(scheme, _)| scheme);
        return Err(ConnectError::Url(format!(
            "the database URL must begin with `sqlite:`, as in `sqlite:///var/lib/parlance/chat.db` (its scheme is `{scheme}`)"
        )));
    };
    let file = rest.strip_prefix("//").unwrap_or(rest);
    if let Some((_, parameters)) = file.split_once('?') {
        return Err(ConnectError::Url(format!("the database URL takes no parameters (it has `?{parameters}`)")));
    }
    if file.is_empty() || file.ends_with('/') || file == ":memory:" {
        return Err(ConnectError::Url(format!("the database URL must name a file (it names `{file}`)")));
    }
    Ok(Path::new(file).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file() {
        let file =
            |url| file_of(url).map(|path| path.to_string_lossy().into_owned()).map_err(|error| error.to_string());
        assert_eq!(file("sqlite:///var/lib/chat.db"), Ok("/var/lib/chat.db".to_owned()));
        assert_eq!(file("sqlite://./chat.db"), Ok("./chat.db".to_owned()));
        assert_eq!(file("sqlite:chat.db"), Ok("chat.db".to_owned()));
        for bad in ["sqlite:", "sqlite://", "sqlite:///data/", "sqlite::memory:", "sqlite://a.db?mode=ro", "chat.db"] {
            let error = file(bad).expect_err(bad);
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[tokio::test]
    async fn commits_are_synced_and_readers_cannot_write() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let pools = Pools::open(&url, &Options::default()).await.expect("a new database opens");
        for (pragma, on_writer, on_reader) in [
            ("journal_mode", "wal", "wal"),
            ("synchronous", "2", "2"),
            ("foreign_keys", "1", "1"),
            ("query_only", "0", "1"),
        ] {
            for (pool, expected) in [(&pools.writer, on_writer), (&pools.readers, on_reader)] {
                let sql = Sql::new(format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}"));
                let value: Option<String> = sql.scalar(pool).await.expect("a pragma can be asked");
                assert_eq!(value.as_deref(), Some(expected), "{pragma}");
            }
        }
        assert!(Sql::new("CREATE TABLE t (x)").run(&pools.readers).await.is_err(), "readers cannot write");
    }

    #[test]
    fn a_foreign_url_does_not_leak_its_password() {
        let error = file_of("postgres://me:secret@db/chat").expect_err("not SQLite").to_string();
        assert!(error.contains("postgres") && !error.contains("secret"), "{error}");
    }
}
