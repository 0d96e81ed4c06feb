//! Tells participants how their conversation has changed: who came, who went, how it looks now. What is
//! announced is stored already, so a failure here is logged and clients see the change with their next list.

use std::sync::Arc;

use super::directory::Directory;
use super::presence::Presence;
use super::publisher::Publisher;
use super::views::Views;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{ConversationId, ConversationView, User, UserId};
use crate::ports::{Conversations, MembershipChanged, Receipts};

/// Tells participants how their conversation has changed.
#[derive(Clone)]
pub(super) struct Announcer {
    conversations: Arc<dyn Conversations>,
    receipts: Arc<dyn Receipts>,
    directory: Directory,
    views: Views,
    presence: Presence,
    publisher: Publisher,
}

impl Announcer {
    pub(super) fn new(
        conversations: Arc<dyn Conversations>,
        receipts: Arc<dyn Receipts>,
        directory: Directory,
        views: Views,
        presence: Presence,
        publisher: Publisher,
    ) -> Self {
        Self { conversations, receipts, directory, views, presence, publisher }
    }

    /// How the actor of a change is called now.
    pub(super) async fn person(&self, id: &UserId) -> User {
        self.directory.find(id).await.unwrap_or_else(|_| User::nameless(id.clone()))
    }

    /// Says who came and went: to those who went first, so that nothing of the conversation reaches them after.
    pub(super) async fn membership_changed(&self, changed: &MembershipChanged) {
        let id = changed.conversation.id;
        for user in &changed.outcome.removed {
            let event = Event::ParticipantRemoved { conversation_id: id, user_id: user.clone() };
            self.publisher.publish(event).await;
        }
        let (added, stayed): (Vec<UserId>, Vec<UserId>) =
            changed.roster.users().iter().cloned().partition(|user| changed.outcome.added.contains(user));
        if !added.is_empty() {
            match self.view_of(id, &added).await {
                Ok(Some(mut view)) => {
                    view.unread = 0;
                    let event = Event::ConversationNew { conversation: Box::new(view), users: added.into() };
                    self.publisher.publish(event).await;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(conversation_id = %id, %error, "new participants are not told"),
            }
        }
        self.updated(id, &stayed).await;
    }

    /// Says to those of `users` who are online how the conversation looks now.
    pub(super) async fn updated(&self, id: ConversationId, users: &[UserId]) {
        let online: Vec<UserId> = users.iter().filter(|user| self.presence.is_online(user)).cloned().collect();
        if online.is_empty() {
            return;
        }
        let told = async {
            let unread = self.receipts.list_unread_of(id, &online).await?.into_iter().collect();
            if let Some(view) = self.view_of(id, users).await? {
                self.publisher.publish(Event::ConversationUpdated { conversation: Box::new(view), unread }).await;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = told.await {
            // What changed is stored; clients see it with the next list.
            tracing::warn!(conversation_id = %id, %error, "an update of a conversation is not announced");
        }
    }

    /// The conversation as the first of `users` who is in it sees it; `None` if nobody is.
    pub(super) async fn view_of(&self, id: ConversationId, users: &[UserId]) -> Result<Option<ConversationView>> {
        let Some(viewer) = users.first() else { return Ok(None) };
        match self.conversations.find_entry(id, viewer).await? {
            Some(entry) => self.views.conversation(entry).await.map(Some),
            None => Ok(None),
        }
    }
}
