//! `/api/messages`: the same use cases under the names that the other guides' clients know. One path names a
//! conversation when it is read and a message when it is deleted, as those guides have it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use parlance_dialects::schemas::ObjectIdSchema;
use parlance_domain::rules::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rest;
use crate::answer::{Answer, Answered, json};
use crate::description::{About, Routes};
use crate::errors::Refusal;
use crate::extract::{Body, Caller, Params, Query, Shape};
use crate::messages::{self, HistoryQuery, MessageData, MessagesData, SENDING, history_of};
use crate::unread::{self, Marked, MarkedData, UnreadData};

pub(crate) fn routes() -> Routes {
    Routes::under("Aliases")
        .post(
            "/api/messages",
            messages::send,
            About::new("sendMessageAlias", "Sends a message").finds_or_creates().refuses(SENDING),
        )
        .post(
            "/api/messages/read",
            mark_read,
            About::new("markReadAlias", "Marks a conversation as read").refuses(&[403, 404]),
        )
        .get(
            "/api/messages/unread-count",
            unread_count,
            About::new("countUnreadAlias", "What is unread").with(|operation| operation.answer::<CountAnswer>(200)),
        )
        .get(
            "/api/messages/{id}",
            history,
            About::new("listMessagesAlias", "A conversation's messages").refuses(&[403]),
        )
        .delete("/api/messages/{id}", delete, About::new("deleteMessageAlias", "Deletes a message").refuses(&[403]))
}

async fn history(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    Query(query): Query<HistoryQuery>,
) -> Answered<MessagesData> {
    history_of(&rest, &caller.id, dialect, params.conversation_at("id")?, &query).await
}

async fn delete(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<MessageData> {
    let view = rest.services.messaging.delete(&caller, params.message_at("id")?).await?;
    Ok(Answer::ok("Message deleted", MessageData::of(dialect, &view)))
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkBody {
    #[schemars(with = "ObjectIdSchema")]
    conversation_id: String,
    #[schemars(with = "Option<ObjectIdSchema>")]
    up_to_message_id: Option<String>,
    /// Counts first.
    #[schemars(with = "Option<Vec<ObjectIdSchema>>", length(max = Limits::MAX_IDS))]
    message_ids: Option<Vec<String>>,
}

async fn mark_read(State(rest): Rest, Caller(caller): Caller, Body(body): Body<MarkBody>) -> Answered<MarkedData> {
    let MarkBody { conversation_id, up_to_message_id, message_ids } = body;
    unread::mark_read(&rest, &caller.id, &conversation_id, &Marked { up_to_message_id, message_ids }).await
}

/// The one answer with a value beside the envelope: the marketplace guide's client reads it at the top level.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct CountAnswer {
    #[schemars(extend("const" = true))]
    success: bool,
    message: &'static str,
    unread_count: u64,
    data: CountData,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct CountData {
    unread_count: u64,
    #[serde(flatten)]
    unread: UnreadData,
}

async fn unread_count(State(rest): Rest, Caller(caller): Caller) -> Result<Response, Refusal> {
    let unread = unread::unread(&rest, &caller.id).await?;
    let unread_count = unread.total;
    let data = CountData { unread_count, unread };
    Ok(json(StatusCode::OK, &CountAnswer { success: true, message: "Unread messages", unread_count, data }))
}
