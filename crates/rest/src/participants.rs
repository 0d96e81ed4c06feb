//! `…/{conversation}/participants`: who is in a group, and who leads it.

use axum::extract::State;
use parlance_domain::model::{Role, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::conversations::ConversationData;
use crate::description::{About, Routes};
use crate::extract::{Body, Caller, Params, Parsed};

pub(crate) fn routes() -> Routes {
    Routes::under("Conversations")
        .post(
            "/api/v1/chat/conversations/{conversation}/participants",
            add,
            About::new("addParticipants", "Brings people into a group, for its owner and admins").refuses(&[403, 409]),
        )
        .delete(
            "/api/v1/chat/conversations/{conversation}/participants/{user}",
            remove,
            About::new("removeParticipant", "Removes somebody from a group, or leaves it").refuses(&[403, 409]),
        )
        .patch(
            "/api/v1/chat/conversations/{conversation}/participants/{user}",
            set_role,
            About::new("setRole", "Gives somebody a role in a group, for its owner").refuses(&[403, 409]),
        )
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddBody {
    user_ids: Vec<Parsed<UserId>>,
}

async fn add(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    Body(body): Body<AddBody>,
) -> Answered<ConversationData> {
    let added = body.user_ids.into_iter().map(|id| id.0).collect();
    let view = rest.services.conversing.add(&caller, params.conversation()?, added).await?;
    Ok(Answer::ok("Participants added", ConversationData::of(&view)))
}

async fn remove(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<ConversationData> {
    let (id, user) = (params.conversation()?, params.user()?);
    let view = rest.services.conversing.remove(&caller, id, &user).await?;
    Ok(Answer::ok("Participant removed", ConversationData::of(&view)))
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct RoleBody {
    role: Parsed<Role>,
}

async fn set_role(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    Body(body): Body<RoleBody>,
) -> Answered<ConversationData> {
    let (id, user) = (params.conversation()?, params.user()?);
    let view = rest.services.conversing.set_role(&caller, id, &user, body.role.0).await?;
    Ok(Answer::ok("Role changed", ConversationData::of(&view)))
}
