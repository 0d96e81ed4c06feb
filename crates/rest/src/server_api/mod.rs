//! `/api/v1/server`: what a product's own backend asks for, with a key instead of a user's token (contract: `rest.md`,
//! "Server-to-server API"). Here is who gets in, and that every call is noted; what they get is `acts`' and
//! `webhooks`'.

mod acts;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use parlance_domain::Error;
use parlance_domain::ports::{ApiCaller, ApiKeys, Scope};

use crate::RestState;
use crate::description::{About, Routes};
use crate::errors::Refusal;

/// Where keys are shown.
const KEY: &str = "x-api-key";
/// The log lines of calls: who has done what.
const AUDIT: &str = "parlance::audit";

/// All routes, for those who have one of `keys`.
pub(crate) fn routes(keys: &Arc<dyn ApiKeys>) -> Router<Arc<RestState>> {
    let open = |router: Router<Arc<RestState>>, (scope, routes): (Scope, Routes)| {
        let gate = from_fn_with_state(Gate { keys: Arc::clone(keys), scope }, gate);
        router.merge(routes.into_router().route_layer(gate))
    };
    scopes().into_iter().fold(Router::new(), open)
}

/// The routes, by what a key must be for.
pub(crate) fn scopes() -> [(Scope, Routes); 7] {
    const SENDING_AS: &[u16] = &[403, 404, 415];
    let users = Routes::under("Server API").put(
        "/api/v1/server/users/{user}",
        acts::put_user,
        About::new("putUser", "Makes a user known, or changes one").refuses(&[400]),
    );
    let presence = Routes::under("Server API")
        .get("/api/v1/server/users/{user}/online", acts::is_online, About::new("isOnline", "Whether a user is online"))
        .get("/api/v1/server/online-count", acts::online_count, About::new("countOnline", "How many users are online"));
    let sessions = Routes::under("Server API")
        .post(
            "/api/v1/server/users/{user}/disconnect",
            acts::disconnect,
            About::new("disconnect", "Ends a user's connections"),
        )
        .post(
            "/api/v1/server/users/{user}/revoke-tokens",
            acts::revoke_tokens,
            About::new("revokeTokens", "Makes a user's tokens worthless that were issued before a moment"),
        );
    let emit = Routes::under("Server API")
        .post(
            "/api/v1/server/users/{user}/emit",
            acts::emit_to_user,
            About::new("emitToUser", "Tells a user's sockets an event of the product's own"),
        )
        .post(
            "/api/v1/server/conversations/{conversation}/emit",
            acts::emit_to_conversation,
            About::new("emitToConversation", "Tells the sockets that joined a conversation"),
        )
        .post("/api/v1/server/broadcast", acts::broadcast, About::new("broadcast", "Tells every socket"));
    let notifications = Routes::under("Server API").post(
        "/api/v1/server/notifications",
        acts::notify,
        About::new("notify", "Gives users a notification").creates(),
    );
    let messages = Routes::under("Server API")
        .post(
            "/api/v1/server/messages",
            acts::send,
            About::new("sendAs", "Sends a message in somebody's name").finds_or_creates().refuses(SENDING_AS),
        )
        .post(
            "/api/v1/server/conversations",
            acts::start,
            About::new("startConversationAs", "Starts a conversation in somebody's name")
                .creates()
                .refuses(&[404, 409]),
        );
    [
        (Scope::Users, users),
        (Scope::Presence, presence),
        (Scope::Sessions, sessions),
        (Scope::Emit, emit),
        (Scope::Notifications, notifications),
        (Scope::Messages, messages),
        (Scope::Webhooks, webhooks::routes()),
    ]
    .map(|(scope, routes)| (scope, routes.for_keys()))
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
