//! How packets leave. A WebSocket that was one from the beginning gets them as frames of our own, each made once for all
//! who get it; any other session through the library, which makes each socket a copy. In both ways the library has the
//! rest to say: the handshake, pings, and the end.

use std::sync::{Arc, Weak};

use axum::body::Bytes;
use serde::ser::{Serialize, SerializeTuple, Serializer};
use serde_json::value::RawValue;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::AckSender;
use socketioxide::handler::{FromMessageParts, Value};
use socketioxide::socket::Socket;
use socketioxide::{SendError, SocketError};

use crate::net::Connection;
use crate::outbox::{Refused, Sink};
use crate::packet::Packet;

/// The library's side of a session.
pub(crate) type LibrarySocket = Socket<LocalAdapter>;

/// The way out of a session whose client is reached through `direct`, if it can be.
pub(crate) fn sink(socket: &Arc<LibrarySocket>, direct: Option<Direct>) -> Box<dyn Sink> {
    let library = Library(Arc::downgrade(socket));
    match direct {
        Some(direct) => Box::new(Framed { direct, library }),
        None => Box::new(library),
    }
}

/// A connection that takes frames of ours.
#[derive(Debug, Clone)]
pub(crate) struct Direct(Weak<Connection>);

impl Direct {
    /// On this connection, if it takes any.
    pub(crate) fn on(connection: &Weak<Connection>) -> Option<Self> {
        let takes = connection.upgrade().is_some_and(|connection| connection.takes_frames());
        takes.then(|| Self(Weak::clone(connection)))
    }

    /// Frames from now on wait for the CONNECT packet of a session.
    pub(crate) fn expect_connect(&self) {
        if let Some(connection) = self.0.upgrade() {
            connection.expect_connect();
        }
    }
}

/// Frames between those of the library.
#[derive(Debug)]
struct Framed {
    direct: Direct,
    library: Library,
}

impl Sink for Framed {
    fn put(&self, packet: &Packet) -> Result<(), Refused> {
        let connection = self.direct.0.upgrade().ok_or(Refused::Gone)?;
        connection.put(packet.frame())
    }

    fn is_drained(&self) -> bool {
        self.direct.0.upgrade().is_none_or(|connection| connection.is_drained())
    }

    fn disconnect(&self) {
        self.library.disconnect();
    }
}

/// The library's outgoing buffer of one socket.
#[derive(Debug)]
struct Library(Weak<LibrarySocket>);

impl Sink for Library {
    fn put(&self, packet: &Packet) -> Result<(), Refused> {
        let socket = self.0.upgrade().ok_or(Refused::Gone)?;
        let sent = match packet {
            Packet::Event(told) => socket.emit(&*told.wire.event, &Spread(&told.wire.args)),
            Packet::Ack(id, answer) => {
                let Ok(sender) = AckSender::from_message_parts(&socket, &mut Value::Bytes(Bytes::new()), &Some(*id));
                sender.send(&**answer)
            }
        };
        sent.map_err(|error| match error {
            SendError::Socket(SocketError::InternalChannelFull) => Refused::Full,
            SendError::Socket(SocketError::Closed) | SendError::Serialize(_) => Refused::Gone,
        })
    }

    /// What is in the buffer goes out before anything that is said later.
    fn is_drained(&self) -> bool {
        true
    }

    fn disconnect(&self) {
        if let Some(socket) = self.0.upgrade() {
            let _ = socket.disconnect();
        }
    }
}

/// Arguments of an event. They serialize as a tuple, which is how the library spreads several arguments, or none.
struct Spread<'a>(&'a [Box<RawValue>]);

impl Serialize for Spread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for arg in self.0 {
            tuple.serialize_element(arg)?;
        }
        tuple.end()
    }
}
