//! What goes out to one socket, in order. Packets pass straight into the buffer of its connection while that has
//! room; when it is full they wait here, bounded in number and bytes, and a task hands them over as room appears.
//! The buffer itself would drop them. A socket that takes nothing for the limit, or makes us keep too much, is
//! cut by the caller. Who receives what is `delivery`'s job.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::packet::Packet;

/// The most packets that wait for one socket beyond its connection's buffer.
const MAX_WAITING: usize = 2048;

/// The most bytes that wait for one socket. A single packet may be larger when nothing else waits.
const MAX_WAITING_BYTES: usize = 4 << 20;

/// How often a full buffer is tried again; the library offers no way to be told when there is room.
const RETRY: Duration = Duration::from_millis(10);

/// Why a packet was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Its buffer is full.
    Full,
    /// The socket is gone.
    Gone,
}

/// A socket's way out.
pub(crate) trait Sink: fmt::Debug + Send + Sync + 'static {
    /// Puts `packet` into the outgoing buffer, without waiting.
    fn put(&self, packet: &Packet) -> Result<(), Refused>;

    /// Whether what was put comes before what anybody else says on the connection from now on.
    fn is_drained(&self) -> bool;

    /// Tells the client to go and not to come back by itself, after what is in the buffer.
    fn disconnect(&self);
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is on its way, or waits behind others that a task hands over.
    Taken,
    /// It waits, and nobody hands over yet: the caller starts [`Outbox::hand_over`].
    TakenAndStalled,
    /// Too much waits: the socket must be cut, for it would miss this packet.
    Overflow,
    /// The socket is gone.
    Gone,
}

/// How handing over ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandedOver {
    /// Everything that waited is on its way.
    Caught,
    /// The socket took nothing for the limit: it must be cut.
    Stalled,
    /// The socket is gone.
    Gone,
}

/// The outgoing side of one socket.
#[derive(Debug)]
pub(crate) struct Outbox {
    sink: Box<dyn Sink>,
    waiting: Mutex<Waiting>,
    caught_up: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// Nothing goes out yet: see [`Outbox::held`].
    held: bool,
    closed: bool,
}

impl Outbox {
    /// An outbox from which nothing goes before it is [let go](Self::let_go): what a socket hears from the moment on in
    /// which it is let in waits until its CONNECT packet is out.
    pub(crate) fn held(sink: Box<dyn Sink>) -> Self {
        let waiting = Waiting { held: true, ..Waiting::default() };
        Self { sink, waiting: Mutex::new(waiting), caught_up: Notify::new() }
    }

    /// Sends what waits, and from now on what comes.
    pub(crate) fn let_go(&self) -> Pushed {
        self.waiting.lock().held = false;
        match self.pass_on() {
            Some(HandedOver::Caught) => Pushed::Taken,
            Some(HandedOver::Gone) => Pushed::Gone,
            Some(HandedOver::Stalled) | None => Pushed::TakenAndStalled,
        }
    }

    /// Sends `packet` after all before it.
    pub(crate) fn push(&self, packet: Packet) -> Pushed {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Pushed::Gone;
        }
        let first = !waiting.held && waiting.packets.is_empty();
        if first {
            match self.sink.put(&packet) {
                Ok(()) => return Pushed::Taken,
                Err(Refused::Gone) => return Pushed::Gone,
                Err(Refused::Full) => {}
            }
        } else if waiting.packets.len() >= MAX_WAITING || waiting.bytes + packet.bytes() > MAX_WAITING_BYTES {
            return Pushed::Overflow;
        }
        waiting.bytes += packet.bytes();
        waiting.packets.push_back(packet);
        if first { Pushed::TakenAndStalled } else { Pushed::Taken }
    }

    /// Hands over what waits, as room appears, until nothing waits or the socket took nothing for `limit`.
    pub(crate) async fn hand_over(&self, limit: Duration) -> HandedOver {
        let mut moved_at = Instant::now();
        loop {
            tokio::time::sleep(RETRY).await;
            match self.pass_on() {
                Some(HandedOver::Stalled) if moved_at.elapsed() < limit => {}
                Some(ended) => return ended,
                None => moved_at = Instant::now(),
            }
        }
    }

    /// One try: `Stalled` when nothing moved, `None` when something did and something still waits.
    fn pass_on(&self) -> Option<HandedOver> {
        let mut waiting = self.waiting.lock();
        let mut ended = Some(HandedOver::Stalled);
        while let Some(packet) = waiting.packets.front() {
            match self.sink.put(packet) {
                Ok(()) => ended = None,
                Err(Refused::Full) => return ended,
                Err(Refused::Gone) => {
                    drop(waiting);
                    self.close();
                    return Some(HandedOver::Gone);
                }
            }
            waiting.bytes -= packet.bytes();
            waiting.packets.pop_front();
        }
        let gone = waiting.closed;
        waiting.packets = VecDeque::new();
        drop(waiting);
        self.caught_up.notify_waiters();
        Some(if gone { HandedOver::Gone } else { HandedOver::Caught })
    }

    /// Whether something waits.
    pub(crate) fn is_behind(&self) -> bool {
        !self.waiting.lock().packets.is_empty()
    }

    /// Waits until nothing waits: a client that does not take its answers gets no further ones made.
    pub(crate) async fn caught_up(&self) {
        loop {
            let notified = self.caught_up.notified();
            if self.waiting.lock().packets.is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until nothing waits, and nothing that is said later on the connection can come before it.
    pub(crate) async fn drained(&self) {
        self.caught_up().await;
        while !self.sink.is_drained() {
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Whether its client takes part and is not behind, so that it hears in time that it is to go.
    pub(crate) fn keeps_up(&self) -> bool {
        let waiting = self.waiting.lock();
        !waiting.closed && !waiting.held && waiting.packets.is_empty()
    }

    /// Tells the client to go. Nothing may come after it on the connection: [`drained`](Self::drained) comes first.
    pub(crate) fn disconnect(&self) {
        self.sink.disconnect();
    }

    /// Sends nothing any more and forgets what waits.
    pub(crate) fn close(&self) {
        let mut waiting = self.waiting.lock();
        *waiting = Waiting { closed: true, ..Waiting::default() };
        drop(waiting);
        self.caught_up.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::value::RawValue;

    use super::*;

    /// Takes as many packets as it has room for.
    #[derive(Debug, Default)]
    struct Room {
        room: AtomicUsize,
        got: Mutex<Vec<i64>>,
    }

    impl Sink for Arc<Room> {
        fn put(&self, packet: &Packet) -> Result<(), Refused> {
            let Packet::Ack(id, _) = packet else { return Err(Refused::Gone) };
            if self.room.load(Ordering::Relaxed) == 0 {
                return Err(Refused::Full);
            }
            self.room.fetch_sub(1, Ordering::Relaxed);
            self.got.lock().push(*id);
            Ok(())
        }

        fn is_drained(&self) -> bool {
            true
        }

        fn disconnect(&self) {}
    }

    fn ack(id: i64) -> Packet {
        Packet::Ack(id, Arc::from(RawValue::from_string("{}".to_owned()).unwrap()))
    }

    fn outbox(room: usize) -> (Arc<Room>, Outbox) {
        let sink = Arc::new(Room { room: room.into(), ..Room::default() });
        let outbox = Outbox::held(Box::new(Arc::clone(&sink)));
        assert_eq!(outbox.let_go(), Pushed::Taken);
        (sink, outbox)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_before_it_is_let_go_waits_in_order() {
        let room = Arc::new(Room { room: 2.into(), ..Room::default() });
        let outbox = Outbox::held(Box::new(Arc::clone(&room)));
        for id in 1..=3 {
            assert_eq!(outbox.push(ack(id)), Pushed::Taken);
        }
        assert!(room.got.lock().is_empty());
        assert_eq!(outbox.let_go(), Pushed::TakenAndStalled);
        assert_eq!(*room.got.lock(), [1, 2]);
        room.room.store(9, Ordering::Relaxed);
        assert_eq!(outbox.push(ack(4)), Pushed::Taken);
        assert_eq!(outbox.hand_over(Duration::from_secs(1)).await, HandedOver::Caught);
        assert_eq!(*room.got.lock(), [1, 2, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn order_holds_across_a_full_buffer() {
        let (room, outbox) = outbox(1);
        assert_eq!(outbox.push(ack(1)), Pushed::Taken);
        assert_eq!(outbox.push(ack(2)), Pushed::TakenAndStalled);
        room.room.store(9, Ordering::Relaxed);
        assert_eq!(outbox.push(ack(3)), Pushed::Taken, "it may not overtake the one that waits");
        assert_eq!(outbox.hand_over(Duration::from_secs(1)).await, HandedOver::Caught);
        assert_eq!(*room.got.lock(), [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_takes_nothing_stalls() {
        let (_, outbox) = outbox(0);
        assert_eq!(outbox.push(ack(1)), Pushed::TakenAndStalled);
        assert_eq!(outbox.hand_over(Duration::from_secs(10)).await, HandedOver::Stalled);
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_number() {
        let (_, outbox) = outbox(0);
        let pushed: Vec<_> = (0..=2048).map(|id| outbox.push(ack(id))).collect();
        assert_eq!(pushed[2047], Pushed::Taken);
        assert_eq!(pushed[2048], Pushed::Overflow);
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_save_for_a_lone_packet() {
        let (_, outbox) = outbox(0);
        let big = RawValue::from_string(format!("\"{}\"", "x".repeat(MAX_WAITING_BYTES))).unwrap();
        let big = Packet::Ack(1, Arc::from(big));
        assert_eq!(outbox.push(big.clone()), Pushed::TakenAndStalled);
        assert_eq!(outbox.push(big), Pushed::Overflow);
    }

    #[tokio::test]
    async fn closing_frees_and_wakes() {
        let (_, outbox) = outbox(0);
        outbox.push(ack(1));
        let waits = outbox.caught_up();
        outbox.close();
        waits.await;
        assert_eq!(outbox.push(ack(2)), Pushed::Gone);
    }
}
