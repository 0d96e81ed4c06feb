//! The extension vocabulary, which every dialect understands: edits, reactions, receipts, statuses, notifications,
//! `sync` and what becomes of conversations; calls are in `call`. One shape everywhere, save that messages and
//! notifications look as the dialect shows them.
//! Contract: `dialects.md`, "Extension vocabulary". Dialects fall back on it for what they have no words of their own.

use parlance_domain::event::Event;
use parlance_domain::model::{ConversationId, Emoji, MessageId, NotificationId, Rev, UserId};
use parlance_domain::ports::ReadTarget;
use parlance_domain::rules::Limits;
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::arguments::{Arguments, whole_number};
use crate::conversation::ConversationShape;
use crate::errors::Operation;
use crate::shapes::{Id, Ids, Reactions, passed_on};
use crate::vocabulary::{Ack, Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Wire, answer, call, payloads, wire};

/// What clients of every dialect may send. A dialect's own table comes first.
pub(crate) const INBOUND: &[Inbound] = &[
    Inbound::new::<payloads::Edit>("message:edit", |args| {
        Ok(Command::Edit(args.message_id()?, args.fields()?.required_text("text")?.to_owned()))
    })
    .says(Said::Message),
    Inbound::new::<payloads::OfMessage>("message:delete", |args| args.message_id().map(Command::Delete))
        .says(Said::Message),
    Inbound::new::<payloads::React>("message:react", |args| Ok(Command::React(args.message_id()?, emoji(args)?)))
        .says(Said::Message),
    Inbound::new::<payloads::React>("message:unreact", |args| Ok(Command::Unreact(args.message_id()?, emoji(args)?)))
        .says(Said::Message),
    Inbound::new::<payloads::MarkUpTo>("messages:mark_read", |args| {
        Ok(Command::MarkRead(args.conversation_id()?, up_to(args)?))
    })
    .of(Operation::MarkRead)
    .says(Said::Read),
    Inbound::new::<payloads::OfUser>("user:get-status", |args| args.user_id().map(Command::UserStatus))
        .acked_as(Ack::Status)
        .says(Said::Statuses),
    Inbound::new::<payloads::OfUsers>("users:get-status", |args| args.user_ids().map(Command::UsersStatus))
        .acked_as(Ack::Array)
        .says(Said::Statuses),
    Inbound::new::<payloads::OfNotification>("notification:read", |args| {
        notification_id(args).map(Command::NotificationRead)
    }),
    Inbound::new::<()>("notifications:read-all", |_| Ok(Command::NotificationsReadAll)),
    Inbound::new::<payloads::Sync>("sync", |args| sync(args).map(|asked| Command::Sync(asked.known)))
        .says(Said::Synced),
    Inbound::new::<payloads::Token>("auth:refresh", |args| Ok(Command::AuthRefresh(args.text("token")?.to_owned()))),
];

/// Bare or as `notificationId`. No other id was ever given out, so it leads nowhere.
fn notification_id(args: Arguments<'_>) -> Result<NotificationId> {
    args.text("notificationId")?.parse().map_err(|_| Error::NotFound("Notification not found"))
}

fn emoji(args: Arguments<'_>) -> Result<Emoji> {
    Emoji::new(args.fields()?.required_text("emoji")?)
}

/// Without `upToMessageId`, and with a bare conversation id: everything.
fn up_to(args: Arguments<'_>) -> Result<ReadTarget> {
    let Ok(fields) = args.fields() else { return Ok(ReadTarget::All) };
    Ok(fields.message_id("upToMessageId")?.map_or(ReadTarget::All, ReadTarget::UpTo))
}

/// What a `sync` asks for.
pub(crate) struct Asked<'a> {
    /// Conversations that may exist, with the `rev` that the client has.
    pub(crate) known: Vec<(ConversationId, Rev)>,
    /// What cannot be the id of any: answered as unknown, so that one stale entry does not cost a client all others.
    pub(crate) malformed: Vec<&'a str>,
}

/// Reads a `sync`, of at most [`Limits::MAX_SYNC`] conversations.
pub(crate) fn sync(args: Arguments<'_>) -> Result<Asked<'_>> {
    let conversations = args.fields()?.required_object("conversations")?;
    if conversations.len() > Limits::MAX_SYNC {
        return Err(Error::validation("conversations", format!("must have at most {} entries", Limits::MAX_SYNC)));
    }
    let mut asked = Asked { known: Vec::with_capacity(conversations.len()), malformed: Vec::new() };
    for (id, rev) in conversations {
        let rev = whole_number("conversations", rev)?;
        match id.parse() {
            Ok(id) => asked.known.push((id, rev)),
            Err(_) => asked.malformed.push(id),
        }
    }
    Ok(asked)
}

/// What clients of a dialect may hear of this vocabulary, calls included.
pub(crate) fn outbound<V: Vocabulary>() -> impl Iterator<Item = Outbound> {
    let own = [
        Outbound::new::<MessageEdited<V::Message<'static>>>("message:edited"),
        Outbound::new::<MessageDeleted>("message:deleted"),
        Outbound::new::<MessageReaction<'static>>("message:reaction"),
        Outbound::new::<MessagesRead<'static>>("messages:read"),
        Outbound::new::<Conversation<'static>>("conversation:new"),
        Outbound::new::<Conversation<'static>>("conversation:updated"),
        Outbound::new::<ConversationRemoved>("conversation:removed"),
        Outbound::new::<V::Notification<'static>>("notification:new"),
        Outbound::new::<Id<NotificationId>>("notification:read"),
        Outbound::bare("notifications:read-all"),
        Outbound::new::<UploadProgress<'static>>("upload:progress"),
        Outbound::new::<SessionEnded<'static>>("session:ended"),
        Outbound::new::<SessionExpired>("session:expired"),
        Outbound::new::<answer::ErrorEvent<'static>>("error"),
    ];
    own.into_iter().chain(call::OUTBOUND.iter().copied())
}

/// What clients of a dialect hear of an event for which it has no words of its own.
pub fn encode<V: Vocabulary>(event: &Event, unread: u64) -> Vec<Wire> {
    match event {
        Event::MessageEdited { message } => {
            let conversation_id = Id(message.message.conversation_id);
            wire::one("message:edited", &MessageEdited { conversation_id, message: V::Message::from(message) })
        }
        Event::MessageDeleted { message } => wire::one(
            "message:deleted",
            &MessageDeleted {
                message_id: Id(message.message.id),
                conversation_id: Id(message.message.conversation_id),
            },
        ),
        Event::ReactionChanged { conversation_id, message_id, emoji, user_id, added, reactions, rev: _ } => wire::one(
            "message:reaction",
            &MessageReaction {
                conversation_id: Id(*conversation_id),
                message_id: Id(*message_id),
                emoji: emoji.as_str(),
                user_id: user_id.as_str(),
                action: if *added { "added" } else { "removed" },
                reactions: Reactions::of(reactions),
            },
        ),
        Event::MessagesRead { conversation_id, reader, message_ids, .. } => wire::one(
            "messages:read",
            &MessagesRead {
                conversation_id: Id(*conversation_id),
                message_ids: Ids::of(message_ids),
                user_id: reader.as_str(),
            },
        ),
        Event::ConversationNew { conversation, .. } => {
            wire::one("conversation:new", &Conversation { conversation: (&**conversation).into() })
        }
        Event::ConversationUpdated { conversation, .. } => {
            let conversation = ConversationShape::from(&**conversation).with_unread(unread);
            wire::one("conversation:updated", &Conversation { conversation })
        }
        Event::ParticipantRemoved { conversation_id, .. } => {
            wire::one("conversation:removed", &ConversationRemoved { conversation_id: Id(*conversation_id) })
        }
        Event::NotificationNew { notification, .. } => {
            wire::one("notification:new", &V::Notification::from(&**notification))
        }
        // There is no word for a notification that was removed; that it is not unread any more is what clients count.
        Event::NotificationRead { id, .. } | Event::NotificationRemoved { id, .. } => {
            wire::one("notification:read", &Id(*id))
        }
        Event::NotificationsReadAll { .. } => vec![Wire::bare("notifications:read-all")],
        Event::UploadProgress { upload_id, loaded, total, .. } => {
            wire::one("upload:progress", &UploadProgress { upload_id, loaded: *loaded, total: *total })
        }
        Event::Product { event, to: _ } => {
            let args = passed_on(event.data()).map(RawValue::to_owned).into_iter().collect();
            vec![Wire { event: event.name().to_owned().into(), args }]
        }
        Event::SessionsEnded { reason, .. } => wire::one("session:ended", &SessionEnded { reason: reason.as_deref() }),
        Event::Call { call_id, what, to: _ } => call::encode(call_id, what),
        // A dialect has words of its own for these, or does not show them.
        Event::MessageNew { .. }
        | Event::MessagesDelivered { .. }
        | Event::TypingStarted { .. }
        | Event::TypingStopped { .. }
        | Event::UserOnline { .. }
        | Event::UserOffline { .. }
        | Event::GroupPhotoChanged { .. } => Vec::new(),
    }
}

/// Whether somebody is online.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Status")]
pub(crate) struct StatusShape<'a> {
    user_id: &'a str,
    #[schemars(extend("enum" = ["online", "offline"]))]
    status: &'static str,
}

impl<'a> StatusShape<'a> {
    pub(crate) fn of(user: &'a UserId, online: bool) -> Self {
        Self { user_id: user.as_str(), status: if online { "online" } else { "offline" } }
    }

    /// What is said of somebody of whom nothing can be said.
    pub(crate) fn unknown(user_id: &'a str) -> Self {
        Self { user_id, status: "offline" }
    }
}

impl<'a> From<&'a (UserId, bool)> for StatusShape<'a> {
    fn from((user, online): &'a (UserId, bool)) -> Self {
        Self::of(user, *online)
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageEdited<M> {
    conversation_id: Id<ConversationId>,
    message: M,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageDeleted {
    message_id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessageReaction<'a> {
    conversation_id: Id<ConversationId>,
    message_id: Id<MessageId>,
    emoji: &'a str,
    user_id: &'a str,
    #[schemars(extend("enum" = ["added", "removed"]))]
    action: &'static str,
    reactions: Reactions<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct MessagesRead<'a> {
    conversation_id: Id<ConversationId>,
    message_ids: Ids<'a, MessageId>,
    user_id: &'a str,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct SessionEnded<'a> {
    reason: Option<&'a str>,
}

/// The socket's token is no longer good; it is disconnected. Said by the transport, which makes it itself.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
struct SessionExpired {}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Conversation<'a> {
    conversation: ConversationShape<'a>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct ConversationRemoved {
    conversation_id: Id<ConversationId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct UploadProgress<'a> {
    upload_id: &'a str,
    loaded: u64,
    total: Option<u64>,
}
