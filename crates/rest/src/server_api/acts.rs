//! What a product's backend gets: each handler reads a request and calls the domain's `Backend`.

use axum::extract::State;
use axum::response::Response;
use parlance_dialects::errors::Operation;
use parlance_dialects::{is_taken, read_draft, timestamp};
use parlance_domain::model::{NotificationKind, ProductEvent};
use parlance_domain::services::Notice;
use parlance_domain::{Error, Result};
use serde::Serialize;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::conversations::ConversationData;
use crate::errors::Refusal;
use crate::extract::{Body, Params, Shape};
use crate::messages::sent_answer;
use crate::users::UserData;

/// The most people that one call tells something.
const MAX_TOLD: usize = 10_000;

pub(crate) async fn put_user(
    State(rest): Rest,
    Shape(dialect): Shape,
    params: Params,
    body: Body,
) -> Answered<UserData> {
    let id = params.user().map_err(|_| Error::validation("id", "is no user id"))?;
    // There is no e-mail to send yet: an address is only looked at.
    body.optional_text("email")?;
    let user = rest.services.backend.put_user(&id, body.profile()?).await?;
    Ok(Answer::ok("User", UserData::of(dialect, &user)))
}

#[derive(Serialize)]
pub(crate) struct OnlineData {
    online: bool,
}

pub(crate) async fn is_online(State(rest): Rest, params: Params) -> Answered<OnlineData> {
    let online = rest.services.backend.is_online(&params.user()?);
    Ok(Answer::ok(if online { "Online" } else { "Offline" }, OnlineData { online }))
}

#[derive(Serialize)]
pub(crate) struct CountData {
    count: usize,
}

pub(crate) async fn online_count(State(rest): Rest) -> Answered<CountData> {
    Ok(Answer::ok("Users online", CountData { count: rest.services.backend.online_count() }))
}

#[derive(Serialize)]
pub(crate) struct DisconnectedData {
    disconnected: bool,
}

pub(crate) async fn disconnect(State(rest): Rest, params: Params, body: Body) -> Answered<DisconnectedData> {
    let reason = body.optional_text("reason")?.map(str::to_owned);
    let disconnected = rest.services.backend.disconnect(&params.user()?, reason).await?;
    Ok(Answer::ok("Disconnected", DisconnectedData { disconnected }))
}

#[derive(Serialize)]
pub(crate) struct RevokedData {
    before: String,
}

pub(crate) async fn revoke_tokens(State(rest): Rest, params: Params, body: Body) -> Answered<RevokedData> {
    let reason = body.optional_text("reason")?.map(str::to_owned);
    let before = body.optional_moment("before")?;
    let before = rest.services.backend.revoke_tokens(&params.user()?, before, reason).await?;
    Ok(Answer::ok("Tokens revoked", RevokedData { before: timestamp(before) }))
}

#[derive(Serialize)]
pub(crate) struct EmittedData {
    emitted: bool,
}

fn emitted(emitted: bool) -> Answer<EmittedData> {
    Answer::ok(if emitted { "Emitted" } else { "Nobody is there" }, EmittedData { emitted })
}

pub(crate) async fn emit_to_user(State(rest): Rest, params: Params, body: Body) -> Answered<EmittedData> {
    Ok(emitted(rest.services.backend.emit_to_user(&params.user()?, event(&body)?).await))
}

pub(crate) async fn emit_to_conversation(State(rest): Rest, params: Params, body: Body) -> Answered<EmittedData> {
    Ok(emitted(rest.services.backend.emit_to_conversation(params.conversation()?, event(&body)?).await?))
}

pub(crate) async fn broadcast(State(rest): Rest, body: Body) -> Answered<EmittedData> {
    Ok(emitted(rest.services.backend.broadcast(event(&body)?).await))
}

/// `{event, data}`: an event that is the product's own.
fn event(body: &Body) -> Result<ProductEvent> {
    let name = body.text("event")?;
    if is_taken(name) {
        return Err(Error::validation("event", "is one of the server's own"));
    }
    ProductEvent::new(name, body.json("data"))
}

#[derive(Serialize)]
pub(crate) struct CreatedData {
    created: u64,
}

pub(crate) async fn notify(State(rest): Rest, body: Body) -> Answered<CreatedData> {
    let users = body.users("userIds")?;
    if !(1..=MAX_TOLD).contains(&users.len()) {
        return Err(Error::validation("userIds", format!("must have 1 to {MAX_TOLD} user ids")).into());
    }
    let notice = Notice {
        kind: NotificationKind::new(body.text("type")?)?,
        title: body.text("title")?.to_owned(),
        message: body.text("message")?.to_owned(),
        link: body.optional_text("link")?.map(str::to_owned),
        data: body.json("data"),
    };
    let created = rest.services.backend.notify(users, &notice).await?;
    Ok(Answer::created("Notifications created", CreatedData { created }))
}

pub(crate) async fn send(State(rest): Rest, Shape(dialect): Shape, body: Body) -> Result<Response, Refusal> {
    let sending = |error| Refusal::Failed(error, Operation::Send);
    let sender = body.user("senderId").map_err(sending)?;
    let draft = read_draft(&body.into_value()).map_err(sending)?;
    let sent = rest.services.backend.send_as(&sender, draft).await.map_err(sending)?;
    Ok(sent_answer(&rest, dialect, &sent).await)
}

/// The first of `participantIds` is who starts it: the owner, in a group.
pub(crate) async fn start(State(rest): Rest, body: Body) -> Answered<ConversationData> {
    let users = body.users("participantIds")?;
    let backend = &rest.services.backend;
    let view = match (body.text("type")?, users.as_slice()) {
        ("direct", [starter, other]) => backend.start_direct(starter, other).await?,
        ("direct", _) => return Err(Error::validation("participantIds", "must have two user ids").into()),
        ("group", [owner, others @ ..]) => backend.create_group(owner, body.text("title")?, others.to_vec()).await?,
        ("group", []) => return Err(Error::validation("participantIds", "must have a user id").into()),
        _ => return Err(Error::validation("type", "must be direct or group").into()),
    };
    Ok(Answer::created("Conversation", ConversationData::of(&view)))
}
