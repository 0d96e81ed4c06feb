//! What makes a dialect: its table of inbound names, its shapes, and how it words what happened. Each of the five
//! implements [`Vocabulary`] in a file of its own; `codec` picks the one that a socket speaks.

use parlance_domain::event::Event;
use parlance_domain::model::{MessageView, NotificationView, User};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::errors::Operation;
use crate::{Decoded, Wire};

/// One of the five.
pub(crate) trait Vocabulary {
    /// A message as this dialect shows it.
    type Message<'a>: From<&'a MessageView> + Serialize;
    /// A person as this dialect shows them.
    type User<'a>: From<&'a User> + Serialize;
    /// A notification as this dialect shows it.
    type Notification<'a>: From<&'a NotificationView> + Serialize;

    /// What its clients may send, beside the extension vocabulary.
    const INBOUND: &'static [Inbound];

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

impl Inbound {
    /// An event with the usual ack.
    pub(crate) const fn new(name: &'static str, read: fn(Arguments<'_>) -> Decoded) -> Self {
        Self { name, read, operation: Operation::Other, ack: Ack::Envelope }
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
