//! One accepted TCP connection: the IO that HTTP runs on, and the handle that cuts it from outside.
//! A write that makes no progress for the stall limit cuts the connection and is counted, and so is what the system
//! gives up by its own clock. Without this a peer that stops reading would hold its buffers for ever: the Socket.IO
//! library cannot close a socket whose buffer is full. Sessions keep a weak handle, and put frames of their own on it,
//! which go out between the library's; accepting connections is `listener`'s job.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use parking_lot::{Mutex, MutexGuard};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Sleep, timeout};

use super::flushing::{Flushing, Lane};
use super::outgoing::Outgoing;
use super::turns::{Paces, Turn};
use crate::meters::Meters;
use crate::outbox::Refused;

/// How many reads of a connection come in turn: the handshakes of TLS, HTTP and Socket.IO, or of those that it has, what a
/// client asks first, which after a break is much.
const NEW_READS: u8 = 4;

/// The shared half of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    writing: OwnedWriteHalf,
    terms: Arc<Terms>,
    sid: OnceLock<Box<str>>,
    cut: AtomicBool,
    outgoing: Mutex<Outgoing>,
    lane: Arc<Lane>,
}

impl Connection {
    fn new(writing: OwnedWriteHalf, terms: Arc<Terms>) -> Self {
        let (sid, cut, outgoing) = (OnceLock::new(), AtomicBool::new(false), Mutex::new(Outgoing::new()));
        let lane = terms.flushing.lane();
        Self { writing, terms, sid, cut, outgoing, lane }
    }

    /// Whether this connection carries the Engine.IO session `sid`: the first one that is asked about.
    pub(crate) fn carries(&self, sid: &str) -> bool {
        &**self.sid.get_or_init(|| sid.into()) == sid
    }

    /// Whether frames can be put on it: it is a WebSocket, and was one from the beginning.
    pub(crate) fn takes_frames(&self) -> bool {
        self.outgoing.lock().is_websocket()
    }

    /// A session is about to take part. What waits is not for it, and what is put from now on waits for its CONNECT packet.
    pub(crate) fn expect_connect(&self) {
        self.outgoing.lock().expect_connect();
    }

    /// Puts a frame behind all others, without waiting. It goes out soon, between two of the library's.
    ///
    /// # Errors
    /// `Full` where 128 wait, `Gone` at the end of the connection.
    pub(crate) fn put(self: &Arc<Self>, frame: Bytes) -> Result<(), Refused> {
        let mut outgoing = self.outgoing.lock();
        outgoing.put(frame)?;
        self.flush_soon(outgoing);
        Ok(())
    }

    /// Whether all frames that were put are out, after a try.
    pub(crate) fn is_drained(&self) -> bool {
        let mut outgoing = self.outgoing.lock();
        // Whoever waits for room goes on waiting.
        let _ = outgoing.flush(|slices| self.stream().try_write_vectored(slices));
        outgoing.is_empty()
    }

    /// Writes the frames that wait; where there is no room, as soon as there is.
    pub(super) fn flush(self: &Arc<Self>) {
        let mut outgoing = self.outgoing.lock();
        let flushed = outgoing.flush(|slices| self.stream().try_write_vectored(slices));
        match self.noticed(flushed) {
            Ok(()) => outgoing.due = false,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::spawn(Arc::clone(self).flush_when_writable());
            }
            Err(_) => outgoing.close(),
        }
    }

    async fn flush_when_writable(self: Arc<Self>) {
        match timeout(self.terms.stall_limit, self.stream().writable()).await {
            Ok(_) => self.lane.add(Arc::clone(&self)),
            Err(_) => _ = self.noticed(Err::<(), _>(stalled())),
        }
    }

    /// Writes what the library has to write.
    fn pass(self: &Arc<Self>, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut outgoing = self.outgoing.lock();
        let written = outgoing.pass(bytes, |slices| self.stream().try_write_vectored(slices))?;
        self.flush_soon(outgoing);
        Ok(written)
    }

    /// Has somebody write what waits, if it may go out and nobody is about to.
    fn flush_soon(self: &Arc<Self>, mut outgoing: MutexGuard<'_, Outgoing>) {
        if outgoing.wants_writing() {
            outgoing.due = true;
            drop(outgoing);
            self.lane.add(Arc::clone(self));
        }
    }

    /// Cuts and counts, if that is how it ended. The system's clock (the user timeout) runs from the moment when the peer
    /// had no room, ours from the first write that waited, which is later where little is sent or the machine is busy:
    /// whichever ends first tells of it, the system in the next read or write.
    fn noticed<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let stalled = result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if stalled && self.cut() {
            self.terms.slow_consumers.add();
        }
        result
    }

    /// Nobody serves it any more: whoever waits for room to write has nothing to write.
    fn end(&self) {
        let mut outgoing = self.outgoing.lock();
        outgoing.close();
        if outgoing.due {
            let _ = SockRef::from(self.stream()).shutdown(Shutdown::Write);
        }
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

/// What holds for all connections of a listener.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Writes that wait longer are cut, and counted.
    pub(crate) stall_limit: Duration,
    pub(crate) slow_consumers: SlowConsumers,
    /// When those are read from that come, and those end whose peer is gone.
    pub(crate) paces: Paces,
    pub(crate) flushing: Flushing,
}

impl Terms {
    pub(crate) fn new(stall_limit: Duration, slow_consumers: SlowConsumers) -> Self {
        Self { stall_limit, slow_consumers, paces: Paces::new(), flushing: Flushing::new() }
    }
}

fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")
}

/// What its reads wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many more come in turn.
    New(u8),
    /// For nothing.
    Known,
    /// The peer is gone: for a turn to say so.
    Gone,
}

/// The IO half of a connection, owned by whoever serves it.
#[derive(Debug)]
pub struct ConnectionIo {
    shared: Arc<Connection>,
    /// Reads on its own: the half knows that a short read has emptied the socket, where `try_read` would ask the kernel
    /// once more for each message.
    reading: OwnedReadHalf,
    /// Runs while a write waits; allocated only then.
    stalled: Option<Pin<Box<Sleep>>>,
    stage: Stage,
    /// Runs while a read waits for it; allocated only then.
    turn: Option<Turn>,
}

impl ConnectionIo {
    /// Wraps `stream`.
    pub(crate) fn new(stream: TcpStream, terms: Arc<Terms>) -> Self {
        let (reading, writing) = stream.into_split();
        let shared = Arc::new(Connection::new(writing, terms));
        Self { shared, reading, stalled: None, stage: Stage::New(NEW_READS), turn: None }
    }

    /// The handle by which others cut it.
    pub(crate) fn shared(&self) -> &Arc<Connection> {
        &self.shared
    }

    fn poll_pass(&mut self, cx: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.shared.stream().poll_write_ready(cx) {
                Poll::Ready(Ok(())) => match self.shared.pass(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => {
                        self.stalled = None;
                        return Poll::Ready(self.shared.noticed(result));
                    }
                },
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.poll_stalled(cx));
                    return Poll::Ready(self.shared.noticed(Err(stalled())));
                }
            }
        }
    }

    /// Waits until there is something to read, and then for a turn.
    fn poll_welcome(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.turn.is_none() {
            ready!(self.shared.stream().poll_read_ready(cx))?;
            self.turn = Some(self.shared.terms.paces.welcomes.turn());
        }
        ready!(self.poll_turn(cx));
        self.turn = None;
        Poll::Ready(Ok(()))
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.turn.as_mut().map_or(Poll::Ready(()), |turn| Pin::new(turn).poll(cx))
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.shared.terms.stall_limit;
        self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit))).as_mut().poll(cx)
    }
}

impl AsyncRead for ConnectionIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Stage::New(reads) = self.stage {
            ready!(self.poll_welcome(cx))?;
            self.stage = if reads > 1 { Stage::New(reads - 1) } else { Stage::Known };
        }
        if self.stage != Stage::Gone {
            let before = buf.filled().len();
            let result = ready!(Pin::new(&mut self.reading).poll_read(cx, buf));
            let result = self.shared.noticed(result);
            let goes_on = result.is_ok() && (buf.filled().len() > before || buf.remaining() == 0);
            // What we have cut ourselves is to be gone at once.
            if goes_on || self.shared.is_cut() {
                return Poll::Ready(result);
            }
            // An error says no more than the end does, which is what is read then.
            self.stage = Stage::Gone;
            self.turn = Some(self.shared.terms.paces.farewells.turn());
        }
        self.poll_turn(cx).map(Ok)
    }
}

impl AsyncWrite for ConnectionIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_pass(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_pass(cx, bufs)
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

impl Drop for ConnectionIo {
    fn drop(&mut self) {
        self.shared.end();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::packet::text_frame;

    async fn pair(limit: Duration) -> (ConnectionIo, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (ConnectionIo::new(server, Arc::new(Terms::new(limit, SlowConsumers::default()))), client)
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
        let slow_consumers = io.shared.terms.slow_consumers.clone();
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

    /// What the library writes until a session takes part.
    const CONNECTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x030{}\x81\x0440{}";

    #[tokio::test]
    async fn frames_go_out_by_themselves_between_those_of_the_library() {
        let (mut io, mut client) = pair(Duration::from_secs(5)).await;
        let connection = Arc::clone(io.shared());
        assert_eq!(connection.put(text_frame(&["early"])), Err(Refused::Gone));
        let (before, connect) = CONNECTED.split_at(CONNECTED.len() - 6);
        io.write_all(before).await.unwrap();
        assert!(connection.takes_frames());
        connection.put(text_frame(&["a"])).unwrap();
        io.write_all(connect).await.unwrap();
        let expected = [CONNECTED, &text_frame(&["a"])].concat();
        let mut got = vec![0; expected.len()];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(got, expected);
        // The library is in the middle of one.
        io.write_all(b"\x81\x04th").await.unwrap();
        connection.put(text_frame(&["b"])).unwrap();
        connection.put(text_frame(&["c"])).unwrap();
        assert!(!connection.is_drained());
        io.write_all(b"em").await.unwrap();
        let expected = [b"\x81\x04them", &*text_frame(&["b"]), &text_frame(&["c"])].concat();
        let mut got = vec![0; expected.len()];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(got, expected);
        assert!(connection.is_drained());
        drop(io);
        assert_eq!(connection.put(text_frame(&["late"])), Err(Refused::Gone));
    }

    /// Puts frames until no more are taken.
    async fn fill(connection: &Arc<Connection>) {
        let large: Bytes = [&[0x81, 127, 0, 0, 0, 0, 0, 16, 0, 0][..], &vec![b'x'; 1 << 20]].concat().into();
        while connection.put(large.clone()).is_ok() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_frames_is_cut_and_counted() {
        let (mut io, client) = pair(Duration::from_millis(50)).await;
        io.write_all(CONNECTED).await.unwrap();
        fill(io.shared()).await;
        let mut buf = [0; 1];
        assert!(!matches!(io.read(&mut buf).await, Ok(1..)), "the reading half ends");
        assert_eq!(io.shared.terms.slow_consumers.get(), 1);
        drop(client);
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_not_held_by_frames_that_wait() {
        let (mut io, mut client) = pair(Duration::from_hours(1)).await;
        io.write_all(CONNECTED).await.unwrap();
        fill(io.shared()).await;
        assert!(!io.shared().is_drained());
        let held = Arc::downgrade(io.shared());
        drop(io);
        client.read_to_end(&mut Vec::new()).await.unwrap();
        while held.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_the_system_gives_up_is_counted_too() {
        let (mut io, client) = pair(Duration::from_hours(1)).await;
        let slow_consumers = io.shared.terms.slow_consumers.clone();
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
            while io.shared.terms.paces.farewells.turn().now_or_never().is_some() {}
        }
        drop(client);
        ours.shared().cut();
        let mut buf = [0; 8];
        assert!(!matches!(ours.read(&mut buf).await, Ok(1..)));
        assert_eq!(ours.stage, Stage::New(NEW_READS - 1));
        gone.shared.stream().readable().await.unwrap();
        assert!(gone.read(&mut buf).now_or_never().is_none(), "it waits");
        assert_eq!(gone.read(&mut buf).await.unwrap(), 0);
        assert_eq!(gone.read(&mut buf).await.unwrap(), 0, "and it stays the end");
    }

    #[tokio::test]
    async fn the_first_reads_wait_for_their_turns_and_later_ones_for_nothing() {
        let (mut io, mut client) = pair(Duration::from_secs(5)).await;
        let others_come = |io: &ConnectionIo| while io.shared.terms.paces.welcomes.turn().now_or_never().is_some() {};
        let mut buf = [0; 1];
        for _ in 0..NEW_READS {
            others_come(&io);
            client.write_all(b"x").await.unwrap();
            io.shared.stream().readable().await.unwrap();
            assert!(io.read(&mut buf).now_or_never().is_none(), "it waits");
            assert_eq!(io.read(&mut buf).await.unwrap(), 1);
        }
        client.write_all(b"x").await.unwrap();
        io.shared.stream().readable().await.unwrap();
        others_come(&io);
        assert_eq!(io.read(&mut buf).now_or_never().unwrap().unwrap(), 1);
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
