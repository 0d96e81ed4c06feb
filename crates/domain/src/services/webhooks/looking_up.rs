//! What an event is about, as it stands when it is delivered. A page of events costs a fixed number of storage calls for
//! its messages, and two for each conversation and notification.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{
    ConversationId, ConversationView, MessageId, MessageView, NotificationId, NotificationView, UserId, WebhookKind,
    WebhookSubject,
};
use crate::ports::{Conversations, Messages, Notifications, Webhook, WebhookData, WebhookEvent};
use crate::services::announcer::Announcer;
use crate::services::notification_views::NotificationViews;
use crate::services::views::Views;

/// Looks up what events are about.
pub(in crate::services) struct LookingUp {
    pub(in crate::services) messages: Arc<dyn Messages>,
    pub(in crate::services) conversations: Arc<dyn Conversations>,
    pub(in crate::services) notifications: Arc<dyn Notifications>,
    pub(in crate::services) views: Views,
    pub(in crate::services) announcer: Announcer,
    pub(in crate::services) notification_views: NotificationViews,
}

impl LookingUp {
    /// These events, in the same order.
    pub(super) async fn all(&self, events: Vec<WebhookEvent>) -> Result<Vec<Webhook>> {
        let messages = self.messages(&events).await?;
        let mut webhooks = Vec::with_capacity(events.len());
        for WebhookEvent { id, kind, subject, at, give_up_at: _ } in events {
            let data = match subject {
                WebhookSubject::Message { conversation_id, message_id } => {
                    let message = messages.get(&message_id).cloned().map(Box::new);
                    WebhookData::Message { conversation_id, message_id, message }
                }
                WebhookSubject::Conversation(conversation_id) => {
                    let conversation = self.conversation(conversation_id).await?.map(Box::new);
                    WebhookData::Conversation { conversation_id, conversation }
                }
                WebhookSubject::User(user_id) => WebhookData::User { user_id, online: kind == WebhookKind::UserOnline },
                WebhookSubject::Notification { user_id, notification_id } => {
                    let notification = self.notification(&user_id, notification_id).await?.map(Box::new);
                    WebhookData::Notification { user_id, notification_id, notification }
                }
                WebhookSubject::Call(ended) => WebhookData::Call(ended),
            };
            webhooks.push(Webhook { id, kind, at, data });
        }
        Ok(webhooks)
    }

    async fn messages(&self, events: &[WebhookEvent]) -> Result<HashMap<MessageId, MessageView>> {
        let named = events.iter().filter_map(|event| match event.subject {
            WebhookSubject::Message { message_id, .. } => Some(message_id),
            _ => None,
        });
        let named: Vec<MessageId> = named.collect();
        if named.is_empty() {
            return Ok(HashMap::new());
        }
        let views = self.views.messages(self.messages.list_messages(&named).await?).await?;
        Ok(views.into_iter().map(|view| (view.message.id, view)).collect())
    }

    async fn conversation(&self, id: ConversationId) -> Result<Option<ConversationView>> {
        // Not from a cache: who is in it is what may have changed.
        let Some(roster) = self.conversations.find_roster(id).await? else { return Ok(None) };
        if let Some(view) = self.announcer.view_of(id, roster.users()).await? {
            return Ok(Some(ConversationView { unread: 0, ..view }));
        }
        let alone =
            |conversation| ConversationView { conversation, participants: Vec::new(), last_message: None, unread: 0 };
        Ok(self.conversations.find_conversation(id).await?.map(alone))
    }

    async fn notification(&self, user: &UserId, id: NotificationId) -> Result<Option<NotificationView>> {
        match self.notifications.find_notification(user, id).await? {
            Some(found) => Ok(self.notification_views.of(vec![found]).await?.pop()),
            None => Ok(None),
        }
    }
}
