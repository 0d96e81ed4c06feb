//! What a step of a call tells, into room that was taken before the step.

use tokio::sync::mpsc::PermitIterator;

use super::super::missed_calls::MissedCall;
use super::{MAX_REASON_CHARS, MAX_SIGNAL_BYTES, Told};
use crate::error::{Error, Result};
use crate::event::{CallAudience, CallEvent, Event};
use crate::model::{CallId, EndedCall, UserId};
use crate::rules::calling::Call;

/// Room for what one step tells.
pub(super) type Tell<'a> = PermitIterator<'a, Told>;

/// Tells everybody whom the call concerns.
pub(super) fn tell_all(tell: &mut Tell<'_>, call_id: &CallId, call: &Call, what: CallEvent) {
    tell_users(tell, call_id, what, call.everybody().cloned());
}

pub(super) fn tell_users(
    tell: &mut Tell<'_>,
    call_id: &CallId,
    what: CallEvent,
    users: impl IntoIterator<Item = UserId>,
) {
    let to = CallAudience::Users(users.into_iter().collect());
    send(tell, Told::Event(Event::Call { call_id: call_id.clone(), what, to }));
}

pub(super) fn missed(tell: &mut Tell<'_>, call: &Call, users: Vec<UserId>) {
    if !users.is_empty() {
        let missed = MissedCall {
            conversation_id: call.conversation_id,
            caller: call.caller.clone(),
            media: call.media,
            users,
            answered: !call.is_ringing(),
        };
        send(tell, Told::Missed(missed));
    }
}

pub(super) fn ended(tell: &mut Tell<'_>, call_id: &CallId, call: &Call, reason: Option<&str>) {
    // It is stored, and PostgreSQL has no texts with a NUL.
    let reason = reason.map(|reason| reason.replace('\0', ""));
    let ended = EndedCall {
        call_id: call_id.clone(),
        conversation_id: call.conversation_id,
        caller: call.caller.clone(),
        media: call.media,
        answered: !call.is_ringing(),
        reason,
    };
    send(tell, Told::Ended(ended));
}

pub(super) fn send(tell: &mut Tell<'_>, told: Told) {
    if let Some(permit) = tell.next() {
        permit.send(told);
    } else {
        tracing::error!("a step of a call tells more than it has room for");
    }
}

/// That a word is not too long to be passed on.
pub(super) fn check_signal(data: &str) -> Result<()> {
    if data.len() > MAX_SIGNAL_BYTES {
        return Err(Error::validation("data", "must have at most 64 KiB as JSON"));
    }
    Ok(())
}

pub(super) fn bounded(reason: Option<String>) -> Option<String> {
    reason.map(|reason| reason.chars().take(MAX_REASON_CHARS).collect())
}
