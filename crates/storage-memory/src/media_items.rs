//! The `MediaItems` port, and who uses which medium. A use is there from the moment that something names a
//! medium that is there until it is gone or names another one.

use std::collections::HashSet;

use async_trait::async_trait;
use parlance_domain::model::{ConversationId, Medium, MediumId, MessageId, Timestamp, UserId};
use parlance_domain::ports::{MediaItems, StorageError, StorageResult};
use parlance_domain::rules::media::Named;

use crate::MemoryStorage;
use crate::state::State;

/// A medium, and what names it.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) medium: Medium,
    pub(crate) uses: HashSet<Use>,
}

/// What can name a medium.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    Message(MessageId),
    Group(ConversationId),
    Picture(UserId),
}

#[async_trait]
impl MediaItems for MemoryStorage {
    async fn insert_medium(&self, medium: &Medium) -> StorageResult<()> {
        let mut state = self.state();
        state.must_know([&medium.uploader])?;
        if state.media.contains_key(&medium.id) {
            return Err(StorageError::Corrupt { source: format!("there is a medium {} already", medium.id).into() });
        }
        state.media.insert(medium.id, Item { medium: medium.clone(), uses: HashSet::new() });
        Ok(())
    }

    async fn find_medium(&self, id: MediumId) -> StorageResult<Option<Medium>> {
        Ok(self.state().media.get(&id).map(|item| item.medium.clone()))
    }

    async fn list_unused_media(&self, before: Timestamp, limit: usize) -> StorageResult<Vec<MediumId>> {
        let state = self.state();
        let unused = state.media.values().filter(|item| item.uses.is_empty()).map(|item| &item.medium);
        let mut old: Vec<&Medium> = unused.filter(|medium| medium.uploaded_at < before).collect();
        old.sort_by_key(|medium| (medium.uploaded_at, medium.id));
        Ok(old.into_iter().take(limit).map(|medium| medium.id).collect())
    }

    async fn remove_medium(&self, id: MediumId) -> StorageResult<bool> {
        let mut state = self.state();
        let unused = state.media.get(&id).is_some_and(|item| item.uses.is_empty());
        if unused {
            state.media.remove(&id);
        }
        Ok(unused)
    }
}

impl State {
    /// Whether all that must be there is there.
    pub(crate) fn has_media(&self, named: &Named) -> bool {
        named.required.iter().all(|id| self.media.contains_key(id))
    }

    /// `user` names these media now, after having named `before`.
    pub(crate) fn use_media(&mut self, user: &Use, before: &Named, now: &Named) {
        for id in &before.all {
            if let Some(item) = self.media.get_mut(id) {
                item.uses.remove(user);
            }
        }
        for id in &now.all {
            if let Some(item) = self.media.get_mut(id) {
                item.uses.insert(user.clone());
            }
        }
    }
}
