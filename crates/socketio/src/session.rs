//! One client's socket, as the transport knows it: who it is, what it speaks, what waits in both directions, and how
//! to end it. It holds no reference to the library's socket but a weak one, since that socket's handlers hold the
//! session. What happens with events is `worker`'s and `delivery`'s job; who is in which room is `hub`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use parlance_dialects::AnyDialect;
use parlance_domain::model::{SessionId, Timestamp, UserId};
use parlance_domain::services::Holding;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;

use crate::badge::Badge;
use crate::hub::Slot;
use crate::inbox::Inbox;
use crate::net::Line;
use crate::outbox::{Outbox, Sink};
use crate::pace::Pace;

/// The most sends of one socket that wait for their commit at the same time.
pub(crate) const MAX_IN_FLIGHT: u32 = 32;

/// A client's socket.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its number, which no other node gives.
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) user_id: UserId,
    /// What it speaks.
    pub(crate) dialect: AnyDialect,
    /// What the client asked.
    pub(crate) inbox: Inbox,
    /// What goes to the client.
    pub(crate) outbox: Outbox,
    /// What the client was told of unread notifications.
    pub(crate) badge: Badge,
    /// Whether it keeps to its user's rate.
    pub(crate) pace: Pace,
    /// Sends that were submitted and are not answered yet hold a permit.
    pub(crate) in_flight: Arc<Semaphore>,
    last_answer: Mutex<Option<oneshot::Receiver<()>>>,
    closed: AtomicBool,
    /// When the token was made that the client showed last.
    issued_at: Mutex<Option<Timestamp>>,
    held: Mutex<Held>,
}

/// Dropped when an answer is out; see [`Session::queue_answer`].
pub(crate) type Answered = oneshot::Sender<()>;

/// What a session gives back when it closes.
#[derive(Debug, Default)]
struct Held {
    slot: Option<Slot>,
    line: Option<Line>,
    expiry: Option<AbortHandle>,
    holding: Holding,
}

impl Session {
    pub(crate) fn new(id: SessionId, user_id: UserId, dialect: AnyDialect, sink: Box<dyn Sink>) -> Self {
        Self {
            id,
            user_id,
            dialect,
            inbox: Inbox::closed(),
            outbox: Outbox::held(sink),
            badge: Badge::default(),
            pace: Pace::default(),
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize)),
            last_answer: Mutex::default(),
            closed: AtomicBool::new(false),
            issued_at: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The same session, with what it must give back.
    pub(crate) fn holding(self, slot: Slot, line: Line) -> Self {
        *self.held.lock() = Held { slot: Some(slot), line: Some(line), ..Held::default() };
        self
    }

    /// When the token was made that the client showed last.
    pub(crate) fn issued_at(&self) -> Option<Timestamp> {
        *self.issued_at.lock()
    }

    /// Notes when a token was made that the client shows.
    pub(crate) fn shows_token_of(&self, issued_at: Option<Timestamp>) {
        *self.issued_at.lock() = issued_at;
    }

    /// A place in the order of answers: the guard to drop when this answer is out, and what to wait for before it.
    pub(crate) fn queue_answer(&self) -> (Answered, Option<oneshot::Receiver<()>>) {
        let (done, after) = oneshot::channel();
        (done, self.last_answer.lock().replace(after))
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends it for us: nothing more is sent, its place is free. `true` for the one caller that ended it.
    pub(crate) fn close(&self) -> bool {
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.outbox.close();
        let mut held = self.held.lock();
        held.slot = None;
        held.holding = Holding::default();
        if let Some(expiry) = held.expiry.take() {
            expiry.abort();
        }
        true
    }

    /// Keeps what follows its user's conversations on other nodes, as long as it lives.
    pub(crate) fn keep(&self, holding: Holding) {
        let mut held = self.held.lock();
        if !self.is_closed() {
            held.holding = holding;
        }
    }

    /// Ends the client's connection; `false` if that was done before.
    pub(crate) fn cut(&self) -> bool {
        self.held.lock().line.as_ref().is_some_and(Line::cut)
    }

    /// Replaces the task that ends the session with its token.
    pub(crate) fn expire_by(&self, task: Option<AbortHandle>) {
        let mut held = self.held.lock();
        let task = match task {
            Some(task) if self.is_closed() => {
                task.abort();
                None
            }
            task => task,
        };
        if let Some(old) = std::mem::replace(&mut held.expiry, task) {
            old.abort();
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Arc;

    use parlance_dialects::Dialect;
    use parlance_domain::model::SessionId;

    use super::Session;
    use crate::outbox::{Refused, Sink};
    use crate::packet::Packet;

    /// Takes everything.
    #[derive(Debug)]
    struct Nowhere;

    impl Sink for Nowhere {
        fn put(&self, _: &Packet) -> Result<(), Refused> {
            Ok(())
        }

        fn is_drained(&self) -> bool {
            true
        }

        fn disconnect(&self) {}
    }

    /// A session without a socket.
    pub(crate) fn session(id: u64, user: &str, dialect: Dialect) -> Arc<Session> {
        Arc::new(Session::new(SessionId(id), user.parse().unwrap(), dialect.into(), Box::new(Nowhere)))
    }
}
