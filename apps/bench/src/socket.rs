//! One client's connection: Engine.IO and Socket.IO straight over WebSocket, nothing of a client library but the frames.
//! Reading answers the server's pings; writing gathers packets until `flush`.

use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use parlance_dialects::Dialect;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::failure::Failure;
use crate::packet::Packet;
use crate::process::Ports;
use crate::target::Target;

/// How long a handshake or a single answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a socket reads into, in bytes: a few messages, and little enough to hold ten thousand sockets.
const READ_BUFFER: usize = 4096;

/// A connected client.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    acks: u64,
}

impl Socket {
    /// Connects and joins the main namespace.
    ///
    /// # Errors
    /// When the server refuses, goes away, or does not answer in time.
    pub(crate) async fn connect(target: &Target, dialect: Dialect, token: &str) -> Result<Self, Failure> {
        Self::connect_buffered(target, dialect, token, None).await
    }

    /// The same, with a buffer of this many bytes for what the client has not read.
    pub(crate) async fn connect_buffered(
        target: &Target,
        dialect: Dialect,
        token: &str,
        receive_buffer: Option<u32>,
    ) -> Result<Self, Failure> {
        let shaken = timeout(PATIENCE, Self::shake_hands(target, dialect, token, receive_buffer));
        shaken.await.map_err(|_| Failure::plain("a handshake took too long"))?
    }

    async fn shake_hands(
        target: &Target,
        dialect: Dialect,
        token: &str,
        receive_buffer: Option<u32>,
    ) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new("a socket cannot be connected", error);
        let node = target.next();
        let tcp = if node.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let tcp = tcp.map_err(|error| failed(&error))?;
        if let Some(bytes) = receive_buffer {
            tcp.set_recv_buffer_size(bytes).map_err(|error| failed(&error))?;
        }
        let tcp = tcp.connect(node.address).await.map_err(|error| failed(&error))?;
        tcp.set_nodelay(true).map_err(|error| failed(&error))?;
        // Dropping cuts the connection at once, and no port waits to be free again.
        tcp.set_zero_linger().map_err(|error| failed(&error))?;
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", node.authority);
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(READ_BUFFER);
        let (stream, _) = client_async_with_config(url, tcp, Some(config)).await.map_err(|error| failed(&error))?;
        let mut socket = Self { stream, acks: 0 };
        socket.expect(|packet| matches!(packet, Packet::Open)).await?;
        let auth = json!({ "token": token, "dialect": dialect.name() });
        socket.write(format!("40{auth}")).await?;
        socket.flush().await?;
        socket.expect(|packet| matches!(packet, Packet::Connected)).await?;
        Ok(socket)
    }

    async fn expect(&mut self, wanted: impl Fn(&Packet<'_>) -> bool) -> Result<(), Failure> {
        while let Some(text) = self.read().await {
            match Packet::read(&text) {
                packet if wanted(&packet) => return Ok(()),
                Packet::Refused(why) => return Err(Failure::new("the server refuses a socket", why)),
                _ => {}
            }
        }
        Err(Failure::plain("the server closed a socket during its handshake"))
    }

    /// The next packet; `None` when the connection has ended. May be dropped while it waits.
    pub(crate) async fn read(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) if Packet::read(&text) == Packet::Ping => {
                    // Feeding does not wait while the buffer has room.
                    self.write("3".to_owned()).await.ok()?;
                    self.flush().await.ok()?;
                }
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next packet if it is here already; `None` when the connection has ended.
    pub(crate) fn read_now(&mut self) -> Poll<Option<Utf8Bytes>> {
        self.read().now_or_never().map_or(Poll::Pending, Poll::Ready)
    }

    /// The ports of the connection, the server's first.
    pub(crate) fn ports(&self) -> Option<Ports> {
        let tcp = self.stream.get_ref();
        Some((tcp.peer_addr().ok()?.port(), tcp.local_addr().ok()?.port()))
    }

    /// Puts an event into the buffer. The number of the answer to come.
    pub(crate) async fn emit(&mut self, event: &str, payload: &Value) -> Result<u64, Failure> {
        let id = self.acks;
        self.acks += 1;
        self.write(format!("42{id}[\"{event}\",{payload}]")).await?;
        Ok(id)
    }

    /// Sends what is in the buffer.
    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().await.map_err(closed)
    }

    async fn write(&mut self, packet: String) -> Result<(), Failure> {
        self.stream.feed(Message::Text(packet.into())).await.map_err(closed)
    }

    /// Sends an event and waits for its answer; what comes before it is dropped.
    pub(crate) async fn ask(&mut self, event: &str, payload: &Value) -> Result<String, Failure> {
        let asked = self.emit(event, payload).await?;
        self.flush().await?;
        let answered = timeout(PATIENCE, async {
            while let Some(text) = self.read().await {
                match Packet::read(&text) {
                    Packet::Ack(id, answer) if id == asked => return Ok(answer.to_owned()),
                    _ => {}
                }
            }
            Err(Failure::plain(format!("the connection ended before {event} was answered")))
        });
        answered.await.map_err(|_| Failure::plain(format!("{event} was not answered in time")))?
    }
}

fn closed(error: tokio_tungstenite::tungstenite::Error) -> Failure {
    Failure::new("the connection ended", error)
}
