//! Opening an SQLite file. One connection writes, a small pool reads: in WAL mode readers never wait for the writer,
//! and a single writer never meets a lock of this process. Every commit is on disk before it is acknowledged
//! (`synchronous=FULL`). What is written most often has a further connection (`prepared`), for which the one that
//! writes rests.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use super::{ConnectError, Doubt, Limits, Options, Pools};
use crate::error::{is_busy, root_cause};
use crate::prepared::Prepared;

/// What whoever writes sets besides.
const WRITING: [(&str, &str); 2] = [
    // Pages that many commits touch go to the file once per 16 MiB of log, not once per 4.
    ("wal_autocheckpoint", "4096"),
    // Without it the log keeps the size of its largest burst for good.
    ("journal_size_limit", "67108864"),
];

/// How many rows of an answer may wait for whoever asked.
const ROW_BUFFER: usize = 512;

/// Opens the file that comes after `sqlite:` in a URL, and makes it if it is not there.
pub(super) async fn open(file: &str, options: &Options) -> Result<Pools, ConnectError> {
    let path = file_of(file)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(ConnectError::NoFolder(folder.to_owned()));
    }
    let failed = |source: DbErr| ConnectError::Open { path: path.clone(), reason: root_cause(&source), source };
    let writer = writer(&path, options).await.map_err(failed)?;
    let file = path.clone();
    let read_only = move |connect: SqliteConnectOptions| connect.filename(&file).pragma("query_only", "ON");
    let readers = pool(options, options.readers.max(1), options.cache_kib / 4, read_only).await.map_err(failed)?;
    let turns = writer.get_sqlite_connection_pool().clone();
    let prepared = Prepared::open(&path, &settings(options), options, turns)
        .map_err(|error| failed(DbErr::Custom(error.to_string())))?;
    let limits = Limits { connections: 0, call: None, doubt: Doubt::default() };
    Ok(Pools { writer, readers, prepared: Some(prepared), limits })
}

/// The connection that writes. Who else makes or opens the file at this moment is waited for: SQLite does not do that by
/// itself where a file goes over to WAL.
async fn writer(path: &Path, options: &Options) -> Result<DatabaseConnection, DbErr> {
    let patience = Instant::now() + options.busy_timeout;
    loop {
        let file = path.to_owned();
        let opened = pool(options, 1, options.cache_kib, move |connect| {
            let connect = connect
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            WRITING.into_iter().fold(connect, |connect, (name, value)| connect.pragma(name, value))
        });
        match opened.await {
            Err(error) if is_busy(&error) && Instant::now() < patience => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => return outcome,
        }
    }
}

/// What the connection for prepared statements sets, as text: the same as the one that writes.
fn settings(options: &Options) -> Vec<(&'static str, String)> {
    let fixed = [("synchronous", "FULL"), ("foreign_keys", "ON"), ("temp_store", "MEMORY")];
    let cache = ("cache_size", format!("-{}", options.cache_kib));
    fixed.into_iter().chain(WRITING).map(|(name, value)| (name, value.to_owned())).chain([cache]).collect()
}

async fn pool(
    options: &Options,
    size: u32,
    cache_kib: u32,
    set: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection, DbErr> {
    let Options { busy_timeout, acquire_timeout, observer, .. } = options.clone();
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
                // A row for each send of a batch: fewer would stop the connection's thread again and again.
                .row_buffer_size(ROW_BUFFER)
                .pragma("cache_size", format!("-{cache_kib}"))
                .pragma("temp_store", "MEMORY");
            set(base)
        })
        .map_sqlx_sqlite_pool_opts(|pool| pool.before_acquire(|connection, _| Box::pin(is_at_rest(connection))));
    let mut pool = Database::connect(connect).await?;
    if let Some(observer) = observer {
        pool.set_metric_callback(move |info| observer(&info.statement.sql, info.elapsed));
    }
    Ok(pool)
}

/// Whether a connection that is to be used again has no transaction; one that has is replaced.
///
/// `SQLite` rolls back by itself when the disk is full or broken. The driver's own rollback fails then, it goes on
/// believing in the transaction, makes the next one a savepoint in it, and after a second failure nothing is ever
/// committed again though every commit succeeds.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A transaction that was dropped is rolled back on the connection's thread, which may not have come to it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// The file that the rest of a `sqlite:` URL names. Query parameters are refused rather than ignored.
fn file_of(rest: &str) -> Result<PathBuf, ConnectError> {
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
    use crate::statement::Sql;

    #[test]
    fn a_url_names_a_file() {
        let file =
            |rest| file_of(rest).map(|path| path.to_string_lossy().into_owned()).map_err(|error| error.to_string());
        assert_eq!(file("///var/lib/chat.db"), Ok("/var/lib/chat.db".to_owned()));
        assert_eq!(file("//./chat.db"), Ok("./chat.db".to_owned()));
        assert_eq!(file("chat.db"), Ok("chat.db".to_owned()));
        for bad in ["", "//", "///data/", ":memory:", "//a.db?mode=ro"] {
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
            ("cache_size", "-16384", "-4096"),
        ] {
            for (pool, expected) in [(&pools.writer, on_writer), (&pools.readers, on_reader)] {
                let sql = Sql::new(format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}"));
                let value: Option<String> = sql.scalar(pool).await.expect("a pragma can be asked");
                assert_eq!(value.as_deref(), Some(expected), "{pragma}");
            }
        }
        assert!(Sql::new("CREATE TABLE t (x)").run(&pools.readers).await.is_err(), "readers cannot write");
    }

    #[tokio::test]
    async fn who_comes_after_a_lost_transaction_is_committed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let pools = Pools::open(&url, &Options::default()).await.expect("a new database opens");
        Sql::new("CREATE TABLE t (x)").run(&pools.writer).await.expect("a table is made");
        for _ in 0..3 {
            let lost = pools.begin().await.expect("it begins");
            // What SQLite does by itself when there is no room.
            Sql::new("ROLLBACK").run(&lost).await.expect("there is a transaction");
            assert!(lost.commit().await.is_err(), "there is none any more");
        }
        let dropped = pools.begin().await.expect("it begins");
        Sql::new("INSERT INTO t VALUES (1)").run(&dropped).await.expect("it writes");
        drop(dropped);
        for count in 1..=2 {
            let next = pools.begin().await.expect("it begins");
            Sql::new("INSERT INTO t VALUES (1)").run(&next).await.expect("it writes");
            next.commit().await.expect("it commits");
            let seen = Sql::new("SELECT count(*) FROM t").scalar::<i64, _>(&pools.readers).await.expect("it reads");
            assert_eq!(seen, Some(count), "what is committed is seen by others");
        }
    }

    #[tokio::test]
    async fn a_foreign_url_does_not_leak_its_password() {
        let error = Pools::open("mysql://me:secret@db/chat", &Options::default()).await.expect_err("no such engine");
        let line = error.to_string();
        assert!(line.contains("`mysql`") && !line.contains("secret"), "{line}");
    }
}
