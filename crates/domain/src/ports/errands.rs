//! What is still to be told by channels, remembered, so that it outlives the process that began it and is told by one
//! node of several. Not every storage has this port.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{Subject, Timestamp, UserId};

/// Somebody is to be told of something by a channel. There is one for each of the three at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The name of the channel.
    pub channel: String,
    /// Who.
    pub user_id: UserId,
    /// Of what.
    pub subject: Subject,
}

/// An errand that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenErrand {
    /// The errand.
    pub errand: Errand,
    /// How often it was handed out since it was put, this time included.
    pub attempts: u32,
}

/// Storage of errands.
#[async_trait]
pub trait Errands: Send + Sync {
    /// Stores errands of a channel that are due at `due`, with a number of statements that does not depend on how many;
    /// all of `whom` must exist as users. One that waits stays as it is. One that is handed out is put once more for
    /// when it is finished, at `due` as it was said last.
    async fn put_errands(&self, channel: &str, whom: &[(UserId, Subject)], due: Timestamp) -> StorageResult<()>;

    /// Hands out errands of a channel that are due by `now`, at most `limit`, those that are due longest, in any order.
    /// Of several callers at once one gets each. What is not finished by `until` is due again then.
    async fn take_errands(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StorageResult<Vec<TakenErrand>>;

    /// An errand that was handed out is done. Idempotent.
    async fn finish_errand(&self, errand: &Errand) -> StorageResult<()>;

    /// An errand that was handed out is due again at `due`.
    async fn postpone_errand(&self, errand: &Errand, due: Timestamp) -> StorageResult<()>;
}
