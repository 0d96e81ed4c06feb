//! One accepted TCP connection: the IO that HTTP runs on, and the handle that cuts it from outside.
//! A write that makes no progress for the stall limit cuts the connection and is counted, and so is what the system
//! gives up by its own clock. Without this a peer that stops reading would hold its buffers for ever: the Socket.IO
//! library cannot close a socket whose buffer is full. Sessions keep a weak handle; accepting connections is
//! `listener`'s job.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Sleep;

use super::farewells::Farewells;
use crate::meters::Meters;

/// The shared half of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    writing: OwnedWriteHalf,
    sid: OnceLock<Box<str>>,
    cut: AtomicBool,
}

impl Connection {
    /// Whether this connection carries the Engine.IO session `sid`: the first one that is asked about.
    pub(crate) fn carries(&self, sid: &str) -> bool {
        &**self.sid.get_or_init(|| sid.into()) == sid
    }

    fn stream(&self) -> &TcpStream {
        self.writing.as_ref()
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Ends the connection at once, whatever is still unsent. Both directions wake with an error or the end.
    /// `true` for the one caller that cut it.
    pub(crate) fn cut(&self) -> bool {
        if self.cut.swap(true, Ordering::AcqRel) {
            return false;
        }
        let socket = SockRef::from(self.stream());
        // Zero linger: closing discards what the peer does not read, instead of retrying it for minutes.
        let _ = socket.set_linger(Some(Duration::ZERO));
        let _ = socket.shutdown(Shutdown::Both);
        true
    }
}

/// How many connections were cut because their peer did not read, whoever found out: a write that waits, or the queue of
/// a session. Measured as well.
#[derive(Debug, Clone, Default)]
pub(crate) struct SlowConsumers(Arc<AtomicU64>);

impl SlowConsumers {
    /// The count so far.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// One more.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        Meters::slow_consumer();
    }
}

/// The IO half of a connection, owned by whoever serves it.
#[derive(Debug)]
pub struct ConnectionIo {
    shared: Arc<Connection>,
    /// Reads on its own: the half knows that a short read has emptied the socket, where `try_read` would ask the kernel
    /// once more for each message.
    reading: OwnedReadHalf,
    limit: Duration,
    slow_consumers: SlowConsumers,
    /// Runs while a write waits; allocated only then.
    stalled: Option<Pin<Box<Sleep>>>,
    farewells: Farewells,
    /// Runs while the peer is gone and whoever serves it has not been told; allocated only then.
    leaving: Option<Pin<Box<Sleep>>>,
}

impl ConnectionIo {
    /// Wraps `stream`; writes that wait longer than `limit` are cut and counted in `slow_consumers`. When the peer is gone,
    /// the end is told when its turn comes among `farewells`.
    pub(crate) fn new(stream: TcpStream, limit: Duration, slow_consumers: SlowConsumers, farewells: Farewells) -> Self {
        let (reading, writing) = stream.into_split();
        let shared = Arc::new(Connection { writing, sid: OnceLock::new(), cut: AtomicBool::new(false) });
        Self { shared, reading, limit, slow_consumers, stalled: None, farewells, leaving: None }
    }

    /// The handle by which others cut it.
    pub(crate) fn shared(&self) -> &Arc<Connection> {
        &self.shared
    }

    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.shared.stream().poll_write_ready(cx) {
                Poll::Ready(Ok(())) => match write(self.shared.stream()) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => {
                        self.stalled = None;
                        return Poll::Ready(self.noticed(result));
                    }
                },
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.poll_stalled(cx));
                    let stalled = io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
                    return Poll::Ready(self.noticed(Err(stalled)));
                }
            }
        }
    }

    /// Cuts and counts, if that is how it ended. The system's clock (the user timeout) runs from the moment when the peer
    /// had no room, ours from the first write that waited, which is later where little is sent or the machine is busy:
    /// whichever ends first tells of it, the system in the next read or write.
    fn noticed<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let stalled = result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if stalled && self.shared.cut() {
            self.slow_consumers.add();
        }
        result
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit))).as_mut().poll(cx)
    }
}

impl AsyncRead for ConnectionIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.leaving.is_none() {
            let before = buf.filled().len();
            let result = ready!(Pin::new(&mut self.reading).poll_read(cx, buf));
            let result = self.noticed(result);
            let goes_on = result.is_ok() && (buf.filled().len() > before || buf.remaining() == 0);
            // What we have cut ourselves is to be gone at once.
            if goes_on || self.shared.is_cut() {
                return Poll::Ready(result);
            }
            match self.farewells.turn() {
                None => return Poll::Ready(result),
                // An error says no more than the end does, which is what is read after it.
                Some(turn) => self.leaving = Some(Box::pin(turn)),
            }
        }
        self.leaving.as_mut().map_or(Poll::Ready(()), |turn| turn.as_mut().poll(cx)).map(Ok)
    }
}

impl AsyncWrite for ConnectionIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(self.shared.stream()).shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair(limit: Duration) -> (ConnectionIo, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (ConnectionIo::new(server, limit, SlowConsumers::default(), Farewells::new()), client)
    }

    #[tokio::test]
    async fn bytes_pass_both_ways() {
        let (mut io, mut client) = pair(Duration::from_secs(5)).await;
        client.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        io.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");
        io.write_all(b"pong").await.unwrap();
        io.shutdown().await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"pong");
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_cut_and_counted() {
        let (mut io, client) = pair(Duration::from_millis(50)).await;
        let slow_consumers = io.slow_consumers.clone();
        let chunk = vec![0; 1 << 20];
        let error = loop {
            if let Err(error) = io.write_all(&chunk).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(io.write_all(&chunk).await.is_err());
        assert_eq!(slow_consumers.get(), 1);
        let mut buf = [0; 1];
        assert!(!matches!(io.read(&mut buf).await, Ok(1..)), "the reading half ends too");
        drop(client);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_the_system_gives_up_is_counted_too() {
        let (mut io, client) = pair(Duration::from_hours(1)).await;
        let slow_consumers = io.slow_consumers.clone();
        let socket = SockRef::from(io.shared.stream());
        socket.set_tcp_user_timeout(Some(Duration::from_millis(200))).unwrap();
        // Room for all of it: no write waits, so that our own clock does not run.
        SockRef::from(&client).set_recv_buffer_size(8 << 10).unwrap();
        socket.set_send_buffer_size(1 << 20).unwrap();
        io.write_all(&vec![0; 128 << 10]).await.unwrap();
        let error = io.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(slow_consumers.get(), 1);
        assert!(!io.shared.cut(), "it is cut");
        drop(client);
    }

    #[tokio::test]
    async fn the_end_waits_for_its_turn_unless_it_is_our_own() {
        let (mut gone, client) = pair(Duration::from_secs(5)).await;
        let (mut ours, _client) = pair(Duration::from_secs(5)).await;
        // Others end at the same time.
        for io in [&gone, &ours] {
            while io.farewells.turn().is_none() {}
        }
        drop(client);
        ours.shared().cut();
        let mut buf = [0; 8];
        assert!(!matches!(ours.read(&mut buf).await, Ok(1..)));
        assert!(ours.leaving.is_none());
        assert_eq!(gone.read(&mut buf).await.unwrap(), 0);
        assert!(gone.leaving.is_some(), "it waited");
        assert_eq!(gone.read(&mut buf).await.unwrap(), 0, "and it stays the end");
    }

    #[tokio::test]
    async fn cutting_wakes_a_waiting_reader() {
        let (mut io, _client) = pair(Duration::from_secs(5)).await;
        let handle = Arc::clone(io.shared());
        let reader = tokio::spawn(async move {
            let mut buf = [0; 1];
            io.read(&mut buf).await
        });
        handle.cut();
        assert!(!matches!(reader.await.unwrap(), Ok(1..)));
    }
}
