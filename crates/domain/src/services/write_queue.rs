//! What queues in front of the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Span;

use super::messaging::Sent;
use super::patience::Patience;
use super::queue::{Answer, QueueIn, QueueOut, answered, late, reply};
use crate::error::Result;
use crate::model::{MessageView, NewMessage, Roster, SessionId, User, UserId};
use crate::ports::{AmendMessage, ChangeMembership, DeliveredNow, MembershipChanged};

/// The most changes that wait; beyond that callers wait for room, and their sockets with them.
const CAPACITY: usize = 4_096;

/// A send on its way, with what its event needs.
pub(super) struct Outgoing {
    pub(super) message: NewMessage,
    pub(super) sender: User,
    /// Who may have a live socket when it is stored.
    pub(super) roster: Arc<Roster>,
    pub(super) origin: Option<SessionId>,
    /// What the storing of it is a part of, in a trace that is recorded.
    pub(super) span: Span,
}

/// A send that is queued; its place in the conversation is taken in the order of the submits.
#[must_use = "a send is acked with its outcome"]
pub struct PendingSend {
    stored: oneshot::Receiver<Result<Sent>>,
    since: Instant,
    given_up: Arc<AtomicBool>,
    patience: Patience,
}

impl PendingSend {
    /// Waits until the message is stored: as long as its turn takes, but no longer than [`Settings::storage_timeout`] for
    /// a storage that answers nobody. A send whose outcome nobody waits for is stored like any other.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Send)`, `BlockedByYou`, `Blocked`, `MessageNotFound` (the answered
    /// message is not in the conversation), `Unavailable`: it may be stored all the same, if the storage had begun.
    ///
    /// [`Settings::storage_timeout`]: super::Settings::storage_timeout
    pub async fn outcome(self) -> Result<Sent> {
        let Self { stored, since, given_up, patience } = self;
        patience.wait(since, answered(stored)).await.unwrap_or_else(|| {
            given_up.store(true, Ordering::Release);
            Err(late())
        })
    }
}

/// The writer's side of a [`PendingSend`].
pub(super) struct Awaited {
    answer: Answer<Sent>,
    given_up: Arc<AtomicBool>,
}

impl Awaited {
    /// Whether its sender has been told that it was not stored; so it must not be.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    pub(super) fn reply(self, outcome: Result<Sent>) {
        reply(self.answer, outcome);
    }
}

/// Something to be stored.
pub(super) enum Change {
    Append(Box<Outgoing>, Awaited),
    Amend(Box<AmendMessage>, Answer<MessageView>),
    Membership(Box<ChangeMembership>, Answer<MembershipChanged>),
    Reach(UserId, Answer<Vec<DeliveredNow>>),
}

/// The end of the queue that services hold.
#[derive(Clone)]
pub(super) struct WriteQueue {
    changes: QueueIn<Change>,
    patience: Patience,
}

/// The end that the [`Writer`](super::writer::Writer) holds.
pub(super) struct Queued {
    pub(super) changes: QueueOut<Change>,
    /// Of those who wait; the writer renews it.
    pub(super) patience: Patience,
}

/// A queue, and its other end. Sends wait for a storage that does not answer for `timeout`.
pub(super) fn write_queue(timeout: Duration) -> (WriteQueue, Queued) {
    let (queue, changes) = super::queue::queue(CAPACITY);
    let patience = Patience::new(timeout);
    (WriteQueue { changes: queue, patience: patience.clone() }, Queued { changes, patience })
}

impl WriteQueue {
    /// Queues a send.
    pub(super) async fn append(&self, outgoing: Outgoing) -> Result<PendingSend> {
        let (since, given_up) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let awaited = given_up.clone();
        let queued =
            self.changes.ask(|answer| Change::Append(Box::new(outgoing), Awaited { answer, given_up: awaited }));
        let stored = self.patience.wait(since, queued).await.unwrap_or_else(|| Err(late()))?;
        Ok(PendingSend { stored, since, given_up, patience: self.patience.clone() })
    }

    /// Amends a message.
    pub(super) async fn amend(&self, amend: AmendMessage) -> Result<MessageView> {
        self.changes.carry_out(|answer| Change::Amend(Box::new(amend), answer)).await
    }

    /// Changes a membership.
    pub(super) async fn change_membership(&self, change: ChangeMembership) -> Result<MembershipChanged> {
        self.changes.carry_out(|answer| Change::Membership(Box::new(change), answer)).await
    }

    /// Marks what came before `user` did as delivered; from then on sends say that they reach them. Both in one step
    /// between two batches, so that no message falls between the mark and the first send that moves it.
    pub(super) async fn reach(&self, user: UserId) -> Result<Vec<DeliveredNow>> {
        self.changes.carry_out(|answer| Change::Reach(user, answer)).await
    }

    /// Takes no more changes.
    pub(super) fn close(&self) {
        self.changes.close();
    }
}
