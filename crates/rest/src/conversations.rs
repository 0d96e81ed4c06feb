//! `/api/v1/chat/conversations`: starting and finding conversations, their looks, who of them is online, and what
//! changed in one. Giving a group a photo is `media`'s, who is in it `participants`'. A conversation has talentbridge's
//! shape in every dialect.

use axum::extract::State;
use parlance_dialects::Dialect;
use parlance_domain::Error;
use parlance_domain::model::{ConversationCursor, ConversationView};
use parlance_domain::ports::ConversationQuery;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered, Pagination};
use crate::extract::{Body, Caller, Params, Query, Shape};

#[derive(Serialize)]
pub(crate) struct ConversationData {
    conversation: Box<RawValue>,
}

impl ConversationData {
    pub(crate) fn of(view: &ConversationView) -> Self {
        Self { conversation: Dialect::Talentbridge.conversation(view) }
    }
}

pub(crate) async fn start(State(rest): Rest, Caller(caller): Caller, body: Body) -> Answered<ConversationData> {
    let target = body.user("targetUserId")?;
    let (view, created) = rest.services.conversing.start_direct(&caller, &target).await?;
    let data = ConversationData::of(&view);
    Ok(if created { Answer::created("Conversation started", data) } else { Answer::ok("Conversation found", data) })
}

pub(crate) async fn create_group(State(rest): Rest, Caller(caller): Caller, body: Body) -> Answered<ConversationData> {
    let (title, participants) = (body.text("title")?, body.users("participantIds")?);
    let view = rest.services.conversing.create_group(&caller, title, participants).await?;
    Ok(Answer::created("Group created", ConversationData::of(&view)))
}

#[derive(Serialize)]
pub(crate) struct ConversationsData {
    conversations: Vec<Box<RawValue>>,
    pagination: Pagination,
}

pub(crate) async fn list(State(rest): Rest, Caller(caller): Caller, query: Query) -> Answered<ConversationsData> {
    let query = ConversationQuery {
        search: query.search("search")?.map(str::to_owned),
        cursor: query.parse::<ConversationCursor>("cursor", "must be the nextCursor of a page")?,
        limit: query.limit(20, 100)?,
    };
    let page = rest.services.conversing.list(&caller.id, &query).await?;
    let pagination = Pagination::of(&page);
    let conversations = page.items.iter().map(|view| Dialect::Talentbridge.conversation(view)).collect();
    Ok(Answer::ok("Conversations", ConversationsData { conversations, pagination }))
}

pub(crate) async fn get(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<ConversationData> {
    let view = rest.services.conversing.get(&caller.id, params.conversation()?).await?;
    Ok(Answer::ok("Conversation", ConversationData::of(&view)))
}

pub(crate) async fn rename(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    body: Body,
) -> Answered<ConversationData> {
    let id = params.conversation()?;
    let view = rest.services.conversing.rename(&caller, id, body.text("title")?).await?;
    Ok(Answer::ok("Conversation renamed", ConversationData::of(&view)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhotoData {
    pub(crate) group_image: Option<String>,
}

pub(crate) async fn remove_photo(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<PhotoData> {
    let group_image = rest.services.conversing.set_photo(&caller, params.conversation()?, None).await?;
    Ok(Answer::ok("Group photo removed", PhotoData { group_image }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnlineData {
    online_users: Vec<Box<RawValue>>,
    count: usize,
}

pub(crate) async fn online(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<OnlineData> {
    let users = rest.services.conversing.online(&caller.id, params.conversation()?).await?;
    let online_users = users.iter().map(|user| dialect.user(user)).collect();
    Ok(Answer::ok("Online users", OnlineData { online_users, count: users.len() }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangesData {
    messages: Vec<Box<RawValue>>,
    rev: u64,
    has_more: bool,
}

pub(crate) async fn changes(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
    query: Query,
) -> Answered<ChangesData> {
    let id = params.conversation()?;
    let since = query.parse("since", "must be a rev: a whole number from 0")?.unwrap_or(0);
    let limit = query.limit(200, 200)?;
    // Stores count in signed 64 bits; nothing has changed since a `rev` beyond them.
    if i64::try_from(since).is_err() {
        return Err(Error::validation("since", "is too large").into());
    }
    let changes = rest.services.syncing.changes(&caller.id, id, since, limit).await?;
    let messages = changes.messages.iter().map(|view| dialect.message(view)).collect();
    Ok(Answer::ok("Changes", ChangesData { messages, rev: changes.rev, has_more: changes.has_more }))
}
