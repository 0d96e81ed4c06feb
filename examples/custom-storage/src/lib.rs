//! A storage of one's own: durable, in one file, on the embedded database redb. It keeps every promise of the storage
//! ports, which `tests/contract.rs` shows from outside of Parlance's own adapters. A port call is one transaction: redb
//! has one writer at a time, readers see the state before or after it, and a commit is on disk when it returns.
//!
//! Values are JSON documents, one for each user, conversation (with its people), message, notification and medium
//! (`records`); beside them are indexes, whose keys say everything (`tables`). Each other file is one port, or one
//! larger method of one. What may be done is decided by the domain's rules, inside the transaction.

mod append;
mod blocks;
mod conversations;
mod failure;
mod inbox;
mod media_items;
mod membership;
mod messages;
mod notifications;
mod receipts;
mod records;
mod room;
mod search;
mod store;
mod tables;
mod users;

use std::path::Path;
use std::sync::Arc;

use parlance_domain::ports::StorageResult;
use redb::{Database, ReadableDatabase};
use tokio_util::task::TaskTracker;

use crate::failure::Failed;
use crate::store::{Reader, Writer};

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the storage {path} cannot be opened")]
pub struct OpenError {
    path: String,
    #[source]
    source: redb::Error,
}

/// A file that holds a server's users, conversations and messages. Cheap to clone; one process owns the file.
#[derive(Debug, Clone)]
pub struct EmbeddedStorage {
    database: Arc<Database>,
    /// What runs on it, also for callers that are gone: nothing can stop what has begun.
    running: TaskTracker,
}

impl EmbeddedStorage {
    /// Opens the file, and makes it if it is not there. Blocks, as a program may while it starts.
    ///
    /// # Errors
    /// [`OpenError`] if it cannot be made, is no such file, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError { path: path.display().to_string(), source };
        let database = Database::create(path).map_err(|error| failed(error.into()))?;
        tables::make_all(&database).map_err(failed)?;
        Ok(Self { database: Arc::new(database), running: TaskTracker::new() })
    }

    /// Waits for what still runs. The file is let go of when the last clone is dropped after this.
    pub async fn close(self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Asks one state of the storage, however many questions that takes.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, Failed> + Send + 'static,
    ) -> StorageResult<T> {
        let database = Arc::clone(&self.database);
        self.blocking(move || ask(&Reader::new(database.begin_read()?))).await
    }

    /// Changes the storage: all of it is there when this returns, or nothing if it fails before the commit.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Writer) -> Result<T, Failed> + Send + 'static,
    ) -> StorageResult<T> {
        let database = Arc::clone(&self.database);
        self.blocking(move || {
            let mut writer = Writer::new(database.begin_write()?);
            let outcome = change(&mut writer)?;
            writer.commit()?;
            Ok(outcome)
        })
        .await
    }

    /// redb waits for its writer and for the disk, which the threads of the runtime must not.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
    ) -> StorageResult<T> {
        Ok(self.running.spawn_blocking(work).await.map_err(Failed::Ended).flatten()?)
    }
}
