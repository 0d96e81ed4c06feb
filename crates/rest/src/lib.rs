//! The HTTP API (contract: `rest.md`): each handler reads a request, calls one service and writes the answer
//! in the contract's envelope. No rule lives here; payload shapes and error texts are the dialects'.
//!
//! - [`router`]: all routes, to be merged into the application's.
//! - [`openapi()`]: the same routes, described.
//! - [`known_origins()`]: the check of what CORS does not cover.
//! - [`web_client`]: the files of the web client, beside the API.
//! - [`cors`]: the layer that the application puts around everything, also around Socket.IO.

mod aliases;
mod answer;
mod blocks;
mod calls;
mod conversations;
mod cors;
mod description;
mod errors;
mod extract;
mod frame;
mod known_origins;
mod media;
mod messages;
mod notifications;
mod operation;
mod participants;
mod push;
mod reactions;
mod server_api;
mod state;
mod unread;
mod unsubscribing;
mod users;
mod web_client;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_request};

pub use calls::{IceServers, TurnSecret};
pub use cors::{CorsGate, CorsGated, InvalidOrigin, Origins, cors};
pub use description::openapi;
pub use known_origins::known_origins;
pub use state::{Exposition, Probe, RestSettings, RestState, StorageProbe, Traces};
pub use web_client::web_client;

use description::Routes;
use frame::Framing;

type Rest = axum::extract::State<Arc<RestState>>;

/// All routes of the HTTP API. Unknown routes and methods are answered in the envelope too, so this router's
/// fallback is the application's. CORS is not in it: see [`cors()`].
pub fn router(state: RestState) -> Router {
    let state = Arc::new(state);
    let framing = |patience| Framing { rest: Arc::clone(&state), patience };
    let exposition = state.exposition.as_ref().map(|_| operation::exposition().into_router()).unwrap_or_default();
    let server_api = state.api_keys.as_ref().map(server_api::routes).unwrap_or_default();
    let unsubscribing = state.unsubscribe_links.as_ref().map(|_| unsubscribing::routes()).unwrap_or_default();
    let documents =
        if state.settings.documents { description::documents(&state.settings.dialects) } else { Router::new() };
    let uploads = media::uploads()
        .into_router()
        .method_not_allowed_fallback(frame::unknown_method)
        .layer(DefaultBodyLimit::max(state.settings.max_body_bytes))
        .layer(map_request(media::linger));
    for_people()
        .merge(operation::routes())
        .into_router()
        .merge(server_api)
        .merge(exposition)
        .merge(unsubscribing)
        .merge(documents)
        .fallback(frame::unknown_route)
        .method_not_allowed_fallback(frame::unknown_method)
        .layer(DefaultBodyLimit::max(state.settings.max_body_bytes))
        .layer(from_fn_with_state(framing(state.settings.request_timeout), frame::frame))
        .merge(uploads.layer(from_fn_with_state(framing(state.settings.upload_timeout), frame::frame)))
        .with_state(state)
}

/// What people's clients call, save uploads.
fn for_people() -> Routes {
    conversations::routes()
        .merge(unread::routes())
        .merge(participants::routes())
        .merge(messages::routes())
        .merge(reactions::routes())
        .merge(users::routes())
        .merge(blocks::routes())
        .merge(notifications::routes())
        .merge(push::routes())
        .merge(media::links())
        .merge(calls::routes())
        .merge(aliases::routes())
}

/// Every route that there can be, as the document lists them.
fn everything() -> Routes {
    let server_api = server_api::scopes().into_iter().fold(Routes::under(""), |all, (_, routes)| all.merge(routes));
    for_people().merge(media::uploads()).merge(server_api).merge(operation::routes()).merge(operation::exposition())
}
