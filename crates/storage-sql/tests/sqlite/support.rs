//! A database file with an ear on its statements, and a second connection to look behind the storage.

use parlance_storage_sql::{Options, SqlStorage};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

pub(crate) use crate::world::{Heard, draft, id};

/// An append of a batch runs so many statements.
pub(crate) const APPEND_STATEMENTS: usize = 7;

/// So many more where webhooks are told of it: the events, and their lanes.
pub(crate) const OUTBOX_STATEMENTS: usize = 2;

/// A search of something rare in many conversations runs so many.
pub(crate) const SEARCH_STATEMENTS: usize = 1;

/// A migrated database.
pub(crate) struct Bench {
    pub(crate) storage: SqlStorage,
    pub(crate) url: String,
    pub(crate) heard: Heard,
    _folder: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let heard = Heard::default();
        let storage = open(&url, &heard).await;
        storage.migrate().await.expect("a new database is migrated");
        let bench = Self { storage, url, heard, _folder: folder };
        bench.statements();
        bench
    }

    /// Another connection to the same file.
    pub(crate) async fn look(&self) -> DatabaseConnection {
        Database::connect(ConnectOptions::new(&self.url)).await.expect("the file opens")
    }
}

async fn open(url: &str, heard: &Heard) -> SqlStorage {
    let options = Options { observer: Some(heard.observer()), ..Options::default() };
    SqlStorage::connect(url, &options).await.expect("a new database opens")
}

/// How SQLite would run a statement, a line for each step.
pub(crate) async fn plan(on: &DatabaseConnection, statement: &str) -> Vec<String> {
    let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = on.query_all_raw(explain).await.expect("a statement that ran can be explained");
    steps.iter().map(|step| step.try_get::<String>("", "detail").expect("a step has a detail")).collect()
}

/// Steps that walk a whole table. Lists that were handed in, the full-text index from where a search begins, and
/// results of other steps are none.
pub(crate) fn scans(plan: &[String]) -> Vec<&String> {
    const RESULTS: [&str; 9] = [
        "SCAN asked",
        "SCAN behind",
        "SCAN buckets",
        "SCAN floors",
        "SCAN named",
        "SCAN r",
        "SCAN ranked",
        "SCAN sends",
        "SCAN wanted",
    ];
    let harmless = |step: &&String| {
        step.contains(" VIRTUAL TABLE INDEX ")
            || step.starts_with("SCAN (subquery-")
            || *step == "SCAN CONSTANT ROW"
            || RESULTS.contains(&step.as_str())
    };
    plan.iter().filter(|step| step.starts_with("SCAN")).filter(|step| !harmless(step)).collect()
}
