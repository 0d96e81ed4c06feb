//! Who blocks whom, remembered.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{Timestamp, UserId};
use crate::rules::blocking::Blocking;

/// Storage of blocks.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Blocks: Send + Sync {
    /// `blocker` blocks `blocked` from now on. Says whether that is new. Idempotent. An append that begins after this
    /// returns sees it; one that is under way is waited for, so that what is not stored when this returns is refused.
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, now: Timestamp) -> StorageResult<bool>;

    /// `blocker` no longer blocks `blocked`. Says whether they did. Idempotent.
    async fn remove_block(&self, blocker: &UserId, blocked: &UserId) -> StorageResult<bool>;

    /// Whom `blocker` blocks, newest block first, at most `limit`.
    async fn list_blocked(&self, blocker: &UserId, limit: usize) -> StorageResult<Vec<UserId>>;

    /// The blocks between two people, as `viewer` sees them.
    async fn find_blocking(&self, viewer: &UserId, other: &UserId) -> StorageResult<Blocking>;

    /// Those of `others` with whom `viewer` has a block in either direction, in any order.
    async fn list_blocked_either_way(&self, viewer: &UserId, others: &[UserId]) -> StorageResult<Vec<UserId>>;
}
