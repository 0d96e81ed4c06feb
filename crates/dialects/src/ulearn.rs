//! `ulearn`: `join:conversation`, answers and errors come as events, people as `{_id, name, profileImage}`.
//! Beside acks it has two events: `message:sent`, and `error` for every failure.

use parlance_domain::event::Event;
use parlance_domain::model::{self, ConversationId, MessageId, MessageView, ReplyView};
use schemars::JsonSchema;
use serde::Serialize;

use crate::errors::Operation;
use crate::notification::Notification;
use crate::shapes::{History, Id, Ids, Media, message_type};
use crate::vocabulary::{Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Dialect, Reply as Outcome, Wire, draft, extension, payloads, wire};

/// The dialect.
pub(crate) struct Ulearn;

impl Vocabulary for Ulearn {
    type Message<'a> = Message<'a>;
    type User<'a> = User<'a>;
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = Dialect::Ulearn.name();

    // Its clients listen for `error` alone.
    const ERRORS_ARE_EVENTS: bool = true;

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("join:conversation"),
        Inbound::leave("leave:conversation"),
        Inbound::new::<payloads::SendRich>("send:message", |args| {
            let fields = args.fields()?;
            let draft = draft::rich(fields, "text")?;
            fields.required_text("messageType")?;
            Ok(Command::Send(draft))
        })
        .of(Operation::Send)
        .says(Said::Sent),
        Inbound::typing_start("typing:start"),
        Inbound::typing_stop("typing:stop"),
        Inbound::new::<payloads::MarkThese>("message:read", |args| {
            let fields = args.fields()?;
            Ok(Command::MarkRead(fields.conversation_id()?, fields.read_messages()?))
        })
        .of(Operation::MarkRead)
        .says(Said::Read),
    ];

    const OUTBOUND: &'static [Outbound] = &[
        Outbound::new::<MessageNew<'static>>("new:message"),
        Outbound::new::<MessagesRead<'static>>("messages:read"),
        Outbound::new::<MessageDelivered>("message:delivered"),
        Outbound::new::<Typing<'static>>("typing:start"),
        Outbound::new::<Typing<'static>>("typing:stop"),
        Outbound::new::<Presence<'static>>("user:online"),
        Outbound::new::<Presence<'static>>("user:offline"),
        Outbound::new::<PhotoUpdated<'static>>("group:photo:updated"),
        Outbound::new::<PhotoRemoved<'static>>("group:photo:removed"),
        Outbound::new::<MessageSent>("message:sent"),
    ];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => wire::one("new:message", &MessageNew { message: (&**message).into() }),
            Event::MessagesRead { conversation_id, reader, message_ids, .. } => wire::one(
                "messages:read",
                &MessagesRead {
                    message_ids: Ids::of(message_ids),
                    read_by: reader.as_str(),
                    conversation_id: Id(*conversation_id),
                },
            ),
            Event::MessagesDelivered { message_ids, .. } => message_ids
                .iter()
                .map(|id| Wire::new("message:delivered", &MessageDelivered { message_id: Id(*id) }))
                .collect(),
            Event::TypingStarted { conversation_id, user } => {
                wire::one("typing:start", &Typing::new(*conversation_id, user))
            }
            Event::TypingStopped { conversation_id, user } => {
                wire::one("typing:stop", &Typing::new(*conversation_id, user))
            }
            Event::UserOnline { user_id, .. } => wire::one("user:online", &Presence { user_id: user_id.as_str() }),
            Event::UserOffline { user_id, .. } => wire::one("user:offline", &Presence { user_id: user_id.as_str() }),
            Event::GroupPhotoChanged { conversation_id, image: Some(image), by } => wire::one(
                "group:photo:updated",
                &PhotoUpdated { group_id: Id(*conversation_id), group_image: image, updated_by: by.as_str() },
            ),
            Event::GroupPhotoChanged { conversation_id, image: None, by } => wire::one(
                "group:photo:removed",
                &PhotoRemoved { group_id: Id(*conversation_id), group_image: (), removed_by: by.as_str() },
            ),
            _ => extension::encode::<Self>(event, unread),
        }
    }

    fn beside_ack(reply: &Outcome) -> Vec<Wire> {
        let Outcome::Sent(view) = reply else { return Vec::new() };
        let message = &view.message;
        let sent = MessageSent { message_id: Id(message.id), conversation_id: Id(message.conversation_id) };
        wire::one("message:sent", &sent)
    }
}

/// A person.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UlearnUser")]
pub(crate) struct User<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    profile_image: Option<&'a str>,
}

impl<'a> From<&'a model::User> for User<'a> {
    fn from(user: &'a model::User) -> Self {
        Self { id: user.id.as_str(), name: &user.name, profile_image: user.picture.as_deref() }
    }
}

/// A message. `senderId` is the person, not the id.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UlearnMessage")]
pub(crate) struct Message<'a> {
    #[serde(rename = "_id")]
    id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
    seq: u64,
    rev: u64,
    sender_id: User<'a>,
    text: Option<&'a str>,
    media: Media<'a>,
    #[schemars(extend("enum" = ["text", "image", "video", "file", "system"]))]
    #[serde(rename = "messageType")]
    kind: &'static str,
    reply_to: Option<Reply<'a>>,
    #[serde(flatten)]
    history: History<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UlearnReply")]
struct Reply<'a> {
    #[serde(rename = "_id")]
    id: Id<MessageId>,
    text: Option<&'a str>,
    sender_id: User<'a>,
}

impl<'a> From<&'a MessageView> for Message<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            id: Id(message.id),
            conversation_id: Id(message.conversation_id),
            seq: message.seq,
            rev: message.rev,
            sender_id: (&view.sender).into(),
            text: message.text.as_deref(),
            media: Media::of(&message.media),
            kind: message_type(message.kind),
            reply_to: view.reply_to.as_ref().map(Reply::from),
            history: view.into(),
        }
    }
}

impl<'a> From<&'a ReplyView> for Reply<'a> {
    fn from(reply: &'a ReplyView) -> Self {
        Self { id: Id(reply.id), text: reply.text.as_deref(), sender_id: (&reply.sender).into() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct MessageNew<'a> {
    message: Message<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessagesRead<'a> {
    message_ids: Ids<'a, MessageId>,
    read_by: &'a str,
    conversation_id: Id<ConversationId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageDelivered {
    message_id: Id<MessageId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageSent {
    message_id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
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

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Presence<'a> {
    user_id: &'a str,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct PhotoUpdated<'a> {
    group_id: Id<ConversationId>,
    group_image: &'a str,
    updated_by: &'a str,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct PhotoRemoved<'a> {
    group_id: Id<ConversationId>,
    /// Always `null`.
    group_image: (),
    removed_by: &'a str,
}
