//! The `Messages` port, each method as one turn of the lock; how each works is in the files named after them.

use std::collections::HashSet;

use async_trait::async_trait;
use parlance_domain::error::Result;
use parlance_domain::model::{ConversationId, Message, MessageId, NewMessage, Page, Rev, SearchCursor, Seq};
use parlance_domain::ports::{
    AmendMessage, Amended, Appended, ChangeMembership, Changes, MembershipChanged, Messages, SearchQuery, StorageResult,
};
use parlance_domain::rules::Limits;

use crate::MemoryStorage;

#[async_trait]
impl Messages for MemoryStorage {
    async fn append(&self, batch: Vec<NewMessage>) -> StorageResult<Vec<Result<Appended>>> {
        let mut state = self.state();
        Ok(batch.into_iter().map(|new| state.append(new)).collect())
    }

    async fn amend(&self, amend: &AmendMessage, limits: &Limits) -> StorageResult<Result<Amended>> {
        Ok(self.state().amend(amend, limits))
    }

    async fn change_membership(
        &self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Result<MembershipChanged>> {
        self.state().change_membership(change, limits)
    }

    async fn find_message(&self, id: MessageId) -> StorageResult<Option<Message>> {
        Ok(self.state().message(id).cloned())
    }

    async fn list_messages(&self, ids: &[MessageId]) -> StorageResult<Vec<Message>> {
        let state = self.state();
        let ids: HashSet<&MessageId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| state.message(*id)).cloned().collect())
    }

    async fn list_history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StorageResult<Option<Page<Message, MessageId>>> {
        Ok(self.state().history(conversation, before, limit))
    }

    async fn list_changes(
        &self,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> StorageResult<Option<Changes>> {
        Ok(self.state().changes(conversation, since, limit))
    }

    async fn search_messages(&self, query: &SearchQuery) -> StorageResult<Page<Message, SearchCursor>> {
        Ok(self.state().search(query))
    }

    async fn find_last_seq(&self, conversation: ConversationId) -> StorageResult<Seq> {
        Ok(self.state().rooms.get(&conversation).map_or(0, |room| room.conversation.last_seq))
    }
}
