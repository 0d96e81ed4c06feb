//! Puts a server together: configuration, then adapters, then services, then transports. Whoever embeds the server
//! hands in a storage, a verifier or a policy of their own; what is not handed in is made from the configuration.

use std::sync::Arc;

use axum::Router;
use parlance_auth::{JwtVerifier, VerifierSettings};
use parlance_domain::ports::{Blobs, Clock, IdSource, MessagePolicy, Storage, TokenVerifier};
use parlance_domain::services::{AcceptAll, Collecting, LocalBus, Parts, Services, UploadParts, Uploading};
use parlance_media::{Intake, IntakeSettings};
use parlance_rest::{RestSettings, RestState, StorageProbe};
use parlance_socketio::{Sockets, Transport};
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, Listen, WEB_DIR};
use crate::dev_sign_in;
use crate::media;
use crate::server::{Bound, Server};
use crate::storage::Opened;
use crate::system::{ObjectIds, SystemClock, SystemRandom};

/// Events that wait for delivery before publishing waits.
const BUS_CAPACITY: usize = 4096;

/// Uploads of one user at a time: what a client's form may send at once, and no more.
const UPLOADS_PER_USER: usize = 4;

/// What a form may have around its file.
const FORM_BYTES: usize = 1024 * 1024;

/// A server that is being put together; see [`Server::builder`].
pub struct Builder {
    config: Config,
    storage: Option<Arc<dyn Storage>>,
    blobs: Option<Arc<dyn Blobs>>,
    verifier: Option<Arc<dyn TokenVerifier>>,
    policy: Option<Arc<dyn MessagePolicy>>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, storage: None, blobs: None, verifier: None, policy: None }
    }

    /// A storage instead of the one that `DATABASE_URL` names. Closing it is left to the caller.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// A place for the bytes of media instead of the one that `MEDIA_DIR` names. What the storage does not know in
    /// there is removed after a day: it is for this server alone.
    #[must_use]
    pub fn blobs(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// A verifier of tokens instead of the one for `ACCESS_TOKEN_SECRET`, which is then not needed.
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

    /// Opens the storage and the listeners. From here on clients can connect; they are served by [`Server::run`].
    ///
    /// # Errors
    /// [`ConfigError`] for what the configuration names and cannot be had: a database, a port, a secret.
    pub async fn build(self) -> Result<Server, ConfigError> {
        let Self { config, storage, blobs, verifier, policy } = self;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Tokens of our own making are of use to our own verifier alone.
        let signs_in = config.dev && verifier.is_none();
        let verifier = match verifier {
            Some(verifier) => verifier,
            None => own_verifier(&config, Arc::clone(&clock))?,
        };
        let storage = match storage {
            Some(storage) => Opened::given(storage),
            None => Opened::open(&config).await?,
        };
        let blobs = match blobs {
            Some(blobs) => blobs,
            None => media::open(&config).await?,
        };
        let collecting = Collecting::new(storage.storage.clone(), Arc::clone(&blobs), Arc::clone(&clock));
        let ids: Arc<dyn IdSource> = Arc::new(ObjectIds::new(Arc::clone(&clock)));
        let (bus, events) = LocalBus::new(BUS_CAPACITY);
        let socketio = socketio_config(&config);
        let sockets = Sockets::new(&socketio);
        let (services, workers) = Services::new(Parts {
            storage: Arc::clone(&storage.storage),
            bus: bus.clone(),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            policy: policy.unwrap_or_else(|| Arc::new(AcceptAll)),
            rooms: Arc::new(sockets.clone()),
            settings: config.services.clone(),
        });
        let transport = Transport::new(socketio, &sockets, services.clone(), Arc::clone(&verifier), Arc::clone(&clock));
        let uploading = Uploading::new(UploadParts {
            media: storage.storage.clone(),
            intake: Arc::new(Intake::new(Arc::clone(&blobs), intake_settings(&config))),
            blobs,
            bus: bus.clone(),
            clock: Arc::clone(&clock),
            ids: Arc::new(SystemRandom),
            own_media_prefix: config.services.own_media_prefix.clone(),
            at_once: config.media.max_uploads,
            at_once_per_user: UPLOADS_PER_USER,
        });
        let rest = parlance_rest::router(RestState {
            services: services.clone(),
            uploading,
            verifier,
            probes: vec![Arc::new(StorageProbe(Arc::clone(&storage.storage)))],
            ids,
            clock,
            settings: RestSettings {
                max_body_bytes: config.max_packet_bytes,
                max_form_bytes: (config.media.max_upload_bytes + FORM_BYTES) as u64,
                ice: config.ice.clone(),
                ..RestSettings::default()
            },
        });
        let cors = parlance_rest::cors(&config.cors_origins);
        let mut routes = Router::new().merge(transport.routes()).merge(rest);
        if let Some(folder) = &config.web_dir {
            let served = parlance_rest::web_client(folder).await;
            routes = routes.merge(served.map_err(|problem| config.refuse(WEB_DIR, problem))?);
        }
        if signs_in {
            routes = routes.merge(dev_sign_in::routes(&config, &services)?);
        }
        let routes = routes.layer(cors);
        let listeners = bind_all(&config, &transport).await?;
        Ok(Server { services, workers, collecting, transport, bus, events, routes, listeners, storage })
    }
}

fn own_verifier(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<dyn TokenVerifier>, ConfigError> {
    let settings = VerifierSettings {
        issuers: config.issuer.iter().cloned().collect(),
        audiences: config.audience.iter().cloned().collect(),
        ..VerifierSettings::default()
    };
    Ok(Arc::new(JwtVerifier::new(&config.signing_secret()?, &settings, clock)))
}

fn intake_settings(config: &Config) -> IntakeSettings {
    IntakeSettings { max_bytes: config.media.max_upload_bytes as u64, ..IntakeSettings::default() }
}

fn socketio_config(config: &Config) -> parlance_socketio::Config {
    parlance_socketio::Config {
        default_dialect: config.default_dialect,
        max_packet_bytes: config.max_packet_bytes,
        max_sockets_per_user: config.max_sockets_per_user,
        slow_consumer_timeout: config.slow_consumer_timeout,
        ..parlance_socketio::Config::default()
    }
}

async fn bind_all(config: &Config, transport: &Transport) -> Result<Vec<Bound>, ConfigError> {
    let mut bound = Vec::with_capacity(config.listen.len());
    for Listen { address, dialect } in &config.listen {
        let refused = |error| config.refuse(config.listen_setting(), format!("cannot listen on {address}: {error}"));
        let socket = TcpListener::bind(address).await.map_err(refused)?;
        bound.push(Bound {
            address: socket.local_addr().map_err(refused)?,
            dialect: dialect.unwrap_or(config.default_dialect),
            listener: transport.listener(socket, *dialect),
        });
    }
    Ok(bound)
}
