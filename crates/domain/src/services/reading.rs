//! Reading: marking messages as read, and how much is not.

use std::sync::Arc;

use super::notifying::Notifying;
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::writer::read_event;
use crate::error::{Error, Result};
use crate::model::{ConversationId, UserId};
use crate::ports::{ReadTarget, Receipts};
use crate::rules::Limits;

/// Read positions and unread counts.
#[derive(Clone)]
pub struct Reading {
    receipts: Arc<dyn Receipts>,
    rosters: Rosters,
    notifying: Notifying,
    publisher: Publisher,
}

impl Reading {
    pub(super) fn new(
        receipts: Arc<dyn Receipts>,
        rosters: Rosters,
        notifying: Notifying,
        publisher: Publisher,
    ) -> Self {
        Self { receipts, rosters, notifying, publisher }
    }

    /// `reader` has read; answers with what is still unread. A second mark of the same tells nobody anything.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`, `MessageNotFound`, `Validation` of `messageIds` for more than
    /// 500.
    pub async fn mark(&self, reader: &UserId, conversation: ConversationId, target: ReadTarget) -> Result<u64> {
        if matches!(&target, ReadTarget::Messages(ids) if ids.len() > Limits::MAX_IDS) {
            return Err(Error::validation("messageIds", format!("must have at most {} ids", Limits::MAX_IDS)));
        }
        let marked = self.receipts.mark_read(conversation, reader, &target).await??;
        if !marked.newly_read.is_empty() {
            let roster = self.rosters.load(conversation).await?;
            if let Some(event) = read_event(conversation, reader, marked.newly_read, roster.users()) {
                self.publisher.publish(event).await;
            }
        }
        if marked.unread == 0 {
            self.notifying.conversation_read(conversation, reader.clone()).await;
        }
        Ok(marked.unread)
    }

    /// How much is unread, per conversation in which something is.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn unread(&self, reader: &UserId) -> Result<Vec<(ConversationId, u64)>> {
        Ok(self.receipts.list_unread(reader).await?)
    }
}
