//! Calls: who rings whom, who is in a call, and the relay of what browsers need to connect. Calls live in the memory of
//! the node on which they were made; steps on another go there (`abroad`). A socket that is gone has ten seconds to
//! come back; ringing ends by itself; people who block each other cannot ring. What remains of a missed call is a
//! system message and a notification.

mod abroad;
mod telling;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::blocking::Blocking;
use super::closing::{Switch, closing};
use super::deadlines::Deadlines;
use super::missed_calls::{MissedCall, MissedCalls};
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::webhooks::Webhooks;
use crate::error::{Attempt, Error, Result};
use crate::event::{CallAudience, CallEvent, CallStep, Event};
use crate::model::{CallId, CallMedia, ConversationId, EndedCall, NodeId, SessionId, UserId};
use crate::ports::{Link, StorageError};
use crate::rules::calling::{Accepted, Call, Course};

use abroad::Abroad;
use telling::{Tell, bounded, check_signal, ended, missed, send, tell_all, tell_users};
pub use worker::CallingWorker;

/// How long a socket that is in a call may be gone before its user is.
const RECONNECT: Duration = Duration::from_secs(10);
/// The most events of calls that wait to be told; beyond that callers wait.
const QUEUE: usize = 1_024;
/// The most that one step tells.
const TOLD_PER_STEP: usize = 4;
/// How many ended calls are remembered, and how long, to tell a late step from a wrong id.
const ENDED: u64 = 10_000;
const ENDED_TTL: Duration = Duration::from_mins(10);
/// The longest reason that is passed on, in characters.
const MAX_REASON_CHARS: usize = 200;
/// The longest SDP or ICE text, in bytes (contract: `call:signal`).
pub const MAX_SIGNAL_BYTES: usize = 64 * 1024;

/// An invitation to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Where.
    pub conversation_id: ConversationId,
    /// The caller's id for it.
    pub call_id: CallId,
    /// What it carries.
    pub media: CallMedia,
    /// JSON for the other clients, at most 64 KiB.
    pub data: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Timer {
    Ringing(CallId),
    Away(CallId, UserId),
}

enum Told {
    Event(Event),
    Missed(MissedCall),
    Ended(EndedCall),
}

#[derive(Default)]
struct State {
    calls: HashMap<CallId, Call>,
    /// Which call somebody is in, each in one at most.
    busy: HashMap<UserId, CallId>,
}

struct Shared {
    state: Mutex<State>,
    timers: Deadlines<Timer>,
    ring_time: Duration,
    ended: Cache<CallId, Call>,
    /// Filled while `state` is locked, so that steps are told in the order they happened.
    told: mpsc::Sender<Told>,
    rosters: Rosters,
    blocking: Blocking,
    abroad: Option<Abroad>,
    switch: Switch,
}

/// All calls.
#[derive(Clone)]
pub struct Calling(Arc<Shared>);

impl Calling {
    pub(super) fn new(
        rosters: Rosters,
        blocking: Blocking,
        missed: MissedCalls,
        publisher: Publisher,
        webhooks: Option<Webhooks>,
        link: Option<Arc<dyn Link>>,
        ring_time: Duration,
    ) -> (Self, CallingWorker) {
        let (told, tell) = mpsc::channel(QUEUE);
        let (switch, closing) = closing();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            timers: Deadlines::new(),
            ring_time,
            ended: Cache::builder().max_capacity(ENDED).time_to_live(ENDED_TTL).build(),
            told,
            rosters,
            blocking,
            abroad: link.map(Abroad::new),
            switch,
        });
        (Self(shared.clone()), CallingWorker { shared, tell, closing, missed, publisher, webhooks })
    }

    /// `caller` calls the others of a conversation, on the socket `session`. Who is in another call is not rung at; if
    /// that is everybody, the caller hears `busy` at once.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`, `BlockedByYou`, `Blocked`; `Validation` of `data`;
    /// `Conflict` if the id is taken, the caller is in another call, or nobody else is there.
    pub async fn invite(&self, caller: &UserId, session: SessionId, invitation: Invitation) -> Result<()> {
        let shared = &*self.0;
        let Invitation { conversation_id, call_id, media, data } = invitation;
        if data.as_ref().is_some_and(|data| data.len() > MAX_SIGNAL_BYTES) {
            return Err(Error::validation("data", "must have at most 64 KiB as JSON"));
        }
        let roster = shared.rosters.authorize(caller, conversation_id, Attempt::Access).await?;
        if let Some(peer) = roster.peer(caller) {
            shared.blocking.between(caller, peer).await?.may_contact()?;
        }
        let mut tell = shared.room_to_tell().await?;
        let mut state = shared.state.lock();
        if state.calls.contains_key(&call_id) || shared.ended.contains_key(&call_id) || self.is_abroad(&call_id) {
            return Err(Error::Conflict("There is a call with this id already"));
        }
        if state.busy.contains_key(caller) {
            return Err(Error::Conflict("You are in another call"));
        }
        let (busy, free): (Vec<UserId>, Vec<UserId>) =
            roster.others(caller).cloned().partition(|user| state.busy.contains_key(user));
        if busy.is_empty() && free.is_empty() {
            return Err(Error::Conflict("Nobody else is in the conversation"));
        }
        let mut call =
            Call::new(conversation_id, roster.kind, caller.clone(), session, media, roster.users().iter().cloned());
        let mut course = Course::On;
        for user in &busy {
            course = call.reject(user)?;
        }
        if course == Course::Over {
            let reason = Some("busy".to_owned());
            let what = match roster.peer(caller) {
                Some(peer) => CallEvent::Rejected(CallStep { conversation_id, user_id: peer.clone(), reason }),
                None => CallEvent::HungUp(CallStep { conversation_id, user_id: caller.clone(), reason }),
            };
            tell_users(&mut tell, &call_id, what, [caller.clone()]);
            missed(&mut tell, &call, busy);
            ended(&mut tell, &call_id, &call, Some("busy"));
            shared.ended.insert(call_id, call);
            return Ok(());
        }
        let invited = CallEvent::Invited { conversation_id, media, data, from: caller.clone() };
        tell_users(&mut tell, &call_id, invited, free);
        state.busy.insert(caller.clone(), call_id.clone());
        state.calls.insert(call_id.clone(), call);
        shared.timers.set(Timer::Ringing(call_id), shared.ring_time);
        Ok(())
    }

    async fn accept_here(&self, user: &UserId, session: SessionId, call_id: &CallId) -> Result<()> {
        let shared = &*self.0;
        let mut tell = shared.room_to_tell().await?;
        let mut state = shared.state.lock();
        let State { calls, busy } = &mut *state;
        let call = shared.find(calls, call_id, user)?;
        if busy.get(user).is_some_and(|other| other != call_id) {
            return Err(Error::Conflict("You are in another call"));
        }
        let accepted = call.accept(user, session)?;
        busy.insert(user.clone(), call_id.clone());
        shared.timers.cancel(&Timer::Away(call_id.clone(), user.clone()));
        if accepted == Accepted::Joined {
            let step = CallStep { conversation_id: call.conversation_id, user_id: user.clone(), reason: None };
            tell_all(&mut tell, call_id, call, CallEvent::Accepted(step));
            if call.ringing().next().is_none() {
                shared.timers.cancel(&Timer::Ringing(call_id.clone()));
            }
        }
        Ok(())
    }

    async fn reject_here(&self, user: &UserId, call_id: &CallId, reason: Option<String>) -> Result<()> {
        let shared = &*self.0;
        let mut tell = shared.room_to_tell().await?;
        let mut state = shared.state.lock();
        let call = shared.find(&mut state.calls, call_id, user)?;
        let course = call.reject(user)?;
        let reason = bounded(reason);
        let step = CallStep { conversation_id: call.conversation_id, user_id: user.clone(), reason: reason.clone() };
        tell_all(&mut tell, call_id, call, CallEvent::Rejected(step));
        if course == Course::Over {
            shared.end(&mut tell, &mut state, call_id, reason.as_deref());
        }
        Ok(())
    }

    async fn hang_up_here(&self, user: &UserId, call_id: &CallId, reason: Option<String>) -> Result<()> {
        let mut tell = self.0.room_to_tell().await?;
        self.0.leave(&mut tell, user, call_id, bounded(reason).as_deref())
    }

    async fn signal_here(
        &self,
        from: &UserId,
        session: SessionId,
        call_id: &CallId,
        to: &UserId,
        data: String,
    ) -> Result<()> {
        let shared = &*self.0;
        check_signal(&data)?;
        let mut tell = shared.room_to_tell().await?;
        let mut state = shared.state.lock();
        let call = shared.find(&mut state.calls, call_id, from)?;
        if call.session_of(from).is_none() {
            return Err(Error::Conflict("You are not in the call"));
        }
        // A word from a new socket of somebody in the call says that they are back.
        if call.accept(from, session)? == Accepted::Moved {
            shared.timers.cancel(&Timer::Away(call_id.clone(), from.clone()));
        }
        let socket = call.session_of(to).ok_or(Error::Conflict("They are not in the call"))?;
        let what = CallEvent::Signal { from: from.clone(), data };
        send(&mut tell, Told::Event(Event::Call { call_id: call_id.clone(), what, to: CallAudience::Socket(socket) }));
        Ok(())
    }

    /// `user` is no longer in a conversation: what is said in its calls is not for them any more.
    pub(super) async fn removed(&self, user: &UserId, conversation: ConversationId) {
        let concerned = |call: &Call| call.conversation_id == conversation && call.concerns(user);
        let ids: Vec<CallId> =
            self.0.state.lock().calls.iter().filter(|(_, call)| concerned(call)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            // Otherwise the server goes down, and every call with it.
            let Ok(mut tell) = self.0.room_to_tell().await else { return };
            self.0.put_out(&mut tell, user, &id);
        }
    }

    fn socket_gone_here(&self, user: &UserId, session: SessionId) {
        let state = self.0.state.lock();
        let Some(call_id) = state.busy.get(user) else { return };
        if state.calls.get(call_id).is_some_and(|call| call.session_of(user) == Some(session)) {
            self.0.timers.set(Timer::Away(call_id.clone(), user.clone()), RECONNECT);
        }
    }

    /// A node is gone, and all sockets on it.
    pub(super) fn node_gone(&self, node: NodeId) {
        let state = self.0.state.lock();
        for (call_id, call) in &state.calls {
            let on_it = |user: &&UserId| call.session_of(user).is_some_and(|session| session.node() == node);
            for user in call.members().filter(on_it) {
                self.0.timers.set(Timer::Away(call_id.clone(), user.clone()), RECONNECT);
            }
        }
    }

    pub(super) fn close(&self) {
        self.0.switch.close();
    }
}

impl Shared {
    /// Room for all that one step tells, taken before anything changes.
    async fn room_to_tell(&self) -> Result<Tell<'_>> {
        let going_down = |_| Error::from(StorageError::Unavailable { source: "the server is going down".into() });
        self.told.reserve_many(TOLD_PER_STEP).await.map_err(going_down)
    }

    fn find<'a>(&self, calls: &'a mut HashMap<CallId, Call>, id: &CallId, user: &UserId) -> Result<&'a mut Call> {
        match calls.get_mut(id).filter(|call| call.concerns(user)) {
            Some(call) => Ok(call),
            None if self.ended.get(id).is_some_and(|call| call.concerns(user)) => {
                Err(Error::Conflict("The call is over"))
            }
            None => Err(Error::NotFound("Call not found")),
        }
    }

    fn leave(&self, tell: &mut Tell<'_>, user: &UserId, call_id: &CallId, reason: Option<&str>) -> Result<()> {
        let mut state = self.state.lock();
        let call = self.find(&mut state.calls, call_id, user)?;
        let course = call.leave(user)?;
        let step = CallStep {
            conversation_id: call.conversation_id,
            user_id: user.clone(),
            reason: reason.map(str::to_owned),
        };
        tell_all(tell, call_id, call, CallEvent::HungUp(step));
        self.gone(tell, &mut state, user, call_id, course, reason);
        Ok(())
    }

    fn put_out(&self, tell: &mut Tell<'_>, user: &UserId, call_id: &CallId) {
        let mut state = self.state.lock();
        let Ok(call) = self.find(&mut state.calls, call_id, user) else { return };
        let reason = "removed";
        let step =
            CallStep { conversation_id: call.conversation_id, user_id: user.clone(), reason: Some(reason.to_owned()) };
        // To them as well: their client may still ring.
        tell_all(tell, call_id, call, CallEvent::HungUp(step));
        let course = call.put_out(user);
        self.gone(tell, &mut state, user, call_id, course, Some(reason));
    }

    /// Somebody has gone from a call, which goes on without them or is over.
    fn gone(
        &self,
        tell: &mut Tell<'_>,
        state: &mut State,
        user: &UserId,
        call_id: &CallId,
        course: Course,
        reason: Option<&str>,
    ) {
        if course == Course::Over {
            if let Some(call) = state.calls.get(call_id) {
                missed(tell, call, call.ringing().cloned().collect());
            }
            self.end(tell, state, call_id, reason);
        } else {
            // They may be in another one, and only have been rung at by this.
            if state.busy.get(user) == Some(call_id) {
                state.busy.remove(user);
            }
            self.timers.cancel(&Timer::Away(call_id.clone(), user.clone()));
        }
    }

    /// Nobody else takes it any more.
    fn ring_out(&self, tell: &mut Tell<'_>, call_id: &CallId) {
        let mut state = self.state.lock();
        let Some(call) = state.calls.get_mut(call_id) else { return };
        let unanswered: Vec<UserId> = call.ringing().cloned().collect();
        let course = call.stop_ringing();
        let step = CallStep {
            conversation_id: call.conversation_id,
            user_id: call.caller.clone(),
            reason: Some("timeout".to_owned()),
        };
        let what = CallEvent::HungUp(step);
        match course {
            Course::Over => tell_all(tell, call_id, call, what),
            Course::On => tell_users(tell, call_id, what, unanswered.clone()),
        }
        missed(tell, call, unanswered);
        if course == Course::Over {
            self.end(tell, &mut state, call_id, Some("timeout"));
        }
    }

    fn end(&self, tell: &mut Tell<'_>, state: &mut State, call_id: &CallId, reason: Option<&str>) {
        let Some(call) = state.calls.remove(call_id) else { return };
        ended(tell, call_id, &call, reason);
        state.busy.retain(|_, busy| busy != call_id);
        self.timers.cancel(&Timer::Ringing(call_id.clone()));
        for user in call.members() {
            self.timers.cancel(&Timer::Away(call_id.clone(), user.clone()));
        }
        self.ended.insert(call_id.clone(), call);
    }
}
