//! Connections below HTTP: accepting them, and cutting the ones whose peer does not read.

mod connection;
mod detached;
mod line;
mod listener;

pub(crate) use connection::{Connection, StallCount};
pub(crate) use line::{Engine, Line, Lines};
pub(crate) use listener::Options;
pub use listener::{Address, Listener, Peer};
