//! A database of a case's own on the server of the tests. It goes when the case does.

use std::net::SocketAddr;

use mongodb::bson::oid::ObjectId;
use parlance_storage_mongo::{MongoStorage, Options};

/// A name that no other case has, on the server of the tests.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let server = server();
        let name = format!("test_{}", ObjectId::new());
        Self { url: with_database(&server, &name), name }
    }

    /// Where its server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let rest = self.url.strip_prefix("mongodb://").expect("the URL of one server");
        let (host, _) = rest.split_once('/').expect("a URL with a database");
        host.parse().expect("the URL of a server by its address, without a password")
    }

    /// Its URL by way of a proxy.
    pub(crate) fn url_at(&self, proxy: SocketAddr) -> String {
        format!("mongodb://{proxy}/{}?directConnection=true", self.name)
    }

    /// A storage on it, brought up to date.
    pub(crate) async fn open(&self, options: &Options) -> MongoStorage {
        let storage = MongoStorage::connect(&self.url, options).await.expect("the server of the tests answers");
        storage.migrate().await.expect("a new database is brought up to date");
        storage
    }

    /// The database itself, to look behind a storage.
    pub(crate) async fn look(&self) -> mongodb::Database {
        let client = mongodb::Client::with_uri_str(&self.url).await.expect("the server of the tests answers");
        client.database(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A case that fails may leave a transaction open, in which the server of the tests would wait for its end.
        if std::thread::panicking() {
            return;
        }
        // A case ends in a task of a runtime with several threads.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async { self.look().await.drop().await.expect("it goes") });
        });
    }
}

/// The server of the tests. Where there are two, every second test that runs at a time takes the other.
fn server() -> String {
    let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse::<u32>().ok());
    let second = slot.filter(|slot| slot % 2 == 1).and_then(|_| std::env::var("TEST_MONGODB_URL_2").ok());
    second.unwrap_or_else(|| std::env::var("TEST_MONGODB_URL").expect("run make test, or set TEST_MONGODB_URL"))
}

/// The URL of a server with the name of a database in it.
fn with_database(server: &str, name: &str) -> String {
    let (server, parameters) = server
        .split_once('?')
        .map_or((server, String::new()), |(server, parameters)| (server, format!("?{parameters}")));
    format!("{}/{name}{parameters}", server.trim_end_matches('/'))
}
