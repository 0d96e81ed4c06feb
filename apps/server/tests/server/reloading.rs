//! A changed configuration and SIGHUP: what is taken over without a restart, what is not, and that one which cannot be
//! used changes nothing.

use crate::process::{Parlance, Running};
use crate::serving::{get, post};

const FILE: &str = "parlance.toml";
const OLD: &str = "the old secret, thirty-two bytes or more";
const NEW: &str = "the new secret, thirty-two bytes or more";
const READ_AGAIN: &str = "the configuration was read again";

/// A server whose configuration is a file.
struct Reloaded {
    parlance: Parlance,
    running: Running,
}

impl Reloaded {
    fn start(file: &str) -> Self {
        let parlance = Parlance::new();
        parlance.file(FILE, file);
        let env = [("DATABASE_URL", "memory:"), ("PARLANCE_CONFIG", FILE)];
        let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
        Self { parlance, running }
    }

    /// Changes the file and tells the server. What it has said once it has said `what`.
    fn changed(&self, file: &str, what: &str) -> String {
        self.parlance.file(FILE, file);
        let before = self.running.said();
        self.running.signal("HUP");
        self.running.says(what, before)[before..].to_owned()
    }

    fn token(&self, secret: &str) -> String {
        let env = [("ACCESS_TOKEN_SECRET", secret)];
        self.parlance.file("empty.toml", "");
        self.parlance.answered(&["token", "--user", "alice", "--config", "empty.toml"], &env).trim_end().to_owned()
    }

    fn status(&self, path: &str, header: &str) -> u16 {
        get(&self.running.address(0), path, &format!("{header}\r\n"))[9..12].parse().unwrap()
    }

    fn lets_in(&self, token: &str) -> bool {
        let status = self.status("/api/v1/users/me", &format!("Authorization: Bearer {token}"));
        assert!([200, 401].contains(&status), "{status}");
        status == 200
    }
}

fn secrets(present: &str, previous: &str) -> String {
    format!("access_token_secret = {present:?}\naccess_token_secret_previous = {previous:?}\n")
}

#[test]
fn a_key_is_replaced_without_a_restart() {
    let server = Reloaded::start(&secrets(OLD, OLD));
    let (old, new) = (server.token(OLD), server.token(NEW));
    assert!(server.lets_in(&old) && !server.lets_in(&new));
    let said = server.changed(&secrets(NEW, OLD), READ_AGAIN);
    assert!(said.contains("ACCESS_TOKEN_SECRET") && !said.contains("new secret"), "{said}");
    assert!(server.lets_in(&old) && server.lets_in(&new), "both, while one replaces the other");
    server.changed(&secrets(NEW, NEW), READ_AGAIN);
    assert!(!server.lets_in(&old) && server.lets_in(&new));
}

#[test]
fn what_cannot_be_used_changes_nothing_and_is_named() {
    let server = Reloaded::start(&secrets(OLD, OLD));
    let old = server.token(OLD);
    for (addition, problem) in [
        ("max_text_chars = 0", "MAX_TEXT_CHARS (parlance.toml)"),
        ("prot = 1", "unknown setting `prot`"),
        ("auth_jwks_url = \"http://127.0.0.1:1/\"", "AUTH_JWKS_URL (parlance.toml): cannot be used beside"),
        ("rates = ", "line 3"),
    ] {
        let said = server.changed(&format!("{}{addition}\n", secrets(NEW, NEW)), "the one before holds");
        assert!(said.contains(problem) && !said.contains(NEW), "{said}");
        assert!(server.lets_in(&old), "{addition}");
    }
    let nobody_answers = "auth_jwks_url = \"http://127.0.0.1:1/\"\n";
    let said = server.changed(nobody_answers, "the one before holds");
    assert!(said.contains("AUTH_JWKS_URL (parlance.toml): the keys cannot be fetched"), "{said}");
    let said = server.changed("", "the one before holds");
    assert!(said.contains("ACCESS_TOKEN_SECRET is not set"), "{said}");
    assert!(server.lets_in(&old));
}

#[test]
fn limits_are_taken_over_and_what_needs_a_restart_is_named() {
    let tight = "max_text_chars = 5\nrate_rest = \"1/2\"\npresence_grace = \"9s\"\nmax_packet_bytes = 4096\n";
    let server = Reloaded::start(&secrets(OLD, OLD));
    let token = server.token(OLD);
    assert!(server.lets_in(&token));
    let address = server.running.address(0);
    let send = |text: &str| {
        let body = format!(r#"{{"conversationId": "000000000000000000000001", "text": "{text}"}}"#);
        post(&address, "/api/v1/chat/messages", &token, &body)
    };
    assert!(send("six characters").contains("CONVERSATION_NOT_FOUND"), "{}", send("six characters"));
    let said = server.changed(&format!("{}{tight}", secrets(OLD, OLD)), "MAX_PACKET_BYTES");
    assert!(said.contains("RATE_REST") && said.contains("MAX_TEXT_CHARS"), "{said}");
    for name in ["PRESENCE_GRACE", "MAX_PACKET_BYTES"] {
        let warned = said
            .lines()
            .any(|line| line.contains("WARN") && line.contains("only after a restart") && line.contains(name));
        assert!(warned, "{name}: {said}");
    }
    assert!(send("six characters").contains("VALIDATION_FAILED"));
    let hasty = (0..50).find(|_| send("six characters").contains("RATE_LIMITED"));
    assert!(hasty.is_some(), "two at once and one a second, as the new rate says");
    // What still waits for a restart is said again, what was taken over is not.
    let said = server.changed(&format!("{}{tight}", secrets(OLD, OLD)), "MAX_PACKET_BYTES");
    assert!(!said.contains("RATE_REST"), "{said}");
}

#[test]
fn keys_of_the_server_api_come_and_go() {
    let keys = |text: &str| format!("{}server_api_keys = {text:?}\n", secrets(OLD, OLD));
    let server = Reloaded::start(&keys("shop=0123456789abcdef"));
    let status = |key: &str| server.status("/api/v1/server/online-count", &format!("X-Api-Key: {key}"));
    assert_eq!((status("0123456789abcdef"), status("another-key-0123")), (200, 401));
    server.changed(&keys("shop=another-key-0123"), READ_AGAIN);
    assert_eq!((status("0123456789abcdef"), status("another-key-0123")), (401, 200));
    server.changed(&secrets(OLD, OLD), READ_AGAIN);
    assert_eq!((status("0123456789abcdef"), status("another-key-0123")), (401, 401), "nobody has one any more");
}

#[test]
fn a_server_api_that_was_off_needs_a_restart() {
    let server = Reloaded::start(&secrets(OLD, OLD));
    let said =
        server.changed(&format!("{}server_api_keys = \"shop=0123456789abcdef\"\n", secrets(OLD, OLD)), "restart");
    assert!(said.contains("SERVER_API_KEYS"), "{said}");
}

#[test]
fn the_log_says_more_or_less_from_one_moment_to_the_next() {
    let filter = |text: &str| format!("{}rust_log = {text:?}\n", secrets(OLD, OLD));
    let server = Reloaded::start(&filter("warn"));
    server.status("/healthz", "X-Request-Id: before");
    server.changed(&filter("debug"), READ_AGAIN);
    let before = server.running.said();
    server.status("/healthz", "X-Request-Id: meanwhile");
    let log = server.running.says("meanwhile", before);
    assert!(!log.contains("request_id=\"before\""), "{log}");
    server.parlance.file(FILE, &filter("off"));
    server.running.signal("HUP");
    // It says nothing of having been told.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let before = server.running.said();
        server.status("/healthz", "X-Request-Id: after");
        if server.running.said() == before {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it goes on talking");
    }
}

#[test]
fn a_server_to_try_out_ends_with_its_terminal() {
    let parlance = Parlance::new();
    let running = parlance.start(&["serve", "--dev", "--port", "0"], &[("DATABASE_URL", "memory:")], 1);
    let ended = running.signalled("HUP");
    assert_eq!(ended.code, None, "by the signal: {}", ended.log);
}
