//! Calls that were made on another node. That node keeps them; a step that somebody takes on this one is asked of it, and
//! its answer is theirs. Which node has made a call is known from its invitation. A node that is gone took its calls
//! with it: then a step is answered with `Unavailable`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Calling;
use super::telling::check_signal;
use crate::error::{Error, Result};
use crate::event::{CallEvent, Event};
use crate::model::{CallId, NodeId, SessionId, UserId};
use crate::ports::{CallAnswer, CallAsk, Link, StorageError, Topic, Word};

/// How many calls of other nodes are remembered, and how long after their last step.
const REMEMBERED: u64 = 100_000;
const REMEMBERED_FOR: Duration = Duration::from_hours(12);
/// How long another node may take for a step.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a step may be refused, of those reasons that only a call's own node can find; texts are not made from what
/// comes over the link.
const CONFLICTS: [&str; 5] = [
    "The call is over",
    "The call does not ring",
    "You are in another call",
    "You are not in the call",
    "They are not in the call",
];

/// Calls of other nodes.
pub(super) struct Abroad {
    link: Arc<dyn Link>,
    made_by: Cache<CallId, NodeId>,
    /// The sockets of this node that are in one of them.
    sockets: Cache<SessionId, CallId>,
    /// Who waits for an answer: at most one step for each socket of this node.
    waiting: Mutex<HashMap<u64, oneshot::Sender<CallAnswer>>>,
    asked: AtomicU64,
}

impl Abroad {
    pub(super) fn new(link: Arc<dyn Link>) -> Self {
        Self {
            link,
            made_by: Cache::builder().max_capacity(REMEMBERED).time_to_idle(REMEMBERED_FOR).build(),
            sockets: Cache::builder().max_capacity(REMEMBERED).time_to_idle(REMEMBERED_FOR).build(),
            waiting: Mutex::default(),
            asked: AtomicU64::new(0),
        }
    }

    async fn ask(&self, node: NodeId, call_id: &CallId, ask: CallAsk) -> Result<()> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().insert(number, answer);
        let joins = match &ask {
            CallAsk::Accept { session, .. } | CallAsk::Signal { session, .. } => Some(*session),
            CallAsk::Reject { .. } | CallAsk::HangUp { .. } | CallAsk::SocketGone { .. } => None,
        };
        self.link.say(&Topic::Node(node), Word::CallAsked { number, call_id: call_id.clone(), ask });
        let answer = timeout(PATIENCE, answered).await;
        self.waiting.lock().remove(&number);
        match answer {
            Ok(Ok(CallAnswer::Done)) => {
                if let Some(session) = joins {
                    self.sockets.insert(session, call_id.clone());
                }
                Ok(())
            }
            Ok(Ok(CallAnswer::NotFound)) => Err(Error::NotFound("Call not found")),
            Ok(Ok(CallAnswer::Conflict(text))) => {
                let known = CONFLICTS.into_iter().find(|known| *known == text);
                Err(Error::Conflict(known.unwrap_or("The call is over")))
            }
            Ok(Ok(CallAnswer::Failed) | Err(_)) | Err(_) => {
                let source = "the node that has the call does not answer".into();
                Err(StorageError::Unavailable { source }.into())
            }
        }
    }
}

impl Calling {
    /// `user` comes in on the socket `session`, or goes on with it after a reconnect.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a call that is over or somebody who is in another one.
    pub async fn accept(&self, user: &UserId, session: SessionId, call_id: &CallId) -> Result<()> {
        match self.abroad(call_id) {
            Some((abroad, node)) => abroad.ask(node, call_id, CallAsk::Accept { user: user.clone(), session }).await,
            None => self.accept_here(user, session, call_id).await,
        }
    }

    /// `user` does not want to come.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a call that is over or does not ring at them.
    pub async fn reject(&self, user: &UserId, call_id: &CallId, reason: Option<String>) -> Result<()> {
        match self.abroad(call_id) {
            Some((abroad, node)) => abroad.ask(node, call_id, CallAsk::Reject { user: user.clone(), reason }).await,
            None => self.reject_here(user, call_id, reason).await,
        }
    }

    /// `user` goes; the caller of a call that rings gives up.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a call that is over or that they are not in.
    pub async fn hang_up(&self, user: &UserId, call_id: &CallId, reason: Option<String>) -> Result<()> {
        match self.abroad(call_id) {
            Some((abroad, node)) => abroad.ask(node, call_id, CallAsk::HangUp { user: user.clone(), reason }).await,
            None => self.hang_up_here(user, call_id, reason).await,
        }
    }

    /// Passes a word on to another person in the call: to the socket with which they are in it.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a call that is over or where one of the two is not in it; `Validation` of `data`.
    pub async fn signal(
        &self,
        from: &UserId,
        session: SessionId,
        call_id: &CallId,
        to: &UserId,
        data: String,
    ) -> Result<()> {
        check_signal(&data)?;
        match self.abroad(call_id) {
            Some((abroad, node)) => {
                let ask = CallAsk::Signal { from: from.clone(), session, to: to.clone(), data };
                abroad.ask(node, call_id, ask).await
            }
            None => self.signal_here(from, session, call_id, to, data).await,
        }
    }

    /// A socket is gone: who was in a call with it has ten seconds to come back.
    pub fn socket_gone(&self, user: &UserId, session: SessionId) {
        self.socket_gone_here(user, session);
        let Some(abroad) = &self.0.abroad else { return };
        if let Some(call_id) = abroad.sockets.remove(&session)
            && let Some(node) = abroad.made_by.get(&call_id)
        {
            let ask = CallAsk::SocketGone { user: user.clone(), session };
            let number = abroad.asked.fetch_add(1, Ordering::Relaxed);
            abroad.link.say(&Topic::Node(node), Word::CallAsked { number, call_id, ask });
        }
    }

    fn abroad(&self, call_id: &CallId) -> Option<(&Abroad, NodeId)> {
        let abroad = self.0.abroad.as_ref()?;
        Some((abroad, abroad.made_by.get(call_id)?))
    }

    pub(super) fn is_abroad(&self, call_id: &CallId) -> bool {
        self.abroad(call_id).is_some()
    }

    /// Something happened on another node: if it is a call, that one has it.
    pub(in crate::services) fn heard(&self, node: NodeId, event: &Event) {
        if let Some(abroad) = &self.0.abroad
            && let Event::Call { call_id, what: CallEvent::Invited { .. }, .. } = event
        {
            abroad.made_by.insert(call_id.clone(), node);
        }
    }

    /// Another node has answered.
    pub(in crate::services) fn answered(&self, number: u64, answer: CallAnswer) {
        if let Some(abroad) = &self.0.abroad
            && let Some(waits) = abroad.waiting.lock().remove(&number)
        {
            // Whoever asked may have lost patience.
            let _ = waits.send(answer);
        }
    }

    /// Takes a step that somebody takes on another node, in a call of this one.
    pub(in crate::services) async fn step_of_another(&self, call_id: &CallId, ask: CallAsk) -> CallAnswer {
        let outcome = match ask {
            CallAsk::Accept { user, session } => self.accept_here(&user, session, call_id).await,
            CallAsk::Reject { user, reason } => self.reject_here(&user, call_id, reason).await,
            CallAsk::HangUp { user, reason } => self.hang_up_here(&user, call_id, reason).await,
            CallAsk::Signal { from, session, to, data } => self.signal_here(&from, session, call_id, &to, data).await,
            CallAsk::SocketGone { user, session } => {
                self.socket_gone_here(&user, session);
                Ok(())
            }
        };
        match outcome {
            Ok(()) => CallAnswer::Done,
            Err(Error::NotFound(_)) => CallAnswer::NotFound,
            Err(Error::Conflict(text)) => CallAnswer::Conflict(text.to_owned()),
            Err(_) => CallAnswer::Failed,
        }
    }
}
