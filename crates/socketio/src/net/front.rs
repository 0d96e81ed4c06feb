//! What a request of the protocol passes before the library sees it: it learns where its client is, a new session needs
//! a place in the lobby, and what is posted has to arrive in time. Noting upgrades is `line`'s job.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tower_http::timeout::DeadlineBody;

use super::client::TrustedProxies;
use super::lobby::{Lobby, Place};
use super::{Engine, Peer};
use crate::config::Config;

/// Where a request's client is; a request extension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Of a session's first request. Without a listener of ours nobody knows, and all clients are one.
    pub(crate) fn of(extensions: &Extensions) -> IpAddr {
        extensions.get::<Self>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Self(address)| *address)
    }
}

/// The place of the session that began with a request.
pub(crate) fn place(extensions: &Extensions) -> Option<&Arc<Place>> {
    extensions.get()
}

struct Front {
    engine: Engine,
    proxies: TrustedProxies,
    lobby: Arc<Lobby>,
    post_timeout: Duration,
    warned: AtomicBool,
}

/// Puts the front before `engine`, with a place in `lobby` for each new session.
pub(crate) fn fronted(engine: Engine, config: &Config, lobby: Arc<Lobby>) -> Engine {
    let front = Arc::new(Front {
        engine,
        proxies: config.trusted_proxies.clone(),
        lobby,
        post_timeout: config.post_timeout,
        warned: AtomicBool::new(false),
    });
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| Arc::clone(&front).take(request)))
}

impl Front {
    async fn take(self: Arc<Self>, mut request: Request) -> Result<Response, Infallible> {
        let address = self.client(&request);
        request.extensions_mut().insert(ClientAddress(address));
        if begins_session(&request) {
            let Some(place) = self.lobby.enter(address) else {
                tracing::debug!(%address, "no place for another session without a user");
                return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
            };
            request.extensions_mut().insert(place);
        }
        if request.method() == Method::POST {
            request = request.map(|body| Body::new(DeadlineBody::new(self.post_timeout, body)));
        }
        self.engine.clone().oneshot(request).await
    }

    fn client(&self, request: &Request) -> IpAddr {
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<Peer>>() else {
            return IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        };
        let peer = peer.addr.ip();
        if self.proxies.overlooks(peer, request.headers()) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(%peer, "X-Forwarded-For is not looked at: if this is your proxy, name it in TRUSTED_PROXIES");
        }
        self.proxies.client(peer, request.headers())
    }
}

/// A request without a session's id asks for a new one.
fn begins_session(request: &Request) -> bool {
    let names_one = |query: &str| query.split('&').any(|pair| pair.starts_with("sid="));
    request.method() == Method::GET && !request.uri().query().is_some_and(names_one)
}
