//! `talentbridge`: `conversation:join`, every call acked, people as `{_id, fullName, profilePicture}`.
//! Its clients hear of every conversation they are in, joined or not. The server's default.

use parlance_domain::event::Event;
use parlance_domain::model::{self, ConversationId, MessageId, MessageView, ReplyView};
use parlance_domain::rules::messages::Draft;
use schemars::JsonSchema;
use serde::Serialize;

use crate::errors::Operation;
use crate::notification::Notification;
use crate::shapes::{History, Id, Ids, Media, message_type};
use crate::vocabulary::{Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Dialect, Wire, draft, extension, payloads, wire};

/// The dialect.
pub(crate) struct Talentbridge;

impl Vocabulary for Talentbridge {
    type Message<'a> = Message<'a>;
    type User<'a> = User<'a>;
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = Dialect::Talentbridge.name();
    const REACHES_PARTICIPANTS: bool = true;

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("conversation:join"),
        Inbound::leave("conversation:leave"),
        Inbound::online_users("conversation:get_online_users"),
        Inbound::new::<payloads::SendText>("message:send", |args| {
            let fields = args.fields()?;
            let draft = draft::text(fields, "text")?;
            Ok(Command::Send(Draft { reply_to: fields.message_id("replyTo")?, ..draft }))
        })
        .of(Operation::Send)
        .says(Said::Sent),
        Inbound::typing_start("typing:start"),
        Inbound::typing_stop("typing:stop"),
        // `messages:mark_read` is in the extension vocabulary, in this dialect's shape.
    ];

    const OUTBOUND: &'static [Outbound] = &[
        Outbound::new::<MessageNew<'static>>("message:new"),
        Outbound::new::<MessagesRead<'static>>("messages:read"),
        Outbound::new::<Typing<'static>>("typing:start"),
        Outbound::new::<Typing<'static>>("typing:stop"),
        Outbound::new::<Presence<'static>>("user:online"),
        Outbound::new::<Presence<'static>>("user:offline"),
    ];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => {
                let conversation_id = Id(message.message.conversation_id);
                wire::one("message:new", &MessageNew { message: (&**message).into(), conversation_id })
            }
            Event::MessagesRead { conversation_id, reader, message_ids, .. } => wire::one(
                "messages:read",
                &MessagesRead {
                    conversation_id: Id(*conversation_id),
                    user_id: reader.as_str(),
                    up_to_message_id: message_ids.last().map(Id::from),
                    message_ids: Ids::of(message_ids),
                },
            ),
            Event::TypingStarted { conversation_id, user } => {
                wire::one("typing:start", &Typing::new(*conversation_id, user))
            }
            Event::TypingStopped { conversation_id, user } => {
                wire::one("typing:stop", &Typing::new(*conversation_id, user))
            }
            Event::UserOnline { user_id, .. } => wire::one("user:online", &Presence { user_id: user_id.as_str() }),
            Event::UserOffline { user_id, .. } => wire::one("user:offline", &Presence { user_id: user_id.as_str() }),
            _ => extension::encode::<Self>(event, unread),
        }
    }
}

/// A person.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TalentbridgeUser")]
pub(crate) struct User<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    full_name: &'a str,
    profile_picture: Option<&'a str>,
}

impl<'a> From<&'a model::User> for User<'a> {
    fn from(user: &'a model::User) -> Self {
        Self { id: user.id.as_str(), full_name: &user.name, profile_picture: user.picture.as_deref() }
    }
}

/// A message. `id` stands beside `_id`, since the guide's snippets use both.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TalentbridgeMessage")]
pub(crate) struct Message<'a> {
    #[serde(rename = "_id")]
    object_id: Id<MessageId>,
    id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
    seq: u64,
    rev: u64,
    sender: User<'a>,
    text: Option<&'a str>,
    #[schemars(extend("enum" = ["text", "image", "video", "file", "system"]))]
    #[serde(rename = "messageType")]
    kind: &'static str,
    media: Media<'a>,
    reply_to: Option<Reply<'a>>,
    #[serde(flatten)]
    history: History<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "TalentbridgeReply")]
struct Reply<'a> {
    #[serde(rename = "_id")]
    id: Id<MessageId>,
    text: Option<&'a str>,
    sender: User<'a>,
}

impl<'a> From<&'a MessageView> for Message<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            object_id: Id(message.id),
            id: Id(message.id),
            conversation_id: Id(message.conversation_id),
            seq: message.seq,
            rev: message.rev,
            sender: (&view.sender).into(),
            text: message.text.as_deref(),
            kind: message_type(message.kind),
            media: Media::of(&message.media),
            reply_to: view.reply_to.as_ref().map(Reply::from),
            history: view.into(),
        }
    }
}

impl<'a> From<&'a ReplyView> for Reply<'a> {
    fn from(reply: &'a ReplyView) -> Self {
        Self { id: Id(reply.id), text: reply.text.as_deref(), sender: (&reply.sender).into() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageNew<'a> {
    message: Message<'a>,
    conversation_id: Id<ConversationId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessagesRead<'a> {
    conversation_id: Id<ConversationId>,
    user_id: &'a str,
    /// The newest of those that were read.
    up_to_message_id: Option<Id<MessageId>>,
    message_ids: Ids<'a, MessageId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Typing<'a> {
    conversation_id: Id<ConversationId>,
    user_id: &'a str,
    user_info: User<'a>,
}

impl<'a> Typing<'a> {
    fn new(conversation_id: ConversationId, user: &'a model::User) -> Self {
        Self { conversation_id: Id(conversation_id), user_id: user.id.as_str(), user_info: user.into() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Presence<'a> {
    user_id: &'a str,
}
