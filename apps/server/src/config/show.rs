//! The effective configuration as `check-config` prints it: a TOML file that can be used as it is, with who set
//! what beside it. Secrets are left out, with a word on whether they are there.

use std::path::Path;

use parlance_domain::rules::{Rate, Rates};
use parlance_media::S3Settings;
use parlance_notify::Reachable;

use super::webhooks::PREFERENCES;
use super::{
    Cluster, Config, Database, DatabaseUrl, Engine, LOG_FORMATS, MailConfig, NotificationWebhook, Origin,
    PRESENCE_SCOPES, PROVISIONING, PushConfig, RateSettings, Setting, TlsFiles, TraceSettings, Webhooks, dev_secret,
    setting,
};

impl Config {
    /// The effective configuration as TOML, without secrets.
    pub fn show(&self) -> String {
        // Taken apart field by field, so that a new one cannot be forgotten here.
        let Self {
            dev,
            listen,
            dialects: _,
            default_dialect,
            secret,
            issuer,
            audience,
            tokens,
            api_keys,
            data_dir,
            database,
            cluster,
            media,
            cors_origins,
            services,
            ice,
            max_packet_bytes,
            max_sockets_per_user,
            slow_consumer_timeout,
            rates,
            trusted_proxies,
            tls,
            mail,
            push,
            web_dir,
            webhooks,
            notification_webhook,
            metrics,
            api_docs,
            traces,
            log_format,
            log_filter,
            layers: _,
        } = self;
        let listen = listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let limits = &services.limits;
        let mut page = Page { config: self, lines: Vec::new() };
        if *dev {
            page.comment("--dev: on loopback only, with demo users");
        }
        page.set_by(&setting::LISTEN, &quoted(&listen), self.listen_setting());
        page.text(&setting::DEFAULT_DIALECT, default_dialect.name());
        page.comment(&match (secret, dev) {
            (Some(_), _) => format!("access_token_secret is set ({})", self.origin(setting::ACCESS_TOKEN_SECRET.name)),
            (None, true) => {
                format!("access_token_secret is made by --dev, in {}", dev_secret::file(data_dir).display())
            }
            (None, false) => "access_token_secret is not set".to_owned(),
        });
        page.hidden(&setting::ACCESS_TOKEN_SECRET_PREVIOUS, tokens.previous_secret.is_some());
        page.hidden(&setting::AUTH_PUBLIC_KEY, tokens.public_keys.is_some() && tokens.public_key_file.is_none());
        page.optional(&setting::AUTH_PUBLIC_KEY_FILE, tokens.public_key_file.as_deref().and_then(Path::to_str));
        page.optional(&setting::AUTH_JWKS_URL, tokens.jwks_url.as_deref());
        page.text(&setting::AUTH_PROVISION, word(services.provisioning, &PROVISIONING));
        page.optional(&setting::AUTH_ISSUER, issuer.as_deref());
        page.optional(&setting::AUTH_AUDIENCE, audience.as_deref());
        page.duration(&setting::AUTH_LEEWAY, tokens.leeway);
        let claims = tokens.required_claims.join(",");
        page.optional(&setting::AUTH_REQUIRED_CLAIMS, Some(claims.as_str()).filter(|text| !text.is_empty()));
        page.hidden(&setting::SERVER_API_KEYS, api_keys.is_some());
        page.text(&setting::DATA_DIR, &data_dir.to_string_lossy());
        page.database(database);
        page.cluster(cluster.as_ref());
        page.text(&setting::MEDIA_DIR, &media.place());
        let media_base = services.own_media_prefix.trim_end_matches(super::MEDIA_PATH);
        page.optional(&setting::MEDIA_URL, Some(media_base).filter(|base| !base.is_empty()));
        page.number(&setting::MAX_UPLOAD_BYTES, media.max_upload_bytes);
        page.number(&setting::MAX_UPLOADS, media.max_uploads);
        page.bucket(media.bucket());
        page.optional(&setting::CORS_ORIGIN, Some(cors_origins.to_string().as_str()).filter(|text| !text.is_empty()));
        page.text(&setting::PRESENCE_SCOPE, word(services.presence_scope, &PRESENCE_SCOPES));
        page.duration(&setting::PRESENCE_GRACE, services.presence_grace);
        page.duration(&setting::TYPING_TIMEOUT, services.typing_timeout);
        page.duration(&setting::CALL_RING_TIMEOUT, services.call_ring_timeout);
        page.optional(&setting::ICE_SERVERS, Some(ice.urls.join(",").as_str()).filter(|text| !text.is_empty()));
        page.hidden(&setting::TURN_SECRET, ice.turn_secret.is_some());
        page.duration(&setting::TURN_TTL, ice.turn_ttl);
        page.number(&setting::MAX_TEXT_CHARS, limits.max_text_chars);
        page.number(&setting::MAX_MEDIA, limits.max_media);
        page.number(&setting::MAX_GROUP_SIZE, limits.max_group_size);
        page.number(&setting::MAX_REACTIONS, limits.max_reactions);
        page.number(&setting::MAX_PACKET_BYTES, *max_packet_bytes);
        page.number(&setting::MAX_SOCKETS_PER_USER, *max_sockets_per_user);
        page.duration(&setting::SLOW_CONSUMER_TIMEOUT, *slow_consumer_timeout);
        page.rates(rates);
        let proxies = trusted_proxies.to_string();
        page.optional(&setting::TRUSTED_PROXIES, Some(proxies.as_str()).filter(|text| !text.is_empty()));
        page.tls(tls.as_ref());
        page.mail(mail);
        page.push(push);
        page.optional(&setting::WEB_DIR, web_dir.as_deref().map(|folder| folder.to_string_lossy()).as_deref());
        page.webhooks(webhooks.as_ref(), notification_webhook);
        page.text(&setting::METRICS, on_or_off(*metrics));
        page.text(&setting::API_DOCS, on_or_off(*api_docs));
        page.traces(traces);
        page.text(&setting::LOG_FORMAT, word(*log_format, &LOG_FORMATS));
        page.text(&setting::RUST_LOG, log_filter);
        page.lines.push(String::new());
        page.lines.join("\n")
    }
}

struct Page<'a> {
    config: &'a Config,
    lines: Vec<String>,
}

impl Page<'_> {
    fn comment(&mut self, text: &str) {
        self.lines.push(format!("# {text}"));
    }

    fn set_by(&mut self, setting: &Setting, value: &str, decided_by: &'static str) {
        let origin = match self.config.origin(decided_by) {
            Origin::Default => "default".to_owned(),
            origin if decided_by == setting.name => origin.to_string(),
            origin => format!("{decided_by}, {origin}"),
        };
        self.lines.push(format!("{:<60} # {origin}", format!("{} = {value}", setting.key())));
    }

    fn text(&mut self, setting: &Setting, value: &str) {
        self.set_by(setting, &quoted(value), setting.name);
    }

    fn number(&mut self, setting: &Setting, value: usize) {
        self.set_by(setting, &value.to_string(), setting.name);
    }

    fn duration(&mut self, setting: &Setting, value: std::time::Duration) {
        self.text(setting, &format!("{value:?}"));
    }

    fn rate(&mut self, setting: &Setting, rate: &Rate) {
        self.text(setting, &format!("{}/{}", rate.number, rate.burst));
    }

    fn rates(&mut self, rates: &RateSettings) {
        self.text(&setting::RATE_LIMITS, on_or_off(rates.hold));
        let Rates { events, sends, typing, requests, uploads } = &rates.rates;
        self.rate(&setting::RATE_EVENTS, events);
        self.rate(&setting::RATE_SENDS, sends);
        self.rate(&setting::RATE_TYPING, typing);
        self.rate(&setting::RATE_REST, requests);
        self.number(&setting::RATE_UPLOADS, uploads.number as usize);
        self.number(&setting::RATE_FAILED_HANDSHAKES, rates.failed_handshakes as usize);
    }

    fn bucket(&mut self, bucket: Option<&S3Settings>) {
        self.optional(&setting::S3_ENDPOINT, bucket.and_then(|bucket| bucket.endpoint.as_deref()));
        self.optional(&setting::S3_REGION, bucket.and_then(|bucket| bucket.region.as_deref()));
        let credentials = bucket.and_then(|bucket| bucket.credentials.as_ref());
        self.optional(&setting::S3_ACCESS_KEY_ID, credentials.map(|keys| keys.access_key_id.as_str()));
        self.hidden(&setting::S3_SECRET_ACCESS_KEY, credentials.is_some());
    }

    /// Whether a secret, or what is too long for a line, is set.
    fn hidden(&mut self, setting: &Setting, is_set: bool) {
        let key = setting.key();
        self.comment(&if is_set {
            format!("{key} is set ({})", self.config.origin(setting.name))
        } else {
            format!("{key} is not set")
        });
    }

    fn database(&mut self, database: &Database) {
        let shown = database.at.shown();
        if database.at.has_secrets() {
            let decided_by = self.config.database_setting();
            let key = decided_by.to_ascii_lowercase();
            self.comment(&format!("{key} is {shown} ({})", self.config.origin(decided_by)));
        } else {
            self.set_by(&setting::DATABASE_URL, &quoted(&shown), self.config.database_setting());
        }
        if database.overruled {
            self.comment("mongodb_uri names another database, which is not used: database_url wins");
        }
        self.text(&setting::DATABASE_MIGRATE, on_or_off(database.migrate));
        self.number(&setting::DATABASE_MAX_CONNECTIONS, database.max_connections as usize);
        self.duration(&setting::DATABASE_CONNECT_TIMEOUT, database.connect_timeout);
        self.duration(&setting::DATABASE_TIMEOUT, database.timeout);
    }

    fn cluster(&mut self, cluster: Option<&Cluster>) {
        for engine in [Engine::Redis, Engine::Nats] {
            let cluster = cluster.filter(|cluster| cluster.engine == engine);
            self.url(engine.url_setting(), cluster.map(|cluster| &cluster.url));
            let prefix = engine.prefix_setting();
            self.optional(prefix, cluster.map(|cluster| cluster.prefix.as_str()).or(prefix.default));
        }
    }

    fn tls(&mut self, tls: Option<&TlsFiles>) {
        self.optional(&setting::TLS_CERT_FILE, tls.and_then(|tls| tls.certificate.to_str()));
        self.optional(&setting::TLS_KEY_FILE, tls.and_then(|tls| tls.key.to_str()));
    }

    fn mail(&mut self, mail: &MailConfig) {
        self.optional(&setting::PUBLIC_URL, mail.public_url.as_deref());
        self.text(&setting::CONVERSATION_LINK, &mail.conversation_link);
        self.url(&setting::SMTP_URL, mail.server.as_ref());
        self.optional(&setting::MAIL_FROM, mail.from.as_deref());
        self.duration(&setting::MAIL_GATHERS, mail.gathers);
        self.hidden(&setting::MAIL_LINK_SECRET, mail.link_secret.is_some());
    }

    fn push(&mut self, push: &PushConfig) {
        self.hidden(&setting::VAPID_PRIVATE_KEY, push.key.is_some());
        self.optional(&setting::VAPID_SUBJECT, push.contact.as_deref());
        self.text(&setting::PUSH_PRIVATE_ADDRESSES, on_or_off(push.reachable == Reachable::Everything));
    }

    fn webhooks(&mut self, webhooks: Option<&Webhooks>, waiting: &NotificationWebhook) {
        self.url(&setting::WEBHOOK_URL, webhooks.map(|webhooks| &webhooks.receiver.url));
        self.hidden(&setting::WEBHOOK_SECRETS, webhooks.is_some() || waiting.receiver.is_some());
        let given = webhooks.filter(|_| self.config.origin(setting::WEBHOOK_EVENTS.name) != Origin::Default);
        self.optional(&setting::WEBHOOK_EVENTS, given.map(Webhooks::events).as_deref());
        self.url(&setting::NOTIFICATION_WEBHOOK_URL, waiting.receiver.as_ref().map(|receiver| &receiver.url));
        self.text(&setting::NOTIFICATION_WEBHOOK_PREFERENCE, word(waiting.preference, &PREFERENCES));
        self.duration(&setting::NOTIFICATION_WEBHOOK_GATHERS, waiting.gathers);
    }

    /// An address that may hold a password.
    fn url(&mut self, setting: &Setting, url: Option<&DatabaseUrl>) {
        match url.filter(|url| url.has_secrets()) {
            Some(url) => {
                let origin = self.config.origin(setting.name);
                self.comment(&format!("{} is {url} ({origin})", setting.key()));
            }
            None => self.optional(setting, url.map(ToString::to_string).as_deref()),
        }
    }

    fn traces(&mut self, TraceSettings { endpoint, service_name, ratio }: &TraceSettings) {
        self.optional(&setting::OTEL_EXPORTER_OTLP_ENDPOINT, endpoint.as_deref());
        self.text(&setting::OTEL_SERVICE_NAME, service_name);
        self.text(&setting::OTEL_TRACES_SAMPLER_ARG, &ratio.to_string());
    }

    fn optional(&mut self, setting: &Setting, value: Option<&str>) {
        match value {
            Some(value) => self.text(setting, value),
            None => self.comment(&format!("{} is not set", setting.key())),
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

const fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// The word that a choice is written as. Every value of the type is among the choices.
fn word<T: Copy + PartialEq>(value: T, choices: &[(&'static str, T)]) -> &'static str {
    choices.iter().find(|(_, choice)| *choice == value).map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Flags, SETTINGS};
    use super::*;

    fn config(pairs: &[(&'static str, &str)], dev: bool) -> Config {
        let env: BTreeMap<_, _> = pairs.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let flags = Flags { dev, ..Flags::default() };
        Config::from_env(&flags, |name| env.get(name).cloned()).unwrap()
    }

    #[test]
    fn secrets_are_left_out() {
        let secrets = [("ACCESS_TOKEN_SECRET", "hush-hush-hush"), ("TURN_SECRET", "hush")];
        let shown = config(&secrets, false).show();
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("# access_token_secret is set (environment)"), "{shown}");
        assert!(shown.contains("# turn_secret is set (environment)"), "{shown}");
    }

    #[test]
    fn a_password_in_a_url_is_left_out() {
        for setting in ["DATABASE_URL", "MONGODB_URI"] {
            let config = config(&[(setting, "mongodb://me:hush@db/chat")], false);
            let shown = config.show();
            assert!(!shown.contains("hush") && !format!("{config:?}").contains("hush"), "{shown}");
            let line = format!("# {} is mongodb://me:***@db/chat (environment)", setting.to_lowercase());
            assert!(shown.contains(&line), "{shown}");
        }
    }

    #[test]
    fn the_way_to_other_nodes_is_shown_without_its_password() {
        let with = config(&[("REDIS_URL", "redis://me:hush@redis/1"), ("REDIS_PREFIX", "shop")], false);
        let shown = with.show();
        assert!(shown.contains("# redis_url is redis://me:***@redis/1 (environment)"), "{shown}");
        assert!(shown.contains("redis_prefix = \"shop\"") && !format!("{with:?}").contains("hush"), "{shown}");
        let shown = config(&[("NATS_URL", "nats://:hush@nats"), ("NATS_PREFIX", "shop")], false).show();
        assert!(shown.contains("# nats_url is nats://:***@nats (environment)"), "{shown}");
        assert!(shown.contains("nats_prefix = \"shop\"") && shown.contains("# redis_url is not set"), "{shown}");
        let shown = config(&[("REDIS_URL", "redis://redis")], false).show();
        assert!(shown.contains("redis_url = \"redis://redis\""), "{shown}");
    }

    #[test]
    fn the_receiver_of_webhooks_is_shown_without_what_is_secret() {
        let env = [
            ("WEBHOOK_URL", "https://me:hush@shop.example/hook"),
            ("WEBHOOK_SECRETS", "hush-hush-hush-hush"),
            ("WEBHOOK_EVENTS", "message.deleted, message.created"),
        ];
        let with = config(&env, false);
        let shown = with.show();
        assert!(!shown.contains("hush") && !format!("{with:?}").contains("hush"), "{shown}");
        assert!(shown.contains("# webhook_url is https://me:***@shop.example/hook (environment)"), "{shown}");
        assert!(shown.contains("# webhook_secrets is set (environment)"), "{shown}");
        assert!(shown.contains("webhook_events = \"message.created,message.deleted\""), "{shown}");
        let [url, secrets, _] = env;
        let shown = config(&[("NOTIFICATION_WEBHOOK_URL", url.1), secrets], false).show();
        assert!(shown.contains("# notification_webhook_url is https://me:***@shop.example/hook"), "{shown}");
        assert!(shown.contains("# webhook_secrets is set") && shown.contains("# webhook_url is not set"), "{shown}");
    }

    #[test]
    fn of_two_databases_one_is_used_and_said() {
        let mongo = ("MONGODB_URI", "mongodb://db/chat");
        let alone = config(&[mongo], false).show();
        assert!(alone.contains("database_url = \"mongodb://db/chat\""), "{alone}");
        assert!(alone.contains("# MONGODB_URI, environment") && !alone.contains("not used"), "{alone}");
        let both = config(&[mongo, ("DATABASE_URL", "memory:")], false).show();
        assert!(both.contains("database_url = \"memory:\"") && both.contains("mongodb_uri names another"), "{both}");
        let same = config(&[mongo, ("DATABASE_URL", "mongodb://db/chat")], false).show();
        assert!(!same.contains("not used"), "{same}");
    }

    #[test]
    fn every_setting_is_shown() {
        // What they decide is shown as LISTEN and DATABASE_URL.
        let elsewhere = [setting::PORT, setting::MONGODB_URI];
        let shown = config(&[], true).show();
        for setting in SETTINGS.iter().filter(|setting| !elsewhere.contains(setting)) {
            assert!(shown.contains(&setting.key()), "{setting}:\n{shown}");
        }
    }

    #[test]
    fn what_is_shown_is_a_file_that_says_the_same() {
        let env = [
            ("LISTEN", "127.0.0.1:0=ulearn,127.0.0.1:0"),
            ("CORS_ORIGIN", "https://a.example,https://b.example"),
            ("AUTH_ISSUER", "a \"quoted\" issuer"),
            ("PRESENCE_GRACE", "1s 500ms"),
            ("ICE_SERVERS", "stun:a.example,stun:b.example"),
            ("MAX_MEDIA", "3"),
            ("DATABASE_URL", "memory:"),
        ];
        let shown = config(&env, false).show();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlance.toml");
        std::fs::write(&path, &shown).unwrap();
        let again = Config::from_env(&Flags { config: Some(path), ..Flags::default() }, |_| None).unwrap().show();
        let values = |page: &str| toml::from_str::<toml::Table>(page).unwrap();
        assert_eq!(values(&again), values(&shown));
        assert_eq!(values(&shown)["presence_grace"].as_str(), Some("1.5s"));
    }
}
