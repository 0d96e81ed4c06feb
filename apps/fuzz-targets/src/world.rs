//! A server in memory for those targets that need one, made once: a token is its user's id. It listens on loopback, for
//! the packets.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use parlance_domain::model::{ClaimedProfile, ObjectId, Timestamp};
use parlance_domain::ports::{Claims, Clock, IdSource, RandomIds, TokenError, TokenVerifier};
use parlance_domain::services::{AcceptAll, LocalBus, Parts, Services, Settings, UploadParts, Uploading, Workers};
use parlance_media::{Intake, IntakeSettings, ObjectBlobs};
use parlance_rest::{RestSettings, RestState, router};
use parlance_socketio::{Config, Peer, Sockets, Transport};
use parlance_storage_memory::MemoryStorage;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// What the targets talk to.
pub(crate) struct World {
    pub(crate) api: Router,
    pub(crate) address: SocketAddr,
}

static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(runtime);

static WORLD: LazyLock<Option<World>> = LazyLock::new(|| RUNTIME.as_ref()?.block_on(World::make()));

fn runtime() -> Option<Runtime> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().ok()?;
    // A fuzzer does not begin as Rust programs do, which take a write to a peer that is gone for an error. Who has asked for
    // the signal once is not ended by it.
    let inside = runtime.enter();
    drop(signal(SignalKind::pipe()).ok()?);
    drop(inside);
    Some(runtime)
}

/// The world, if the machine has room for one.
pub(crate) fn world() -> Option<&'static World> {
    WORLD.as_ref()
}

/// Runs something to its end.
#[expect(clippy::expect_used, reason = "without a runtime nothing is tested, and a test that tests nothing must fail")]
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.as_ref().expect("a runtime").block_on(future)
}

struct Ticks(Instant);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus(self.0.elapsed())
    }
}

struct Counted(AtomicU64);

impl IdSource for Counted {
    fn next_id(&self) -> ObjectId {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

/// Nothing here is random, so that an input does the same each time.
impl RandomIds for Counted {
    fn random_id(&self) -> ObjectId {
        self.next_id()
    }
}

struct Names;

#[async_trait]
impl TokenVerifier for Names {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let user_id = token.parse().map_err(|_| TokenError::Invalid("no id".to_owned()))?;
        Ok(Claims { user_id, profile: ClaimedProfile::default(), email: None, issued_at: None, expires_at: None })
    }
}

impl World {
    async fn make() -> Option<Self> {
        let storage = Arc::new(MemoryStorage::new());
        let (ids, clock) = (Arc::new(Counted(AtomicU64::new(1))), Arc::new(Ticks(Instant::now())));
        let (bus, events) = LocalBus::new(1024);
        let config = Config { failed_handshakes: None, waiting_sessions: None, ..Config::default() };
        let sockets = Sockets::new(&config);
        let (services, workers) = Services::new(Parts {
            storage: storage.clone(),
            outbox: None,
            webhooks: None,
            bus: bus.clone(),
            link: None,
            clock: clock.clone(),
            ids: ids.clone(),
            policy: Arc::new(AcceptAll),
            rooms: Arc::new(sockets.clone()),
            reach: None,
            settings: Settings { rates: None, ..Settings::default() },
        });
        // Without a link there is nothing to relay.
        let Workers { writer, presence, typing, notifier, courier: _, calling, webhooks: _, relay: _ } = workers;
        tokio::spawn(writer.run());
        tokio::spawn(presence.run());
        tokio::spawn(typing.run());
        tokio::spawn(notifier.run());
        tokio::spawn(calling.run());
        let blobs = Arc::new(ObjectBlobs::memory());
        let uploading = Uploading::new(UploadParts {
            media: storage,
            blobs: blobs.clone(),
            intake: Arc::new(Intake::new(blobs, IntakeSettings::default())),
            bus,
            clock: clock.clone(),
            ids: ids.clone(),
            own_media_prefix: "/media/".to_owned(),
            at_once: 8,
            at_once_per_user: 2,
            limiting: services.limiting.clone(),
        });
        let transport = Transport::new(config, &sockets, services.clone(), Arc::new(Names), clock.clone());
        let delivering = transport.clone();
        tokio::spawn(async move { delivering.deliver(events).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
        let address = listener.local_addr().ok()?;
        let routes = transport.routes().into_make_service_with_connect_info::<Peer>();
        let listener = transport.listener(listener, None);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let api = router(RestState {
            services,
            uploading,
            verifier: Arc::new(Names),
            api_keys: None,
            unsubscribe_links: None,
            exposition: None,
            traces: None,
            probes: Vec::new(),
            ids,
            clock,
            settings: RestSettings { request_timeout: Duration::from_secs(5), ..RestSettings::default() },
        });
        Some(Self { api, address })
    }
}
