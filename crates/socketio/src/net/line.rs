//! Ending one client's Engine.IO session from outside, at the level of the transport, so that the client
//! reconnects by itself. The library has no call for it: its `disconnect` needs room in the outgoing buffer and makes
//! clients stay away. A WebSocket's connection is cut; a polling session is told, in the client's stead, that it
//! closes. After an upgrade the library still shows the first request, so upgrades are noted here as they pass.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock, Weak};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use parking_lot::Mutex;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::detached::detached;
use super::{Connection, Peer};

/// The library's HTTP service, behind one type.
pub(crate) type Engine = BoxCloneSyncService<Request, Response, Infallible>;

/// Which connection an Engine.IO session (by its `sid`) was upgraded to.
#[derive(Debug, Default)]
pub(crate) struct Upgrades(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    connections: HashMap<Box<str>, Weak<Connection>>,
    sweep_at: usize,
}

/// Below this many notes nothing is swept.
const SWEEP_FROM: usize = 64;

impl Upgrades {
    /// Notes the request if it upgrades a session. A connection counts for the first session it names, so there are
    /// never more notes than connections, save for dead ones until the next sweep.
    fn note(&self, request: &Request) {
        let Some(sid) = upgraded_sid(request) else { return };
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<Peer>>() else { return };
        let Some(connection) = peer.connection().upgrade() else { return };
        if connection.carries(sid) {
            let mut noted = self.0.lock();
            if noted.connections.len() >= noted.sweep_at.max(SWEEP_FROM) {
                noted.connections.retain(|_, connection| connection.strong_count() > 0);
                noted.sweep_at = noted.connections.len() * 2;
            }
            noted.connections.insert(sid.into(), Arc::downgrade(&connection));
        }
    }

    fn find(&self, sid: &str) -> Option<Arc<Connection>> {
        self.0.lock().connections.get(sid).and_then(Weak::upgrade)
    }
}

fn upgraded_sid(request: &Request) -> Option<&str> {
    let query = request.uri().query()?;
    let mut sid = None;
    let mut websocket = false;
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sid", value)) if value.len() <= 64 => sid = Some(value),
            Some(("transport", "websocket")) => websocket = true,
            _ => {}
        }
    }
    sid.filter(|_| websocket)
}

/// Puts the noting of upgrades in front of `engine`, which gets requests that it may keep.
pub(crate) fn watched(engine: Engine, upgrades: Arc<Upgrades>) -> Engine {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
        upgrades.note(&request);
        engine.clone().oneshot(detached(request))
    }))
}

/// How to end one client's session.
#[derive(Debug)]
pub(crate) struct Line {
    sid: Box<str>,
    direct: Weak<Connection>,
    lines: Arc<Lines>,
}

/// What all lines share.
#[derive(Debug)]
pub(crate) struct Lines {
    upgrades: Arc<Upgrades>,
    /// Set once the library's service exists; its handlers need the lines before that.
    engine: OnceLock<Engine>,
    path: &'static str,
}

impl Lines {
    pub(crate) fn new(path: &'static str) -> Arc<Self> {
        Arc::new(Self { upgrades: Arc::default(), engine: OnceLock::new(), path })
    }

    /// The service to serve, once the library's is there.
    pub(crate) fn serve(&self, engine: Engine) -> Engine {
        let _ = self.engine.set(engine.clone());
        watched(engine, Arc::clone(&self.upgrades))
    }

    /// The line of the session `sid`, whose first request came with these parts.
    pub(crate) fn line(self: &Arc<Self>, sid: String, first: &axum::http::request::Parts) -> Line {
        // The connection of a polling request may carry other clients' requests, behind a proxy: it is never cut.
        let websocket =
            first.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "transport=websocket"));
        let peer = first.extensions.get::<ConnectInfo<Peer>>().filter(|_| websocket);
        let direct = peer.map_or_else(Weak::new, |ConnectInfo(peer)| Weak::clone(peer.connection()));
        Line { sid: sid.into(), direct, lines: Arc::clone(self) }
    }
}

impl Line {
    /// The connection, if it is a WebSocket from the session's first request on.
    pub(crate) fn direct(&self) -> &Weak<Connection> {
        &self.direct
    }

    /// Ends the session. The library then runs its disconnect handler. `false` if its connection was cut before.
    pub(crate) fn cut(&self) -> bool {
        if let Some(connection) = self.lines.upgrades.find(&self.sid).or_else(|| self.direct.upgrade()) {
            return connection.cut();
        }
        self.close_polling();
        true
    }

    fn close_polling(&self) {
        let Some(engine) = self.lines.engine.get().cloned() else { return };
        let uri = format!("{}/?EIO=4&transport=polling&sid={}", self.lines.path, self.sid);
        // The Engine.IO packet `close`, as the client would post it. A session that is gone already says so.
        let Ok(request) = axum::http::Request::post(uri).body(Body::from("1")) else { return };
        tokio::spawn(engine.oneshot(request));
    }
}
