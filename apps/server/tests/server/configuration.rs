//! What a configuration that cannot be used says: one line that names the setting and who set it, exit code 2.
//! And what one that can be used looks like to `check-config`.

use std::net::TcpListener;
use std::path::Path;

use parlance_server::config::{Config, Flags, SETTINGS, Setting};

use crate::process::Parlance;

const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "hush-hush-hush-hush-hush-hush-hush");

/// For each setting a value that cannot be used, and what is said of it.
const BAD_VALUES: [(&str, &str, &str); 73] = [
    ("PORT", "70000", "\"70000\" is no port (0 to 65535)"),
    ("LISTEN", "4000", "\"4000\" is not of the form ADDRESS:PORT[=DIALECT], such as 127.0.0.1:4000=ulearn"),
    ("DEFAULT_DIALECT", "klingon", "\"klingon\" is no dialect (talentbridge, ulearn, gateway, marketplace, nextchat)"),
    ("AUTH_PROVISION", "magic", "\"magic\" is not token or directory"),
    ("AUTH_ISSUER", " ", "must not be blank"),
    ("AUTH_AUDIENCE", " ", "must not be blank"),
    ("AUTH_PUBLIC_KEY", "secret", "holds no PEM block (-----BEGIN PUBLIC KEY-----)"),
    ("AUTH_PUBLIC_KEY_FILE", " ", "must not be blank"),
    ("AUTH_JWKS_URL", "login.example", "is not of the form https://HOST/PATH (http: inside one's own network)"),
    ("AUTH_LEEWAY", "30", "\"30\" is no duration, such as 500ms, 2s or 1m"),
    ("AUTH_REQUIRED_CLAIMS", "exp nbf", "\"exp nbf\" is no list of names, such as exp,iat"),
    ("DATA_DIR", " ", "must not be blank"),
    ("MEDIA_DIR", "ftp://a", "must be a folder, `s3://bucket/prefix` or `memory:`"),
    ("MEDIA_URL", "chat.example", "\"chat.example\" is not of the form https://HOST[:PORT]"),
    ("MAX_UPLOAD_BYTES", "0", "\"0\" is no number from 1024 to 4294967296"),
    ("MAX_UPLOADS", "0", "\"0\" is no number from 1 to 10000"),
    ("S3_ENDPOINT", "minio", "\"minio\" is not of the form https://HOST[:PORT]"),
    ("S3_REGION", " ", "must not be blank"),
    ("S3_ACCESS_KEY_ID", " ", "must not be blank"),
    (
        "DATABASE_URL",
        "odd://me:hush@db",
        "no storage for scheme \"odd\"; use sqlite://FILE, postgres://…, mongodb://… or memory:",
    ),
    ("MONGODB_URI", "odd://me:hush@db", "is not of the form mongodb://HOST[:PORT]/NAME or mongodb+srv://HOST/NAME"),
    ("DATABASE_MIGRATE", "later", "\"later\" is not on or off"),
    ("DATABASE_MAX_CONNECTIONS", "1", "\"1\" is no number from 2 to 1000"),
    ("DATABASE_CONNECT_TIMEOUT", "0s", "must be more than 0"),
    ("DATABASE_TIMEOUT", "ten", "\"ten\" is no duration, such as 500ms, 2s or 1m"),
    (
        "REDIS_URL",
        "http://me:hush@redis",
        "is not of the form redis://[USER:PASSWORD@]HOST[:PORT], redis+sentinel://HOST,…/SERVICE or redis-cluster://HOST,…, \
         or rediss with TLS",
    ),
    ("REDIS_PREFIX", "two words", "\"two words\" is not 1 to 64 letters, digits or _ . : -"),
    (
        "NATS_URL",
        "http://me:hush@nats",
        "is not of the form nats://[USER:PASSWORD@]HOST[:PORT][,HOST…], or tls://… with TLS",
    ),
    ("NATS_PREFIX", "chat.shop", "\"chat.shop\" is not 1 to 64 letters, digits or _ -"),
    (
        "CORS_ORIGIN",
        "*",
        "`*` is not an origin such as https://chat.example.com (all origins cannot be allowed at once)",
    ),
    ("PRESENCE_SCOPE", "nobody", "\"nobody\" is not contacts or everyone"),
    ("PRESENCE_GRACE", "2", "\"2\" is no duration, such as 500ms, 2s or 1m"),
    ("TYPING_TIMEOUT", "0s", "must be more than 0"),
    ("CALL_RING_TIMEOUT", "0s", "must be more than 0"),
    ("ICE_SERVERS", "http://a", "\"http://a\" is no STUN or TURN server, such as stun:stun.example.com:3478"),
    ("TURN_TTL", "1 week", "\"1 week\" is no duration, such as 500ms, 2s or 1m"),
    ("MAX_TEXT_CHARS", "0", "\"0\" is no number from 1 to 1000000"),
    ("MAX_MEDIA", "many", "\"many\" is no number from 0 to 100"),
    ("MAX_GROUP_SIZE", "-1", "\"-1\" is no number from 1 to 10000"),
    ("MAX_REACTIONS", "1.5", "\"1.5\" is no number from 0 to 100"),
    ("MAX_PACKET_BYTES", "1MB", "\"1MB\" is no number from 1024 to 67108864"),
    ("MAX_SOCKETS_PER_USER", "0", "\"0\" is no number from 1 to 10000"),
    ("SLOW_CONSUMER_TIMEOUT", "2 days", "\"2 days\" is no duration, such as 500ms, 2s or 1m"),
    ("RATE_LIMITS", "maybe", "\"maybe\" is not on or off"),
    ("METRICS", "maybe", "\"maybe\" is not on or off"),
    ("API_DOCS", "maybe", "\"maybe\" is not on or off"),
    ("RATE_EVENTS", "30", "\"30\" is no rate, such as 30/60: so many a second, and so many at once"),
    ("RATE_SENDS", "0/1", "\"0/1\" is no rate, such as 30/60: so many a second, and so many at once"),
    ("RATE_TYPING", "5/", "\"5/\" is no rate, such as 30/60: so many a second, and so many at once"),
    ("RATE_REST", "fast", "\"fast\" is no rate, such as 30/60: so many a second, and so many at once"),
    ("RATE_UPLOADS", "0", "\"0\" is no number from 1 to 1000000"),
    ("RATE_FAILED_HANDSHAKES", "many", "\"many\" is no number from 1 to 1000000"),
    ("TRUSTED_PROXIES", "proxy", "\"proxy\" is no address or network, such as 10.0.0.0/8"),
    ("TLS_CERT_FILE", " ", "must not be blank"),
    ("TLS_KEY_FILE", "key.pem", "needs TLS_CERT_FILE"),
    ("PUBLIC_URL", "chat.example", "\"chat.example\" is not of the form https://HOST[:PORT]"),
    ("CONVERSATION_LINK", "/chat", "\"/chat\" is no path or link with {id} in it, such as /chat/{id}"),
    (
        "SMTP_URL",
        "http://me:hush@mail",
        "is not of the form smtp://[USER:PASSWORD@]HOST[:PORT], smtps://… or smtp://…?tls=required",
    ),
    ("MAIL_FROM", "nobody", "\"nobody\" is no sender, such as Parlance <chat@example.com>"),
    ("MAIL_GATHERS", "0s", "must be more than 0"),
    ("VAPID_SUBJECT", "ops@example.com", "\"ops@example.com\" is neither mailto:ADDRESS nor https://HOST"),
    ("PUSH_PRIVATE_ADDRESSES", "maybe", "\"maybe\" is not off or on"),
    ("WEB_DIR", " ", "must not be blank"),
    ("WEBHOOK_URL", "shop.example", "is not of the form https://HOST/PATH (http: inside one's own network)"),
    (
        "WEBHOOK_EVENTS",
        "message.created,message.read",
        "\"message.read\" is no event of webhooks (message.created, message.edited, message.deleted, \
         conversation.created, conversation.updated, user.online, user.offline, notification.created, call.ended)",
    ),
    ("NOTIFICATION_WEBHOOK_URL", "ftp://shop", "is not of the form https://HOST/PATH (http: inside one's own network)"),
    ("NOTIFICATION_WEBHOOK_PREFERENCE", "sms", "\"sms\" is not push or email"),
    ("NOTIFICATION_WEBHOOK_GATHERS", "0s", "must be more than 0"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:4318", "\"otel:4318\" is not of the form http://HOST[:PORT][/PATH]"),
    ("OTEL_SERVICE_NAME", " ", "must not be blank"),
    ("OTEL_TRACES_SAMPLER_ARG", "2", "\"2\" is no number from 0 to 1"),
    ("LOG_FORMAT", "xml", "\"xml\" is not text or json"),
    ("RUST_LOG", "a=b=c", "\"a=b=c\" is no filter, such as info or warn,parlance_socketio=debug"),
];

#[test]
fn a_bad_value_is_refused_wherever_it_comes_from() {
    let parlance = Parlance::new();
    for (name, value, problem) in BAD_VALUES {
        let (key, flag) = (name.to_lowercase(), format!("--{}", name.to_lowercase().replace('_', "-")));
        assert_eq!(
            parlance.refused(&["check-config"], &[SECRET, (name, value)]),
            format!("{name} (environment): {problem}")
        );
        assert_eq!(
            parlance.refused(&["check-config", &format!("{flag}={value}")], &[SECRET]),
            format!("{name} (command line): {problem}")
        );
        parlance.file("bad.toml", &format!("{key} = {value:?}\n"));
        assert_eq!(
            parlance.refused(&["check-config", "--config", "bad.toml"], &[SECRET]),
            format!("{name} (bad.toml): {problem}")
        );
    }
}

#[test]
fn there_is_one_way_to_other_nodes() {
    let (redis, nats) = (("REDIS_URL", "redis://a"), ("NATS_URL", "nats://a"));
    let parlance = Parlance::new();
    let refused = parlance.refused(&["check-config"], &[SECRET, redis, nats]);
    assert_eq!(refused, "NATS_URL (environment): REDIS_URL names another way to other nodes: give one");
    let refused = parlance.refused(&[], &[SECRET, nats]);
    let needs = "NATS_URL (environment): several nodes need one PostgreSQL or MongoDB (DATABASE_URL)";
    assert_eq!(refused, needs);
}

#[test]
fn turn_servers_need_their_secret() {
    let turn = ("ICE_SERVERS", "stun:a.example,turn:b.example");
    let parlance = Parlance::new();
    let refused = parlance.refused(&["check-config"], &[SECRET, turn]);
    assert_eq!(refused, "ICE_SERVERS (environment): TURN servers need TURN_SECRET");
    parlance.answered(&["check-config"], &[SECRET, turn, ("TURN_SECRET", "north")]);
}

#[test]
fn webhooks_need_a_secret_that_cannot_be_guessed() {
    let url = ("WEBHOOK_URL", "https://shop.example/hook");
    let parlance = Parlance::new();
    let refused = parlance.refused(&["check-config"], &[SECRET, url]);
    assert_eq!(refused, "WEBHOOK_SECRETS is not set: WEBHOOK_URL needs a secret to sign with");
    let refused = parlance.refused(&["check-config"], &[SECRET, url, ("WEBHOOK_SECRETS", "hush")]);
    assert!(refused.starts_with("WEBHOOK_SECRETS (environment): needs 1 to 3 secrets"), "{refused}");
    parlance.answered(&["check-config"], &[SECRET, url, ("WEBHOOK_SECRETS", "sixteen-visible-1")]);
    let refused = parlance.refused(&["check-config"], &[SECRET, ("NOTIFICATION_WEBHOOK_URL", url.1)]);
    assert_eq!(refused, "WEBHOOK_SECRETS is not set: NOTIFICATION_WEBHOOK_URL needs a secret to sign with");
}

#[test]
fn every_setting_but_the_secret_has_a_value_that_is_refused() {
    for setting in SETTINGS {
        let tried = BAD_VALUES.iter().any(|(name, ..)| *name == setting.name);
        assert!(tried != setting.secret, "{setting}");
    }
}

#[test]
fn a_file_with_an_unknown_key_is_refused() {
    let parlance = Parlance::new();
    parlance.file("parlance.toml", "prot = 4000\n");
    assert_eq!(parlance.refused(&[], &[SECRET]), "parlance.toml: unknown setting `prot` (did you mean `port`?)");
}

#[test]
fn a_file_that_is_not_there_or_broken_is_refused() {
    let parlance = Parlance::new();
    let missing = parlance.refused(&["--config", "none.toml"], &[SECRET]);
    assert!(missing.starts_with("configuration file none.toml: "), "{missing}");
    let missing = parlance.refused(&[], &[SECRET, ("PARLANCE_CONFIG", "none.toml")]);
    assert!(missing.starts_with("configuration file none.toml: "), "{missing}");
    parlance.file("parlance.toml", "port = 4000\naccess_token_secret = \"hush\n");
    let broken = parlance.refused(&[], &[]);
    assert!(broken.starts_with("configuration file parlance.toml: line 2: "), "{broken}");
    assert!(!broken.contains("hush"), "{broken}");
}

#[test]
fn an_unknown_flag_is_refused() {
    let parlance = Parlance::new();
    assert_eq!(
        parlance.refused(&["--colour", "red"], &[SECRET]),
        "unexpected argument '--colour' found (see parlance --help)"
    );
}

#[test]
fn without_a_secret_it_does_not_start() {
    let parlance = Parlance::new();
    for command in [&[][..], &["serve"], &["check-config"], &["token", "--user", "alice"]] {
        let line = parlance.refused(command, &[("DATABASE_URL", "memory:")]);
        assert!(line.starts_with("ACCESS_TOKEN_SECRET is not set: "), "{line}");
        assert!(line.contains("--dev"), "{line}");
    }
    assert_eq!(std::fs::read_dir(parlance.folder()).unwrap().count(), 0, "nothing is made on the way");
}

#[test]
fn a_database_that_cannot_be_opened_is_refused() {
    let parlance = Parlance::new();
    parlance.file(
        "plain.txt",
        "this is no database, and longer than the header of one would be, by far\n".repeat(20).as_str(),
    );
    for (url, part) in [
        ("sqlite:///nowhere/at/all/chat.db", "/nowhere/at/all"),
        ("sqlite://plain.txt", "plain.txt"),
        ("sqlite://", "must name a file"),
        ("postgres://me:hu@hush@db/chat", "must be percent-encoded"),
    ] {
        for command in ["serve", "migrate"] {
            let line = parlance.refused(&[command, "--listen", "127.0.0.1:0"], &[SECRET, ("DATABASE_URL", url)]);
            assert!(line.starts_with("DATABASE_URL (environment): ") && line.contains(part), "{line}");
            assert!(!line.contains("hush"), "{line}");
        }
    }
}

#[test]
fn a_database_server_that_does_not_answer_is_refused_without_its_password() {
    let parlance = Parlance::new();
    // Taken and closed again: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (setting, scheme) in [("DATABASE_URL", "postgres"), ("DATABASE_URL", "mongodb"), ("MONGODB_URI", "mongodb")] {
        let url = format!("{scheme}://me:hu%40sh@{nobody}/chat");
        let env = [SECRET, (setting, url.as_str()), ("DATABASE_CONNECT_TIMEOUT", "500ms"), ("RUST_LOG", "debug")];
        for command in ["serve", "migrate", "gc"] {
            let output = parlance.run(&[command, "--listen", "127.0.0.1:0"], &env);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            let line = stderr.lines().last().unwrap();
            assert!(line.starts_with(&format!("parlance: {setting} (environment): ")), "{line}");
            assert!(!stderr.contains("hu@sh") && !stderr.contains("hu%40sh"), "{stderr}");
        }
        let output = parlance.run(&["check-config"], &env);
        let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && shown.contains(&format!("{scheme}://me:***@{nobody}/chat")), "{shown}");
        assert!(!shown.contains("hu@sh") && !shown.contains("hu%40sh"), "{shown}");
    }
}

#[test]
fn of_two_databases_the_one_that_is_not_used_is_said() {
    let parlance = Parlance::new();
    let mongo = ("MONGODB_URI", "mongodb://me:hush@db/chat");
    let env = [SECRET, mongo, ("DATABASE_URL", "memory:"), ("LISTEN", "127.0.0.1:0")];
    let ended = parlance.start(&[], &env, 1).signalled("TERM");
    assert!(
        ended.log.contains("MONGODB_URI names another database than DATABASE_URL and is not used"),
        "{}",
        ended.log
    );
    assert!(!ended.log.contains("hush"), "{}", ended.log);
}

#[test]
fn an_old_schema_is_refused_when_it_may_not_be_brought_up_to_date() {
    let parlance = Parlance::new();
    let env = [SECRET, ("DATABASE_URL", "sqlite://./chat.db"), ("DATABASE_MIGRATE", "off"), ("LISTEN", "127.0.0.1:0")];
    for command in ["serve", "gc"] {
        let line = parlance.refused(&[command], &env);
        assert!(line.starts_with("DATABASE_URL (environment): ") && line.contains("`parlance migrate`"), "{line}");
    }
    parlance.answered(&["migrate"], &env);
    assert_eq!(parlance.start(&[], &env, 1).signalled("TERM").code, Some(0));
}

#[test]
fn a_data_folder_that_cannot_be_made_is_refused() {
    let parlance = Parlance::new();
    parlance.file("taken", "a file");
    let line = parlance.refused(&["--data-dir", "taken/data", "--listen", "127.0.0.1:0"], &[SECRET]);
    assert!(line.starts_with("DATA_DIR (command line): taken/data cannot be made: "), "{line}");
}

#[test]
fn a_busy_port_is_refused_by_the_setting_that_names_it() {
    let parlance = Parlance::new();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap();
    let env = [SECRET, ("DATABASE_URL", "memory:")];
    let line = parlance.refused(&["--listen", &address.to_string()], &env);
    assert!(line.starts_with(&format!("LISTEN (command line): cannot listen on {address}: ")), "{line}");
    let line = parlance.refused(&["--dev", "--port", &address.port().to_string()], &env);
    assert!(line.starts_with(&format!("PORT (command line): cannot listen on {address}: ")), "{line}");
}

#[test]
fn dev_stays_on_loopback() {
    let parlance = Parlance::new();
    assert_eq!(
        parlance.refused(&["--dev", "--listen", "0.0.0.0:0"], &[]),
        "LISTEN (command line): --dev listens on loopback only, 0.0.0.0:0 is not"
    );
    let shown = parlance.answered(&["check-config", "--dev"], &[]);
    assert!(shown.contains("listen = \"127.0.0.1:4000\""), "{shown}");
}

#[test]
fn what_is_checked_is_shown_without_secrets() {
    let parlance = Parlance::new();
    parlance.file("parlance.toml", "port = 5000\nmax_media = 4\naccess_token_secret = \"hush-from-the-file\"\n");
    let shown = parlance.answered(&["check-config", "--max-media", "6"], &[("PRESENCE_GRACE", "1m")]);
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("# access_token_secret is set (parlance.toml)"), "{shown}");
    let origin = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split_once('#').unwrap().1.trim().to_owned()
    };
    assert_eq!(origin("listen"), "PORT, parlance.toml");
    assert_eq!(origin("max_media"), "command line");
    assert_eq!(origin("presence_grace"), "environment");
    assert_eq!(origin("log_format"), "default");
    let values: toml::Table = toml::from_str(&shown).unwrap();
    assert_eq!(values["max_media"].as_integer(), Some(6));
    assert_eq!(values["listen"].as_str(), Some("0.0.0.0:5000"));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let shown = Parlance::new().answered(&["check-config"], &[SECRET, ("PORT", ""), ("CORS_ORIGIN", "")]);
    assert!(shown.contains("listen = \"0.0.0.0:4000\""), "{shown}");
}

/// Writes the guide's table anew instead of comparing with it.
const REWRITE: &str = "REWRITE_SETTINGS";

/// Around the table in the guide.
const BEGIN: &str = "<!-- The table of settings is made of apps/server/src/config/setting.rs. -->\n";
const END: &str = "<!-- The end of the table of settings. -->\n";

#[test]
fn the_table_in_the_guide_is_the_list_of_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = guide.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    let rows: String = SETTINGS.iter().map(row).collect();
    let made = format!("\n| setting | takes | default | what it does |\n| --- | --- | --- | --- |\n{rows}\n");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, [before, BEGIN, &made, END, after].concat()).unwrap();
        return;
    }
    assert!(
        kept == made,
        "docs/configuration.md differs from the code: {REWRITE}=1 cargo test -p parlance-server the_table_in_the_guide"
    );
}

fn row(setting: &Setting) -> String {
    let Setting { name, default, value, about, more, bounds, secret, live: _ } = setting;
    let takes = value.split('|').map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    let bounds = bounds.map(|(least, most)| format!(", {least} to {most}")).unwrap_or_default();
    let default = default.map(|default| format!("`{default}` ")).unwrap_or_default();
    let no_flag = if *secret { ". No flag" } else { "" };
    format!("| `{name}` | {takes}{bounds} | {default}| {about}{more}{no_flag} |\n")
}

#[test]
fn a_number_just_beyond_its_bounds_is_refused_and_one_at_them_is_not() {
    for setting in SETTINGS {
        let Some((least, most)) = setting.bounds else { continue };
        let read = |number: usize| {
            let given = |name: &str| (name == setting.name).then(|| number.to_string());
            Config::from_env(&Flags::default(), given).map_err(|error| error.to_string())
        };
        assert!(read(least).is_ok() && read(most).is_ok(), "{setting}");
        for beyond in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
            let problem = format!("{setting} (environment): \"{beyond}\" is no number from {least} to {most}");
            assert_eq!(read(beyond).err(), Some(problem));
        }
    }
}

#[test]
fn a_key_to_a_bucket_has_two_halves_and_one_is_not_shown() {
    let parlance = Parlance::new();
    let bucket = ("MEDIA_DIR", "s3://photos/chat");
    let (id, secret) = (("S3_ACCESS_KEY_ID", "who"), ("S3_SECRET_ACCESS_KEY", "hush"));
    let refused = parlance.refused(&["check-config"], &[SECRET, bucket, id]);
    assert_eq!(refused, "S3_SECRET_ACCESS_KEY is not set: S3_ACCESS_KEY_ID goes with it");
    let shown =
        parlance.answered(&["check-config"], &[SECRET, bucket, id, secret, ("MEDIA_URL", "https://c.example/")]);
    assert!(shown.contains("media_dir = \"s3://photos/chat\"") && !shown.contains("hush"), "{shown}");
    assert!(shown.contains("media_url = \"https://c.example\""), "{shown}");
}

#[test]
fn a_media_folder_that_cannot_be_made_is_refused() {
    let parlance = Parlance::new();
    parlance.file("taken", "a file");
    let line = parlance
        .refused(&["--media-dir", "taken/media", "--listen", "127.0.0.1:0"], &[SECRET, ("DATABASE_URL", "memory:")]);
    assert!(line.starts_with("MEDIA_DIR (command line): the folder \"taken/media\" cannot be used"), "{line}");
}

#[test]
fn mail_needs_a_sender_an_address_for_its_links_and_a_key_for_them() {
    let parlance = Parlance::new();
    let server = ("SMTP_URL", "smtps://me:hush@mail.example");
    let (from, base) = (("MAIL_FROM", "Chat <chat@example.com>"), ("PUBLIC_URL", "https://chat.example/"));
    let refused = parlance.refused(&["check-config"], &[SECRET, server, base]);
    assert_eq!(refused, "MAIL_FROM is not set: SMTP_URL goes with it");
    let refused = parlance.refused(&["check-config"], &[SECRET, server, from]);
    assert_eq!(refused, "PUBLIC_URL is not set: SMTP_URL goes with it");
    let refused =
        parlance.refused(&["check-config"], &[("AUTH_JWKS_URL", "https://login.example/k"), server, from, base]);
    assert!(refused.starts_with("MAIL_LINK_SECRET is not set: "), "{refused}");
    let shown = parlance.answered(&["check-config"], &[SECRET, server, from, base, ("MAIL_LINK_SECRET", "hush-hush")]);
    assert!(
        shown.contains("# smtp_url is smtps://me:***@mail.example (environment)") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(shown.contains("# mail_link_secret is set") && shown.contains("mail_gathers = \"900s\""), "{shown}");
}

#[test]
fn web_push_needs_a_key_and_somebody_to_turn_to() {
    let parlance = Parlance::new();
    let made = parlance.answered(&["keys", "vapid"], &[]);
    let key = made.lines().next().and_then(|line| line.strip_prefix("VAPID_PRIVATE_KEY=")).expect("a key");
    let refused = parlance.refused(&["check-config"], &[SECRET, ("VAPID_PRIVATE_KEY", key)]);
    assert_eq!(refused, "VAPID_SUBJECT is not set: VAPID_PRIVATE_KEY goes with it");
    let shown = parlance.answered(
        &["check-config"],
        &[SECRET, ("VAPID_PRIVATE_KEY", key), ("VAPID_SUBJECT", "mailto:ops@example.com")],
    );
    assert!(shown.contains("# vapid_private_key is set") && !shown.contains(key), "{shown}");
    let refused = parlance.refused(&["check-config"], &[SECRET, ("VAPID_PRIVATE_KEY", "hush")]);
    assert!(refused.starts_with("VAPID_PRIVATE_KEY (environment): is no private key") && !refused.contains("hush"));
}
