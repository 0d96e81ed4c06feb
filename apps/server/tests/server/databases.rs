//! Databases of a test's own on the servers that `TEST_POSTGRES_URL` and `TEST_MONGODB_URL` name.

use mongodb::bson::oid::ObjectId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// A database that is not there yet, or is empty.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

impl Database {
    /// One on the PostgreSQL server.
    pub(crate) async fn postgres() -> Self {
        let database = Self::on(&postgres_server());
        database.ask_postgres(&format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// One on the MongoDB server, which makes it when something is written.
    pub(crate) fn mongo() -> Self {
        Self::on(&std::env::var("TEST_MONGODB_URL").expect("run make test, or set TEST_MONGODB_URL"))
    }

    fn on(server: &str) -> Self {
        let name = format!("server_{}", ObjectId::new());
        Self { url: with_database(server, &name), name }
    }

    async fn ask_postgres(&self, statement: &str) {
        let mut session = PgConnection::connect(&postgres_server()).await.unwrap();
        session.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    /// Removes it, when its test is over.
    pub(crate) async fn remove(self) {
        if self.url.starts_with("mongodb") {
            mongodb::Client::with_uri_str(&self.url).await.unwrap().database(&self.name).drop().await.unwrap();
        } else {
            self.ask_postgres(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        }
    }
}

fn postgres_server() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("run make test, or set TEST_POSTGRES_URL")
}

/// The URL of a server with the name of a database in it.
fn with_database(server: &str, name: &str) -> String {
    let (path, parameters) = match server.split_once('?') {
        Some((path, parameters)) => (path, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let host = path.find("://").map_or(0, |at| at + 3);
    let end = path[host..].find('/').map_or(path.len(), |at| host + at);
    format!("{}/{name}{parameters}", &path[..end])
}
