//! The queue in front of the writer: bounded, in order, each change answered by its own result.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::closing::{Closing, Switch, closing};
use super::messaging::Sent;
use crate::error::{Error, Result};
use crate::model::{MessageView, NewMessage, Roster, SessionId, User, UserId};
use crate::ports::{AmendMessage, ChangeMembership, DeliveredNow, MembershipChanged, StorageError};

/// The most changes that wait; beyond that callers wait for room, and their sockets with them.
const QUEUE: usize = 4_096;

/// A send on its way, with what its event needs.
pub(super) struct Outgoing {
    pub(super) message: NewMessage,
    pub(super) sender: User,
    /// Who may have a live socket when it is stored.
    pub(super) roster: Arc<Roster>,
    pub(super) origin: Option<SessionId>,
}

/// Where a change's result goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T>>;

/// Something to be stored.
pub(super) enum Change {
    Append(Box<Outgoing>, Answer<Sent>),
    Amend(Box<AmendMessage>, Answer<MessageView>),
    Membership(Box<ChangeMembership>, Answer<MembershipChanged>),
    Reach(UserId, Answer<Vec<DeliveredNow>>),
}

/// The end of the queue that services hold.
#[derive(Clone)]
pub(super) struct WriteQueue {
    changes: mpsc::Sender<Change>,
    switch: Switch,
}

impl WriteQueue {
    /// Queues a send. The answer comes when it is stored.
    pub(super) async fn append(&self, outgoing: Outgoing) -> Result<oneshot::Receiver<Result<Sent>>> {
        self.put(|answer| Change::Append(Box::new(outgoing), answer)).await
    }

    /// Amends a message.
    pub(super) async fn amend(&self, amend: AmendMessage) -> Result<MessageView> {
        answered(self.put(|answer| Change::Amend(Box::new(amend), answer)).await?).await
    }

    /// Changes a membership.
    pub(super) async fn change_membership(&self, change: ChangeMembership) -> Result<MembershipChanged> {
        answered(self.put(|answer| Change::Membership(Box::new(change), answer)).await?).await
    }

    /// Marks what came before `user` did as delivered; from then on sends say that they reach them. Both in one step
    /// between two batches, so that no message falls between the mark and the first send that moves it.
    pub(super) async fn reach(&self, user: UserId) -> Result<Vec<DeliveredNow>> {
        answered(self.put(|answer| Change::Reach(user, answer)).await?).await
    }

    /// Takes no more changes.
    pub(super) fn close(&self) {
        self.switch.close();
    }

    async fn put<T>(&self, change: impl FnOnce(Answer<T>) -> Change) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, outcome) = oneshot::channel();
        self.changes.send(change(answer)).await.map_err(|_| going_down())?;
        Ok(outcome)
    }
}

/// Waits for the worker's answer.
pub(super) async fn answered<T>(outcome: oneshot::Receiver<Result<T>>) -> Result<T> {
    outcome.await.unwrap_or_else(|_| Err(going_down()))
}

fn going_down() -> Error {
    StorageError::Unavailable { source: "the server is going down".into() }.into()
}

/// The end of the queue from which changes are stored.
pub(super) struct Queued {
    changes: mpsc::Receiver<Change>,
    closing: Closing,
}

impl Queued {
    /// Waits for changes and moves at most `limit` of them into `queued`, in order; none when the queue is closed and
    /// empty.
    pub(super) async fn take(&mut self, queued: &mut Vec<Change>, limit: usize) {
        loop {
            tokio::select! {
                biased;
                _ = self.changes.recv_many(queued, limit) => return,
                () = self.closing.closed(), if !self.changes.is_closed() => self.changes.close(),
            }
        }
    }
}

/// A queue, and its other end for the [`Writer`](super::writer::Writer).
pub(super) fn queue() -> (WriteQueue, Queued) {
    let (queue, changes) = mpsc::channel(QUEUE);
    let (switch, closing) = closing();
    (WriteQueue { changes: queue, switch }, Queued { changes, closing })
}

/// Answers a change.
pub(super) fn reply<T>(answer: Answer<T>, outcome: Result<T>) {
    // The caller may be gone; what is stored is stored.
    let _ = answer.send(outcome);
}
