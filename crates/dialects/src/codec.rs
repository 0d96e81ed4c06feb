//! The codec of a dialect, as transports call it: events in, commands out; what happened in, wire values out. Every
//! [`Vocabulary`] is one; what each says is in its own file. Object-safe, so that a server can have dialects that this
//! crate does not know.

use parlance_domain::Error;
use parlance_domain::event::Event;
use parlance_domain::model::{ConversationView, MessageView, NotificationView, Reaction, User};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::Arguments;
use crate::conversation::ConversationShape;
use crate::shapes::{Reactions, raw};
use crate::vocabulary::{Inbound, Outbound, Vocabulary};
use crate::{Answer, Decoded, Reply, Wire, answer, call, extension};

/// The most characters of an unknown event's name that are repeated to whoever sent it.
const MAX_SHOWN_NAME: usize = 100;

/// What a [`Vocabulary`] comes to. Implemented for all of them, and by nothing else.
pub trait Codec: Send + Sync + 'static {
    /// The name in handshakes, queries, settings and metrics.
    fn name(&self) -> &'static str;

    /// Whether conversation events reach every socket of every participant, or only the sockets that joined the room
    /// (contract: "Message sending, all dialects").
    fn reaches_participants(&self) -> bool;

    /// What a client asks for by `event` with `args` (without the ack). Reads any JSON whatever.
    ///
    /// # Errors
    /// `Validation` naming the field, or the event if there is none of that name; `ConversationNotFound`,
    /// `MessageNotFound` for ids that cannot be any; `AudioNotAllowed`.
    fn decode(&self, event: &str, args: &[Value]) -> Decoded;

    /// What this dialect's sockets hear of `event`, in order; empty if the dialect does not show it.
    /// `unread` is the hearer's own count for `Audience::Counted`, and ignored for all others.
    fn encode(&self, event: &Event, unread: u64) -> Vec<Wire>;

    /// The answer to `event` with `args`, once it is known what it came to.
    fn answer(&self, event: &str, args: &[Value], outcome: Result<&Reply, &Error>) -> Answer;

    /// A message in this dialect's shape.
    fn message(&self, view: &MessageView) -> Box<RawValue>;

    /// A person in this dialect's shape.
    fn user(&self, user: &User) -> Box<RawValue>;

    /// A conversation; `talentbridge`'s shape in every dialect.
    fn conversation(&self, view: &ConversationView) -> Box<RawValue> {
        raw(&ConversationShape::from(view))
    }

    /// A notification in this dialect's shape.
    fn notification(&self, view: &NotificationView) -> Box<RawValue>;

    /// The reactions to a message; one shape in every dialect.
    fn reactions(&self, reactions: &[Reaction]) -> Box<RawValue> {
        raw(&Reactions::of(reactions))
    }

    /// Whether its sockets hear on connecting how many notifications are unread.
    fn shows_unread_notifications(&self) -> bool;

    /// What they hear then; nothing in dialects without words for it. Later they hear of changes by `encode`.
    fn unread_notifications(&self, count: u64) -> Option<Wire>;

    /// What its clients may send: its own words, then those of every dialect.
    fn sent(&self) -> Box<dyn Iterator<Item = &'static Inbound>>;

    /// What its clients may hear: its own words, then those of the extension vocabulary for which it has none.
    fn heard(&self) -> Vec<Outbound>;

    /// The names of the events that clients may send: the dialect's own, then the extension vocabulary.
    fn inbound(&self) -> Box<dyn Iterator<Item = &'static str>> {
        Box::new(self.sent().map(Inbound::name))
    }

    /// The names of the events that clients may hear.
    fn outbound(&self) -> Box<dyn Iterator<Item = &'static str>> {
        Box::new(self.heard().into_iter().map(|outbound| outbound.name))
    }

    /// What the ack of an event may be, as a schema: success or failure.
    fn ack_schema(&self, inbound: &Inbound, generator: &mut SchemaGenerator) -> Schema;
}

impl<V: Vocabulary> Codec for V {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn reaches_participants(&self) -> bool {
        V::REACHES_PARTICIPANTS
    }

    fn decode(&self, event: &str, args: &[Value]) -> Decoded {
        let inbound = find::<V>(event).ok_or_else(|| unknown_event(event))?;
        (inbound.read)(Arguments(args))
    }

    fn encode(&self, event: &Event, unread: u64) -> Vec<Wire> {
        V::encode(event, unread)
    }

    fn answer(&self, event: &str, args: &[Value], outcome: Result<&Reply, &Error>) -> Answer {
        let inbound = find::<V>(event);
        match outcome {
            Ok(reply) => answer::success::<V>(inbound, args, reply),
            Err(error) => answer::failure::<V>(inbound, args, error),
        }
    }

    fn message(&self, view: &MessageView) -> Box<RawValue> {
        raw(&V::Message::from(view))
    }

    fn user(&self, user: &User) -> Box<RawValue> {
        raw(&V::User::from(user))
    }

    fn notification(&self, view: &NotificationView) -> Box<RawValue> {
        raw(&V::Notification::from(view))
    }

    fn shows_unread_notifications(&self) -> bool {
        V::UNREAD_NOTIFICATIONS.is_some()
    }

    fn unread_notifications(&self, count: u64) -> Option<Wire> {
        V::UNREAD_NOTIFICATIONS.map(|worded| worded(count))
    }

    fn sent(&self) -> Box<dyn Iterator<Item = &'static Inbound>> {
        Box::new(table::<V>())
    }

    fn heard(&self) -> Vec<Outbound> {
        let is_own = |name| V::OUTBOUND.iter().any(|outbound| outbound.name == name);
        let others = extension::outbound::<V>();
        let others = others.filter(|outbound| !is_own(outbound.name) && !V::REPLACED.contains(&outbound.name));
        V::OUTBOUND.iter().copied().chain(others).collect()
    }

    fn ack_schema(&self, inbound: &Inbound, generator: &mut SchemaGenerator) -> Schema {
        answer::schema::<V>(inbound, generator)
    }
}

fn table<V: Vocabulary>() -> impl Iterator<Item = &'static Inbound> {
    V::INBOUND.iter().chain(extension::INBOUND).chain(call::INBOUND)
}

fn find<V: Vocabulary>(event: &str) -> Option<&'static Inbound> {
    table::<V>().find(|inbound| inbound.name == event)
}

fn unknown_event(name: &str) -> Error {
    Error::validation(name.chars().take(MAX_SHOWN_NAME).collect::<String>(), "is not a known event")
}
