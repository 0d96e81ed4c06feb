//! `/api/v1/users/{user}/block` and `/api/v1/users/blocked`: whom one does not want to hear.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::{Caller, Params, Shape};
use crate::users::UsersData;

pub(crate) fn routes() -> Routes {
    Routes::under("Users")
        .get("/api/v1/users/blocked", list, About::new("listBlockedUsers", "Whom the caller blocks"))
        .put("/api/v1/users/{user}/block", block, About::new("blockUser", "Blocks somebody").refuses(&[400]))
        .delete("/api/v1/users/{user}/block", unblock, About::new("unblockUser", "Blocks somebody no more"))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct BlockData {
    blocked: bool,
}

async fn block(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<BlockData> {
    rest.services.blocking.block(&caller, &params.user()?).await?;
    Ok(Answer::ok("User blocked", BlockData { blocked: true }))
}

async fn unblock(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<BlockData> {
    rest.services.blocking.unblock(&caller, &params.user()?).await?;
    Ok(Answer::ok("User unblocked", BlockData { blocked: false }))
}

async fn list(State(rest): Rest, Caller(caller): Caller, Shape(dialect): Shape) -> Answered<UsersData> {
    let users = rest.services.blocking.list(&caller.id).await?;
    Ok(Answer::ok("Blocked users", UsersData::of(dialect, &users)))
}
