//! Storage in SQLite and PostgreSQL: the ports of `parlance-domain` over sea-orm, one file per port; what SQLite does most
//! often goes past it (`prepared`). Rows, SQL and driver errors do not leave this crate; rules are those of the domain,
//! applied inside the transaction.
//! The schema is in `parlance-migrations`.
//!
//! ```no_run
//! # async fn open() -> Result<(), parlance_storage_sql::ConnectError> {
//! use parlance_storage_sql::{Options, SqlStorage};
//!
//! let storage = SqlStorage::connect("sqlite:///var/lib/parlance/chat.db", &Options::default()).await?;
//! storage.migrate().await?;
//! # Ok(()) }
//! ```

mod addresses;
mod amend;
mod append;
mod archive;
mod blocks;
mod connect;
mod conversations;
mod delivery;
mod errands;
mod error;
mod groups;
mod history;
mod list;
mod locks;
mod media_items;
mod messages;
mod notifications;
mod notify;
mod outbox;
mod preferences;
mod prepared;
mod receipts;
mod retry;
mod rows;
mod search;
mod spans;
mod statement;
mod users;
mod watermarks;
mod words;

pub use connect::{ConnectError, Options, StatementObserver};

use connect::Pools;
use error::Failed;
use parlance_domain::ports::{StorageError, StorageResult};
use parlance_domain::rules::webhooks::Wanted;
use sea_orm::DatabaseTransaction;
use tracing::Instrument;

/// A database that holds a server's users, conversations and messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqlStorage {
    pools: Pools,
    /// Which events are written beside changes.
    wanted: Wanted,
}

impl SqlStorage {
    /// Opens the database that `url` names: a file (`sqlite:///abs/path.db`, `sqlite://./rel.db`), which is made if it
    /// is not there (its folder is not), or a database on a server (`postgres://user:password@host:port/database`,
    /// with `?sslmode=verify-full` and the like). The schema is left as it is: see [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// [`ConnectError`], one line each; a database of a newer release is [`ConnectError::Newer`].
    pub async fn connect(url: &str, options: &Options) -> Result<Self, ConnectError> {
        let pools = Pools::open(url, options).await?;
        pools.refuse_newer().await?;
        Ok(Self { pools, wanted: Wanted::default() })
    }

    /// Brings the schema up to date, all or nothing. Idempotent, and safe when several processes start at once.
    ///
    /// # Errors
    /// [`ConnectError::Newer`], [`ConnectError::Migrate`].
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        self.pools.migrate().await
    }

    /// Refuses a database whose schema is older than this release, for servers that are not to migrate it.
    ///
    /// # Errors
    /// [`ConnectError::Older`]; [`ConnectError::Migrate`] if the schema cannot be looked at.
    pub async fn refuse_older(&self) -> Result<(), ConnectError> {
        self.pools.refuse_older().await
    }

    /// Whether the database answers, for readiness checks.
    ///
    /// # Errors
    /// `Unavailable` if it does not.
    pub async fn ping(&self) -> StorageResult<()> {
        match self.again(|| async { Ok(self.pools.ping().await?) }).await {
            // There is no outcome to be known.
            Err(StorageError::UnknownOutcome { source }) => Err(StorageError::Unavailable { source }),
            answer => answer,
        }
    }

    /// Waits for what is running and closes all connections; later calls are `Unavailable`.
    ///
    /// # Errors
    /// `Unavailable` if a connection cannot be closed in order. Nothing that was acknowledged is lost by that.
    pub async fn close(&self) -> StorageResult<()> {
        Ok(self.pools.close().await.map_err(Failed::Statement)?)
    }
}

/// Makes what a transaction wrote last, or says that this is not known.
async fn commit(transaction: DatabaseTransaction) -> Result<(), Failed> {
    transaction.commit().instrument(spans::commit()).await.map_err(Failed::Commit)
}
