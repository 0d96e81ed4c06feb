//! `/api/v1/chat/conversations`: starting and finding conversations, their looks, who of them is online, and what
//! changed in one. Giving a group a photo is `media`'s, who is in it `participants`'. A conversation has talentbridge's
//! shape in every dialect.

use axum::extract::State;
use parlance_dialects::{Dialect, schemas};
use parlance_domain::model::{ConversationCursor, ConversationView, Title, UserId};
use parlance_domain::ports::ConversationQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered, Pagination};
use crate::description::{About, Routes};
use crate::extract::{Body, COUNTED, Caller, Limit, Params, Parsed, Query, Searched, Shape, Whole};

pub(crate) fn routes() -> Routes {
    Routes::under("Conversations")
        .get(
            "/api/v1/chat/conversations",
            list,
            About::new("listConversations", "One's conversations, latest activity first"),
        )
        .post(
            "/api/v1/chat/conversations/start",
            start,
            About::new("startConversation", "Starts a direct conversation, or finds it")
                .finds_or_creates()
                .refuses(&[403, 404]),
        )
        .post(
            "/api/v1/chat/conversations/group",
            create_group,
            About::new("createGroup", "Creates a group, owned by the caller").creates().refuses(&[404, 409]),
        )
        .get(
            "/api/v1/chat/conversations/{conversation}",
            get,
            About::new("getConversation", "One conversation").refuses(&[403]),
        )
        .patch(
            "/api/v1/chat/conversations/{conversation}",
            rename,
            About::new("renameGroup", "Renames a group, for its owner and admins").refuses(&[403, 409]),
        )
        .get(
            "/api/v1/chat/conversations/{conversation}/online",
            online,
            About::new("listOnlineUsers", "Who of a conversation is online").refuses(&[403]),
        )
        .get(
            "/api/v1/chat/conversations/{conversation}/changes",
            changes,
            About::new("listChanges", "Every message that changed since a `rev`, in the order of changes")
                .refuses(&[403]),
        )
}

/// The way back from a group's photo, among the routes that set one.
pub(crate) fn photo_routes() -> Routes {
    Routes::under("Conversations").delete(
        "/api/v1/chat/conversations/{conversation}/photo",
        remove_photo,
        About::new("removeGroupPhoto", "Removes a group's photo, for its owner and admins").refuses(&[403, 409]),
    )
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct ConversationData {
    #[schemars(with = "schemas::ConversationSchema")]
    conversation: Box<RawValue>,
}

impl ConversationData {
    pub(crate) fn of(view: &ConversationView) -> Self {
        Self { conversation: Dialect::Talentbridge.conversation(view) }
    }
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartBody {
    target_user_id: Parsed<UserId>,
}

async fn start(State(rest): Rest, Caller(caller): Caller, Body(body): Body<StartBody>) -> Answered<ConversationData> {
    let (view, created) = rest.services.conversing.start_direct(&caller, &body.target_user_id.0).await?;
    let data = ConversationData::of(&view);
    Ok(if created { Answer::created("Conversation started", data) } else { Answer::ok("Conversation found", data) })
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupBody {
    #[schemars(length(min = 1, max = Title::MAX_CHARS))]
    title: String,
    participant_ids: Vec<Parsed<UserId>>,
}

async fn create_group(
    State(rest): Rest,
    Caller(caller): Caller,
    Body(body): Body<GroupBody>,
) -> Answered<ConversationData> {
    let participants = body.participant_ids.into_iter().map(|id| id.0).collect();
    let view = rest.services.conversing.create_group(&caller, &body.title, participants).await?;
    Ok(Answer::created("Group created", ConversationData::of(&view)))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct ConversationsData {
    #[schemars(with = "Vec<schemas::ConversationSchema>")]
    conversations: Vec<Box<RawValue>>,
    pagination: Pagination,
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    limit: Limit<20, 100>,
    cursor: Option<Parsed<ConversationCursor>>,
    /// What the title or a participant's name has in it.
    #[serde(default)]
    search: Searched,
}

async fn list(
    State(rest): Rest,
    Caller(caller): Caller,
    Query(query): Query<ListQuery>,
) -> Answered<ConversationsData> {
    let query = ConversationQuery {
        search: query.search.text().map(str::to_owned),
        cursor: query.cursor.map(|cursor| cursor.0),
        limit: query.limit.0,
    };
    let page = rest.services.conversing.list(&caller.id, &query).await?;
    let pagination = Pagination::of(&page);
    let conversations = page.items.iter().map(|view| Dialect::Talentbridge.conversation(view)).collect();
    Ok(Answer::ok("Conversations", ConversationsData { conversations, pagination }))
}

async fn get(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<ConversationData> {
    let view = rest.services.conversing.get(&caller.id, params.conversation()?).await?;
    Ok(Answer::ok("Conversation", ConversationData::of(&view)))
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct RenameBody {
    #[schemars(length(min = 1, max = Title::MAX_CHARS))]
    title: String,
}

async fn rename(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    Body(body): Body<RenameBody>,
) -> Answered<ConversationData> {
    let view = rest.services.conversing.rename(&caller, params.conversation()?, &body.title).await?;
    Ok(Answer::ok("Conversation renamed", ConversationData::of(&view)))
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhotoData {
    pub(crate) group_image: Option<String>,
}

async fn remove_photo(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<PhotoData> {
    let group_image = rest.services.conversing.set_photo(&caller, params.conversation()?, None).await?;
    Ok(Answer::ok("Group photo removed", PhotoData { group_image }))
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnlineData {
    #[schemars(with = "Vec<schemas::AnyUser>")]
    online_users: Vec<Box<RawValue>>,
    count: usize,
}

async fn online(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<OnlineData> {
    let users = rest.services.conversing.online(&caller.id, params.conversation()?).await?;
    let online_users = users.iter().map(|user| dialect.user(user)).collect();
    Ok(Answer::ok("Online users", OnlineData { online_users, count: users.len() }))
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangesData {
    #[schemars(with = "Vec<schemas::AnyMessage>")]
    messages: Vec<Box<RawValue>>,
    rev: u64,
    has_more: bool,
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct ChangesQuery {
    /// The `rev` up to which the client knows everything.
    #[serde(default)]
    since: Whole<0, COUNTED>,
    #[serde(default)]
    limit: Limit<200, 200>,
}

async fn changes(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    Query(query): Query<ChangesQuery>,
) -> Answered<ChangesData> {
    let id = params.conversation()?;
    let changes = rest.services.syncing.changes(&caller.id, id, query.since.0, query.limit.0).await?;
    let messages = changes.messages.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Changes", ChangesData { messages, rev: changes.rev, has_more: changes.has_more }))
}
