//! `/api/v1/server`: what a product's own backend asks for, with a key instead of a user's token (contract: `rest.md`,
//! "Server-to-server API"). Here is who gets in, and that every call is noted; what they get is `acts`'.

mod acts;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use parlance_domain::Error;
use parlance_domain::ports::{ApiCaller, ApiKeys, Scope};

use crate::RestState;
use crate::errors::Refusal;

/// Where keys are shown.
const KEY: &str = "x-api-key";
/// The log lines of calls: who has done what.
const AUDIT: &str = "parlance::audit";

/// All routes, for those who have one of `keys`.
pub(crate) fn routes(keys: &Arc<dyn ApiKeys>) -> Router<Arc<RestState>> {
    let open = |scope, routes: Router<Arc<RestState>>| {
        routes.route_layer(from_fn_with_state(Gate { keys: Arc::clone(keys), scope }, gate))
    };
    let presence = Router::new()
        .route("/api/v1/server/users/{user}/online", get(acts::is_online))
        .route("/api/v1/server/online-count", get(acts::online_count));
    let sessions = Router::new()
        .route("/api/v1/server/users/{user}/disconnect", post(acts::disconnect))
        .route("/api/v1/server/users/{user}/revoke-tokens", post(acts::revoke_tokens));
    let emit = Router::new()
        .route("/api/v1/server/users/{user}/emit", post(acts::emit_to_user))
        .route("/api/v1/server/conversations/{conversation}/emit", post(acts::emit_to_conversation))
        .route("/api/v1/server/broadcast", post(acts::broadcast));
    let messages = Router::new()
        .route("/api/v1/server/messages", post(acts::send))
        .route("/api/v1/server/conversations", post(acts::start));
    Router::new()
        .merge(open(Scope::Users, Router::new().route("/api/v1/server/users/{user}", put(acts::put_user))))
        .merge(open(Scope::Presence, presence))
        .merge(open(Scope::Sessions, sessions))
        .merge(open(Scope::Emit, emit))
        .merge(open(Scope::Notifications, Router::new().route("/api/v1/server/notifications", post(acts::notify))))
        .merge(open(Scope::Messages, messages))
}

#[derive(Clone)]
struct Gate {
    keys: Arc<dyn ApiKeys>,
    scope: Scope,
}

/// Lets a call in if its key may do that. What becomes of it is noted, with the name of the key and never the key.
async fn gate(State(Gate { keys, scope }): State<Gate>, request: Request, next: Next) -> Response {
    let key = request.headers().get(KEY).and_then(|key| key.to_str().ok());
    let Some(ApiCaller { name, scopes }) = key.and_then(|key| keys.find(key)) else {
        tracing::warn!(target: AUDIT, method = %request.method(), path = request.uri().path(), "no valid key");
        return Refusal::from(Error::InvalidApiKey).into_response();
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = if scopes.contains(&scope) {
        next.run(request).await
    } else {
        Refusal::from(Error::Forbidden("This key may not do that")).into_response()
    };
    let outcome = response.extensions().get::<Refusal>().map_or("done", Refusal::code);
    tracing::info!(target: AUDIT, key = name, %method, path, outcome, "server API");
    response
}
