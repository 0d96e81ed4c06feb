//! What makes a dialect: its table of inbound names, its shapes, and how it words what happened. Each of the five
//! implements [`Vocabulary`] in a file of its own, and so does whoever adds a sixth, with the pieces that are public
//! here. Everything else (acks, errors, the extension vocabulary, the description) follows from it.

use parlance_domain::event::Event;
use parlance_domain::model::{MessageView, NotificationView, User};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::payloads::OfConversation;
use crate::{Command, Decoded, Reply, Wire};

pub use crate::arguments::{Arguments, Fields};
pub use crate::errors::Operation;
pub use crate::extension::encode as encode_extension;
pub use crate::notification::Notification;
pub use crate::schemas::ObjectIdSchema;
pub use crate::shapes::{Id, Moment};

/// One dialect. Stateless: a value of the type stands for it, and is of no other use.
pub trait Vocabulary: Send + Sync + 'static {
    /// A message as this dialect shows it.
    type Message<'a>: From<&'a MessageView> + JsonSchema + Serialize;
    /// A person as this dialect shows them.
    type User<'a>: From<&'a User> + JsonSchema + Serialize;
    /// A notification as this dialect shows it.
    type Notification<'a>: From<&'a NotificationView> + JsonSchema + Serialize;

    /// The name in handshakes, queries, settings and metrics: lower-case letters, digits and dashes.
    const NAME: &'static str;

    /// Whether conversation events reach every socket of every participant, or only the sockets that joined the room
    /// (contract: "Message sending, all dialects").
    const REACHES_PARTICIPANTS: bool = false;

    /// Whether its clients hear of every failure as an `error` event, acked or not.
    const ERRORS_ARE_EVENTS: bool = false;

    /// How it tells a socket that has connected how many notifications are unread; `None` if it does not.
    const UNREAD_NOTIFICATIONS: Option<fn(u64) -> Wire> = None;

    /// What its clients may send, beside the extension vocabulary.
    const INBOUND: &'static [Inbound];

    /// What its clients may hear in words of its own. Kept whole by a test that encodes every event.
    const OUTBOUND: &'static [Outbound];

    /// What of the extension vocabulary they do not hear, since the dialect has another word for it.
    const REPLACED: &'static [&'static str] = &[];

    /// What its clients hear of an event; nothing if the dialect does not show it. Events for which it has no words of its
    /// own go to [`encode_extension`].
    fn encode(event: &Event, unread: u64) -> Vec<Wire>;

    /// What the asking socket alone hears of something that was carried out, beside the ack.
    fn beside_ack(_reply: &Reply) -> Vec<Wire> {
        Vec::new()
    }
}

/// A row of a table of inbound names: an event, how it is read, and what its ack looks like.
#[derive(Debug, Clone, Copy)]
pub struct Inbound {
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
pub enum Ack {
    /// `{success, …}`.
    Envelope,
    /// A bare array; `[]` on failure.
    Array,
    /// A bare `{userId, status}`; offline on failure.
    Status,
}

/// What the ack of an event that was carried out says, beside `success`: which [`crate::Reply`] it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing.
    Done,
    /// Which conversation was joined or left.
    Room,
    /// Who is online.
    OnlineUsers,
    /// The message that was sent.
    Sent,
    /// How much is unread.
    Read,
    /// The message as it is now.
    Message,
    /// Who is online and who is not.
    Statuses,
    /// What has changed.
    Synced,
}

impl Inbound {
    /// An event with an argument of this shape and the usual ack, which says nothing.
    pub const fn new<Payload: JsonSchema>(name: &'static str, read: fn(Arguments<'_>) -> Decoded) -> Self {
        let takes = schema_of::<Payload>;
        Self { name, read, operation: Operation::Other, ack: Ack::Envelope, takes, said: Said::Done }
    }

    /// Joining a conversation, by this name.
    pub const fn join(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::Join))
            .of(Operation::Join)
            .says(Said::Room)
    }

    /// Leaving it.
    pub const fn leave(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::Leave)).says(Said::Room)
    }

    /// Asking who of it is online.
    pub const fn online_users(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::OnlineUsers))
            .says(Said::OnlineUsers)
    }

    /// Beginning to type in it.
    pub const fn typing_start(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| Ok(Command::TypingStart(args.conversation_id()?, None)))
    }

    /// Typing no more.
    pub const fn typing_stop(name: &'static str) -> Self {
        Self::new::<OfConversation>(name, |args| args.conversation_id().map(Command::TypingStop))
    }

    /// The event.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The same event, whose ack says this.
    #[must_use]
    pub const fn says(self, said: Said) -> Self {
        Self { said, ..self }
    }

    /// The same event, failing as `operation`.
    #[must_use]
    pub const fn of(self, operation: Operation) -> Self {
        Self { operation, ..self }
    }

    /// The same event with another ack.
    #[must_use]
    pub const fn acked_as(self, ack: Ack) -> Self {
        Self { ack, ..self }
    }
}

/// A row of a table of what clients may hear: an event, and what its argument is.
#[derive(Debug, Clone, Copy)]
pub struct Outbound {
    /// The event.
    pub(crate) name: &'static str,
    /// What its argument is, as a schema.
    pub(crate) says: fn(&mut SchemaGenerator) -> Schema,
}

impl Outbound {
    /// An event with an argument of this shape.
    pub const fn new<Payload: JsonSchema>(name: &'static str) -> Self {
        Self { name, says: schema_of::<Payload> }
    }

    /// An event without arguments.
    pub const fn bare(name: &'static str) -> Self {
        Self::new::<()>(name)
    }
}

fn schema_of<Payload: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Payload>()
}
