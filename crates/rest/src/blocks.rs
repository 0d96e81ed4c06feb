//! `/api/v1/users/{user}/block` and `/api/v1/users/blocked`: whom one does not want to hear.

use axum::extract::State;
use serde::Serialize;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Caller, Params, Shape};
use crate::users::UsersData;

#[derive(Serialize)]
pub(crate) struct BlockData {
    blocked: bool,
}

pub(crate) async fn block(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<BlockData> {
    rest.services.blocking.block(&caller, &params.user()?).await?;
    Ok(Answer::ok("User blocked", BlockData { blocked: true }))
}

pub(crate) async fn unblock(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<BlockData> {
    rest.services.blocking.unblock(&caller, &params.user()?).await?;
    Ok(Answer::ok("User unblocked", BlockData { blocked: false }))
}

pub(crate) async fn list(State(rest): Rest, Caller(caller): Caller, Shape(dialect): Shape) -> Answered<UsersData> {
    let users = rest.services.blocking.list(&caller.id).await?;
    Ok(Answer::ok("Blocked users", UsersData::of(dialect, &users)))
}
