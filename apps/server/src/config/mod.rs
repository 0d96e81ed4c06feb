//! The configuration: one typed value, from a TOML file, then environment variables, then flags. A value that
//! exists is usable; what cannot be used is a [`ConfigError`], one line that names the setting.
//! Opening the database and the ports it names is the builder's part.

mod cluster;
mod database;
mod database_url;
mod dev_secret;
mod error;
mod layers;
mod mail;
mod media;
mod push;
mod rates;
mod setting;
mod show;
mod tls;
mod tokens;
mod traces;
mod value;
mod webhooks;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use parlance_auth::{HashedKeys, InvalidApiKeys, Secret};
use parlance_dialects::{AnyDialect, Dialects};
use parlance_domain::rules::Limits;
use parlance_domain::services::{PresenceScope, Provisioning, Settings};
use parlance_rest::{IceServers, Origins, TurnSecret};
use parlance_socketio::TrustedProxies;

pub use cluster::{Cluster, Engine};
pub use database::{Database, DatabaseAt};
pub use database_url::DatabaseUrl;
pub use error::{ConfigError, Origin};
pub use layers::Flags;
pub use mail::MailConfig;
pub use media::Media;
pub use push::PushConfig;
pub use rates::RateSettings;
pub use setting::{SETTINGS, Setting};
pub use tls::TlsFiles;
pub use tokens::Tokens;
pub use traces::TraceSettings;
pub use value::{Listen, LogFormat};
pub use webhooks::{NotificationWebhook, Preference, Receiver, Webhooks};

pub(crate) use error::one_line;

use layers::Layers;
use value::{choice, number};

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether this is a developer's server: on loopback only, with a secret of its own making and demo users.
    pub dev: bool,
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// What the server can speak.
    pub dialects: Dialects,
    /// What a client speaks when neither it nor its listener says; one of `dialects`, as are those of the listeners.
    pub default_dialect: AnyDialect,
    /// The key of access tokens.
    pub secret: Option<Secret>,
    /// The only `iss` that tokens may have.
    pub issuer: Option<String>,
    /// An `aud` that tokens must have.
    pub audience: Option<String>,
    /// What else checks tokens: public keys instead of the secret, leeway, required claims.
    pub tokens: Tokens,
    /// Keys of the server API; off without them.
    pub api_keys: Option<HashedKeys>,
    /// Where what has no place of its own is kept.
    pub data_dir: PathBuf,
    /// Which storage, and how it is used.
    pub database: Database,
    /// The way to other nodes; `None` for a node that is alone.
    pub cluster: Option<Cluster>,
    /// Where media are, and how large they may be.
    pub media: Media,
    /// Origins of pages that may call.
    pub cors_origins: Origins,
    /// What the domain's services are told.
    pub services: Settings,
    /// Where people in a call find ways to each other.
    pub ice: IceServers,
    /// The largest Socket.IO packet.
    pub max_packet_bytes: usize,
    /// Connections of one user.
    pub max_sockets_per_user: usize,
    /// When a connection is cut that does not read.
    pub slow_consumer_timeout: Duration,
    /// How fast clients may go.
    pub rates: RateSettings,
    /// Whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// What is shown to clients that speak TLS; without it the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// How people who are not there are mailed.
    pub mail: MailConfig,
    /// How browsers are reached that are closed.
    pub push: PushConfig,
    /// Where the built web client is, if it is served.
    pub web_dir: Option<PathBuf>,
    /// Who is told of what happens by webhooks; `None` for nobody.
    pub webhooks: Option<Webhooks>,
    /// Who is told what waits for people who are away.
    pub notification_webhook: NotificationWebhook,
    /// Whether `/metrics` shows what is measured.
    pub metrics: bool,
    /// Whether the API describes itself.
    pub api_docs: bool,
    /// Where traces go, if anybody records them.
    pub traces: TraceSettings,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: String,
    layers: Layers,
}

impl Config {
    /// The configuration of this process: its file, its environment, and these flags.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::from_env(flags, |name| std::env::var_os(name).map(|text| text.to_string_lossy().into_owned()))
    }

    /// Like [`load`](Self::load), with an environment of the caller's.
    pub fn from_env(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(&Layers::gather(flags, env)?, flags.dev, &flags.dialects)
    }

    /// All defaults, whatever the process is told: where a program starts that embeds the server and sets the rest
    /// itself. There is no key for access tokens in it.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::read(&Layers::default(), false, &Dialects::default())
    }

    fn read(layers: &Layers, dev: bool, dialects: &Dialects) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(needed(layers, &setting::DATA_DIR, value::text)?);
        let database = Database::read(layers, &data_dir)?;
        let config = Self {
            dev,
            listen: listen(layers, dev, dialects)?,
            default_dialect: needed(layers, &setting::DEFAULT_DIALECT, value::dialect(dialects))?,
            dialects: dialects.clone(),
            secret: optional(layers, &setting::ACCESS_TOKEN_SECRET, secret)?,
            issuer: optional(layers, &setting::AUTH_ISSUER, value::text)?,
            audience: optional(layers, &setting::AUTH_AUDIENCE, value::text)?,
            tokens: Tokens::read(layers)?,
            api_keys: optional(layers, &setting::SERVER_API_KEYS, api_keys)?,
            media: Media::read(layers, &data_dir, &database.at)?,
            database,
            cluster: Cluster::read(layers)?,
            data_dir,
            cors_origins: optional(layers, &setting::CORS_ORIGIN, origins)?.unwrap_or_default(),
            services: services(layers)?,
            ice: ice(layers)?,
            max_packet_bytes: bounded(layers, &setting::MAX_PACKET_BYTES)?,
            max_sockets_per_user: bounded(layers, &setting::MAX_SOCKETS_PER_USER)?,
            slow_consumer_timeout: needed(layers, &setting::SLOW_CONSUMER_TIMEOUT, value::nonzero_duration)?,
            rates: RateSettings::read(layers)?,
            trusted_proxies: optional(layers, &setting::TRUSTED_PROXIES, proxies)?.unwrap_or_default(),
            tls: TlsFiles::read(layers)?,
            mail: MailConfig::read(layers)?,
            push: PushConfig::read(layers)?,
            web_dir: optional(layers, &setting::WEB_DIR, value::text)?.map(PathBuf::from),
            webhooks: Webhooks::read(layers)?,
            notification_webhook: NotificationWebhook::read(layers)?,
            metrics: needed(layers, &setting::METRICS, choice([("on", true), ("off", false)]))?,
            api_docs: needed(layers, &setting::API_DOCS, choice([("on", true), ("off", false)]))?,
            traces: TraceSettings::read(layers)?,
            log_format: needed(layers, &setting::LOG_FORMAT, choice(LOG_FORMATS))?,
            log_filter: needed(layers, &setting::RUST_LOG, crate::logging::checked_filter)?,
            layers: layers.clone(),
        };
        config.tokens.check(layers, config.secret.is_some(), dev)?;
        config.mail.check(config.secret.is_some() || dev)?;
        if config.ice.turn_secret.is_none() && config.ice.urls.iter().any(|url| url.starts_with("turn")) {
            return Err(config.refuse(setting::ICE_SERVERS.name, "TURN servers need TURN_SECRET"));
        }
        match config.listen.iter().find(|listen| dev && !listen.address.ip().is_loopback()) {
            Some(listen) => {
                Err(config.refuse(setting::LISTEN.name, format!("--dev listens on loopback only, {listen} is not")))
            }
            None => Ok(config),
        }
    }

    /// Fails where no key for access tokens was given. With `--dev` one is made later.
    pub fn require_keys(&self) -> Result<(), ConfigError> {
        if self.tokens.are_signed_elsewhere() { Ok(()) } else { self.require_secret() }
    }

    fn require_secret(&self) -> Result<(), ConfigError> {
        if self.secret.is_some() || self.dev {
            return Ok(());
        }
        Err(ConfigError::Missing {
            name: setting::ACCESS_TOKEN_SECRET.name,
            problem: "give the key that your access tokens are signed with (or AUTH_PUBLIC_KEY, AUTH_PUBLIC_KEY_FILE or \
                      AUTH_JWKS_URL), or start with --dev to try things out",
        })
    }

    /// The key for access tokens: the one that was given, else with `--dev` one of this data folder. There is none where
    /// tokens are signed elsewhere.
    pub fn signing_secret(&self) -> Result<Secret, ConfigError> {
        self.require_secret()?;
        let refused = |error: &dyn std::fmt::Display| {
            self.refuse(
                setting::DATA_DIR.name,
                format!("no secret can be kept in {}: {error}", self.data_dir.display()),
            )
        };
        match &self.secret {
            Some(secret) => Ok(secret.clone()),
            None => Secret::new(dev_secret::keep(&self.data_dir).map_err(|error| refused(&error))?)
                .map_err(|error| refused(&error)),
        }
    }

    /// A refusal that names a setting and who set it.
    pub(crate) fn refuse(&self, name: &'static str, problem: impl std::fmt::Display) -> ConfigError {
        ConfigError::Value { name, origin: self.origin(name), problem: one_line(problem) }
    }

    /// Who set a setting.
    pub fn origin(&self, name: &'static str) -> Origin {
        self.layers.origin(name)
    }

    /// The settings for which `other` was given something else, in the order of [`SETTINGS`]. What a program changed in
    /// either of them afterwards does not count.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'static Setting> + 'a {
        SETTINGS.iter().filter(|setting| self.layers.differ(&other.layers, setting))
    }

    /// The setting that decided which storage it is.
    pub fn database_setting(&self) -> &'static str {
        let decides = |name| self.layers.decide(name);
        let mongo = !decides(setting::DATABASE_URL.name) && decides(setting::MONGODB_URI.name);
        if mongo { setting::MONGODB_URI.name } else { setting::DATABASE_URL.name }
    }

    /// The setting that decided where it listens.
    pub(crate) fn listen_setting(&self) -> &'static str {
        if self.layers.decide(setting::LISTEN.name) { setting::LISTEN.name } else { setting::PORT.name }
    }
}

/// The setting of the keys of the server API.
pub(crate) const SERVER_API_KEYS: &str = setting::SERVER_API_KEYS.name;

/// The setting of the collector of traces.
pub(crate) const OTEL_EXPORTER_OTLP_ENDPOINT: &str = setting::OTEL_EXPORTER_OTLP_ENDPOINT.name;

/// The setting of the mail server.
pub(crate) const SMTP_URL: &str = setting::SMTP_URL.name;

/// The setting of who mails are from.
pub(crate) const MAIL_FROM: &str = setting::MAIL_FROM.name;

/// The setting of the key of web push.
pub(crate) const VAPID_PRIVATE_KEY: &str = setting::VAPID_PRIVATE_KEY.name;

/// The setting of the web client's folder.
pub(crate) const WEB_DIR: &str = setting::WEB_DIR.name;

/// The setting of the receiver of webhooks.
pub(crate) const WEBHOOK_URL: &str = setting::WEBHOOK_URL.name;

/// The setting of the receiver of what waits for people who are away.
pub(crate) const NOTIFICATION_WEBHOOK_URL: &str = setting::NOTIFICATION_WEBHOOK_URL.name;

/// The setting of the certificate.
pub(crate) const TLS_CERT_FILE: &str = setting::TLS_CERT_FILE.name;

/// The setting of its key.
pub(crate) const TLS_KEY_FILE: &str = setting::TLS_KEY_FILE.name;

/// Where media are served; storages know a link to one by it.
pub(crate) const MEDIA_PATH: &str = "/media/";
const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const PROVISIONING: [(&str, Provisioning); 2] =
    [("token", Provisioning::FromToken), ("directory", Provisioning::DirectoryOnly)];
const PRESENCE_SCOPES: [(&str, PresenceScope); 2] =
    [("contacts", PresenceScope::Contacts), ("everyone", PresenceScope::Everyone)];

fn listen(layers: &Layers, dev: bool, dialects: &Dialects) -> Result<Vec<Listen>, ConfigError> {
    // Read even where LISTEN wins: a value that cannot be used is a slip worth hearing of.
    let port = needed(layers, &setting::PORT, value::port)?;
    let ip = IpAddr::V4(if dev { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED });
    let alone = || vec![Listen { address: SocketAddr::new(ip, port), dialect: None }];
    Ok(optional(layers, &setting::LISTEN, value::listeners(dialects))?.unwrap_or_else(alone))
}

fn services(layers: &Layers) -> Result<Settings, ConfigError> {
    Ok(Settings {
        limits: Limits {
            max_text_chars: bounded(layers, &setting::MAX_TEXT_CHARS)?,
            max_media: bounded(layers, &setting::MAX_MEDIA)?,
            max_group_size: bounded(layers, &setting::MAX_GROUP_SIZE)?,
            max_reactions: bounded(layers, &setting::MAX_REACTIONS)?,
        },
        provisioning: needed(layers, &setting::AUTH_PROVISION, choice(PROVISIONING))?,
        presence_scope: needed(layers, &setting::PRESENCE_SCOPE, choice(PRESENCE_SCOPES))?,
        presence_grace: needed(layers, &setting::PRESENCE_GRACE, value::duration)?,
        storage_timeout: needed(layers, &setting::DATABASE_TIMEOUT, value::nonzero_duration)?,
        typing_timeout: needed(layers, &setting::TYPING_TIMEOUT, value::nonzero_duration)?,
        call_ring_timeout: needed(layers, &setting::CALL_RING_TIMEOUT, value::nonzero_duration)?,
        rates: None,
        own_media_prefix: optional(layers, &setting::MEDIA_URL, value::base_url)?.unwrap_or_default() + MEDIA_PATH,
        shared_storage: true,
    })
}

fn ice(layers: &Layers) -> Result<IceServers, ConfigError> {
    Ok(IceServers {
        urls: optional(layers, &setting::ICE_SERVERS, value::ice_servers)?.unwrap_or_default(),
        turn_secret: optional(layers, &setting::TURN_SECRET, value::text)?.map(TurnSecret::new),
        turn_ttl: needed(layers, &setting::TURN_TTL, value::nonzero_duration)?,
    })
}

fn optional<T>(
    layers: &Layers,
    setting: &Setting,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let Some(given) = layers.get(setting) else { return Ok(None) };
    let refused = |problem| ConfigError::Value { name: setting.name, origin: given.origin.clone(), problem };
    parse(&given.text).map(Some).map_err(refused)
}

fn origins(text: &str) -> Result<Origins, String> {
    text.parse().map_err(|error: parlance_rest::InvalidOrigin| error.to_string())
}

fn proxies(text: &str) -> Result<TrustedProxies, String> {
    text.parse().map_err(|error: parlance_socketio::InvalidNetwork| error.to_string())
}

fn api_keys(text: &str) -> Result<HashedKeys, String> {
    text.parse().map_err(|error: InvalidApiKeys| error.to_string())
}

fn secret(text: &str) -> Result<Secret, String> {
    Secret::new(text).map_err(|error| error.to_string())
}

/// For numbers: those have bounds and a default.
fn bounded(layers: &Layers, setting: &Setting) -> Result<usize, ConfigError> {
    let (least, most) = setting.bounds.unwrap_or((0, usize::MAX));
    needed(layers, setting, number(least, most))
}

/// For settings with a default.
fn needed<T>(layers: &Layers, setting: &Setting, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
    optional(layers, setting, parse)?.ok_or(ConfigError::Missing { name: setting.name, problem: "it needs a value" })
}
