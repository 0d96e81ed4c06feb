//! `/api/v1/users`: one's own profile, other people, and finding them. Blocking is `blocks`'.

use axum::extract::State;
use parlance_dialects::Dialect;
use parlance_domain::model::User;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Body, Caller, Params, Query, Shape};

#[derive(Serialize)]
pub(crate) struct UserData {
    user: Box<RawValue>,
}

#[derive(Serialize)]
pub(crate) struct UsersData {
    users: Vec<Box<RawValue>>,
}

impl UserData {
    pub(crate) fn of(dialect: Dialect, user: &User) -> Self {
        Self { user: dialect.user(user) }
    }
}

impl UsersData {
    pub(crate) fn of(dialect: Dialect, users: &[User]) -> Self {
        Self { users: users.iter().map(|user| dialect.user(user)).collect() }
    }
}

pub(crate) async fn me(Caller(caller): Caller, Shape(dialect): Shape) -> Answered<UserData> {
    Ok(Answer::ok("User", UserData::of(dialect, &caller)))
}

pub(crate) async fn update(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    body: Body,
) -> Answered<UserData> {
    let user = rest.services.directory.update(&caller.id, body.profile()?).await?;
    Ok(Answer::ok("Profile updated", UserData::of(dialect, &user)))
}

#[derive(Serialize)]
pub(crate) struct PersonData {
    user: Box<RawValue>,
    status: &'static str,
}

pub(crate) async fn get(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<PersonData> {
    let user = rest.services.directory.find(&params.user()?).await?;
    let statuses = rest.services.presence.statuses(&caller.id, std::slice::from_ref(&user.id)).await?;
    let status = if statuses.iter().any(|(_, online)| *online) { "online" } else { "offline" };
    Ok(Answer::ok("User", PersonData { user: dialect.user(&user), status }))
}

pub(crate) async fn search(
    State(rest): Rest,
    Caller(_): Caller,
    Shape(dialect): Shape,
    query: Query,
) -> Answered<UsersData> {
    let text = query.search("search")?.unwrap_or_default();
    let users = rest.services.directory.search(text, query.limit(20, 100)?).await?;
    Ok(Answer::ok("Users", UsersData::of(dialect, &users)))
}
