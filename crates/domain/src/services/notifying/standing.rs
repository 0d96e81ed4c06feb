//! Who is known to have an unread notification of a conversation, or none; for them nothing is asked of the storage.
//! Forgotten where one is read or removed, on this node or another.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{ConversationId, UserId};
use crate::services::fresh_cache::FreshCache;

const CAPACITY: u64 = 200_000;
const TTL: Duration = Duration::from_mins(1);

/// What is known: whether one stands. That none does can only be known where no other node makes any. Cheap to clone.
#[derive(Clone)]
pub(super) struct Standing(Arc<FreshCache<(ConversationId, UserId), bool>>);

impl Standing {
    /// What is known of `user` there.
    pub(super) fn of(&self, conversation_id: ConversationId, user: &UserId) -> Option<bool> {
        self.get(&(conversation_id, user.clone()))
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self(Arc::new(FreshCache::new(CAPACITY, TTL)))
    }
}

impl std::ops::Deref for Standing {
    type Target = FreshCache<(ConversationId, UserId), bool>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
