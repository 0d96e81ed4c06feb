//! The `Blocks` port: a document for each blocker.

use async_trait::async_trait;
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::ports::{Blocks, StorageResult};
use parlance_domain::rules::blocking::Blocking;

use crate::EmbeddedStorage;
use crate::failure::Failed;
use crate::store::View;
use crate::tables::{self, BLOCKS};

#[async_trait]
impl Blocks for EmbeddedStorage {
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, _now: Timestamp) -> StorageResult<bool> {
        let (blocker, blocked) = (blocker.clone(), blocked.clone());
        self.write(move |writer| {
            let mut all = blocked_by(writer, &blocker)?;
            if all.iter().any(|other| other == blocked.as_str()) {
                return Ok(false);
            }
            all.push(blocked.to_string());
            writer.put(&BLOCKS, &tables::of_user(&blocker), &all)?;
            Ok(true)
        })
        .await
    }

    async fn remove_block(&self, blocker: &UserId, blocked: &UserId) -> StorageResult<bool> {
        let (blocker, blocked) = (blocker.clone(), blocked.clone());
        self.write(move |writer| {
            let mut all = blocked_by(writer, &blocker)?;
            let Some(at) = all.iter().position(|other| other == blocked.as_str()) else { return Ok(false) };
            all.remove(at);
            writer.put(&BLOCKS, &tables::of_user(&blocker), &all)?;
            Ok(true)
        })
        .await
    }

    async fn list_blocked(&self, blocker: &UserId, limit: usize) -> StorageResult<Vec<UserId>> {
        let blocker = blocker.clone();
        self.read(move |view| {
            let all = blocked_by(view, &blocker)?;
            let valid = |id: &String| id.parse().map_err(|problem| Failed::Broken(format!("{id:?} {problem}")));
            all.iter().rev().take(limit).map(valid).collect()
        })
        .await
    }

    async fn find_blocking(&self, viewer: &UserId, other: &UserId) -> StorageResult<Blocking> {
        let (viewer, other) = (viewer.clone(), other.clone());
        self.read(move |view| between(view, &viewer, &other)).await
    }

    async fn list_blocked_either_way(&self, viewer: &UserId, others: &[UserId]) -> StorageResult<Vec<UserId>> {
        let (viewer, mut others) = (viewer.clone(), others.to_vec());
        self.read(move |view| {
            let mut failed = None;
            others.retain(|other| match between(view, &viewer, other) {
                Ok(blocking) => blocking.any(),
                Err(error) => failed.replace(error).is_some(),
            });
            failed.map_or(Ok(others), Err)
        })
        .await
    }
}

fn blocked_by(view: &impl View, blocker: &UserId) -> Result<Vec<String>, Failed> {
    Ok(view.get(&BLOCKS, &tables::of_user(blocker))?.unwrap_or_default())
}

/// The blocks between two people, as `viewer` sees them.
pub(crate) fn between(view: &impl View, viewer: &UserId, other: &UserId) -> Result<Blocking, Failed> {
    let blocks =
        |blocker, blocked: &UserId| blocked_by(view, blocker).map(|all| all.iter().any(|one| one == blocked.as_str()));
    Ok(Blocking { by_viewer: blocks(viewer, other)?, by_other: blocks(other, viewer)? })
}
