//! `gateway`: `joinConversation`, `sendMessage {content}`, people as `{id, name, avatar}`. Its message shape is
//! `marketplace`'s too. It has no words for presence and receipts of its own,
//! and tells how many notifications are unread.

use parlance_domain::event::Event;
use parlance_domain::model::{self, ConversationId, MessageId, MessageStatus, MessageView, ReplyView};
use schemars::JsonSchema;
use serde::Serialize;

use crate::errors::Operation;
use crate::notification::BriefNotification;
use crate::shapes::{AvatarUser, History, Id, Media, message_type};
use crate::vocabulary::{Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Dialect, Wire, draft, extension, payloads, wire};

/// The dialect.
pub(crate) struct Gateway;

impl Vocabulary for Gateway {
    type Message<'a> = Message<'a>;
    type User<'a> = AvatarUser<'a>;
    type Notification<'a> = BriefNotification<'a>;

    const NAME: &'static str = Dialect::Gateway.name();
    const UNREAD_NOTIFICATIONS: Option<fn(u64) -> Wire> = Some(unread_count);

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("joinConversation"),
        Inbound::leave("leaveConversation"),
        Inbound::new::<payloads::SendContent>("sendMessage", |args| {
            draft::text(args.fields()?, "content").map(Command::Send)
        })
        .of(Operation::Send)
        .says(Said::Sent),
        Inbound::typing_start("typing"),
        Inbound::typing_stop("stopTyping"),
    ];

    const OUTBOUND: &'static [Outbound] = &[
        Outbound::new::<Message<'static>>("newMessage"),
        Outbound::new::<Typing<'static>>("userTyping"),
        Outbound::new::<Typing<'static>>("userStoppedTyping"),
        Outbound::new::<BriefNotification<'static>>("notification"),
        Outbound::new::<u64>("unreadCount"),
    ];

    const REPLACED: &'static [&'static str] = &["notification:new"];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => wire::one("newMessage", &Message::from(&**message)),
            Event::TypingStarted { conversation_id, user } => {
                wire::one("userTyping", &Typing::new(*conversation_id, user))
            }
            Event::TypingStopped { conversation_id, user } => {
                wire::one("userStoppedTyping", &Typing::new(*conversation_id, user))
            }
            Event::NotificationNew { notification, unread, .. } => {
                vec![Wire::new("notification", &BriefNotification::from(&**notification)), unread_count(*unread)]
            }
            Event::NotificationRead { unread: count, .. } | Event::NotificationRemoved { unread: count, .. } => {
                counted(extension::encode::<Self>(event, unread), *count)
            }
            Event::NotificationsReadAll { .. } => counted(extension::encode::<Self>(event, unread), 0),
            _ => extension::encode::<Self>(event, unread),
        }
    }
}

/// How many notifications are unread: this dialect's clients show what they are told last.
fn unread_count(unread: u64) -> Wire {
    Wire::new("unreadCount", &unread)
}

fn counted(mut wires: Vec<Wire>, unread: u64) -> Vec<Wire> {
    wires.push(unread_count(unread));
    wires
}

/// A message.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GatewayMessage")]
pub(crate) struct Message<'a> {
    id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
    seq: u64,
    rev: u64,
    sender_id: &'a str,
    sender: AvatarUser<'a>,
    content: Option<&'a str>,
    #[schemars(extend("enum" = ["text", "image", "video", "file", "system"]))]
    r#type: &'static str,
    attachments: Media<'a>,
    reply_to: Option<Reply<'a>>,
    is_read: bool,
    #[serde(flatten)]
    history: History<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GatewayReply")]
struct Reply<'a> {
    id: Id<MessageId>,
    content: Option<&'a str>,
    sender_id: &'a str,
}

impl<'a> From<&'a MessageView> for Message<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            id: Id(message.id),
            conversation_id: Id(message.conversation_id),
            seq: message.seq,
            rev: message.rev,
            sender_id: message.sender_id.as_str(),
            sender: (&view.sender).into(),
            content: message.text.as_deref(),
            r#type: message_type(message.kind),
            attachments: Media::of(&message.media),
            reply_to: view.reply_to.as_ref().map(Reply::from),
            is_read: view.status == MessageStatus::Read,
            history: view.into(),
        }
    }
}

impl<'a> From<&'a ReplyView> for Reply<'a> {
    fn from(reply: &'a ReplyView) -> Self {
        Self { id: Id(reply.id), content: reply.text.as_deref(), sender_id: reply.sender.id.as_str() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Typing<'a> {
    user_id: &'a str,
    conversation_id: Id<ConversationId>,
}

impl<'a> Typing<'a> {
    fn new(conversation_id: ConversationId, user: &'a model::User) -> Self {
        Self { user_id: user.id.as_str(), conversation_id: Id(conversation_id) }
    }
}
