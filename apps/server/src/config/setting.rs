//! The list of all settings: name, default, bounds and meaning. Environment variables have the name as it is, keys of
//! the file its lower case, flags its lower case with dashes. `--help`, `check-config`, the bounds of numbers, the refusal
//! of unknown keys and the table in docs/configuration.md all come from this list; how a value is read is `Config`'s matter.

use std::fmt;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name, as in the environment.
    pub name: &'static str,
    /// What holds when nobody sets it; `None` where that depends on other settings.
    pub default: Option<&'static str>,
    /// What the value is, for `--help`.
    pub value: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// How the guide goes on after that line; begins with what stands between the two.
    pub more: &'static str,
    /// The least and the most of a number.
    pub bounds: Option<(usize, usize)>,
    /// Never printed, and never a flag: command lines are visible to every user of the machine.
    pub secret: bool,
    /// Taken over by a server that runs, when it is told that the configuration has changed.
    pub live: bool,
}

impl Setting {
    const fn new(name: &'static str, value: &'static str, about: &'static str) -> Self {
        Self { name, default: None, value, about, more: "", bounds: None, secret: false, live: false }
    }

    const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    const fn within(self, least: usize, most: usize) -> Self {
        Self { bounds: Some((least, most)), ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// The key in the configuration file.
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The flag, without its dashes; `None` for a secret.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.key().replace('_', "-"))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! settings {
    ($($constant:ident = $setting:expr;)+) => {
        $(pub(super) const $constant: Setting = $setting;)+
        /// Every setting, in the order in which guides and `check-config` show them.
        pub const SETTINGS: &[Setting] = &[$($constant),+];
    };
}

settings! {
    PORT = Setting::new("PORT", "PORT", "port of the one listener, when `LISTEN` is not given")
        .more(", on all interfaces; with `--dev` on loopback")
        .or("4000");
    LISTEN = Setting::new("LISTEN", "ADDRESS:PORT[=DIALECT],…", "listeners, each with a dialect of its own; wins over `PORT`")
        .more(". Port 0 is a free one. Without `=DIALECT` a listener speaks `DEFAULT_DIALECT`");
    DEFAULT_DIALECT = Setting::new("DEFAULT_DIALECT", "DIALECT", "what a client speaks that says nothing, on a listener that says nothing")
        .more(": `talentbridge`, `ulearn`, `gateway`, `marketplace`, `nextchat`")
        .or("talentbridge");
    ACCESS_TOKEN_SECRET = Setting::new("ACCESS_TOKEN_SECRET", "SECRET", "the key that access tokens are signed with")
        .more(" (HS256, HS384, HS512). Without one the server does not start, save with `--dev`")
        .secret()
        .live();
    ACCESS_TOKEN_SECRET_PREVIOUS = Setting::new("ACCESS_TOKEN_SECRET_PREVIOUS", "SECRET", "the secret before it, whose tokens are still valid")
        .more(", while one replaces the other")
        .secret()
        .live();
    AUTH_PUBLIC_KEY = Setting::new("AUTH_PUBLIC_KEY", "PEM", "public keys of access tokens, instead of `ACCESS_TOKEN_SECRET`")
        .more(": RSA (RS256, PS256 and longer), EC (ES256, ES384), Ed25519 (EdDSA). Several blocks are several keys; line ends may be written `\\n`")
        .live();
    AUTH_PUBLIC_KEY_FILE = Setting::new("AUTH_PUBLIC_KEY_FILE", "FILE", "the same, from a file")
        .more(" that is read at start, and again when the configuration is")
        .live();
    AUTH_JWKS_URL = Setting::new("AUTH_JWKS_URL", "URL", "where an identity provider publishes its keys")
        .more("; may stand beside `AUTH_PUBLIC_KEY`. They are fetched at start, again for an unknown `kid` (at most once a minute), and every ten minutes while tokens come; those of before hold while the endpoint is away. `https:`, or `http:` inside one's own network; without a proxy")
        .live();
    AUTH_PROVISION = Setting::new("AUTH_PROVISION", "token|directory", "whether a valid token of somebody unknown makes a user")
        .more(". `directory`: it is refused")
        .or("token");
    AUTH_ISSUER = Setting::new("AUTH_ISSUER", "TEXT", "the only `iss` that tokens may have")
        .more("; not given: any or none")
        .live();
    AUTH_AUDIENCE = Setting::new("AUTH_AUDIENCE", "TEXT", "an `aud` that tokens must have")
        .more("; not given: any or none")
        .live();
    AUTH_LEEWAY = Setting::new("AUTH_LEEWAY", "DURATION", "how far the clock of whoever signs tokens may be off")
        .or("0s")
        .live();
    AUTH_REQUIRED_CLAIMS = Setting::new("AUTH_REQUIRED_CLAIMS", "NAME,…", "claims that tokens must have, such as `exp`")
        .more(", whatever they say. Not given: none beside the user's id")
        .live();
    SERVER_API_KEYS = Setting::new("SERVER_API_KEYS", "NAME[:SCOPE+…]=KEY,…", "keys of the server API, which is off without them")
        .more(": `shop=KEY,ops:presence+sessions=KEY`, for programs of your own backend ([server-api.md](server-api.md)). A key has 16 to 512 visible characters and, without scopes, is for everything")
        .secret()
        .live();
    DATA_DIR = Setting::new("DATA_DIR", "FOLDER", "where database and media are when nothing else is said")
        .more(": the database without `DATABASE_URL`, media without `MEDIA_DIR`, the secret of `--dev`. Made when it is needed")
        .or("./data");
    DATABASE_URL = Setting::new("DATABASE_URL", "URL", "`sqlite://FILE`, `postgres://…`, `mongodb://…` or `memory:`; not given: `parlance.db` in `DATA_DIR`")
        .more("; see [Databases](#databases)");
    MONGODB_URI = Setting::new("MONGODB_URI", "URL", "a MongoDB, when `DATABASE_URL` is not given")
        .more(". When both are given and name different databases, `DATABASE_URL` is used, and the log says so");
    DATABASE_MIGRATE = Setting::new("DATABASE_MIGRATE", "on|off", "`off`: an old schema is refused at start instead of brought up to date")
        .more(", and left to `parlance migrate`")
        .or("on");
    DATABASE_MAX_CONNECTIONS = Setting::new("DATABASE_MAX_CONNECTIONS", "NUMBER", "connections to PostgreSQL or MongoDB at a time")
        .more(", of one server process")
        .within(2, 1000)
        .or("10");
    DATABASE_CONNECT_TIMEOUT = Setting::new("DATABASE_CONNECT_TIMEOUT", "DURATION", "how long the server waits for PostgreSQL or MongoDB when it starts")
        .or("5s");
    DATABASE_TIMEOUT = Setting::new("DATABASE_TIMEOUT", "DURATION", "how long a request waits for the database before it is answered `UNAVAILABLE`")
        .more(". Sends wait longer while the database answers others. A send that was given up while the database worked on it may be stored all the same; repeated with its `clientMessageId` it is stored once")
        .or("1500ms");
    REDIS_URL = Setting::new("REDIS_URL", "URL", "the Redis over which several nodes speak, `redis://…`, `redis+sentinel://…` or `redis-cluster://…`; neither this nor `NATS_URL` given: a node that is alone")
        .more(". With it this server is one node of several on one PostgreSQL or MongoDB: [operating.md](operating.md). `redis://[USER:PASSWORD@]HOST[:PORT]`, `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE`, `redis-cluster://[USER:PASSWORD@]HOST[:PORT],…`; `rediss…` with TLS");
    REDIS_PREFIX = Setting::new("REDIS_PREFIX", "TEXT", "what this installation's channels on it begin with")
        .more(": one for each installation, since Redis' databases do not keep channels apart")
        .or("parlance");
    NATS_URL = Setting::new("NATS_URL", "URL", "the NATS over which several nodes speak, instead of a Redis, `nats://…` or `tls://…`")
        .more(": `nats://[USER:PASSWORD@]HOST[:PORT][,HOST…]`; a token is written `nats://:TOKEN@HOST`");
    NATS_PREFIX = Setting::new("NATS_PREFIX", "TEXT", "what this installation's subjects on it begin with")
        .more(": one for each installation, of letters, digits, `_` and `-`")
        .or("parlance");
    MEDIA_DIR = Setting::new("MEDIA_DIR", "PLACE", "where media are: a folder, `s3://BUCKET/PREFIX` or `memory:`; not given: beside the database")
        .more(", as `media` in `DATA_DIR`, or in memory too. It is for one server (or one cluster with one database) alone: what the database does not know is removed after a day");
    MEDIA_URL = Setting::new("MEDIA_URL", "URL", "scheme and host that links to media begin with; not given: links without a host")
        .more(", `/media/…`");
    MAX_UPLOAD_BYTES = Setting::new("MAX_UPLOAD_BYTES", "BYTES", "one upload").within(1024, 1 << 32).or("20971520").live();
    MAX_UPLOADS = Setting::new("MAX_UPLOADS", "NUMBER", "uploads that run at a time; a user has 4 of them at most")
        .more(". The next one is refused with 429")
        .within(1, 10_000)
        .or("64")
        .live();
    S3_ENDPOINT = Setting::new("S3_ENDPOINT", "URL", "the S3 server, for any but AWS itself")
        .more(": `https://minio.example.com`");
    S3_REGION = Setting::new("S3_REGION", "TEXT", "the bucket's region; not given: `us-east-1`");
    S3_ACCESS_KEY_ID = Setting::new("S3_ACCESS_KEY_ID", "TEXT", "the key to the bucket; not given: the machine's own role")
        .more(", as AWS offers it");
    S3_SECRET_ACCESS_KEY = Setting::new("S3_SECRET_ACCESS_KEY", "SECRET", "the key's secret").secret();
    CORS_ORIGIN = Setting::new("CORS_ORIGIN", "ORIGIN,…", "pages that may call from another origin; not given: none")
        .more(", but WebSockets of any page with a valid token. Those that are named may call with credentials, and are the only ones that open WebSockets");
    PRESENCE_SCOPE = Setting::new("PRESENCE_SCOPE", "contacts|everyone", "who hears that somebody came or went")
        .more(": `contacts` are those who share a conversation")
        .or("contacts");
    PRESENCE_GRACE = Setting::new("PRESENCE_GRACE", "DURATION", "how long somebody counts as online after the last socket went")
        .or("2s");
    TYPING_TIMEOUT = Setting::new("TYPING_TIMEOUT", "DURATION", "when typing ends that nobody renews").or("3s");
    CALL_RING_TIMEOUT = Setting::new("CALL_RING_TIMEOUT", "DURATION", "when a call ends that nobody accepts")
        .or("45s");
    ICE_SERVERS = Setting::new("ICE_SERVERS", "URL,…", "STUN and TURN servers for calls, such as `stun:stun.example.com`; not given: none")
        .more(", which is enough on one network. Clients in a call are told of them. `turn:` and `turns:` need `TURN_SECRET`");
    TURN_SECRET = Setting::new("TURN_SECRET", "SECRET", "what the TURN servers share with this one (coturn: `use-auth-secret`)")
        .more("; clients get credentials made from it, never the secret. `static-auth-secret` is coturn's name for it")
        .secret();
    TURN_TTL = Setting::new("TURN_TTL", "DURATION", "how long credentials for TURN servers last").or("1h");
    MAX_TEXT_CHARS = Setting::new("MAX_TEXT_CHARS", "NUMBER", "characters in a message")
        .within(1, 1_000_000)
        .or("10000")
        .live();
    MAX_MEDIA = Setting::new("MAX_MEDIA", "NUMBER", "media on a message").within(0, 100).or("10").live();
    MAX_GROUP_SIZE = Setting::new("MAX_GROUP_SIZE", "NUMBER", "participants of a group").within(1, 10_000).or("1000").live();
    MAX_REACTIONS = Setting::new("MAX_REACTIONS", "NUMBER", "different reactions to a message")
        .within(0, 100)
        .or("20")
        .live();
    MAX_PACKET_BYTES = Setting::new("MAX_PACKET_BYTES", "BYTES", "one Socket.IO packet or JSON body; a larger packet closes the connection")
        .within(1024, 1 << 26)
        .or("1048576");
    MAX_SOCKETS_PER_USER = Setting::new("MAX_SOCKETS_PER_USER", "NUMBER", "connections of one user; the next one is refused")
        .within(1, 10_000)
        .or("20")
        .live();
    SLOW_CONSUMER_TIMEOUT = Setting::new("SLOW_CONSUMER_TIMEOUT", "DURATION", "when a connection is cut that does not read")
        .or("10s");
    RATE_LIMITS = Setting::new("RATE_LIMITS", "on|off", "`off` lifts the limits of rates, for load tests")
        .more(": all of `RATE_`, and the bound on sessions that have no user yet. The server says so at start")
        .or("on")
        .live();
    RATE_EVENTS = Setting::new("RATE_EVENTS", "RATE/BURST", "events of one user, a second and at once")
        .more(", on all of their sockets. Those above are answered `RATE_LIMITED`; a socket that keeps sending above it is told to go after ten seconds")
        .or("30/60")
        .live();
    RATE_SENDS = Setting::new("RATE_SENDS", "RATE/BURST", "messages of one user, by socket and HTTP together")
        .more(", on all nodes that hear each other")
        .or("15/30")
        .live();
    RATE_TYPING = Setting::new("RATE_TYPING", "RATE/BURST", "beginnings of typing of one user; those above are dropped")
        .more(", and acked as if they were not")
        .or("5/10")
        .live();
    RATE_REST = Setting::new("RATE_REST", "RATE/BURST", "HTTP requests of one user")
        .more("; those above are answered 429 with `Retry-After`")
        .or("50/100")
        .live();
    RATE_UPLOADS = Setting::new("RATE_UPLOADS", "NUMBER", "uploads of one user a minute").within(1, 1_000_000).or("30").live();
    RATE_FAILED_HANDSHAKES = Setting::new("RATE_FAILED_HANDSHAKES", "NUMBER", "failed handshakes of one network a minute; then none for its rest")
        .more(". A network is one address, of IPv6 a /64")
        .within(1, 1_000_000)
        .or("30")
        .live();
    TRUSTED_PROXIES = Setting::new("TRUSTED_PROXIES", "NETWORK,…", "proxies whose `X-Forwarded-For` is believed; not given: none")
        .more(", and behind a proxy all clients look like one. Addresses and networks: `10.0.0.0/8,192.0.2.7`");
    TLS_CERT_FILE = Setting::new("TLS_CERT_FILE", "FILE", "the certificate chain (PEM) to speak TLS with; not given: plain HTTP")
        .more(". On every listener. Both files are looked at once a minute and read again when they have changed: a renewal needs no restart");
    TLS_KEY_FILE = Setting::new("TLS_KEY_FILE", "FILE", "the private key (PEM) of `TLS_CERT_FILE`");
    PUBLIC_URL = Setting::new("PUBLIC_URL", "URL", "scheme and host under which people reach the server, for links in mails")
        .more(", such as `https://chat.example.com`. Goes with `SMTP_URL`");
    CONVERSATION_LINK = Setting::new("CONVERSATION_LINK", "LINK", "where a mail leads to a conversation, `{id}` being its id")
        .more(": a path below `PUBLIC_URL` (the default is the web client's), or a link to a client of your own")
        .or("/#/c/{id}");
    SMTP_URL = Setting::new("SMTP_URL", "URL", "the mail server, `smtps://USER:PASSWORD@HOST`; not given: no e-mail")
        .more(". Also `smtp://…?tls=required` or `smtp://HOST`, see [channels.md](channels.md)");
    MAIL_FROM = Setting::new("MAIL_FROM", "SENDER", "who mails are from, such as `Parlance <chat@example.com>`")
        .more(". Goes with `SMTP_URL`");
    MAIL_GATHERS = Setting::new("MAIL_GATHERS", "DURATION", "how long what is said in a conversation is gathered for one mail")
        .or("15m");
    MAIL_LINK_SECRET = Setting::new("MAIL_LINK_SECRET", "SECRET", "the key of the links by which mail ends; not given: made of `ACCESS_TOKEN_SECRET`")
        .more("; needed where tokens are signed elsewhere")
        .secret();
    VAPID_PRIVATE_KEY = Setting::new("VAPID_PRIVATE_KEY", "KEY", "by what push services know this server, as `parlance keys vapid` prints it; not given: no web push")
        .secret();
    VAPID_SUBJECT = Setting::new("VAPID_SUBJECT", "URL", "whom push services turn to, such as `mailto:ops@example.com`")
        .more(" or `https://…`. Goes with `VAPID_PRIVATE_KEY`");
    PUSH_PRIVATE_ADDRESSES = Setting::new("PUSH_PRIVATE_ADDRESSES", "on|off", "`on`: push endpoints may be inside one's own network, and `http:`")
        .more(", for whoever has a token; for tests, and push services of one's own")
        .or("off");
    WEB_DIR = Setting::new("WEB_DIR", "FOLDER", "the built web client, served at `/`; not given: no web client")
        .more(". `make run` builds it and sets this");
    WEBHOOK_URL = Setting::new("WEBHOOK_URL", "URL", "where what happens is told by webhooks; not given: nobody is told")
        .more(", and nothing is written for it. `https:`, or `http:` inside one's own network; without a proxy: [webhooks.md](webhooks.md)");
    WEBHOOK_SECRETS = Setting::new("WEBHOOK_SECRETS", "SECRET,…", "what webhooks are signed with; two while one replaces the other")
        .more(". 1 to 3 secrets of 16 or more visible characters; each signs. Needed for `WEBHOOK_URL` and `NOTIFICATION_WEBHOOK_URL`")
        .secret();
    WEBHOOK_EVENTS = Setting::new("WEBHOOK_EVENTS", "NAME,…", "what webhooks tell of, such as `message.created`; not given: everything");
    NOTIFICATION_WEBHOOK_URL = Setting::new("NOTIFICATION_WEBHOOK_URL", "URL", "where your backend is told what waits for people who are away; not given: it is not")
        .more(". Signed with `WEBHOOK_SECRETS`, and may be the address of `WEBHOOK_URL`: [channels.md](channels.md)");
    NOTIFICATION_WEBHOOK_PREFERENCE = Setting::new("NOTIFICATION_WEBHOOK_PREFERENCE", "push|email", "which of people's preferences must allow it")
        .more(": that of the way on which your backend hands it on")
        .or("push");
    NOTIFICATION_WEBHOOK_GATHERS = Setting::new("NOTIFICATION_WEBHOOK_GATHERS", "DURATION", "how long what is said in a conversation is gathered for one such request")
        .or("1s");
    METRICS = Setting::new("METRICS", "on|off", "whether `/metrics` shows what is measured, to whoever asks")
        .more("; see [metrics.md](metrics.md)")
        .or("on");
    API_DOCS = Setting::new("API_DOCS", "on|off", "whether the API describes itself, at `/openapi.json` and `/docs`")
        .more("; see [decision 0095](decisions/0095-the-page-is-ours.md)")
        .or("on");
    OTEL_EXPORTER_OTLP_ENDPOINT = Setting::new("OTEL_EXPORTER_OTLP_ENDPOINT", "URL", "where traces go, as OTLP over HTTP; not given: nobody records any")
        .more(", and they cost nothing. `http://collector:4318`, to which `/v1/traces` is added: [operating.md](operating.md#traces)");
    OTEL_SERVICE_NAME = Setting::new("OTEL_SERVICE_NAME", "TEXT", "what this server is called in traces").or("parlance");
    OTEL_TRACES_SAMPLER_ARG = Setting::new("OTEL_TRACES_SAMPLER_ARG", "RATIO", "which part of all traces is recorded, from 0 to 1")
        .more("; those that a caller has begun (`traceparent`) and has recorded are in any case")
        .or("1");
    LOG_FORMAT = Setting::new("LOG_FORMAT", "text|json", "how log lines look; they go to stderr").or("text");
    RUST_LOG = Setting::new("RUST_LOG", "FILTER", "what is logged, such as `info,parlance_socketio=debug`")
        .more(", as a filter of the `tracing` libraries. The libraries that carry what clients send are not logged, whatever the filter says")
        .or("info")
        .live();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_have_no_secret() {
        for (index, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..index].iter().all(|earlier| earlier.name != setting.name), "{setting} is there twice");
            assert!(!setting.secret || setting.default.is_none(), "{setting} is a secret that everybody knows");
        }
    }

    #[test]
    fn the_guide_names_the_settings_that_need_no_restart() {
        let page = include_str!("../../../../docs/configuration.md");
        let (_, section) = page.split_once("## Without a restart").expect("the section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let row = |line: &'static str| line.strip_prefix("| ")?.split(" | ").nth(1);
        let documented: Vec<&str> =
            section.lines().filter_map(row).flat_map(|names| names.split('`').skip(1).step_by(2)).collect();
        let live: Vec<&str> = SETTINGS.iter().filter(|setting| setting.live).map(|setting| setting.name).collect();
        assert_eq!(documented, live);
    }

    #[test]
    fn a_secret_is_no_flag() {
        assert_eq!(ACCESS_TOKEN_SECRET.flag(), None);
        assert_eq!(PRESENCE_GRACE.flag().as_deref(), Some("presence-grace"));
    }
}
