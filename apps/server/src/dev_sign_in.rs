//! Signing in without a login, for the web client of a `--dev` server: whom there is to be, and a token for one of them
//! or for somebody new. Such a server listens on loopback only, and what calls it by another name (a page that had its
//! own name resolved to this machine) is refused. Without `--dev` none of this is there.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use parlance_auth::Secret;
use parlance_dialects::Dialect;
use parlance_domain::model::{ClaimedProfile, User, UserId};
use parlance_domain::ports::{Claims, Clock};
use parlance_domain::services::Services;
use serde::Deserialize;
use serde_json::json;

use crate::config::{Config, ConfigError};
use crate::minting::access_token;
use crate::system::SystemClock;

const TOKENS_LAST: Duration = Duration::from_hours(7 * 24);
/// How many people the sign-in page offers.
const OFFERED: usize = 50;
const MAX_BODY_BYTES: usize = 4096;

struct DevSignIn {
    config: Config,
    secret: Secret,
    services: Services,
}

/// The two routes.
pub(crate) fn routes(config: &Config, services: &Services) -> Result<Router, ConfigError> {
    let secret = config.signing_secret()?;
    let state = DevSignIn { config: config.clone(), secret, services: services.clone() };
    Ok(Router::new()
        .route("/api/v1/dev/people", get(people))
        .route("/api/v1/dev/sign-in", post(sign_in))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(only_this_machine))
        .with_state(Arc::new(state)))
}

/// Refuses what is addressed by another name than this machine's own: the address alone does not tell, since anybody's
/// name can be resolved to it.
async fn only_this_machine(request: Request, next: Next) -> Response {
    if !request.headers().get(header::HOST).is_some_and(is_loopback) {
        return refusal(StatusCode::FORBIDDEN, "FORBIDDEN", "Only for this machine");
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_loopback(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

async fn people(State(dev): State<Arc<DevSignIn>>) -> Response {
    match dev.services.directory.search("", OFFERED).await {
        Ok(users) => {
            let users: Vec<_> = users.iter().map(|user| Dialect::Talentbridge.user(user)).collect();
            answer(&json!({ "users": users }))
        }
        Err(error) => failed(&error),
    }
}

/// Whom somebody wants to be: one who is there, or one of this name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    user_id: Option<String>,
    name: Option<String>,
}

async fn sign_in(State(dev): State<Arc<DevSignIn>>, Json(wanted): Json<Wanted>) -> Response {
    let name = wanted.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let id = match (wanted.user_id, name) {
        (Some(id), _) => id,
        (None, Some(name)) => id_for(name),
        (None, None) => return invalid("userId or name is needed"),
    };
    let Ok(user_id) = id.parse::<UserId>() else { return invalid("this cannot be the id of a user") };
    if name.is_some_and(|name| name.chars().count() > User::MAX_NAME_CHARS) {
        return invalid("the name is too long");
    }
    let profile = ClaimedProfile { name: name.map(str::to_owned), picture: None };
    let now = Some(SystemClock.now());
    let claims =
        Claims { user_id: user_id.clone(), profile: profile.clone(), email: None, issued_at: now, expires_at: None };
    let user = match dev.services.directory.admit(&claims).await {
        Ok(user) => user,
        Err(error) => return failed(&error),
    };
    match access_token(&dev.config, &dev.secret, user_id, profile, TOKENS_LAST) {
        Ok(token) => answer(&json!({ "token": token, "user": Dialect::Talentbridge.user(&user) })),
        Err(error) => failed(&error),
    }
}

/// The id of a demo user of this name: the same name is the same person.
fn id_for(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let id = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if id.is_empty() { name.to_owned() } else { id }
}

fn answer(data: &serde_json::Value) -> Response {
    Json(json!({ "success": true, "message": "For trying out", "data": data })).into_response()
}

fn invalid(message: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, "VALIDATION_FAILED", message)
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::warn!(%error, "a demo user cannot be signed in");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "Nobody can be signed in now")
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "success": false, "message": message, "code": code }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_this_machine() {
        for (host, own) in [
            ("localhost:4000", true),
            ("127.0.0.1:4000", true),
            ("[::1]:4000", true),
            ("LOCALHOST", true),
            ("rebound.example:4000", false),
            ("localhost.example", false),
            ("127.0.0.1.example:80", false),
            ("10.0.0.1:4000", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(&HeaderValue::from_str(host).expect("a value")), own, "{host:?}");
        }
    }

    #[test]
    fn the_same_name_is_the_same_person() {
        assert_eq!(id_for("Carla Jansen"), "carla-jansen");
        assert_eq!(id_for("  carla   JANSEN "), "carla-jansen");
        assert_eq!(id_for("Žofie"), "žofie");
        assert_eq!(id_for("🙂"), "🙂");
    }
}
