//! Which events of webhooks a change makes. Storages ask inside the transaction of the change and write down what is
//! answered; where nobody wants to be told, the answer is empty and costs the look at one number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::model::{
    Conversation, ConversationId, Message, NewWebhook, Notification, Timestamp, WebhookKind, WebhookKinds,
    WebhookSubject,
};
use crate::rules::amending::Amendment;

/// The kinds that are wanted in a storage, none at first. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Wanted(Arc<AtomicU16>);

impl Wanted {
    /// From now on these are wanted.
    pub fn set(&self, kinds: WebhookKinds) {
        // Nothing else has to be seen together with it.
        self.0.store(kinds.bits(), Ordering::Relaxed);
    }

    /// Whether this kind is wanted.
    pub fn contains(&self, kind: WebhookKind) -> bool {
        WebhookKinds::from_bits(self.0.load(Ordering::Relaxed)).contains(kind)
    }

    /// Messages were stored.
    pub fn appended<'a>(&self, stored: impl IntoIterator<Item = &'a Message>) -> Vec<NewWebhook> {
        if !self.contains(WebhookKind::MessageCreated) {
            return Vec::new();
        }
        let created = |message: &Message| of_message(WebhookKind::MessageCreated, message, message.created_at);
        stored.into_iter().map(created).collect()
    }

    /// A message was changed; `now` it is this one. A reaction is told to nobody here.
    pub fn amended(&self, message: &Message, amendment: &Amendment, now: Timestamp) -> Vec<NewWebhook> {
        let kind = match amendment {
            Amendment::Edit(_) => WebhookKind::MessageEdited,
            Amendment::Delete => WebhookKind::MessageDeleted,
            Amendment::React(_) | Amendment::Unreact(_) => return Vec::new(),
        };
        if self.contains(kind) { vec![of_message(kind, message, now)] } else { Vec::new() }
    }

    /// A conversation was started.
    pub fn started(&self, conversation: &Conversation) -> Vec<NewWebhook> {
        self.of_conversation(WebhookKind::ConversationCreated, conversation.id, conversation.created_at)
    }

    /// A conversation's looks, or who is in it and in which role, were changed.
    pub fn updated(&self, id: ConversationId, now: Timestamp) -> Vec<NewWebhook> {
        self.of_conversation(WebhookKind::ConversationUpdated, id, now)
    }

    /// Notifications were made.
    pub fn notified<'a>(&self, made: impl IntoIterator<Item = &'a Notification>) -> Vec<NewWebhook> {
        if !self.contains(WebhookKind::NotificationCreated) {
            return Vec::new();
        }
        let created = |notification: &Notification| NewWebhook {
            kind: WebhookKind::NotificationCreated,
            subject: WebhookSubject::Notification {
                user_id: notification.user_id.clone(),
                notification_id: notification.id,
            },
            at: notification.created_at,
        };
        made.into_iter().map(created).collect()
    }

    fn of_conversation(&self, kind: WebhookKind, id: ConversationId, at: Timestamp) -> Vec<NewWebhook> {
        let event = || NewWebhook { kind, subject: WebhookSubject::Conversation(id), at };
        if self.contains(kind) { vec![event()] } else { Vec::new() }
    }
}

fn of_message(kind: WebhookKind, message: &Message, at: Timestamp) -> NewWebhook {
    let subject = WebhookSubject::Message { conversation_id: message.conversation_id, message_id: message.id };
    NewWebhook { kind, subject, at }
}
