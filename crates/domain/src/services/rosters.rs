//! Who is in which conversation, from a bounded cache in front of the storage. Forgotten at once where
//! this node changes a membership; where others write as well, entries live for a second at most. The append
//! transaction checks again in any case.

use std::sync::Arc;
use std::time::Duration;

use super::fresh_cache::FreshCache;
use crate::error::{Attempt, Error, Result};
use crate::model::{ConversationId, Roster, UserId};
use crate::ports::Conversations;

const CAPACITY: u64 = 50_000;
/// Bounds how long a membership change on another node goes unnoticed here.
const TTL: Duration = Duration::from_secs(1);
/// Where there is no other node: bounds what is held of conversations in which nothing happens any more.
const TTL_ALONE: Duration = Duration::from_mins(10);

/// Cached rosters.
#[derive(Clone)]
pub(super) struct Rosters {
    conversations: Arc<dyn Conversations>,
    cache: Arc<FreshCache<ConversationId, Arc<Roster>>>,
}

impl Rosters {
    /// Rosters of a storage to which other processes write as well, if it is `shared`.
    pub(super) fn new(conversations: Arc<dyn Conversations>, shared: bool) -> Self {
        let ttl = if shared { TTL } else { TTL_ALONE };
        Self { conversations, cache: Arc::new(FreshCache::new(CAPACITY, ttl)) }
    }

    /// Who is in a conversation.
    ///
    /// # Errors
    /// `ConversationNotFound`.
    pub(super) async fn load(&self, id: ConversationId) -> Result<Arc<Roster>> {
        if let Some(roster) = self.cache.get(&id) {
            return Ok(roster);
        }
        let seen = self.cache.seen();
        let roster = self.conversations.find_roster(id).await?.ok_or(Error::ConversationNotFound)?;
        let roster = Arc::new(roster);
        self.cache.keep(seen, id, roster.clone());
        Ok(roster)
    }

    /// The roster, if `user` is on it.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(attempt)`.
    pub(super) async fn authorize(&self, user: &UserId, id: ConversationId, attempt: Attempt) -> Result<Arc<Roster>> {
        let roster = self.load(id).await?;
        if roster.contains(user) { Ok(roster) } else { Err(Error::NotParticipant(attempt)) }
    }

    /// Says that a membership has changed.
    pub(super) fn forget(&self, id: ConversationId) {
        self.cache.forget(&id);
    }
}
