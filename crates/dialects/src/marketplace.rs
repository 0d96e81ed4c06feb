//! `marketplace`: `join:conversation` with a bare id, some acks without an envelope, messages and people in
//! `gateway`'s shapes. Its clients send and mark over REST; its receipts and statuses are the extension vocabulary's.

use parlance_domain::event::Event;
use parlance_domain::model::{self, ConversationId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::extension::StatusShape;
use crate::gateway::Message;
use crate::notification::BriefNotification;
use crate::shapes::{AvatarUser, Id};
use crate::vocabulary::{Ack, Inbound, Outbound, Vocabulary};
use crate::{Dialect, Wire, extension, wire};

/// The dialect.
pub(crate) struct Marketplace;

impl Vocabulary for Marketplace {
    type Message<'a> = Message<'a>;
    type User<'a> = AvatarUser<'a>;
    type Notification<'a> = BriefNotification<'a>;

    const NAME: &'static str = Dialect::Marketplace.name();

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("join:conversation"),
        Inbound::leave("leave:conversation"),
        Inbound::typing_start("typing:start"),
        Inbound::typing_stop("typing:stop"),
        Inbound::online_users("conversation:get-online-users").acked_as(Ack::Array),
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
