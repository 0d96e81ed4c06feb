//! The transport as the application builds and runs it: routes to serve, a delivery loop to run, a shutdown that lets
//! clients reconnect elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use parlance_dialects::AnyDialect;
use parlance_domain::event::Event;
use parlance_domain::ports::{Clock, TokenVerifier};
use parlance_domain::services::Services;
use socketioxide::{ParserConfig, SocketIo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::config::Config;
use crate::delivery::deliver;
use crate::failures::FailedHandshakes;
use crate::gate::Gate;
use crate::meters::Meters;
use crate::net::{Engine, Lines, Listener, Lobby, Options, SlowConsumers, fronted};
use crate::node::Node;
use crate::sockets::Sockets;
use crate::tasks::Tasks;

/// Where the Socket.IO protocol lives.
const PATH: &str = "/socket.io";

/// What each WebSocket reads into, in bytes; most messages are shorter, longer ones take more than one read.
const READ_BUFFER: usize = 1024;

/// How long events of the last commands may take from the bus to the sockets when the server goes down.
const SETTLE: Duration = Duration::from_millis(50);

/// The Socket.IO transport of one node.
#[derive(Clone)]
pub struct Transport {
    node: Arc<Node>,
    io: SocketIo,
    engine: Engine,
    lobby: Arc<Lobby>,
}

/// What the transport counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Sockets that are connected now.
    pub sockets: usize,
    /// Sockets that were cut because they did not take what was sent to them.
    pub slow_consumers: u64,
}

impl Transport {
    /// Builds the transport on the domain's services. They were given the same `sockets` as their rooms.
    pub fn new(
        config: Config,
        sockets: &Sockets,
        services: Services,
        verifier: Arc<dyn TokenVerifier>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let max = config.max_packet_bytes;
        let (service, io) = SocketIo::builder()
            .req_path(PATH)
            .max_payload(max as u64)
            .ws_max_message_size(max)
            .ws_max_frame_size(max)
            .ws_read_buffer_size(READ_BUFFER)
            .ping_interval(config.ping_interval)
            .ping_timeout(config.ping_timeout)
            .connect_timeout(config.connect_timeout)
            .with_parser(ParserConfig::common().max_incoming_binaries(16).max_incoming_binary_buf_size(max))
            .build_with_inner_svc(Router::new());
        let failures = FailedHandshakes::new(config.failed_handshakes);
        let meters = Meters::new(&config.dialects);
        let first_session = services.following.first_session();
        let node = Arc::new(Node {
            hub: Arc::clone(&sockets.0),
            lines: Lines::new(PATH),
            config,
            services,
            verifier,
            clock,
            tasks: Tasks::default(),
            failures,
            slow_consumers: SlowConsumers::default(),
            meters,
            open: AtomicBool::new(true),
            sessions: AtomicU64::new(first_session.0),
        });
        io.ns("/", Gate(Arc::clone(&node)));
        let engine = BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
            let response = service.clone().oneshot(request);
            async { Ok(response.await?.map(Body::new)) }
        }));
        let lobby = Arc::new(Lobby::new(node.config.waiting_sessions));
        let engine = fronted(node.lines.serve(engine), &node.config, Arc::clone(&lobby));
        Self { node, io, engine, lobby }
    }

    /// The routes of the protocol. CORS and everything else around HTTP is the application's; serve it
    /// on a [`listener`](Self::listener) with `into_make_service_with_connect_info::<Peer>()`, or slow clients cannot be
    /// cut and ports have no dialect.
    pub fn routes(&self) -> Router {
        Router::new().route_service(PATH, self.engine.clone()).route_service(&format!("{PATH}/"), self.engine.clone())
    }

    /// What to serve HTTP on, for both transports: `inner`, whose clients speak `dialect` unless they say otherwise. A
    /// connection whose peer stops reading is cut within `SLOW_CONSUMER_TIMEOUT` and counted.
    pub fn listener(&self, inner: TcpListener, dialect: Option<AnyDialect>) -> Listener {
        let config = &self.node.config;
        let options = Options { stall_limit: config.stall_limit(), send_buffer_bytes: config.send_buffer_bytes };
        Listener::new(inner, dialect, options, self.node.slow_consumers.clone())
    }

    /// Brings what is published on the bus to this node's sockets, in order, until the bus is closed.
    pub async fn deliver(&self, mut events: mpsc::Receiver<Arc<Event>>) {
        while let Some(event) = events.recv().await {
            let _busy = self.node.tasks.begin();
            deliver(&self.node, &event);
        }
    }

    /// Lets the bounds of `config` hold from now on that say who gets in: sockets of one user, failed handshakes, sessions
    /// without a user. Who is in stays in. Everything else of a transport stays as it was built.
    pub fn change_bounds(&self, config: &Config) {
        self.node.hub.change_max_per_user(config.max_sockets_per_user);
        self.node.failures.change(config.failed_handshakes);
        self.lobby.change(config.waiting_sessions);
    }

    /// What there is to count.
    pub fn stats(&self) -> Stats {
        Stats { sockets: self.node.hub.len(), slow_consumers: self.node.slow_consumers.get() }
    }

    /// Takes no more commands and sockets, carries out and answers what is queued, then ends all connections in a way
    /// that makes clients reconnect (a close of the transport; after a disconnect by the server they stay away).
    /// Takes `limit` at most: what is not done by then is not done.
    pub async fn shutdown(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.node.open.store(false, Ordering::Release);
        let settled = timeout_at(deadline, async {
            self.node.tasks.idle().await;
            tokio::time::sleep(SETTLE).await;
            self.node.tasks.idle().await;
            for session in self.node.hub.everyone() {
                session.outbox.drained().await;
            }
        });
        if settled.await.is_err() {
            tracing::warn!("shutting down with unanswered commands");
        }
        // The library runs no disconnect handlers when it closes: presence ends by our own list.
        let sessions = self.node.hub.everyone();
        for session in &sessions {
            self.node.closed(session);
        }
        // A socket whose peer does not read would keep the library waiting; at least what is flushed now arrives.
        let deadline = deadline.max(Instant::now() + SETTLE);
        if timeout_at(deadline, self.io.close()).await.is_err() {
            for session in &sessions {
                session.cut();
            }
        }
    }
}
