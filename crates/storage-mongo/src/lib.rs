//! Storage in MongoDB: the ports of `parlance-domain` over the official driver, one file per port. Documents,
//! queries and driver errors do not leave this crate; rules are those of the domain, applied inside the change.
//! Changes of several documents are transactions where the deployment has them, else they go by `locks` and a
//! journal. `docs/mongodb.md` describes collections, indexes and sharding.
//!
//! ```no_run
//! # async fn open() -> Result<(), parlance_storage_mongo::ConnectError> {
//! use parlance_storage_mongo::{MongoStorage, Options};
//!
//! let storage = MongoStorage::connect("mongodb://db1,db2,db3/parlance?replicaSet=rs0", &Options::default()).await?;
//! storage.migrate().await?;
//! # Ok(()) }
//! ```

mod addresses;
mod amend;
mod append;
mod archive;
mod blocks;
mod change;
mod command;
mod connect;
mod conversations;
mod delivery;
mod documents;
mod errands;
mod error;
mod groups;
mod history;
mod inbox;
mod list;
mod locks;
mod media_items;
mod messages;
mod notifications;
mod notify;
mod outbox;
mod preferences;
mod queues;
mod reader;
mod receipts;
mod schema;
mod search;
mod sessions;
mod spans;
mod users;
mod watermarks;

pub use connect::{CommandObserver, ConnectError, Options, Transactions};

use std::sync::Arc;

use connect::Deployment;
use error::{Failed, TimedOut};
use mongodb::bson::doc;
use parlance_domain::meters::StorageMeters;
use parlance_domain::ports::StorageResult;
use parlance_domain::rules::webhooks::Wanted;
use queues::Queues;
use reader::Reader;
use sessions::Sessions;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// A database that holds a server's users, conversations and messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MongoStorage {
    deployment: Deployment,
    options: Options,
    /// Calls that may run. The driver's pool has no limit on waiting for one of its connections.
    turns: Arc<Semaphore>,
    queues: Queues,
    sessions: Sessions,
    /// Which events are written beside changes.
    wanted: Wanted,
    meters: StorageMeters,
}

impl MongoStorage {
    /// Opens the database that `url` names (`mongodb://…/name`, `mongodb+srv://…/name`; `parlance` if it names none).
    /// It and its schema are left as they are: see [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// [`ConnectError`], one line each; a database of a newer release is [`ConnectError::Newer`].
    pub async fn connect(url: &str, options: &Options) -> Result<Self, ConnectError> {
        let deployment = Deployment::open(url, options).await?;
        schema::refuse_newer(&deployment.database).await?;
        let turns = usize::try_from(options.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            deployment,
            options: options.clone(),
            turns: Arc::new(Semaphore::new(turns)),
            queues: Queues::default(),
            sessions: Sessions::default(),
            wanted: Wanted::default(),
            meters: StorageMeters::new(),
        })
    }

    /// Brings collections and indexes up to date. Idempotent, and safe when several processes start at once.
    ///
    /// # Errors
    /// [`ConnectError::Newer`], [`ConnectError::Migrate`].
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        schema::migrate(&self.deployment.database, self.options.lease).await
    }

    /// Refuses a database whose schema is older than this release, for servers that are not to migrate it.
    ///
    /// # Errors
    /// [`ConnectError::Older`]; [`ConnectError::Migrate`] if the schema cannot be looked at.
    pub async fn refuse_older(&self) -> Result<(), ConnectError> {
        schema::refuse_older(&self.deployment.database).await
    }

    /// Whether changes of several documents are transactions of the server.
    pub fn is_transactional(&self) -> bool {
        self.deployment.transactional
    }

    /// Whether the deployment answers, for readiness checks.
    ///
    /// # Errors
    /// `Unavailable` if it does not.
    pub async fn ping(&self) -> StorageResult<()> {
        let ping = self.deployment.database.run_command(doc! { "ping": 1 });
        let patience = self.options.server_selection_timeout.min(self.options.call_timeout);
        let answer = tokio::time::timeout(patience, ping).await;
        answer.map_err(|_| Failed::TimedOut(TimedOut))?.map_err(Failed::Command)?;
        Ok(())
    }

    /// Closes all connections, also those of clones, once the calls that run have ended; later ones are `Unavailable`.
    /// A call has the time of its `call_timeout`; whoever does not wait for that leaves the connections open.
    pub async fn close(&self) {
        // Whatever comes of it, nobody is let in after this.
        let _ended = self.turns.acquire_many(self.options.max_connections.max(1)).await;
        self.turns.close();
        if self.is_transactional() {
            self.sessions.close(&self.deployment.database).await;
        }
        self.deployment.database.client().clone().shutdown().immediate(true).await;
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.deployment.database, None)
    }

    /// Waits until it is this call's turn.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Failed> {
        let turn = tokio::time::timeout(self.options.acquire_timeout, self.turns.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(Failed::TimedOut(TimedOut))
    }

    /// Bounds the time of something that only reads.
    async fn within<T>(&self, reads: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
        let began = Instant::now();
        let _turn = self.turn().await?;
        let read = tokio::time::timeout(self.options.call_timeout, reads).await;
        self.meters.read(began.elapsed());
        read.unwrap_or(Err(Failed::TimedOut(TimedOut)))
    }

    /// Bounds the time of a single write, which the driver repeats where the deployment can tell a repetition.
    async fn within_write<T>(&self, write: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, Failed> {
        let began = Instant::now();
        let _turn = self.turn().await?;
        let written = tokio::time::timeout(self.options.call_timeout, write).await;
        self.meters.wrote(began.elapsed());
        match written {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                let failed = Failed::Command(error);
                Err(if failed.is_broken_connection() { failed.in_commit() } else { failed })
            }
            Err(_) => Err(Failed::TimedOutInCommit(TimedOut)),
        }
    }
}
