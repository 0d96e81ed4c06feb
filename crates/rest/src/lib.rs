//! The HTTP API (contract: `rest.md`): each handler reads a request, calls one service and writes the answer
//! in the contract's envelope. No rule lives here; payload shapes and error texts are the dialects'.
//!
//! - [`router`]: all routes, to be merged into the application's.
//! - [`known_origins()`]: the check of what CORS does not cover.
//! - [`web_client`]: the files of the web client, beside the API.
//! - [`cors`]: the layer that the application puts around everything, also around Socket.IO.

mod aliases;
mod answer;
mod blocks;
mod calls;
mod conversations;
mod cors;
mod errors;
mod extract;
mod frame;
mod known_origins;
mod media;
mod messages;
mod notifications;
mod operation;
mod participants;
mod reactions;
mod server_api;
mod state;
mod unread;
mod users;
mod web_client;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_request};
use axum::routing::{delete, get, patch, post, put};

pub use calls::{IceServers, TurnSecret};
pub use cors::{CorsGate, CorsGated, InvalidOrigin, Origins, cors};
pub use known_origins::known_origins;
pub use state::{Exposition, Probe, RestSettings, RestState, StorageProbe};
pub use web_client::web_client;

use frame::Framing;

type Rest = axum::extract::State<Arc<RestState>>;

/// All routes of the HTTP API. Unknown routes and methods are answered in the envelope too, so this router's
/// fallback is the application's. CORS is not in it: see [`cors()`].
pub fn router(state: RestState) -> Router {
    let state = Arc::new(state);
    let framing = |patience| Framing { rest: Arc::clone(&state), patience };
    let uploads = uploads(&state.settings);
    let exposition = state.exposition.as_ref().map(operation::exposition).unwrap_or_default();
    let server_api = state.api_keys.as_ref().map(server_api::routes).unwrap_or_default();
    Router::new()
        .route("/api/v1/chat/conversations", get(conversations::list))
        .route("/api/v1/chat/conversations/start", post(conversations::start))
        .route("/api/v1/chat/conversations/group", post(conversations::create_group))
        .route("/api/v1/chat/conversations/{conversation}", get(conversations::get).patch(conversations::rename))
        .route("/api/v1/chat/conversations/{conversation}/online", get(conversations::online))
        .route("/api/v1/chat/conversations/{conversation}/read", post(unread::mark))
        .route("/api/v1/chat/conversations/{conversation}/changes", get(conversations::changes))
        .route("/api/v1/chat/conversations/{conversation}/participants", post(participants::add))
        .route(
            "/api/v1/chat/conversations/{conversation}/participants/{user}",
            delete(participants::remove).patch(participants::set_role),
        )
        .route("/api/v1/chat/messages", post(messages::send))
        .route("/api/v1/chat/messages/all/{conversation}", get(messages::history))
        .route("/api/v1/chat/messages/search", get(messages::search))
        .route("/api/v1/chat/messages/{message}", patch(messages::edit).delete(messages::delete))
        .route("/api/v1/chat/messages/{message}/reactions/{emoji}", put(reactions::react).delete(reactions::unreact))
        .route("/api/v1/chat/unread", get(unread::counts))
        .route("/api/v1/users", get(users::search))
        .route("/api/v1/users/me", get(users::me).patch(users::update))
        .route("/api/v1/users/blocked", get(blocks::list))
        .route("/api/v1/users/{user}", get(users::get))
        .route("/api/v1/users/{user}/block", put(blocks::block).delete(blocks::unblock))
        .route("/media/{medium}/{name}", get(media::original))
        .route("/media/{medium}/thumbnail/{name}", get(media::thumbnail))
        .route("/api/v1/notifications", get(notifications::list))
        .route("/api/v1/notifications/mark-all-read", put(notifications::mark_all_read))
        .route("/api/v1/notifications/preferences", get(notifications::preferences).put(notifications::prefer))
        .route("/api/v1/notifications/{notification}", delete(notifications::remove))
        .route("/api/v1/notifications/{notification}/read", put(notifications::mark_read))
        .route("/api/v1/calls/ice-servers", get(calls::ice_servers))
        .route("/api/messages", post(messages::send))
        .route("/api/messages/read", post(aliases::mark_read))
        .route("/api/messages/unread-count", get(aliases::unread_count))
        .route("/api/messages/{id}", get(aliases::history).delete(aliases::delete))
        .merge(server_api)
        .merge(exposition)
        .route("/healthz", get(operation::health))
        .route("/readyz", get(operation::readiness))
        .fallback(frame::unknown_route)
        .method_not_allowed_fallback(frame::unknown_method)
        .layer(DefaultBodyLimit::max(state.settings.max_body_bytes))
        .layer(from_fn_with_state(framing(state.settings.request_timeout), frame::frame))
        .merge(uploads.layer(from_fn_with_state(framing(state.settings.upload_timeout), frame::frame)))
        .with_state(state)
}

/// The routes that take files, which take their time.
fn uploads(settings: &RestSettings) -> Router<Arc<RestState>> {
    Router::new()
        .route("/api/v1/media/upload", post(media::upload))
        .route("/api/media/upload", post(media::upload))
        .route("/api/v1/chat/messages/file", post(media::send_file))
        .route(
            "/api/v1/chat/conversations/{conversation}/photo",
            put(media::set_photo).delete(conversations::remove_photo),
        )
        .method_not_allowed_fallback(frame::unknown_method)
        .layer(DefaultBodyLimit::max(settings.max_body_bytes))
        .layer(map_request(media::linger))
}
