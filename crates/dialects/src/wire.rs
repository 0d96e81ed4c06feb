//! What goes over the wire, already serialized, so that one encoding serves any number of sockets.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::shapes::raw;

/// An event for a client: its name and its arguments.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The event's name.
    pub event: Cow<'static, str>,
    /// Its arguments, each a JSON value; none for events such as `notifications:read-all`.
    pub args: Vec<Box<RawValue>>,
}

impl Wire {
    /// An event without arguments.
    pub fn bare(event: &'static str) -> Self {
        Self { event: Cow::Borrowed(event), args: Vec::new() }
    }

    /// An event with one argument.
    pub fn new(event: &'static str, payload: &impl Serialize) -> Self {
        Self { event: Cow::Borrowed(event), args: vec![raw(payload)] }
    }
}

/// Just one event, with one argument.
pub(crate) fn one(event: &'static str, payload: &impl Serialize) -> Vec<Wire> {
    vec![Wire::new(event, payload)]
}

/// What a command is answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The argument of the ack, for a client that asked for one.
    pub ack: Box<RawValue>,
    /// Events for the asking socket alone that go out in any case (`ulearn`: `message:sent`, `error`).
    pub events: Vec<Wire>,
    /// The event for the asking socket that goes out only if it asked for no ack (`error`).
    pub instead_of_ack: Option<Wire>,
}
