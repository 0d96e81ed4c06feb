//! Connections and requests before the library sees them: accepting them, knowing where they come from, bounding those
//! without a user, and cutting the ones whose peer does not read.

mod client;
mod connection;
mod detached;
mod flushing;
mod front;
mod line;
mod listener;
mod lobby;
mod outgoing;
mod passing;
mod turns;

pub(crate) use client::Network;
pub use client::{InvalidNetwork, TrustedProxies};
pub use connection::ConnectionIo;
pub(crate) use connection::{Connection, SlowConsumers};
pub(crate) use front::{ClientAddress, fronted, place};
pub(crate) use line::{Engine, Line, Lines};
pub(crate) use listener::Options;
pub use listener::{Address, Listener, Peer};
pub(crate) use lobby::Lobby;
