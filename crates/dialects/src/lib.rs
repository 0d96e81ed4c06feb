//! The five Socket.IO vocabularies that clients in the field speak, as pure codecs: a client's event
//! becomes a [`Command`], a domain event becomes [`Wire`] values, a [`Reply`] becomes an ack. One file per
//! dialect; no I/O, no state. The contract's `dialects.md` is the specification.
//!
//! Both transports use it: Socket.IO for everything, REST for the payload shapes and the error table; and whoever sends
//! webhooks does. A sixth vocabulary is written with [`vocabulary`], in any crate, and added to a server's [`Dialects`].

mod answer;
mod arguments;
mod asyncapi;
mod call;
mod codec;
mod command;
mod conversation;
mod dialect;
mod dialects;
mod draft;
pub mod errors;
mod extension;
mod gateway;
mod marketplace;
mod names;
mod nextchat;
mod notification;
mod payloads;
pub mod schemas;
mod shapes;
mod talentbridge;
mod ulearn;
pub mod vocabulary;
mod webhook;
mod wire;

pub use asyncapi::asyncapi;
pub use codec::Codec;
pub use command::{Command, Decoded, Reply};
pub use dialect::{Dialect, UnknownDialect};
pub use dialects::{AnyDialect, Dialects, UnusableDialect};
pub use draft::read_draft;
pub use shapes::timestamp;
pub use webhook::{notification_webhook, webhook};
pub use wire::{Answer, Wire};
