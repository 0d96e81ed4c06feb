//! An event of webhooks as its receiver reads it: `{id, type, createdAt, data}`. What it is about has talentbridge's
//! shape, as in the HTTP API (`docs/webhooks.md`). Signing and sending it is the sender's part.

use parlance_domain::model::{CallMedia, ConversationId, EndedCall, MessageId, NotificationId, WebhookId};
use parlance_domain::ports::{Webhook, WebhookData};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Dialect;
use crate::shapes::{Id, Moment, raw};

/// The body of an event.
pub fn webhook(webhook: &Webhook) -> Box<RawValue> {
    let Webhook { id, kind, at, data } = webhook;
    raw(&Body { id: Id(*id), r#type: kind.name(), created_at: Moment(*at), data: Data::from(data) })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    id: Id<WebhookId>,
    r#type: &'static str,
    created_at: Moment,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Data<'a> {
    Message {
        conversation_id: Id<ConversationId>,
        message_id: Id<MessageId>,
        message: Option<Box<RawValue>>,
    },
    Conversation {
        conversation_id: Id<ConversationId>,
        conversation: Option<Box<RawValue>>,
    },
    User {
        user_id: &'a str,
        online: bool,
    },
    Notification {
        user_id: &'a str,
        notification_id: Id<NotificationId>,
        notification: Option<Box<RawValue>>,
    },
    Call {
        call_id: &'a str,
        conversation_id: Id<ConversationId>,
        caller_id: &'a str,
        media: &'static str,
        answered: bool,
        reason: Option<&'a str>,
    },
}

impl<'a> From<&'a WebhookData> for Data<'a> {
    fn from(data: &'a WebhookData) -> Self {
        let shape = Dialect::Talentbridge;
        match data {
            WebhookData::Message { conversation_id, message_id, message } => Self::Message {
                conversation_id: Id(*conversation_id),
                message_id: Id(*message_id),
                message: message.as_ref().map(|view| shape.message(view)),
            },
            WebhookData::Conversation { conversation_id, conversation } => Self::Conversation {
                conversation_id: Id(*conversation_id),
                conversation: conversation.as_ref().map(|view| shape.conversation(view)),
            },
            WebhookData::User { user_id, online } => Self::User { user_id: user_id.as_str(), online: *online },
            WebhookData::Notification { user_id, notification_id, notification } => Self::Notification {
                user_id: user_id.as_str(),
                notification_id: Id(*notification_id),
                notification: notification.as_ref().map(|view| shape.notification(view)),
            },
            WebhookData::Call(EndedCall { call_id, conversation_id, caller, media, answered, reason }) => Self::Call {
                call_id: call_id.as_str(),
                conversation_id: Id(*conversation_id),
                caller_id: caller.as_str(),
                media: match media {
                    CallMedia::Audio => "audio",
                    CallMedia::Video => "video",
                    CallMedia::Screen => "screen",
                },
                answered: *answered,
                reason: reason.as_deref(),
            },
        }
    }
}
