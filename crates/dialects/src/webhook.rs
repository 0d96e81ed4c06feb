//! What receivers of webhooks read: `{id, type, createdAt, data}`, an event (`docs/webhooks.md`) or what waits for somebody
//! who is away (`docs/channels.md`). What it is about has talentbridge's shape, as in the HTTP API. Signing and sending it
//! is the sender's part.

use parlance_domain::model::{CallMedia, ConversationId, EndedCall, MessageId, NotificationId, Timestamp};
use parlance_domain::ports::{Digest, Webhook, WebhookData, Words};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Dialect;
use crate::shapes::{Id, Moment, raw};

/// The body of an event.
pub fn webhook(webhook: &Webhook) -> Box<RawValue> {
    let Webhook { id, kind, at, data } = webhook;
    raw(&Body { id: Id(*id), r#type: kind.name(), created_at: Moment(*at), data: Data::from(data) })
}

/// What waits for somebody at this moment, and the id of telling it: the same when the same is told once more, another
/// one when more waits.
pub fn notification_webhook(digest: &Digest, now: Timestamp) -> (String, Box<RawValue>) {
    let Digest { user, addresses: _, notification, unread, words } = digest;
    let id = format!("{}-{unread}", notification.id);
    let data = Waiting {
        user_id: user.id.as_str(),
        unread: *unread,
        notification: Dialect::Talentbridge.notification(notification),
        messages: words.iter().map(|Words { from, text }| Said { from, text }).collect(),
    };
    let body = raw(&Body { id: id.as_str(), r#type: "notification.due", created_at: Moment(now), data });
    (id, body)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<I, D> {
    id: I,
    r#type: &'static str,
    created_at: Moment,
    data: D,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting<'a> {
    user_id: &'a str,
    unread: u64,
    notification: Box<RawValue>,
    messages: Vec<Said<'a>>,
}

#[derive(Debug, Serialize)]
struct Said<'a> {
    from: &'a str,
    text: &'a str,
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
