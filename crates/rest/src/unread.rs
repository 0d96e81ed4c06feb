//! Reading over HTTP: marking a conversation read, and what is unread everywhere.

use std::collections::BTreeMap;

use axum::extract::State;
use parlance_dialects::errors::Operation;
use parlance_dialects::{Command, Dialect};
use parlance_domain::model::{ConversationId, UserId};
use parlance_domain::ports::ReadTarget;
use parlance_domain::{Error, Result};
use serde::Serialize;

use crate::answer::{Answer, Answered};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Params};
use crate::{Rest, RestState};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarkedData {
    unread_count: u64,
}

pub(crate) async fn mark(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    mut body: Body,
) -> Answered<MarkedData> {
    body.set("conversationId", params.conversation()?.to_string());
    mark_read(&rest, &caller.id, body).await
}

/// Marks what the body names, for both routes; nothing named is everything.
pub(crate) async fn mark_read(rest: &RestState, reader: &UserId, body: Body) -> Answered<MarkedData> {
    let reading = |error| Refusal::Failed(error, Operation::MarkRead);
    let (conversation, target) = target(body).map_err(reading)?;
    let unread_count = rest.services.reading.mark(reader, conversation, target).await.map_err(reading)?;
    Ok(Answer::ok("Messages marked as read", MarkedData { unread_count }))
}

/// The body as the socket's event with the same fields.
fn target(body: Body) -> Result<(ConversationId, ReadTarget)> {
    let decoded = if body.get("messageIds").is_some() {
        Dialect::Ulearn.decode("message:read", &[body.into_value()])
    } else {
        Dialect::Talentbridge.decode("messages:mark_read", &[body.into_value()])
    };
    match decoded? {
        Command::MarkRead(conversation, target) => Ok((conversation, target)),
        _ => Err(Error::validation("body", "must say what was read")),
    }
}

#[derive(Serialize)]
pub(crate) struct UnreadData {
    pub(crate) total: u64,
    conversations: BTreeMap<String, u64>,
}

pub(crate) async fn counts(State(rest): Rest, Caller(caller): Caller) -> Answered<UnreadData> {
    Ok(Answer::ok("Unread messages", unread(&rest, &caller.id).await?))
}

/// What is unread, per conversation in which something is.
pub(crate) async fn unread(rest: &RestState, reader: &UserId) -> Result<UnreadData> {
    let counts = rest.services.reading.unread(reader).await?;
    let total = counts.iter().map(|(_, count)| count).sum();
    Ok(UnreadData { total, conversations: counts.into_iter().map(|(id, count)| (id.to_string(), count)).collect() })
}
