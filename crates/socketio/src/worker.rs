//! Carrying out one socket's events, in the order they came. Every event is answered exactly once, also when it cannot
//! be read, is unknown, or its handling panics. Sends overlap: the next one is submitted while earlier ones wait for
//! their commit, a bounded number of them, and answers still go out in order. Everything else waits for them first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use parlance_dialects::{Answer, Decoded, Reply};
use parlance_domain::services::PendingSend;
use parlance_domain::{Error, Result, trace};
use serde_json::Value;
use socketioxide::handler::Value as Packed;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::dispatch::{Step, dispatch, overlaps};
use crate::inbox::Job;
use crate::meters::Meters;
use crate::node::Node;
use crate::packet::Packet;
use crate::session::{MAX_IN_FLIGHT, Session};
use crate::tasks::Busy;

/// An event's name and arguments.
#[derive(Debug, Default)]
struct Call {
    name: String,
    args: Vec<Value>,
}

/// Drains the queue; ends when it is empty.
pub(crate) async fn work(node: Arc<Node>, session: Arc<Session>, busy: Busy) {
    while let Some(job) = session.inbox.next() {
        // A client that does not take its answers gets no further ones made.
        session.outbox.caught_up().await;
        if AssertUnwindSafe(carry_out(&node, &session, &job)).catch_unwind().await.is_err() {
            tracing::error!(session = session.id.0, "handling an event panicked");
            refuse(&node, &session, &job, Error::internal(std::io::Error::other("handling an event panicked")));
        }
    }
    drop(busy);
}

/// Answers an event with an error, whatever it is.
pub(crate) fn refuse(node: &Arc<Node>, session: &Arc<Session>, job: &Job, error: Error) {
    let call = Call::read(&job.event).unwrap_or_else(|_| Call::named(&job.event));
    respond(node, session, job.ack, &call, &Err(error));
}

/// An event that could be read, and what it asks for.
struct Asked {
    began: Instant,
    ack: Option<i64>,
    call: Call,
    command: Decoded,
}

async fn carry_out(node: &Arc<Node>, session: &Arc<Session>, job: &Job) {
    let began = Instant::now();
    let call = match Call::read(&job.event) {
        Ok(call) => call,
        Err(error) => return respond(node, session, job.ack, &Call::named(&job.event), &Err(error)),
    };
    let command = session.dialect.decode(&call.name, &call.args);
    // What a client made up is not repeated.
    let event = if command.is_ok() { call.name.as_str() } else { "refused" };
    let (kind, dialect) = ("server", session.dialect.name());
    let span = tracing::info_span!(target: trace::ROOT, "socketio.event.handle", otel.kind = kind, dialect, event);
    answer(node, session, Asked { began, ack: job.ack, call, command }, &span).instrument(span.clone()).await;
}

async fn answer(node: &Arc<Node>, session: &Arc<Session>, asked: Asked, span: &Span) {
    let Asked { began, ack, call, command } = asked;
    let permits = if command.as_ref().is_ok_and(overlaps) { 1 } else { MAX_IN_FLIGHT };
    let Ok(permits) = Arc::clone(&session.in_flight).acquire_many_owned(permits).await else { return };
    let step = match command {
        Ok(command) => {
            let part = tracing::info_span!(target: trace::PART, "socketio.command.dispatch", command = command.name());
            dispatch(node, session, command).instrument(part).await
        }
        Err(error) => Err(error),
    };
    match step {
        Ok(Step::Sending(pending)) => {
            answer_later(node, session, ack, call.name, (began, pending, span.clone()), permits);
        }
        Ok(Step::Done(reply)) => respond(node, session, ack, &call, &Ok(reply)),
        Err(error) => {
            // A send that is refused at once may not be answered before those that wait.
            let others = MAX_IN_FLIGHT.saturating_sub(u32::try_from(permits.num_permits()).unwrap_or(MAX_IN_FLIGHT));
            let _settled = session.in_flight.acquire_many(others).await;
            respond(node, session, ack, &call, &Err(error));
        }
    }
}

/// Waits for a commit in a task of its own, and answers after all sends before this one.
fn answer_later(
    node: &Arc<Node>,
    session: &Arc<Session>,
    ack: Option<i64>,
    name: String,
    (began, pending, span): (Instant, PendingSend, Span),
    permits: OwnedSemaphorePermit,
) {
    let (done, before) = session.queue_answer();
    let (node, session) = (Arc::clone(node), Arc::clone(session));
    let busy = node.tasks.begin();
    let answering = async move {
        let sent = pending.outcome().await;
        if let Some(before) = before {
            // Ends when the guard of the send before this one is dropped.
            let _ = before.await;
        }
        let call = Call { name, args: Vec::new() };
        match sent {
            Ok(sent) => {
                respond(&node, &session, ack, &call, &Ok(Reply::Sent(Box::new(sent.message.clone()))));
                node.meters.send.record(began.elapsed());
                node.services.messaging.announce_delivered(&sent).await;
            }
            Err(error) => respond(&node, &session, ack, &call, &Err(error)),
        }
        drop((done, permits, busy));
    };
    // The event is dealt with when it is answered.
    tokio::spawn(answering.instrument(span));
}

fn respond(node: &Arc<Node>, session: &Arc<Session>, ack: Option<i64>, call: &Call, outcome: &Result<Reply>) {
    if let Err(error) = outcome {
        Meters::refused(session.dialect, error);
    }
    match outcome {
        Err(error @ Error::Internal(_)) => {
            tracing::error!(event = %call.name, session = session.id.0, cause = error.in_full(), "an event failed");
        }
        // There may be very many of them: the domain says once that the storage is away, and a meter counts these.
        Err(error @ Error::Unavailable(_)) => {
            tracing::debug!(event = %call.name, session = session.id.0, cause = error.in_full(), "an event failed");
        }
        _ => {}
    }
    let Answer { ack: body, events, instead_of_ack } = session.dialect.answer(&call.name, &call.args, outcome.as_ref());
    match ack {
        Some(id) => node.send(session, Packet::Ack(id, body.into())),
        None => {
            if let Some(wire) = instead_of_ack {
                node.send(session, wire.into());
            }
        }
    }
    for wire in events {
        node.send(session, wire.into());
    }
}

impl Call {
    /// What can be told of an event that cannot be read as a whole: its name, which decides how it is answered.
    fn named(event: &Packed) -> Self {
        let list = event.as_str().and_then(|text| text.trim_ascii_start().strip_prefix('['));
        let name = list.and_then(|list| serde_json::Deserializer::from_str(list).into_iter().next());
        Self { name: name.and_then(Result::ok).unwrap_or_default(), args: Vec::new() }
    }

    fn read(event: &Packed) -> Result<Self> {
        let unreadable = || Error::validation("event", "must be a JSON array that begins with a name");
        let text = event.as_str().ok_or_else(unreadable)?;
        let Value::Array(mut args) = serde_json::from_str(text).map_err(|_| unreadable())? else {
            return Err(unreadable());
        };
        match args.first_mut().map(Value::take) {
            Some(Value::String(name)) => {
                args.remove(0);
                Ok(Self { name, args })
            }
            _ => Err(unreadable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_cannot_be_read_still_has_its_name() {
        for (text, name) in [
            (r#"["sync","\ud800"]"#, "sync"),
            (r#" [ "sync" , 1e999]"#, "sync"),
            (r#"["\ud800"]"#, ""),
            ("[7]", ""),
            ("{}", ""),
            ("", ""),
        ] {
            let event = Packed::Str(text.into(), None);
            assert!(Call::read(&event).is_err(), "{text}");
            assert_eq!(Call::named(&event).name, name, "{text}");
        }
    }
}
