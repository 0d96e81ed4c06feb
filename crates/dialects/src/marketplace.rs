//! `marketplace`: `join:conversation` with a bare id, some acks without an envelope, messages and people in
//! `gateway`'s shapes. Its clients send and mark over REST; its receipts and statuses are the extension vocabulary's.

use parlance_domain::event::Event;
use parlance_domain::model::{self, ConversationId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::errors::Operation;
use crate::extension::StatusShape;
use crate::gateway::Message;
use crate::notification::BriefNotification;
use crate::shapes::{AvatarUser, Id};
use crate::vocabulary::{Ack, Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Wire, extension, payloads, wire};

/// The dialect.
pub(crate) struct Marketplace;

impl Vocabulary for Marketplace {
    type Message<'a> = Message<'a>;
    type User<'a> = AvatarUser<'a>;
    type Notification<'a> = BriefNotification<'a>;

    const INBOUND: &'static [Inbound] = &[
        Inbound::new::<payloads::OfConversation>("join:conversation", |args| args.conversation_id().map(Command::Join))
            .of(Operation::Join)
            .says(Said::Room),
        Inbound::new::<payloads::OfConversation>("leave:conversation", |args| {
            args.conversation_id().map(Command::Leave)
        })
        .says(Said::Room),
        Inbound::new::<payloads::OfConversation>("typing:start", |args| {
            Ok(Command::TypingStart(args.conversation_id()?, None))
        }),
        Inbound::new::<payloads::OfConversation>("typing:stop", |args| args.conversation_id().map(Command::TypingStop)),
        Inbound::new::<payloads::OfConversation>("conversation:get-online-users", |args| {
            args.conversation_id().map(Command::OnlineUsers)
        })
        .acked_as(Ack::Array)
        .says(Said::OnlineUsers),
        // `user:get-status` and `users:get-status` are in the extension vocabulary, in this dialect's shape.
    ];

    const OUTBOUND: &'static [Outbound] = &[
        Outbound::new::<Message<'static>>("message:new"),
        Outbound::new::<Typing<'static>>("typing:start"),
        Outbound::new::<Typing<'static>>("typing:stop"),
        Outbound::new::<StatusShape<'static>>("user:status-changed"),
    ];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => wire::one("message:new", &Message::from(&**message)),
            Event::TypingStarted { conversation_id, user } => {
                wire::one("typing:start", &Typing::new(*conversation_id, user))
            }
            Event::TypingStopped { conversation_id, user } => {
                wire::one("typing:stop", &Typing::new(*conversation_id, user))
            }
            Event::UserOnline { user_id, .. } => wire::one("user:status-changed", &StatusShape::of(user_id, true)),
            Event::UserOffline { user_id, .. } => wire::one("user:status-changed", &StatusShape::of(user_id, false)),
            _ => extension::encode::<Self>(event, unread),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Typing<'a> {
    conversation_id: Id<ConversationId>,
    user_id: &'a str,
}

impl<'a> Typing<'a> {
    fn new(conversation_id: ConversationId, user: &'a model::User) -> Self {
        Self { conversation_id: Id(conversation_id), user_id: user.id.as_str() }
    }
}
