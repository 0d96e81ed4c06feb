//! `/api/v1/users`: one's own profile, other people, and finding them. Blocking is `blocks`'.

use axum::extract::State;
use parlance_dialects::{AnyDialect, schemas};
use parlance_domain::model::{ProfileChange, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::{Body, Caller, Limit, Params, Query, Searched, Shape, clearable};

pub(crate) fn routes() -> Routes {
    Routes::under("Users")
        .get("/api/v1/users", search, About::new("searchUsers", "People with this in their names"))
        .get("/api/v1/users/me", me, About::new("getOwnUser", "Who the caller is"))
        .patch("/api/v1/users/me", update, About::new("updateOwnUser", "Changes the caller's profile"))
        .get("/api/v1/users/{user}", get, About::new("getUser", "Somebody, and whether they are online"))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct UserData {
    #[schemars(with = "schemas::AnyUser")]
    user: Box<RawValue>,
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct UsersData {
    #[schemars(with = "Vec<schemas::AnyUser>")]
    users: Vec<Box<RawValue>>,
}

impl UserData {
    pub(crate) fn of(dialect: AnyDialect, user: &User) -> Self {
        Self { user: dialect.user(user) }
    }
}

impl UsersData {
    pub(crate) fn of(dialect: AnyDialect, users: &[User]) -> Self {
        Self { users: users.iter().map(|user| dialect.user(user)).collect() }
    }
}

async fn me(Caller(caller): Caller, Shape(dialect): Shape) -> Answered<UserData> {
    Ok(Answer::ok("User", UserData::of(dialect, &caller)))
}

/// What is left out is kept.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::option_option, reason = "left out, null and a text are three things to say")]
pub(crate) struct ProfileBody {
    #[schemars(length(min = 1, max = User::MAX_NAME_CHARS))]
    full_name: Option<String>,
    /// A link; `null` removes the picture.
    #[serde(default, deserialize_with = "clearable")]
    profile_picture: Option<Option<String>>,
}

impl From<ProfileBody> for ProfileChange {
    fn from(ProfileBody { full_name, profile_picture }: ProfileBody) -> Self {
        Self { name: full_name, picture: profile_picture }
    }
}

async fn update(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    Body(body): Body<ProfileBody>,
) -> Answered<UserData> {
    let user = rest.services.directory.update(&caller.id, body.into()).await?;
    Ok(Answer::ok("Profile updated", UserData::of(dialect, &user)))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct PersonData {
    #[schemars(with = "schemas::AnyUser")]
    user: Box<RawValue>,
    #[schemars(extend("enum" = ["online", "offline"]))]
    status: &'static str,
}

async fn get(State(rest): Rest, Caller(caller): Caller, Shape(dialect): Shape, params: Params) -> Answered<PersonData> {
    let user = rest.services.directory.find(&params.user()?).await?;
    let statuses = rest.services.presence.statuses(&caller.id, std::slice::from_ref(&user.id)).await?;
    let status = if statuses.iter().any(|(_, online)| *online) { "online" } else { "offline" };
    Ok(Answer::ok("User", PersonData { user: dialect.user(&user), status }))
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct UsersQuery {
    #[serde(default)]
    search: Searched,
    #[serde(default)]
    limit: Limit<20, 100>,
}

async fn search(
    State(rest): Rest,
    Caller(_): Caller,
    Shape(dialect): Shape,
    Query(query): Query<UsersQuery>,
) -> Answered<UsersData> {
    let text = query.search.text().unwrap_or_default();
    let users = rest.services.directory.search(text, query.limit.0).await?;
    Ok(Answer::ok("Users", UsersData::of(dialect, &users)))
}
