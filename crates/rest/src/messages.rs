//! `/api/v1/chat/messages`: sending, reading back, searching, changing. Reactions are `reactions`'.

use axum::extract::State;
use parlance_dialects::errors::Operation;
use parlance_dialects::schemas::{DraftSchema, ObjectIdSchema};
use parlance_dialects::{AnyDialect, read_draft, schemas};
use parlance_domain::Error;
use parlance_domain::model::{ConversationId, MessageId, MessageView, SearchCursor, UserId};
use parlance_domain::services::Sent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::answer::{Answer, Answered, Pagination};
use crate::description::{About, Routes};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Encoded, Limit, Params, Parsed, Query, Searched, Shape};
use crate::{Rest, RestState};

/// What sending can be refused with, beside what its signature says.
pub(crate) const SENDING: &[u16] = &[403, 404, 415];

pub(crate) fn routes() -> Routes {
    Routes::under("Messages")
        .post(
            "/api/v1/chat/messages",
            send,
            About::new("sendMessage", "Sends a message").finds_or_creates().refuses(SENDING),
        )
        .get(
            "/api/v1/chat/messages/all/{conversation}",
            history,
            About::new("listMessages", "A conversation's messages: the newest page first, inside a page oldest first")
                .refuses(&[403]),
        )
        .get(
            "/api/v1/chat/messages/search",
            search,
            About::new("searchMessages", "Messages with these words in the caller's conversations")
                .refuses(&[403, 404]),
        )
        .patch(
            "/api/v1/chat/messages/{message}",
            edit,
            About::new("editMessage", "Gives an own message another text").refuses(&[403, 409]),
        )
        .delete(
            "/api/v1/chat/messages/{message}",
            delete,
            About::new("deleteMessage", "Deletes a message; what stays is that there was one").refuses(&[403]),
        )
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct MessageData {
    #[schemars(with = "schemas::AnyMessage")]
    message: Box<RawValue>,
}

impl MessageData {
    pub(crate) fn of(dialect: AnyDialect, view: &MessageView) -> Self {
        Self { message: dialect.message(view) }
    }
}

pub(crate) async fn send(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    Body(body): Body<Encoded<DraftSchema>>,
) -> Answered<MessageData> {
    let sending = |error| Refusal::Failed(error, Operation::Send);
    rest.services.limiting.send(&caller.id).map_err(sending)?;
    let draft = read_draft(&body.0).map_err(sending)?;
    let sent = rest.services.messaging.send(&caller, draft, None).await.map_err(sending)?;
    Ok(sent_answer(&rest, dialect, &sent).await)
}

/// The answer to whoever sent, before anybody hears that it was delivered.
pub(crate) async fn sent_answer(rest: &RestState, dialect: AnyDialect, sent: &Sent) -> Answer<MessageData> {
    let data = MessageData::of(dialect, &sent.message);
    let answer =
        if sent.duplicate { Answer::ok("Message already sent", data) } else { Answer::created("Message sent", data) };
    rest.services.messaging.announce_delivered(sent).await;
    answer
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct MessagesData {
    #[schemars(with = "Vec<schemas::AnyMessage>")]
    messages: Vec<Box<RawValue>>,
    pagination: Pagination,
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct HistoryQuery {
    #[serde(default)]
    limit: Limit<50, 200>,
    /// The oldest message that the client has: the page ends before it.
    cursor: Option<Parsed<MessageId>>,
}

async fn history(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    Query(query): Query<HistoryQuery>,
) -> Answered<MessagesData> {
    history_of(&rest, &caller.id, dialect, params.conversation()?, &query).await
}

/// A page of a conversation, for both of its routes.
pub(crate) async fn history_of(
    rest: &RestState,
    caller: &UserId,
    dialect: AnyDialect,
    conversation: ConversationId,
    query: &HistoryQuery,
) -> Answered<MessagesData> {
    let before = query.cursor.as_ref().map(|cursor| cursor.0);
    let page = rest.services.messaging.history(caller, conversation, before, query.limit.0).await?;
    let pagination = Pagination::of(&page);
    let messages = page.items.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Messages", MessagesData { messages, pagination }))
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchQuery {
    /// Words, the last of which may be cut off.
    q: Searched,
    #[schemars(with = "Option<ObjectIdSchema>")]
    conversation_id: Option<String>,
    #[serde(default)]
    limit: Limit<50, 200>,
    cursor: Option<Parsed<SearchCursor>>,
}

async fn search(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    Query(query): Query<SearchQuery>,
) -> Answered<MessagesData> {
    let text = query.q.text().ok_or(Error::validation("q", "is required"))?;
    let conversation = match query.conversation_id {
        Some(id) => Some(id.parse().map_err(|_| Error::ConversationNotFound)?),
        None => None,
    };
    let cursor = query.cursor.map(|cursor| cursor.0);
    let page = rest.services.messaging.search(&caller.id, text, conversation, cursor, query.limit.0).await?;
    let pagination = Pagination::of(&page);
    let messages = page.items.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Messages", MessagesData { messages, pagination }))
}

/// The new text, under any of the names that it has in the dialects.
#[derive(JsonSchema, Deserialize)]
#[schemars(extend("anyOf" = [{"required": ["text"]}, {"required": ["content"]}, {"required": ["message"]}]))]
pub(crate) struct EditBody {
    text: Option<String>,
    content: Option<String>,
    message: Option<String>,
}

async fn edit(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    Body(EditBody { text, content, message }): Body<EditBody>,
) -> Answered<MessageData> {
    let id = params.message()?;
    let text = text.or(content).or(message).ok_or(Error::validation("text", "is required"))?;
    let view = rest.services.messaging.edit(&caller, id, &text).await?;
    Ok(Answer::ok("Message edited", MessageData::of(dialect, &view)))
}

async fn delete(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<MessageData> {
    let view = rest.services.messaging.delete(&caller, params.message()?).await?;
    Ok(Answer::ok("Message deleted", MessageData::of(dialect, &view)))
}
