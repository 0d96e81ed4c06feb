//! `nextchat`: `joinConversation`, `sendMessage {senderId, message}`, people by their id alone. Clients name
//! themselves in what they send; whether it is their own name is checked where the command is carried out.

use parlance_domain::event::Event;
use parlance_domain::model::{ClientMessageId, ConversationId, MessageId, MessageView, UserId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::errors::Operation;
use crate::notification::Notification;
use crate::shapes::{Id, Moment, UserIdShape};
use crate::vocabulary::{Inbound, Outbound, Said, Vocabulary};
use crate::{Command, Dialect, Wire, draft, extension, payloads, wire};

/// The dialect.
pub(crate) struct Nextchat;

impl Vocabulary for Nextchat {
    type Message<'a> = Message<'a>;
    type User<'a> = UserIdShape<'a>;
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = Dialect::Nextchat.name();

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("joinConversation"),
        Inbound::leave("leaveConversation"),
        Inbound::new::<payloads::SendAs>("sendMessage", |args| {
            let fields = args.fields()?;
            let draft = draft::text(fields, "message")?;
            Ok(Command::SendAs(fields.required_user_id("senderId")?, draft))
        })
        .of(Operation::Send)
        .says(Said::Sent),
        Inbound::new::<payloads::Typist>("typing", |args| {
            let conversation = args.conversation_id()?;
            // A bare conversation id names nobody, so nobody else.
            let user = args.fields().ok().map(|fields| fields.required_user_id("userId")).transpose()?;
            Ok(Command::TypingStart(conversation, user))
        }),
    ];

    const OUTBOUND: &'static [Outbound] =
        &[Outbound::new::<Message<'static>>("newMessage"), Outbound::new::<Typist<'static>>("typing")];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => wire::one("newMessage", &Message::from(&**message)),
            Event::TypingStarted { conversation_id, user } => {
                wire::one("typing", &Typist::new(*conversation_id, &user.id, true))
            }
            Event::TypingStopped { conversation_id, user } => {
                wire::one("typing", &Typist::new(*conversation_id, &user.id, false))
            }
            _ => extension::encode::<Self>(event, unread),
        }
    }
}

/// A message.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NextchatMessage")]
pub(crate) struct Message<'a> {
    id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
    sender_id: &'a str,
    #[serde(rename = "message")]
    text: Option<&'a str>,
    timestamp: Moment,
    seq: u64,
    client_message_id: Option<&'a str>,
}

impl<'a> From<&'a MessageView> for Message<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            id: Id(message.id),
            conversation_id: Id(message.conversation_id),
            sender_id: message.sender_id.as_str(),
            text: message.text.as_deref(),
            timestamp: Moment(message.created_at),
            seq: message.seq,
            client_message_id: message.client_message_id.as_ref().map(ClientMessageId::as_str),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Typist<'a> {
    user_id: &'a str,
    is_typing: bool,
    conversation_id: Id<ConversationId>,
}

impl<'a> Typist<'a> {
    fn new(conversation_id: ConversationId, user: &'a UserId, is_typing: bool) -> Self {
        Self { user_id: user.as_str(), is_typing, conversation_id: Id(conversation_id) }
    }
}
