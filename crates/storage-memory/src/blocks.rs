//! The `Blocks` port.

use async_trait::async_trait;
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::ports::{Blocks, StorageResult};
use parlance_domain::rules::blocking::Blocking;

use crate::MemoryStorage;

#[async_trait]
impl Blocks for MemoryStorage {
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, now: Timestamp) -> StorageResult<bool> {
        let mut state = self.state();
        let new = !state.blocks(blocker, blocked);
        if new {
            state.blocks.entry(blocker.clone()).or_default().push((blocked.clone(), now));
        }
        Ok(new)
    }

    async fn remove_block(&self, blocker: &UserId, blocked: &UserId) -> StorageResult<bool> {
        let mut state = self.state();
        let Some(all) = state.blocks.get_mut(blocker) else { return Ok(false) };
        let before = all.len();
        all.retain(|(other, _)| other != blocked);
        Ok(all.len() < before)
    }

    async fn list_blocked(&self, blocker: &UserId, limit: usize) -> StorageResult<Vec<UserId>> {
        let state = self.state();
        let newest_first = state.blocks.get(blocker).into_iter().flatten().rev();
        Ok(newest_first.take(limit).map(|(blocked, _)| blocked.clone()).collect())
    }

    async fn find_blocking(&self, viewer: &UserId, other: &UserId) -> StorageResult<Blocking> {
        Ok(self.state().blocking(viewer, other))
    }

    async fn list_blocked_either_way(&self, viewer: &UserId, others: &[UserId]) -> StorageResult<Vec<UserId>> {
        let state = self.state();
        Ok(others.iter().filter(|other| state.blocking(viewer, other).any()).cloned().collect())
    }
}
