//! `/api/messages`: the same use cases under the names that the other guides' clients know. One path names a
//! conversation when it is read and a message when it is deleted, as those guides have it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::Rest;
use crate::answer::{Answer, Answered, json};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Params, Query, Shape};
use crate::messages::{MessageData, MessagesData, history_of};
use crate::unread::{self, MarkedData, UnreadData};

pub(crate) async fn history(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    query: Query,
) -> Answered<MessagesData> {
    history_of(&rest, &caller.id, dialect, params.conversation_at("id")?, &query).await
}

pub(crate) async fn delete(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<MessageData> {
    let view = rest.services.messaging.delete(&caller, params.message_at("id")?).await?;
    Ok(Answer::ok("Message deleted", MessageData::of(dialect, &view)))
}

pub(crate) async fn mark_read(State(rest): Rest, Caller(caller): Caller, body: Body) -> Answered<MarkedData> {
    unread::mark_read(&rest, &caller.id, body).await
}

/// The one answer with a value beside the envelope: the marketplace guide's client reads it at the top level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountAnswer {
    success: bool,
    message: &'static str,
    unread_count: u64,
    data: CountData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountData {
    unread_count: u64,
    #[serde(flatten)]
    unread: UnreadData,
}

pub(crate) async fn unread_count(State(rest): Rest, Caller(caller): Caller) -> Result<Response, Refusal> {
    let unread = unread::unread(&rest, &caller.id).await?;
    let unread_count = unread.total;
    let data = CountData { unread_count, unread };
    Ok(json(StatusCode::OK, &CountAnswer { success: true, message: "Unread messages", unread_count, data }))
}
