//! The Socket.IO transport: sessions, rooms, ordering and delivery, on socketioxide. It carries commands from the
//! dialects' decoders to the domain's services, and domain events to the sockets that they are for. No rule lives here.
//!
//! [`Transport`] is what the application builds and runs; [`Listener`] is what it serves HTTP on, for REST too;
//! [`Sockets`] tells the domain who is looking at what.

mod audiences;
mod badge;
mod config;
mod delivery;
mod dispatch;
mod failures;
mod gate;
mod handshake;
mod hub;
mod inbox;
mod meters;
mod net;
mod node;
mod outbox;
mod pace;
mod packet;
mod revocation;
mod session;
mod sink;
mod sockets;
mod tasks;
mod transport;
mod worker;

pub use config::Config;
pub use net::{Address, ConnectionIo, InvalidNetwork, Listener, Peer, TrustedProxies};
pub use sockets::Sockets;
pub use transport::{Stats, Transport};
