//! What queues in front of the writer.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Span;

use super::messaging::Sent;
use super::queue::{Answer, QueueIn, QueueOut};
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
    /// From when on its sender has been told that it was not stored; so it is not, unless the storage has begun.
    pub(super) until: Option<Instant>,
    /// What the storing of it is a part of, in a trace that is recorded.
    pub(super) span: Span,
}

/// Something to be stored.
pub(super) enum Change {
    Append(Box<Outgoing>, Answer<Sent>),
    Amend(Box<AmendMessage>, Answer<MessageView>),
    Membership(Box<ChangeMembership>, Answer<MembershipChanged>),
    Reach(UserId, Answer<Vec<DeliveredNow>>),
}

/// The end of the queue that services hold.
#[derive(Clone)]
pub(super) struct WriteQueue(QueueIn<Change>);

/// A queue, and its other end for the [`Writer`](super::writer::Writer).
pub(super) fn write_queue() -> (WriteQueue, QueueOut<Change>) {
    let (queue, queued) = super::queue::queue(CAPACITY);
    (WriteQueue(queue), queued)
}

impl WriteQueue {
    /// Queues a send. The answer comes when it is stored.
    pub(super) async fn append(&self, outgoing: Outgoing) -> Result<oneshot::Receiver<Result<Sent>>> {
        self.0.ask(|answer| Change::Append(Box::new(outgoing), answer)).await
    }

    /// Amends a message.
    pub(super) async fn amend(&self, amend: AmendMessage) -> Result<MessageView> {
        self.0.carry_out(|answer| Change::Amend(Box::new(amend), answer)).await
    }

    /// Changes a membership.
    pub(super) async fn change_membership(&self, change: ChangeMembership) -> Result<MembershipChanged> {
        self.0.carry_out(|answer| Change::Membership(Box::new(change), answer)).await
    }

    /// Marks what came before `user` did as delivered; from then on sends say that they reach them. Both in one step
    /// between two batches, so that no message falls between the mark and the first send that moves it.
    pub(super) async fn reach(&self, user: UserId) -> Result<Vec<DeliveredNow>> {
        self.0.carry_out(|answer| Change::Reach(user, answer)).await
    }

    /// Takes no more changes.
    pub(super) fn close(&self) {
        self.0.close();
    }
}
