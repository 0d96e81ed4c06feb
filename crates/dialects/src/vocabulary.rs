//! What makes a dialect: its table of inbound names, its shapes, and how it words what happened. Each of the five
//! implements [`Vocabulary`] in a file of its own; `codec` picks the one that a socket speaks.

use parlance_domain::event::Event;
use parlance_domain::model::{MessageView, NotificationView, User};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::errors::Operation;
use crate::payloads::OfConversation;
use crate::{Command, Decoded, Wire};

/// One of the five.
pub(crate) trait Vocabulary {
    /// A message as this dialect shows it.
    type Message<'a>: From<&'a MessageView> + JsonSchema + Serialize;
    /// A person as this dialect shows them.
    type User<'a>: From<&'a User> + JsonSchema + Serialize;
    /// A notification as this dialect shows it.
    type Notification<'a>: From<&'a NotificationView> + JsonSchema + Serialize;

    /// What its clients may send, beside the extension vocabulary.
    const INBOUND: &'static [Inbound];

    /// What its clients may hear in words of its own. Kept whole by a test that encodes every event.
    const OUTBOUND: &'static [Outbound];

    /// What of the extension vocabulary they do not hear, since the dialect has another word for it.
    const REPLACED: &'static [&'static str] = &[];

    /// What its clients hear of an event; nothing if the dialect does not show it.
    fn encode(event: &Event, unread: u64) -> Vec<Wire>;
}

/// A row of a table of inbound names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inbound {
    /// The event.
    pub(crate) name: &'static str,
    /// How its arguments become a command.
    pub(crate) read: fn(Arguments<'_>) -> Decoded,
    /// What failed if carrying it out fails without a better reason.
    pub(crate) operation: Operation,
    /// What its ack looks like.
    pub(crate) ack: Ack,
    /// What its argument is, as a schema.
    pub(crate) takes: fn(&mut SchemaGenerator) -> Schema,
    /// What its ack says when all went well.
    pub(crate) said: Said,
}

/// The shape of an ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ack {
    /// `{success, …}`.
    Envelope,
    /// A bare array; `[]` on failure.
    Array,
    /// A bare `{userId, status}`; offline on failure.
    Status,
}

/// What the ack of an event that was carried out says, beside `success`: which [`crate::Reply`] it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Done,
    Room,
    OnlineUsers,
    Sent,
    Read,
    Message,
    Statuses,
    Synced,
}

impl Inbound {
    /// An event with an argument of this shape and the usual ack, which says nothing.
    pub(crate) const fn new<Payload: JsonSchema>(name: &'static str, read: fn(Arguments<'_>) -> Decoded) -> Self {
        let takes = schema_of::<Payload>;
        Self { name, read, operation: Operation::Other, ack: Ack::Envelope, takes, said: Said::Done }
    }

    /// Joining a conversation, by this name.
    pub(crate) const fn join(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::Join))
            .of(Operation::Join)
            .says(Said::Room)
    }

    /// Leaving it.
    pub(crate) const fn leave(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::Leave)).says(Said::Room)
    }

    /// Asking who of it is online.
    pub(crate) const fn online_users(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::OnlineUsers))
            .says(Said::OnlineUsers)
    }

    /// Beginning to type in it.
    pub(crate) const fn typing_start(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| Ok(Command::TypingStart(args.conversation_id()?, None)))
    }

    /// Typing no more.
    pub(crate) const fn typing_stop(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::TypingStop))
    }

    /// The same event, whose ack says this.
    pub(crate) const fn says(self, said: Said) -> Self {
        Self { said, ..self }
    }

    /// The same event, failing as `operation`.
    pub(crate) const fn of(self, operation: Operation) -> Self {
        Self { operation, ..self }
    }

    /// The same event with another ack.
    pub(crate) const fn acked_as(self, ack: Ack) -> Self {
        Self { ack, ..self }
    }
}

/// A row of a table of what clients may hear.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outbound {
    /// The event.
    pub(crate) name: &'static str,
    /// What its argument is, as a schema.
    pub(crate) says: fn(&mut SchemaGenerator) -> Schema,
}

impl Outbound {
    /// An event with an argument of this shape.
    pub(crate) const fn new<Payload: JsonSchema>(name: &'static str) -> Self {
        Self { name, says: schema_of::<Payload> }
    }

    /// An event without arguments.
    pub(crate) const fn bare(name: &'static str) -> Self {
        Self::new::<()>(name)
    }
}

fn schema_of<Payload: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Payload>()
}
