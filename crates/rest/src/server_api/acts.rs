//! What a product's backend gets: each handler reads a request and calls the domain's `Backend`.

use axum::extract::State;
use parlance_dialects::errors::Operation;
use parlance_dialects::schemas::DraftSchema;
use parlance_dialects::{Dialects, read_draft, timestamp};
use parlance_domain::model::{
    EmailAddress, NotificationKind, ProductEvent, ProfileChange, Timestamp, Title, User, UserId,
};
use parlance_domain::services::{Backend, Notice};
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::conversations::ConversationData;
use crate::errors::Refusal;
use crate::extract::{Body, Encoded, Params, Parsed, Shape, clearable, read};
use crate::messages::{MessageData, sent_answer};
use crate::users::UserData;

/// The most people that one call tells something.
const MAX_TOLD: usize = 10_000;

/// What is left out is kept.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::option_option, reason = "left out, null and a text are three things to say")]
pub(super) struct UserBody {
    #[schemars(length(min = 1, max = User::MAX_NAME_CHARS))]
    full_name: Option<String>,
    /// A link; `null` removes the picture.
    #[serde(default, deserialize_with = "clearable")]
    profile_picture: Option<Option<String>>,
    /// Where mail goes for somebody who is not there, whatever their tokens claim; `null` leaves it to these again.
    /// Nobody is shown it.
    #[schemars(length(max = EmailAddress::MAX_BYTES))]
    #[serde(default, deserialize_with = "clearable")]
    email: Option<Option<String>>,
}

pub(super) async fn put_user(
    State(rest): Rest,
    Shape(dialect): Shape,
    params: Params,
    Body(body): Body<UserBody>,
) -> Answered<UserData> {
    let id = params.user().map_err(|_| Error::validation("id", "is no user id"))?;
    let email = body.email.map(|email| email.as_deref().map(EmailAddress::new).transpose()).transpose()?;
    let change = ProfileChange { name: body.full_name, picture: body.profile_picture };
    let user = rest.services.backend.put_user(&id, change).await?;
    if let Some(email) = email {
        rest.services.backend.put_email(&id, email.as_ref()).await?;
    }
    Ok(Answer::ok("User", UserData::of(dialect, &user)))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct OnlineData {
    online: bool,
}

pub(super) async fn is_online(State(rest): Rest, params: Params) -> Answered<OnlineData> {
    let online = rest.services.backend.is_online(&params.user()?);
    Ok(Answer::ok(if online { "Online" } else { "Offline" }, OnlineData { online }))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct CountData {
    count: usize,
}

pub(super) async fn online_count(State(rest): Rest) -> Answered<CountData> {
    Ok(Answer::ok("Users online", CountData { count: rest.services.backend.online_count() }))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct DisconnectedData {
    disconnected: bool,
}

#[derive(JsonSchema, Deserialize)]
pub(super) struct DisconnectBody {
    /// What the user's clients are told.
    #[schemars(length(max = Backend::MAX_REASON_CHARS))]
    reason: Option<String>,
}

pub(super) async fn disconnect(
    State(rest): Rest,
    params: Params,
    Body(body): Body<DisconnectBody>,
) -> Answered<DisconnectedData> {
    let disconnected = rest.services.backend.disconnect(&params.user()?, body.reason).await?;
    Ok(Answer::ok("Disconnected", DisconnectedData { disconnected }))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct RevokedData {
    before: String,
}

#[derive(JsonSchema, Deserialize)]
pub(super) struct RevokeBody {
    /// Tokens that were issued before this moment are revoked, which has been; now if it is left out.
    before: Option<Parsed<Timestamp>>,
    /// What the user's clients are told.
    #[schemars(length(max = Backend::MAX_REASON_CHARS))]
    reason: Option<String>,
}

pub(super) async fn revoke_tokens(
    State(rest): Rest,
    params: Params,
    Body(body): Body<RevokeBody>,
) -> Answered<RevokedData> {
    let before = body.before.map(|before| before.0);
    let before = rest.services.backend.revoke_tokens(&params.user()?, before, body.reason).await?;
    Ok(Answer::ok("Tokens revoked", RevokedData { before: timestamp(before) }))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct EmittedData {
    emitted: bool,
}

fn emitted(emitted: bool) -> Answer<EmittedData> {
    Answer::ok(if emitted { "Emitted" } else { "Nobody is there" }, EmittedData { emitted })
}

/// An event that is the product's own.
#[derive(JsonSchema, Deserialize)]
pub(super) struct EventBody {
    /// A name that neither the server nor the Socket.IO libraries have themselves.
    #[schemars(length(min = 1, max = ProductEvent::MAX_NAME_BYTES), regex(pattern = r"^[A-Za-z0-9:._/-]+$"))]
    event: String,
    /// Any JSON: at most 64 KiB.
    data: Option<Value>,
}

impl EventBody {
    fn read(self, dialects: &Dialects) -> Result<ProductEvent> {
        if dialects.is_taken(&self.event) {
            return Err(Error::validation("event", "is one of the server's own"));
        }
        ProductEvent::new(&self.event, self.data.map(|data| data.to_string()))
    }
}

pub(super) async fn emit_to_user(
    State(rest): Rest,
    params: Params,
    Body(body): Body<EventBody>,
) -> Answered<EmittedData> {
    Ok(emitted(rest.services.backend.emit_to_user(&params.user()?, body.read(&rest.settings.dialects)?).await))
}

pub(super) async fn emit_to_conversation(
    State(rest): Rest,
    params: Params,
    Body(body): Body<EventBody>,
) -> Answered<EmittedData> {
    Ok(emitted(
        rest.services.backend.emit_to_conversation(params.conversation()?, body.read(&rest.settings.dialects)?).await?,
    ))
}

pub(super) async fn broadcast(State(rest): Rest, Body(body): Body<EventBody>) -> Answered<EmittedData> {
    Ok(emitted(rest.services.backend.broadcast(body.read(&rest.settings.dialects)?).await))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct CreatedData {
    created: u64,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NoticeBody {
    #[schemars(length(min = 1, max = MAX_TOLD))]
    user_ids: Vec<Parsed<UserId>>,
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9_.:-]+$"))]
    r#type: String,
    title: String,
    message: String,
    link: Option<String>,
    /// Any JSON.
    data: Option<Value>,
}

pub(super) async fn notify(State(rest): Rest, Body(body): Body<NoticeBody>) -> Answered<CreatedData> {
    let users: Vec<UserId> = body.user_ids.into_iter().map(|id| id.0).collect();
    if !(1..=MAX_TOLD).contains(&users.len()) {
        return Err(Error::validation("userIds", format!("must have 1 to {MAX_TOLD} user ids")).into());
    }
    let notice = Notice {
        kind: NotificationKind::new(&body.r#type)?,
        title: body.title,
        message: body.message,
        link: body.link,
        data: body.data.map(|data| data.to_string()),
    };
    let created = rest.services.backend.notify(users, &notice).await?;
    Ok(Answer::created("Notifications created", CreatedData { created }))
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sender {
    sender_id: Parsed<UserId>,
}

/// A message, and in whose name.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "both are read of the same fields, one after the other")]
pub(super) struct SendAs {
    #[serde(flatten)]
    sender: Sender,
    #[serde(flatten)]
    draft: DraftSchema,
}

pub(super) async fn send(
    State(rest): Rest,
    Shape(dialect): Shape,
    Body(body): Body<Encoded<SendAs>>,
) -> Answered<MessageData> {
    let sending = |error| Refusal::Failed(error, Operation::Send);
    let Sender { sender_id } = read(&body.0).map_err(sending)?;
    let draft = read_draft(&body.0).map_err(sending)?;
    let sent = rest.services.backend.send_as(&sender_id.0, draft).await.map_err(sending)?;
    Ok(sent_answer(&rest, dialect, &sent).await)
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("if" = {"properties": {"type": {"const": "direct"}}}))]
#[schemars(extend("then" = {"properties": {"participantIds": {"minItems": 2, "maxItems": 2}}}))]
#[schemars(extend("else" = {"required": ["title"]}))]
pub(super) struct ConversationBody {
    #[schemars(extend("enum" = ["direct", "group"]))]
    r#type: String,
    /// The first of them is who starts it: the owner, in a group.
    #[schemars(length(min = 1))]
    participant_ids: Vec<Parsed<UserId>>,
    /// Of a group.
    #[schemars(length(min = 1, max = Title::MAX_CHARS))]
    title: Option<String>,
}

pub(super) async fn start(State(rest): Rest, Body(body): Body<ConversationBody>) -> Answered<ConversationData> {
    let users: Vec<UserId> = body.participant_ids.into_iter().map(|id| id.0).collect();
    let title = body.title.as_deref().ok_or(Error::validation("title", "is required"));
    let backend = &rest.services.backend;
    let view = match (body.r#type.as_str(), users.as_slice()) {
        ("direct", [starter, other]) => backend.start_direct(starter, other).await?,
        ("direct", _) => return Err(Error::validation("participantIds", "must have two user ids").into()),
        ("group", [owner, others @ ..]) => backend.create_group(owner, title?, others.to_vec()).await?,
        ("group", []) => return Err(Error::validation("participantIds", "must have a user id").into()),
        _ => return Err(Error::validation("type", "must be direct or group").into()),
    };
    Ok(Answer::created("Conversation", ConversationData::of(&view)))
}
