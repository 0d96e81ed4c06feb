//! SQLite's second way of writing, for what happens thousands of times a second: prepared statements, a row at a time,
//! on a thread of its own (decisions 54 and 115). Every other call goes through sea-orm, and so does everything in PostgreSQL.
//! The pool's one writing connection is the right to write: a job here holds it and leaves it unused, so the two
//! never meet. Whatever a job does is one transaction, on disk before it is answered.

mod append;
mod lookup;
mod newcomers;
mod thread;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{CachedStatement, Connection, OpenFlags, Transaction, TransactionBehavior};
use sqlx::SqlitePool;
use tokio::sync::oneshot;

use crate::connect::{Options, StatementObserver};
use crate::error::{Failed, not_acquired};
use crate::spans;

use newcomers::Newcomers;
use thread::JobThread;

/// Statements that stay prepared: more than there are in this module.
const STATEMENTS: usize = 32;

/// A connection for jobs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Prepared {
    thread: Arc<JobThread>,
    turns: SqlitePool,
    newcomers: Arc<Newcomers>,
    observer: Option<StatementObserver>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Prepared {
    /// A further connection to the file that `turns` has open, as durable as that one.
    pub(crate) fn open(
        path: &Path,
        pragmas: &[(&str, String)],
        options: &Options,
        turns: SqlitePool,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        for (name, value) in pragmas {
            // Some answer with their new value.
            connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
        }
        let thread = Arc::new(JobThread::start(connection)?);
        Ok(Self { thread, turns, newcomers: Arc::default(), observer: options.observer.clone() })
    }

    /// Carries out `job` in a transaction, when it is its turn. Once begun it is carried out, whether anybody waits
    /// for its answer or not.
    async fn write<T, F>(&self, job: F) -> Result<T, Failed>
    where
        T: Send + 'static,
        F: FnOnce(&Statements<'_>) -> Result<T, Failed> + Send + 'static,
    {
        let span = spans::transaction();
        let turn = self.turns.acquire().await.map_err(not_acquired)?;
        let observer = self.observer.clone();
        let (answer, outcome) = oneshot::channel();
        let taken = self.thread.take(move |connection| {
            let _entered = span.entered();
            let outcome = transact(connection, observer.as_ref(), job);
            drop(turn);
            // Whoever asked may be gone; what is stored is stored.
            let _ = answer.send(outcome);
        });
        if !taken {
            return Err(not_acquired(sqlx::Error::PoolClosed));
        }
        // It has panicked, at a point that nobody knows.
        outcome.await.unwrap_or(Err(Failed::Late))
    }

    /// Closes the connection, after everybody's turn is over. Whoever closes the last one to a file writes what is left
    /// of the log into it.
    pub(crate) async fn close(&self) {
        self.thread.end().await;
    }
}

fn transact<T>(
    connection: &mut Connection,
    observer: Option<&StatementObserver>,
    job: impl FnOnce(&Statements<'_>) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcome = job(&Statements { transaction: &transaction, observer })?;
    spans::commit().in_scope(|| transaction.commit()).map_err(Failed::PreparedCommit)?;
    Ok(outcome)
}

/// The statements of one job.
struct Statements<'t> {
    transaction: &'t Transaction<'t>,
    observer: Option<&'t StatementObserver>,
}

impl Statements<'_> {
    /// Hands out a statement, to be run for each thing that it concerns. The observer hears of it once.
    fn run<T>(
        &self,
        text: &'static str,
        each: impl FnOnce(&mut CachedStatement<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let began = Instant::now();
        let _entered = spans::statement(text).entered();
        let mut statement = self.transaction.prepare_cached(text)?;
        let outcome = each(&mut statement);
        if let Some(observer) = self.observer {
            observer(text, began.elapsed());
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::connect::Pools;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn jobs_are_as_durable_as_everything_else_and_wait_for_their_turn() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let pools = Pools::open(&url, &Options::default()).await.expect("a new database opens");
        let prepared = pools.prepared().expect("SQLite has it").clone();
        // Whoever met the file locked instead of waiting for their turn would fail at once.
        let impatient = prepared.write(|statements| Ok(statements.transaction.busy_timeout(Duration::ZERO)?));
        impatient.await.expect("it can be set");
        for (pragma, expected) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
            let text = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
            let value = prepared.write(move |statements| {
                Ok(statements.transaction.query_row(&text, [], |row| row.get::<_, String>(0))?)
            });
            assert_eq!(value.await.expect("a pragma can be asked"), expected, "{pragma}");
        }
        let held = pools.begin().await.expect("it begins");
        let mut waits = tokio::spawn(async move { prepared.write(|_| Ok(())).await });
        let early = tokio::time::timeout(Duration::from_millis(50), &mut waits).await;
        assert!(early.is_err(), "somebody else writes");
        held.commit().await.expect("it commits");
        waits.await.expect("it runs").expect("its turn has come");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_job_that_fails_or_panics_leaves_nothing_and_the_next_is_carried_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let pools = Pools::open(&url, &Options::default()).await.expect("a new database opens");
        let prepared = pools.prepared().expect("SQLite has it");
        prepared.write(|on| Ok(on.transaction.execute("CREATE TABLE t (x)", [])?)).await.expect("a table is made");
        let failed = prepared.write(|on| {
            insert(on)?;
            Err::<(), _>(Failed::Late)
        });
        assert!(failed.await.is_err());
        let panicked = prepared.write(|on| -> Result<(), Failed> {
            insert(on)?;
            panic!("on purpose")
        });
        assert!(matches!(panicked.await, Err(Failed::Late)));
        prepared.write(insert).await.expect("it is carried out");
        let count = |on: &Statements<'_>| -> Result<i64, Failed> {
            Ok(on.transaction.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
        };
        assert_eq!(prepared.write(count).await.expect("it is carried out"), 1);
    }

    fn insert(on: &Statements<'_>) -> Result<usize, Failed> {
        Ok(on.transaction.execute("INSERT INTO t VALUES (1)", [])?)
    }
}
