//! What all storage ports share: their sum and their error.

use std::error::Error;

use super::{Blocks, Conversations, MediaItems, Messages, Notifications, Receipts, Users};

/// Everything that a storage does. Services take the small ports; only wiring takes the sum.
pub trait Storage: Users + Conversations + Messages + Receipts + Blocks + Notifications + MediaItems {}

impl<T: Users + Conversations + Messages + Receipts + Blocks + Notifications + MediaItems> Storage for T {}

/// The result of a storage call.
pub type StorageResult<T> = Result<T, StorageError>;

/// Why a storage did not answer. Refusals by a domain rule are not among these: they are values.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Nothing happened; the call can be repeated as it is.
    #[error("the storage is unavailable")]
    Unavailable {
        /// What the driver said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It may or may not have happened (the connection broke during a commit). Repeating it is safe where the
    /// call is idempotent: an append with a `clientMessageId`, every `mark_*`, `record_claims`.
    #[error("the storage broke off, the outcome is unknown")]
    UnknownOutcome {
        /// What the driver said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing happened, and repeating will not help: a bug, or a damaged store.
    #[error("the storage failed")]
    Corrupt {
        /// What the driver said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
