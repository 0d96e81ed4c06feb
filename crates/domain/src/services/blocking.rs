//! Blocking somebody, and no longer.

use std::sync::Arc;

use super::directory::Directory;
use super::presence::Presence;
use crate::error::{Error, Result};
use crate::model::{User, UserId};
use crate::ports::{Blocks, Clock};
use crate::rules::blocking::Blocking as Between;

/// The most people that a list of blocked users shows.
const LIST_LIMIT: usize = 1_000;

/// Who blocks whom.
#[derive(Clone)]
pub struct Blocking {
    blocks: Arc<dyn Blocks>,
    directory: Directory,
    presence: Presence,
    clock: Arc<dyn Clock>,
}

impl Blocking {
    pub(super) fn new(
        blocks: Arc<dyn Blocks>,
        directory: Directory,
        presence: Presence,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { blocks, directory, presence, clock }
    }

    /// `blocker` blocks somebody; blocking twice is blocking once. A send that is stored after this returns is refused.
    ///
    /// # Errors
    /// `Validation` of `id` for oneself, `UserNotFound`.
    pub async fn block(&self, blocker: &User, blocked: &UserId) -> Result<()> {
        if *blocked == blocker.id {
            return Err(Error::validation("id", "must be somebody else"));
        }
        self.directory.find(blocked).await?;
        self.blocks.insert_block(&blocker.id, blocked, self.clock.now()).await?;
        Ok(())
    }

    /// `blocker` no longer blocks somebody. What waited behind the block is delivered to those of both who are here.
    ///
    /// # Errors
    /// `UserNotFound`.
    pub async fn unblock(&self, blocker: &User, blocked: &UserId) -> Result<()> {
        self.directory.find(blocked).await?;
        if self.blocks.remove_block(&blocker.id, blocked).await? {
            self.presence.mark_reached(&blocker.id);
            self.presence.mark_reached(blocked);
        }
        Ok(())
    }

    /// Whom `blocker` blocks, newest block first; the newest 1,000.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn list(&self, blocker: &UserId) -> Result<Vec<User>> {
        let ids = self.blocks.list_blocked(blocker, LIST_LIMIT).await?;
        let mut users = self.directory.find_all(&ids).await?;
        Ok(ids.iter().filter_map(|id| users.remove(id)).collect())
    }

    pub(super) async fn between(&self, viewer: &UserId, other: &UserId) -> Result<Between> {
        Ok(self.blocks.find_blocking(viewer, other).await?)
    }
}
