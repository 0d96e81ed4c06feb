//! Reading over HTTP: marking a conversation read, and what is unread everywhere.

use std::collections::BTreeMap;

use axum::extract::State;
use parlance_dialects::errors::Operation;
use parlance_dialects::schemas::ObjectIdSchema;
use parlance_dialects::{Command, Dialect};
use parlance_domain::model::{ConversationId, UserId};
use parlance_domain::ports::ReadTarget;
use parlance_domain::rules::Limits;
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Params};
use crate::{Rest, RestState};

pub(crate) fn routes() -> Routes {
    Routes::under("Conversations")
        .post(
            "/api/v1/chat/conversations/{conversation}/read",
            mark,
            About::new("markRead", "Marks a conversation as read: up to a message, these messages, or all")
                .refuses(&[403]),
        )
        .get("/api/v1/chat/unread", counts, About::new("countUnread", "What is unread, by conversation"))
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarkedData {
    unread_count: u64,
}

/// Up to a message, or these messages; all if neither is said.
#[derive(JsonSchema, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Marked {
    #[schemars(with = "Option<ObjectIdSchema>")]
    pub(crate) up_to_message_id: Option<String>,
    /// Counts first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<ObjectIdSchema>>", length(max = Limits::MAX_IDS))]
    pub(crate) message_ids: Option<Vec<String>>,
}

async fn mark(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    Body(marked): Body<Marked>,
) -> Answered<MarkedData> {
    mark_read(&rest, &caller.id, &params.conversation()?.to_string(), &marked).await
}

/// Marks what is named, for both routes; nothing named is everything.
pub(crate) async fn mark_read(
    rest: &RestState,
    reader: &UserId,
    conversation: &str,
    marked: &Marked,
) -> Answered<MarkedData> {
    let reading = |error| Refusal::Failed(error, Operation::MarkRead);
    let (conversation, target) = target(conversation, marked).map_err(reading)?;
    let unread_count = rest.services.reading.mark(reader, conversation, target).await.map_err(reading)?;
    Ok(Answer::ok("Messages marked as read", MarkedData { unread_count }))
}

/// The body as the socket's event with the same fields.
fn target(conversation: &str, marked: &Marked) -> Result<(ConversationId, ReadTarget)> {
    let mut event = serde_json::to_value(marked).map_err(Error::internal)?;
    event["conversationId"] = Value::from(conversation);
    let decoded = if marked.message_ids.is_some() {
        Dialect::Ulearn.decode("message:read", &[event])
    } else {
        Dialect::Talentbridge.decode("messages:mark_read", &[event])
    };
    match decoded? {
        Command::MarkRead(conversation, target) => Ok((conversation, target)),
        _ => Err(Error::validation("body", "must say what was read")),
    }
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct UnreadData {
    pub(crate) total: u64,
    conversations: BTreeMap<String, u64>,
}

async fn counts(State(rest): Rest, Caller(caller): Caller) -> Answered<UnreadData> {
    Ok(Answer::ok("Unread messages", unread(&rest, &caller.id).await?))
}

/// What is unread, per conversation in which something is.
pub(crate) async fn unread(rest: &RestState, reader: &UserId) -> Result<UnreadData> {
    let counts = rest.services.reading.unread(reader).await?;
    let total = counts.iter().map(|(_, count)| count).sum();
    Ok(UnreadData { total, conversations: counts.into_iter().map(|(id, count)| (id.to_string(), count)).collect() })
}
