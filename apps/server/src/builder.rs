//! Puts a server together: configuration, then adapters, then services, then transports. Whoever embeds the server
//! hands in a storage, a verifier, a policy or channels of their own; what is not handed in is made from the configuration.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use parlance_auth::RenewableKeys;
use parlance_domain::ports::{
    Blobs, Clock, IdSource, MessagePolicy, NotificationChannel, Outbox, Storage, TokenVerifier,
};
use parlance_domain::services::{
    AcceptAll, Collecting, LocalBus, Parts, Reach, Services, Settings, UploadParts, Uploading,
};
use parlance_media::{Intake, IntakeSettings};
use parlance_rest::{Probe, RestSettings, RestState, StorageProbe};
use parlance_socketio::{Sockets, Transport};
use tokio::net::{TcpListener, TcpSocket};

use crate::channels::Channels;
use crate::cluster::Linked;
use crate::config::{Config, ConfigError, Listen, WEB_DIR};
use crate::dev_sign_in;
use crate::media;
use crate::metrics::Metrics;
use crate::reloading::Reloading;
use crate::server::{Bound, Boxed, Handle, Server};
use crate::storage::Opened;
use crate::system::{ObjectIds, SystemClock, SystemRandom};
use crate::tls::Tls;
use crate::tokens::{OpenedTokens, OwnTokens};
use crate::traces::Traces;
use crate::webhooks;

/// Events that wait for delivery before publishing waits.
pub(crate) const BUS_CAPACITY: usize = 4096;

/// Connections that wait to be accepted, as far as the system lets them (`somaxconn`). After a restart all clients come
/// back at once; one that finds no room tries again only a second later.
const BACKLOG: u32 = 4096;

/// Uploads of one user at a time: what a client's form may send at once, and no more.
const UPLOADS_PER_USER: usize = 4;

/// A server that is being put together; see [`Server::builder`].
pub struct Builder {
    config: Config,
    storage: Option<Arc<dyn Storage>>,
    reach: Option<Reach>,
    channels: Vec<Arc<dyn NotificationChannel>>,
    outbox: Option<Arc<dyn Outbox>>,
    blobs: Option<Arc<dyn Blobs>>,
    verifier: Option<Arc<dyn TokenVerifier>>,
    policy: Option<Arc<dyn MessagePolicy>>,
    metrics: Option<Metrics>,
    traces: Option<Traces>,
    routes: Option<Box<dyn FnOnce(Handle) -> Router + Send>>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            storage: None,
            reach: None,
            channels: Vec::new(),
            outbox: None,
            blobs: None,
            verifier: None,
            policy: None,
            metrics: None,
            traces: None,
            routes: None,
        }
    }

    /// A storage instead of the one that `DATABASE_URL` names. Closing it is left to the caller.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// What a storage of your own keeps for channels: addresses, errands, and channels if you like. Without it there are no
    /// channels on such a storage.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.channels.extend(reach.channels.iter().cloned());
        self.reach = Some(reach);
        self
    }

    /// A channel that reaches people who are not there, beside those of the configuration; there can be several.
    #[must_use]
    pub fn channel(mut self, channel: Arc<dyn NotificationChannel>) -> Self {
        self.channels.push(channel);
        self
    }

    /// The outbox of the storage that is handed in: without one, `WEBHOOK_URL` is refused.
    #[must_use]
    pub fn outbox(mut self, outbox: Arc<dyn Outbox>) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// A place for the bytes of media instead of the one that `MEDIA_DIR` names. What the storage does not know in
    /// there is removed after a day: it is for this server alone.
    #[must_use]
    pub fn blobs(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// A verifier of tokens instead of the one that the configuration names; no key is needed then.
    #[must_use]
    pub fn verifier(mut self, verifier: Arc<dyn TokenVerifier>) -> Self {
        self.verifier = Some(verifier);
        self
    }

    /// A say before messages are stored; without one all are accepted.
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn MessagePolicy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Shows what is measured at `/metrics`, to whoever asks.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Has requests go on with the traces of their callers, and sends what is recorded when the server ends.
    #[must_use]
    pub fn traces(mut self, traces: Traces) -> Self {
        self.traces = Some(traces);
        self
    }

    /// Routes of your own on the same ports, made with what your backend asks of the chat. They come first: what they do
    /// not know (a fallback of theirs is replaced) goes to the server. Limits, time-outs and CORS are theirs to bring.
    #[must_use]
    pub fn routes(mut self, routes: impl FnOnce(Handle) -> Router + Send + 'static) -> Self {
        self.routes = Some(Box::new(routes));
        self
    }

    /// Opens the storage and the listeners. From here on clients can connect; they are served by [`Server::run`].
    ///
    /// # Errors
    /// [`ConfigError`] for what the configuration names and cannot be had: a database, a port, a secret.
    pub async fn build(self) -> Result<Server, ConfigError> {
        // Boxed, so that whoever embeds a server does not compile all of this once more.
        let opened: Boxed<'_, _> = Box::pin(self.open());
        opened.await
    }

    async fn open(self) -> Result<Server, ConfigError> {
        let Self { config, storage, reach, channels, outbox, blobs, verifier, policy, metrics, traces, routes: own } =
            self;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Tokens of our own making are of use to our own verifier alone.
        let signs_in = config.dev && verifier.is_none();
        let OpenedTokens { verifier, own: tokens } = match verifier {
            Some(verifier) => OpenedTokens::given(verifier),
            None => OpenedTokens::open(&config, Arc::clone(&clock)).await?,
        };
        // Before the database: what is refused should leave that as it is.
        let tls = Tls::open(&config)?;
        // Of a storage that was given nobody knows.
        let shared_storage = storage.is_some() || config.database.at.is_shared();
        let storage = Box::pin(opened(&config, storage, outbox)).await?;
        let kept = reach.or_else(|| storage.reach.clone());
        let Channels { reach, links } = Channels::open(&config, kept, channels, &clock)?;
        let webhooks = webhooks::receiver(&config, &storage)?;
        let linked = Box::pin(Linked::open(&config)).await?;
        let blobs = match blobs {
            Some(blobs) => blobs,
            None => media::open(&config).await?,
        };
        let collecting = Collecting::new(storage.storage.clone(), Arc::clone(&blobs), Arc::clone(&clock));
        let ids: Arc<dyn IdSource> = Arc::new(ObjectIds::new(Arc::clone(&clock)));
        let (local, events) = LocalBus::new(BUS_CAPACITY);
        let bus = Linked::bus(linked.as_ref(), &local);
        let socketio = socketio_config(&config);
        let sockets = Sockets::new(&socketio);
        let (services, workers) = Services::new(Parts {
            storage: Arc::clone(&storage.storage),
            outbox: storage.outbox.clone(),
            webhooks,
            bus: Arc::clone(&bus),
            link: linked.as_ref().map(|linked| Arc::clone(&linked.link)),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            policy: policy.unwrap_or_else(|| Arc::new(AcceptAll)),
            rooms: Arc::new(sockets.clone()),
            reach,
            settings: Settings { rates: config.rates.per_user(), shared_storage, ..config.services.clone() },
        });
        let transport = Transport::new(socketio, &sockets, services.clone(), Arc::clone(&verifier), Arc::clone(&clock));
        let intake = Arc::new(Intake::new(Arc::clone(&blobs), intake_settings(&config)));
        let uploading = Uploading::new(UploadParts {
            media: storage.storage.clone(),
            intake: Arc::clone(&intake) as Arc<_>,
            blobs,
            bus,
            clock: Arc::clone(&clock),
            ids: Arc::new(SystemRandom),
            own_media_prefix: config.services.own_media_prefix.clone(),
            at_once: config.media.max_uploads,
            at_once_per_user: UPLOADS_PER_USER,
            limiting: services.limiting.clone(),
        });
        let api_keys = config.api_keys.clone().map(|keys| Arc::new(RenewableKeys::new(keys)));
        let reloading = Box::new(Reloading {
            started: config.clone(),
            holds: config.clone(),
            tokens: tokens.clone(),
            api_keys: api_keys.clone(),
            services: services.clone(),
            transport: transport.clone(),
            uploading: uploading.clone(),
            intake,
        });
        let rest = parlance_rest::router(RestState {
            services: services.clone(),
            uploading,
            verifier,
            api_keys: api_keys.map(|keys| keys as _),
            unsubscribe_links: links.map(|links| links as _),
            exposition: metrics.as_ref().map(Metrics::exposition),
            traces: traces.as_ref().map(|_| Traces::of_callers()),
            probes: probes(&storage, tokens.as_ref(), linked.as_ref()),
            ids,
            clock,
            settings: rest_settings(&config),
        });
        let mut routes = routed(&config, &transport, rest, signs_in.then_some(&services)).await?;
        if let Some(own) = own {
            routes = own(services.backend.clone()).fallback_service(routes);
        }
        let listeners = bind_all(&config, &transport)?;
        Ok(Server {
            services,
            workers,
            collecting,
            transport,
            local,
            events,
            linked,
            routes,
            listeners,
            storage,
            tls,
            metrics,
            traces,
            reloading,
        })
    }
}

/// Whom `/readyz` asks.
fn probes(storage: &Opened, tokens: Option<&OwnTokens>, linked: Option<&Linked>) -> Vec<Arc<dyn Probe>> {
    let storage: Arc<dyn Probe> = Arc::new(StorageProbe(Arc::clone(&storage.storage)));
    [storage].into_iter().chain(tokens.map(OwnTokens::probe)).chain(linked.map(Linked::probe)).collect()
}

/// Everything that is served: the protocol, the HTTP API, and what belongs to the web client. Signing in without a login is
/// for those who are handed in.
async fn routed(
    config: &Config,
    transport: &Transport,
    rest: Router,
    signs_in: Option<&Services>,
) -> Result<Router, ConfigError> {
    let sockets = parlance_rest::known_origins(&config.cors_origins, transport.routes());
    let mut routes = Router::new().merge(sockets).merge(rest);
    if let Some(folder) = &config.web_dir {
        let served = parlance_rest::web_client(folder).await;
        routes = routes.merge(served.map_err(|problem| config.refuse(WEB_DIR, problem))?);
    }
    if let Some(services) = signs_in {
        routes = routes.merge(dev_sign_in::routes(config, services)?);
    }
    Ok(routes.layer(parlance_rest::cors(&config.cors_origins)))
}

fn rest_settings(config: &Config) -> RestSettings {
    RestSettings {
        max_body_bytes: config.max_packet_bytes,
        dialects: config.dialects.clone(),
        documents: config.api_docs,
        ice: config.ice.clone(),
        ..RestSettings::default()
    }
}

/// The storage that was handed in, else the one that the configuration names; several nodes need one that they can share.
async fn opened(
    config: &Config,
    given: Option<Arc<dyn Storage>>,
    outbox: Option<Arc<dyn Outbox>>,
) -> Result<Opened, ConfigError> {
    if let Some(storage) = given {
        return Ok(Opened::given(storage, outbox));
    }
    Linked::check(config)?;
    Opened::open_whole(config).await
}

fn intake_settings(config: &Config) -> IntakeSettings {
    IntakeSettings { max_bytes: config.media.max_upload_bytes as u64, ..IntakeSettings::default() }
}

pub(crate) fn socketio_config(config: &Config) -> parlance_socketio::Config {
    let defaults = parlance_socketio::Config::default();
    parlance_socketio::Config {
        dialects: config.dialects.clone(),
        default_dialect: config.default_dialect,
        max_packet_bytes: config.max_packet_bytes,
        max_sockets_per_user: config.max_sockets_per_user,
        failed_handshakes: config.rates.failed_handshakes(),
        // Load tests bring all of their clients at once, from one address.
        waiting_sessions: defaults.waiting_sessions.filter(|_| config.rates.hold),
        trusted_proxies: config.trusted_proxies.clone(),
        slow_consumer_timeout: config.slow_consumer_timeout,
        ..defaults
    }
}

fn bind_all(config: &Config, transport: &Transport) -> Result<Vec<Bound>, ConfigError> {
    let mut bound = Vec::with_capacity(config.listen.len());
    for Listen { address, dialect } in &config.listen {
        let refused = |error| config.refuse(config.listen_setting(), format!("cannot listen on {address}: {error}"));
        let socket = listen(*address).map_err(refused)?;
        bound.push(Bound {
            address: socket.local_addr().map_err(refused)?,
            dialect: dialect.unwrap_or(config.default_dialect),
            listener: transport.listener(socket, *dialect),
        });
    }
    Ok(bound)
}

/// Listens as [`TcpListener::bind`] does, with more room for those who come at once.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a restart need not wait for the last connections of the run before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
