//! `…/{conversation}/participants`: who is in a group, and who leads it.

use axum::extract::State;
use parlance_domain::Error;
use parlance_domain::model::Role;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::conversations::ConversationData;
use crate::extract::{Body, Caller, Params};

pub(crate) async fn add(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    body: Body,
) -> Answered<ConversationData> {
    let id = params.conversation()?;
    let view = rest.services.conversing.add(&caller, id, body.users("userIds")?).await?;
    Ok(Answer::ok("Participants added", ConversationData::of(&view)))
}

pub(crate) async fn remove(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<ConversationData> {
    let (id, user) = (params.conversation()?, params.user()?);
    let view = rest.services.conversing.remove(&caller, id, &user).await?;
    Ok(Answer::ok("Participant removed", ConversationData::of(&view)))
}

pub(crate) async fn set_role(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    body: Body,
) -> Answered<ConversationData> {
    let (id, user) = (params.conversation()?, params.user()?);
    let role = match body.text("role")? {
        "admin" => Role::Admin,
        "member" => Role::Member,
        _ => return Err(Error::validation("role", "must be admin or member").into()),
    };
    let view = rest.services.conversing.set_role(&caller, id, &user, role).await?;
    Ok(Answer::ok("Role changed", ConversationData::of(&view)))
}
