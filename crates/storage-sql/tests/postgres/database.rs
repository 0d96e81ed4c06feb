//! A database of one case's own on the server that `TEST_POSTGRES_URL` names: a copy of a template that is migrated
//! once, dropped when the case is over.

use std::time::UNIX_EPOCH;

use parlance_storage_sql::{Options, SqlStorage};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

/// A database that is dropped with this.
pub(crate) struct Database {
    /// Its URL.
    pub(crate) url: String,
    name: String,
}

impl Database {
    /// One with an up-to-date schema.
    pub(crate) async fn migrated() -> Self {
        let mut server = session(&server_url()).await;
        let template = template(&mut server).await;
        Self::create(&mut server, &format!("TEMPLATE {template}")).await
    }

    /// One without tables.
    pub(crate) async fn empty(with: &str) -> Self {
        Self::create(&mut session(&server_url()).await, with).await
    }

    async fn create(server: &mut PgConnection, with: &str) -> Self {
        let unused: String = sqlx::query_scalar("SELECT 'parlance_' || replace(gen_random_uuid()::text, '-', '')")
            .fetch_one(&mut *server)
            .await
            .expect("the server makes up a name");
        run(server, &format!("CREATE DATABASE {unused} {with}")).await;
        Self { url: url_of(&unused), name: unused }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        // A case ends inside its runtime, which must not be blocked on itself.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                run(&mut session(&server_url()).await, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        assert!(dropped.join().is_ok() || std::thread::panicking(), "the database of a case is dropped");
    }
}

/// The server that tests use.
pub(crate) fn server_url() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("run make test, or set TEST_POSTGRES_URL")
}

/// A session for looking behind the storage.
pub(crate) async fn session(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a valid URL");
    PgConnection::connect_with(&options).await.expect("the server lets tests in")
}

/// Runs a statement of the tests' own.
pub(crate) async fn run(session: &mut PgConnection, statement: &str) {
    session.execute(AssertSqlSafe(statement.to_owned())).await.expect("the server runs it");
}

/// The server's URL with another database in it.
fn url_of(database: &str) -> String {
    let server = server_url();
    let (path, parameters) = match server.split_once('?') {
        Some((path, parameters)) => (path, format!("?{parameters}")),
        None => (server.as_str(), String::new()),
    };
    let host = path.find("://").map_or(0, |at| at + 3);
    let end = path[host..].find('/').map_or(path.len(), |at| host + at);
    format!("{}/{database}{parameters}", &path[..end])
}

/// The template of this build of the tests; the first process that needs it makes it.
async fn template(server: &mut PgConnection) -> String {
    let built = std::env::current_exe().and_then(std::fs::metadata).and_then(|file| file.modified());
    let built =
        built.expect("the tests know their file").duration_since(UNIX_EPOCH).expect("it is not from before 1970");
    let name = format!("parlance_template_{}", built.as_nanos());
    run(server, "SELECT pg_advisory_lock(1886544492)").await;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(&mut *server)
        .await
        .expect("the server lists its databases");
    if there == 0 {
        run(server, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await;
        let storage = SqlStorage::connect(&url_of(&name), &Options::default()).await.expect("a new database opens");
        storage.migrate().await.expect("a new database is migrated");
        storage.close().await.expect("nothing is running");
    }
    run(server, "SELECT pg_advisory_unlock(1886544492)").await;
    name
}
