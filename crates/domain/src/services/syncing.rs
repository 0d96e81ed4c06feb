//! Catching up: what changed in conversations since a client last looked.

use std::sync::Arc;

use super::rosters::Rosters;
use super::views::Views;
use crate::error::{Attempt, Error, Result};
use crate::model::{ConversationId, MessageView, Rev, UserId};
use crate::ports::Messages;
use crate::rules::Limits;

/// The most messages of one conversation in one answer (contract: `sync`).
const PER_CONVERSATION: usize = 200;
/// The most messages of one answer in all. Conversations that come after it are answered with nothing but
/// `has_more`, and the client asks again.
const PER_ANSWER: usize = 2_000;

/// What has changed in one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesView {
    /// In `rev` order.
    pub messages: Vec<MessageView>,
    /// Where to ask on.
    pub rev: Rev,
    /// Whether there is more.
    pub has_more: bool,
}

/// What has changed in several conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// In the order asked, each once.
    pub conversations: Vec<(ConversationId, ChangesView)>,
    /// Those that do not exist or that the caller is not in.
    pub unknown: Vec<ConversationId>,
}

/// Catches clients up.
#[derive(Clone)]
pub struct Syncing {
    messages: Arc<dyn Messages>,
    rosters: Rosters,
    views: Views,
}

impl Syncing {
    pub(super) fn new(messages: Arc<dyn Messages>, rosters: Rosters, views: Views) -> Self {
        Self { messages, rosters, views }
    }

    /// What has changed in a conversation since `since`, at most `limit` messages.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`.
    pub async fn changes(
        &self,
        viewer: &UserId,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> Result<ChangesView> {
        self.rosters.authorize(viewer, conversation, Attempt::Access).await?;
        let changes = self.messages.list_changes(conversation, since, limit).await?;
        let changes = changes.ok_or(Error::ConversationNotFound)?;
        let messages = self.views.messages(changes.messages).await?;
        Ok(ChangesView { messages, rev: changes.rev, has_more: changes.has_more })
    }

    /// What has changed in each of these conversations since the given `rev`, at most 200 messages of each.
    ///
    /// # Errors
    /// `Validation` of `conversations` for more than 200.
    pub async fn sync(&self, viewer: &UserId, asked: Vec<(ConversationId, Rev)>) -> Result<Synced> {
        if asked.len() > Limits::MAX_SYNC {
            let message = format!("must have at most {} entries", Limits::MAX_SYNC);
            return Err(Error::validation("conversations", message));
        }
        let mut synced = Synced { conversations: Vec::with_capacity(asked.len()), unknown: Vec::new() };
        let mut room = PER_ANSWER;
        for (conversation, since) in asked {
            let changes = if room == 0 {
                match self.rosters.authorize(viewer, conversation, Attempt::Access).await {
                    Ok(_) => Ok(ChangesView { messages: Vec::new(), rev: since, has_more: true }),
                    Err(error) => Err(error),
                }
            } else {
                self.changes(viewer, conversation, since, PER_CONVERSATION.min(room)).await
            };
            match changes {
                Ok(changes) => {
                    room -= changes.messages.len();
                    synced.conversations.push((conversation, changes));
                }
                Err(Error::ConversationNotFound | Error::NotParticipant(_)) => synced.unknown.push(conversation),
                Err(error) => return Err(error),
            }
        }
        Ok(synced)
    }
}
