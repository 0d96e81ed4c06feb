//! The listener of both transports: options every connection gets (no delay, user timeout, write-stall limit),
//! and what a request knows of its connection ([`Peer`], a request extension): the address, the dialect that its
//! port speaks, and the handle that cuts it. Serving is axum's job, which the server application starts.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use parlance_dialects::AnyDialect;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::connection::{Connection, ConnectionIo, SlowConsumers, Terms};
use super::turns::Turn;

/// An axum listener whose connections can be cut, and which says what dialect its port speaks.
/// Made by [`Transport::listener`](crate::Transport::listener).
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    dialect: Option<AnyDialect>,
    options: Options,
    terms: Arc<Terms>,
    /// For the next connection. It stays when nobody waits for that one any more.
    turn: Option<Turn>,
}

/// What every connection gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// How long a write may wait, or what is sent be without an answer, before the connection is cut and counted.
    pub(crate) stall_limit: Duration,
    /// The kernel's buffer of unsent bytes; `None` leaves it to the system.
    pub(crate) send_buffer_bytes: Option<usize>,
}

impl Listener {
    /// Listens on `inner`. `dialect` is what its clients speak unless they say otherwise.
    pub(crate) fn new(
        inner: TcpListener,
        dialect: Option<AnyDialect>,
        options: Options,
        slow_consumers: SlowConsumers,
    ) -> Self {
        let terms = Arc::new(Terms::new(options.stall_limit, slow_consumers));
        Self { inner, dialect, options, terms, turn: None }
    }

    fn prepare(&self, stream: TcpStream) -> ConnectionIo {
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        if let Some(bytes) = self.options.send_buffer_bytes {
            let _ = socket.set_send_buffer_size(bytes);
        }
        // A peer that vanished without a word, or has no room: what it does not take ends the connection, also where all
        // of it fits into the system's buffer and no write of ours waits.
        #[cfg(target_os = "linux")]
        let _ = socket.set_tcp_user_timeout(Some(self.options.stall_limit));
        ConnectionIo::new(stream, Arc::clone(&self.terms))
    }
}

/// How a listener's connections look to others.
#[derive(Debug, Clone)]
pub struct Address {
    /// The peer's, or when it is the listener's own, where it listens.
    pub socket: SocketAddr,
    /// What the port speaks.
    pub dialect: Option<AnyDialect>,
}

impl axum::serve::Listener for Listener {
    type Io = ConnectionIo;
    type Addr = Address;

    async fn accept(&mut self) -> (ConnectionIo, Address) {
        self.turn.get_or_insert_with(|| self.terms.paces.admissions.turn()).await;
        // axum's own listener knows which errors of accepting to wait out.
        let (stream, socket) = axum::serve::Listener::accept(&mut self.inner).await;
        self.turn = None;
        (self.prepare(stream), Address { socket, dialect: self.dialect })
    }

    fn local_addr(&self) -> io::Result<Address> {
        Ok(Address { socket: self.inner.local_addr()?, dialect: self.dialect })
    }
}

/// What a request knows of its connection; in the request extensions as `ConnectInfo<Peer>`.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the client is, or the proxy before it.
    pub addr: SocketAddr,
    /// What the port speaks, if it was told.
    pub dialect: Option<AnyDialect>,
    connection: Weak<Connection>,
}

impl Peer {
    pub(crate) fn connection(&self) -> &Weak<Connection> {
        &self.connection
    }

    /// What the requests of a connection know, as it was accepted.
    pub fn of(io: &ConnectionIo, address: &Address) -> Self {
        let Address { socket, dialect } = *address;
        Self { addr: socket, dialect, connection: Arc::downgrade(io.shared()) }
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self::of(stream.io(), stream.remote_addr())
    }
}
