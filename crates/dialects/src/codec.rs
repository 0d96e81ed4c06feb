//! The codec of a dialect, as transports call it: events in, commands out; what happened in, wire values out.
//! Picks the vocabulary; what each says is in its own file.

use parlance_domain::Error;
use parlance_domain::event::Event;
use parlance_domain::model::{ConversationView, MessageView, NotificationView, Reaction, User};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::Arguments;
use crate::conversation::ConversationShape;
use crate::shapes::{Reactions, raw};
use crate::vocabulary::{Inbound, Outbound, Vocabulary};
use crate::{Answer, Decoded, Dialect, Reply, Wire, answer, call, extension, gateway};

/// The most characters of an unknown event's name that are repeated to whoever sent it.
const MAX_SHOWN_NAME: usize = 100;

/// Evaluates `$body` with `$vocabulary` standing for the dialect's own.
macro_rules! speak {
    ($dialect:expr, $vocabulary:ident => $body:expr) => {
        match $dialect {
            $crate::Dialect::Talentbridge => {
                type $vocabulary = $crate::talentbridge::Talentbridge;
                $body
            }
            $crate::Dialect::Ulearn => {
                type $vocabulary = $crate::ulearn::Ulearn;
                $body
            }
            $crate::Dialect::Gateway => {
                type $vocabulary = $crate::gateway::Gateway;
                $body
            }
            $crate::Dialect::Marketplace => {
                type $vocabulary = $crate::marketplace::Marketplace;
                $body
            }
            $crate::Dialect::Nextchat => {
                type $vocabulary = $crate::nextchat::Nextchat;
                $body
            }
        }
    };
}

pub(crate) use speak;

impl Dialect {
    /// The names of the events that clients may send: the dialect's own, then the extension vocabulary.
    pub fn inbound(self) -> impl Iterator<Item = &'static str> {
        self.table().map(|inbound| inbound.name)
    }

    /// What a client asks for by `event` with `args` (without the ack). Reads any JSON whatever.
    ///
    /// # Errors
    /// `Validation` naming the field, or the event if there is none of that name; `ConversationNotFound`,
    /// `MessageNotFound` for ids that cannot be any; `AudioNotAllowed`.
    pub fn decode(self, event: &str, args: &[Value]) -> Decoded {
        let inbound = self.find(event).ok_or_else(|| unknown_event(event))?;
        (inbound.read)(Arguments(args))
    }

    /// What this dialect's sockets hear of `event`, in order; empty if the dialect does not show it.
    /// `unread` is the hearer's own count for `Audience::Counted`, and ignored for all others.
    pub fn encode(self, event: &Event, unread: u64) -> Vec<Wire> {
        speak!(self, Spoken => Spoken::encode(event, unread))
    }

    /// The answer to `event` with `args`, once it is known what it came to.
    pub fn answer(self, event: &str, args: &[Value], outcome: Result<&Reply, &Error>) -> Answer {
        let inbound = self.find(event);
        match outcome {
            Ok(reply) => speak!(self, Spoken => answer::success::<Spoken>(self, inbound, args, reply)),
            Err(error) => answer::failure(self, inbound, args, error),
        }
    }

    /// A message in this dialect's shape.
    pub fn message(self, view: &MessageView) -> Box<RawValue> {
        speak!(self, Spoken => raw(&<Spoken as Vocabulary>::Message::from(view)))
    }

    /// A person in this dialect's shape.
    pub fn user(self, user: &User) -> Box<RawValue> {
        speak!(self, Spoken => raw(&<Spoken as Vocabulary>::User::from(user)))
    }

    /// A conversation; `talentbridge`'s shape in every dialect.
    pub fn conversation(self, view: &ConversationView) -> Box<RawValue> {
        raw(&ConversationShape::from(view))
    }

    /// A notification in this dialect's shape.
    pub fn notification(self, view: &NotificationView) -> Box<RawValue> {
        speak!(self, Spoken => raw(&<Spoken as Vocabulary>::Notification::from(view)))
    }

    /// Whether its sockets hear on connecting how many notifications are unread.
    pub fn shows_unread_notifications(self) -> bool {
        self == Self::Gateway
    }

    /// What they hear then; nothing in dialects without words for it. Later they hear of changes by `encode`.
    pub fn unread_notifications(self, count: u64) -> Option<Wire> {
        self.shows_unread_notifications().then(|| gateway::unread_count(count))
    }

    /// The reactions to a message; one shape in every dialect.
    pub fn reactions(self, reactions: &[Reaction]) -> Box<RawValue> {
        raw(&Reactions::of(reactions))
    }

    /// What its clients may hear: its own words, then those of the extension vocabulary for which it has none.
    pub(crate) fn heard(self) -> Vec<Outbound> {
        speak!(self, Spoken => {
            let own = Spoken::OUTBOUND;
            let is_own = |name| own.iter().any(|outbound| outbound.name == name);
            let others = extension::outbound::<Spoken>();
            let others = others.filter(|outbound| !is_own(outbound.name) && !Spoken::REPLACED.contains(&outbound.name));
            own.iter().copied().chain(others).collect()
        })
    }

    /// The names of the events that clients may hear.
    pub fn outbound(self) -> impl Iterator<Item = &'static str> {
        self.heard().into_iter().map(|outbound| outbound.name)
    }

    fn find(self, event: &str) -> Option<&'static Inbound> {
        self.table().find(|inbound| inbound.name == event)
    }

    /// What its clients may send: its own words, then those of every dialect.
    pub(crate) fn table(self) -> impl Iterator<Item = &'static Inbound> {
        let own: &'static [Inbound] = speak!(self, Spoken => Spoken::INBOUND);
        own.iter().chain(extension::INBOUND).chain(call::INBOUND)
    }
}

fn unknown_event(name: &str) -> Error {
    Error::validation(name.chars().take(MAX_SHOWN_NAME).collect::<String>(), "is not a known event")
}
