//! `/api/v1/chat/messages`: sending, reading back, searching, changing. Reactions are `reactions`'.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use parlance_dialects::errors::Operation;
use parlance_dialects::{Dialect, read_draft};
use parlance_domain::Error;
use parlance_domain::model::{ConversationId, MessageId, MessageView, SearchCursor, UserId};
use parlance_domain::services::Sent;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, Answered, Pagination};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Params, Query, Shape};
use crate::{Rest, RestState};

#[derive(Serialize)]
pub(crate) struct MessageData {
    message: Box<RawValue>,
}

impl MessageData {
    pub(crate) fn of(dialect: Dialect, view: &MessageView) -> Self {
        Self { message: dialect.message(view) }
    }
}

pub(crate) async fn send(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    body: Body,
) -> Result<Response, Refusal> {
    let sending = |error| Refusal::Failed(error, Operation::Send);
    rest.services.limiting.send(&caller.id).map_err(sending)?;
    let draft = read_draft(&body.into_value()).map_err(sending)?;
    let sent = rest.services.messaging.send(&caller, draft, None).await.map_err(sending)?;
    Ok(sent_answer(&rest, dialect, &sent).await)
}

/// The answer to whoever sent, before anybody hears that it was delivered.
pub(crate) async fn sent_answer(rest: &RestState, dialect: Dialect, sent: &Sent) -> Response {
    let data = MessageData::of(dialect, &sent.message);
    let answer =
        if sent.duplicate { Answer::ok("Message already sent", data) } else { Answer::created("Message sent", data) };
    let response = answer.into_response();
    rest.services.messaging.announce_delivered(sent).await;
    response
}

#[derive(Serialize)]
pub(crate) struct MessagesData {
    messages: Vec<Box<RawValue>>,
    pagination: Pagination,
}

pub(crate) async fn history(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    query: Query,
) -> Answered<MessagesData> {
    history_of(&rest, &caller.id, dialect, params.conversation()?, &query).await
}

/// A page of a conversation, for both of its routes.
pub(crate) async fn history_of(
    rest: &RestState,
    caller: &UserId,
    dialect: Dialect,
    conversation: ConversationId,
    query: &Query,
) -> Answered<MessagesData> {
    let before = query.parse::<MessageId>("cursor", "must be the id of a message")?;
    let page = rest.services.messaging.history(caller, conversation, before, query.limit(50, 200)?).await?;
    let pagination = Pagination::of(&page);
    let messages = page.items.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Messages", MessagesData { messages, pagination }))
}

pub(crate) async fn search(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    query: Query,
) -> Answered<MessagesData> {
    let text = query.search("q")?.ok_or(Error::validation("q", "is required"))?;
    let conversation = match query.text("conversationId") {
        Some(id) => Some(id.parse().map_err(|_| Error::ConversationNotFound)?),
        None => None,
    };
    let cursor = query.parse::<SearchCursor>("cursor", "must be the nextCursor of a page")?;
    let limit = query.limit(50, 200)?;
    let page = rest.services.messaging.search(&caller.id, text, conversation, cursor, limit).await?;
    let pagination = Pagination::of(&page);
    let messages = page.items.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Messages", MessagesData { messages, pagination }))
}

pub(crate) async fn edit(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    body: Body,
) -> Answered<MessageData> {
    let id = params.message()?;
    let text = ["text", "content", "message"].into_iter().find(|name| body.get(name).is_some()).unwrap_or("text");
    let view = rest.services.messaging.edit(&caller, id, body.text(text)?).await?;
    Ok(Answer::ok("Message edited", MessageData::of(dialect, &view)))
}

pub(crate) async fn delete(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<MessageData> {
    let view = rest.services.messaging.delete(&caller, params.message()?).await?;
    Ok(Answer::ok("Message deleted", MessageData::of(dialect, &view)))
}
