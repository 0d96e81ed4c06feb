//! A queue of changes in front of one worker: bounded, in order, each change answered by its own result.
//! The writer has one, and so has the notifier: what is done by one worker, one thing after the other, is told in the
//! order in which it was stored, without locks.

use tokio::sync::{mpsc, oneshot};

use super::closing::{Closing, Switch, closing};
use crate::error::{Error, Result};
use crate::ports::StorageError;

/// Where a change's result goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T>>;

/// The end that services hold.
pub(super) struct QueueIn<T> {
    changes: mpsc::Sender<T>,
    switch: Switch,
}

/// The end that the worker holds.
pub(super) struct QueueOut<T> {
    changes: mpsc::Receiver<T>,
    closing: Closing,
}

/// A queue in which at most `capacity` changes wait; the next one waits for room.
pub(super) fn queue<T>(capacity: usize) -> (QueueIn<T>, QueueOut<T>) {
    let (sender, changes) = mpsc::channel(capacity);
    let (switch, closing) = closing();
    (QueueIn { changes: sender, switch }, QueueOut { changes, closing })
}

impl<T> Clone for QueueIn<T> {
    fn clone(&self) -> Self {
        Self { changes: self.changes.clone(), switch: self.switch.clone() }
    }
}

impl<T> QueueIn<T> {
    /// Queues a change that nobody waits for.
    pub(super) async fn put(&self, change: T) -> Result<()> {
        self.changes.send(change).await.map_err(|_| going_down())
    }

    /// Queues a change; its result comes later.
    pub(super) async fn ask<A>(&self, change: impl FnOnce(Answer<A>) -> T) -> Result<oneshot::Receiver<Result<A>>> {
        let (answer, outcome) = oneshot::channel();
        self.put(change(answer)).await?;
        Ok(outcome)
    }

    /// Queues a change and waits for its result.
    pub(super) async fn carry_out<A>(&self, change: impl FnOnce(Answer<A>) -> T) -> Result<A> {
        answered(self.ask(change).await?).await
    }

    /// Takes no more changes; those that are queued are still carried out.
    pub(super) fn close(&self) {
        self.switch.close();
    }
}

impl<T> QueueOut<T> {
    /// How many changes wait.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Waits for changes and moves at most `limit` of them into `changes`, in order; none when the queue is closed and
    /// empty.
    pub(super) async fn take(&mut self, changes: &mut Vec<T>, limit: usize) {
        loop {
            tokio::select! {
                biased;
                _ = self.changes.recv_many(changes, limit) => return,
                () = self.closing.closed(), if !self.changes.is_closed() => self.changes.close(),
            }
        }
    }
}

/// Waits for the worker's answer.
pub(super) async fn answered<A>(outcome: oneshot::Receiver<Result<A>>) -> Result<A> {
    outcome.await.unwrap_or_else(|_| Err(going_down()))
}

/// Answers a change.
pub(super) fn reply<A>(answer: Answer<A>, outcome: Result<A>) {
    // The caller may be gone; what is stored is stored.
    let _ = answer.send(outcome);
}

/// What is said when the answer takes too long.
pub(super) fn late() -> Error {
    StorageError::Unavailable { source: "the storage does not answer in time".into() }.into()
}

fn going_down() -> Error {
    StorageError::Unavailable { source: "the server is going down".into() }.into()
}
