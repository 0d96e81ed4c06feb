//! How an event reaches the product's backend. What it looks like there, and how it is signed, is the adapter's part.

use async_trait::async_trait;

use crate::model::{
    ConversationId, ConversationView, EndedCall, MessageId, MessageView, NotificationId, NotificationView, Timestamp,
    UserId, WebhookId, WebhookKind,
};

/// An event with what it is about, as that stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Identity: the same however often it is delivered.
    pub id: WebhookId,
    /// What happened.
    pub kind: WebhookKind,
    /// When.
    pub at: Timestamp,
    /// To what.
    pub data: WebhookData,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookData {
    /// A message.
    Message {
        /// Where it was said.
        conversation_id: ConversationId,
        /// Which.
        message_id: MessageId,
        /// As it stands, with the deletion of its words if it was deleted meanwhile; `None` if it is not there.
        message: Option<Box<MessageView>>,
    },
    /// A conversation.
    Conversation {
        /// Which.
        conversation_id: ConversationId,
        /// As it stands, with no unread messages of anybody; `None` if it is not there.
        conversation: Option<Box<ConversationView>>,
    },
    /// Somebody's presence.
    User {
        /// Whose.
        user_id: UserId,
        /// Whether they came, or went.
        online: bool,
    },
    /// A notification.
    Notification {
        /// Whose.
        user_id: UserId,
        /// Which.
        notification_id: NotificationId,
        /// As it stands; `None` if it was removed meanwhile.
        notification: Option<Box<NotificationView>>,
    },
    /// A call that is over.
    Call(EndedCall),
}

/// Why an event was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SendFailure {
    /// What went wrong, in a line that holds no secret.
    pub problem: String,
    /// The receiver will never take it: there is no use in another try.
    pub is_final: bool,
}

/// Delivers events.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Brings an event to the receiver, and returns once that has said whether it took it; within a time that is
    /// well below a claim's. May be dropped at any point.
    ///
    /// # Errors
    /// [`SendFailure`]; the receiver may have taken it nevertheless.
    async fn send(&self, webhook: &Webhook) -> Result<(), SendFailure>;
}
