//! The server as a process: it says where it listens, answers there, keeps what it stored, and ends in order.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::process::{Parlance, Running};

pub(crate) const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "a secret of this test, long enough");

pub(crate) fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn get(address: &str, path: &str, headers: &str) -> String {
    http(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"))
}

pub(crate) fn post(address: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    let headers =
        format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}");
    http(address, &format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n\r\n{body}"))
}

fn healthy(server: &Running, index: usize) -> bool {
    get(&server.address(index), "/healthz", "").starts_with("HTTP/1.1 200")
}

#[test]
fn it_says_where_each_listener_is() {
    let parlance = Parlance::new();
    let env = [SECRET, ("LISTEN", "127.0.0.1:0,127.0.0.1:0=ulearn"), ("DEFAULT_DIALECT", "nextchat")];
    let server = parlance.start(&[], &env, 2);
    assert!(server.lines[0].ends_with(" (nextchat)"), "{:?}", server.lines);
    assert!(server.lines[1].ends_with(" (ulearn)"), "{:?}", server.lines);
    assert_ne!(server.address(0), server.address(1));
    assert!(healthy(&server, 0) && healthy(&server, 1));
    assert!(parlance.folder().join("data/parlance.db").is_file(), "without DATABASE_URL the data is in ./data");
    let ended = server.signalled("TERM");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.log);
}

#[test]
fn both_signals_end_it_in_order() {
    for signal in ["TERM", "INT"] {
        let parlance = Parlance::new();
        let server = parlance.start(&["--port", "0"], &[SECRET, ("DATABASE_URL", "memory:")], 1);
        let address = server.address(0).replace("0.0.0.0", "127.0.0.1");
        // A connection that idles, and a long poll that waits for something to happen.
        let idle = TcpStream::connect(&address).unwrap();
        let opened = get(&address, "/socket.io/?EIO=4&transport=polling", "");
        let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut poll = TcpStream::connect(&address).unwrap();
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        write!(poll, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let ended = server.signalled(signal);
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        assert!(ended.log.contains("shut down"), "{}", ended.log);
        assert!(TcpStream::connect(&address).is_err(), "it does not listen any more");
        drop(idle);
    }
}

/// Two people and their conversation.
pub(crate) struct Pair {
    pub(crate) alice: String,
    bob: String,
    pub(crate) conversation: String,
}

pub(crate) fn introduce(parlance: &Parlance, address: &str) -> Pair {
    let token = |user| parlance.answered(&["token", "--user", user], &[SECRET]).trim_end().to_owned();
    let (alice, bob) = (token("alice"), token("bob"));
    assert!(get(address, "/api/v1/users/me", &format!("Authorization: Bearer {bob}\r\n")).contains(" 200 OK"));
    let started = post(address, "/api/v1/chat/conversations/start", &alice, r#"{"targetUserId": "bob"}"#);
    let started: serde_json::Value = serde_json::from_str(started.split_once("\r\n\r\n").unwrap().1).unwrap();
    let conversation = started["data"]["conversation"]["_id"].as_str().unwrap().to_owned();
    Pair { alice, bob, conversation }
}

fn history(address: &str, pair: &Pair) -> String {
    let path = format!("/api/v1/chat/messages/all/{}", pair.conversation);
    get(address, &path, &format!("Authorization: Bearer {}\r\n", pair.bob))
}

/// A send that waits for its body, which is handed back with the connection. The server has begun to read it.
fn begin_send(address: &str, pair: &Pair, text: &str) -> (TcpStream, String) {
    let body = serde_json::json!({ "conversationId": pair.conversation, "text": text }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("POST /api/v1/chat/messages HTTP/1.1\r\nHost: {address}\r\nConnection: close");
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json", pair.alice);
    let length = body.len();
    write!(stream, "{head}\r\n{headers}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n").unwrap();
    let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, expected);
    (stream, body)
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let parlance = Parlance::new();
    let env = [SECRET, ("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "sqlite://./chat.db")];
    let server = parlance.start(&[], &env, 1);
    let pair = introduce(&parlance, &server.address(0));
    let body = serde_json::json!({ "conversationId": pair.conversation, "text": "still here" }).to_string();
    assert!(post(&server.address(0), "/api/v1/chat/messages", &pair.alice, &body).starts_with("HTTP/1.1 201"));
    assert_eq!(server.signalled("TERM").code, Some(0));

    let server = parlance.start(&[], &env, 1);
    let history = history(&server.address(0), &pair);
    assert!(history.contains("still here"), "{history}");
}

#[test]
fn a_request_that_was_begun_is_carried_out_and_answered() {
    let parlance = Parlance::new();
    let env = [SECRET, ("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "sqlite://./chat.db")];
    let server = parlance.start(&[], &env, 1);
    let address = server.address(0);
    let pair = introduce(&parlance, &address);
    let (mut stream, body) = begin_send(&address, &pair, "on the way");
    server.signal("TERM");
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.log);

    let server = parlance.start(&[], &env, 1);
    let history = history(&server.address(0), &pair);
    assert!(history.contains("on the way"), "{history}");
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_process() {
    let parlance = Parlance::new();
    let server = parlance.start(&[], &[SECRET, ("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "memory:")], 1);
    let address = server.address(0);
    let pair = introduce(&parlance, &address);
    let (stream, _) = begin_send(&address, &pair, "never");
    let ended = server.signalled("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert!(ended.log.contains("before everything was done"), "{}", ended.log);
    drop(stream);
}

#[test]
fn dev_offers_two_people_whose_tokens_work() {
    let parlance = Parlance::new();
    let server = parlance.start(&["--dev", "--port", "0"], &[], 1);
    let address = server.address(0);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let ended = server.signalled("TERM");
    assert!(ended.log.contains("--dev"), "it says so in the log: {}", ended.log);
    let tokens: Vec<&str> = ended.stdout.lines().filter(|line| line.starts_with("eyJ")).collect();
    assert_eq!(tokens.len(), 2, "{}", ended.stdout);

    // The secret is kept: tokens of the first run are good for the second.
    let server = parlance.start(&["--dev", "--port", "0"], &[], 1);
    for (token, name) in tokens.into_iter().zip(["Alice", "Bob"]) {
        let me = get(&server.address(0), "/api/v1/users/me", &format!("Authorization: Bearer {token}\r\n"));
        assert!(me.contains(" 200 OK") && me.contains(name), "{me}");
    }
}

#[test]
fn cors_is_for_the_configured_origins_on_both_transports() {
    let parlance = Parlance::new();
    let env = [SECRET, ("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "memory:"), ("CORS_ORIGIN", "https://app.example")];
    let server = parlance.start(&[], &env, 1);
    for path in ["/api/v1/users/me", "/socket.io/?EIO=4&transport=polling", "/nowhere"] {
        let allowed = get(&server.address(0), path, "Origin: https://app.example\r\n").to_lowercase();
        assert!(allowed.contains("access-control-allow-origin: https://app.example\r\n"), "{path}: {allowed}");
        assert!(allowed.contains("access-control-allow-credentials: true\r\n"), "{path}: {allowed}");
        let stranger = get(&server.address(0), path, "Origin: https://other.example\r\n").to_lowercase();
        assert!(!stranger.contains("access-control-"), "{path}: {stranger}");
    }
}

#[test]
fn logs_can_be_read_by_machines() {
    let parlance = Parlance::new();
    let env = [SECRET, ("DATABASE_URL", "memory:"), ("LOG_FORMAT", "json"), ("RATE_LIMITS", "off")];
    let ended = parlance.start(&["--listen", "127.0.0.1:0"], &env, 1).signalled("TERM");
    let lines: Vec<serde_json::Value> = ended.log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"].as_str().is_some_and(|text| text.contains("RATE_LIMITS is off"))));
}

#[test]
fn migrate_makes_the_schema_and_ends() {
    let parlance = Parlance::new();
    for _ in 0..2 {
        let said = parlance.answered(&["migrate"], &[("DATABASE_URL", "sqlite://./chat.db")]);
        assert_eq!(said, "the schema of sqlite://./chat.db is up to date\n");
    }
    assert!(parlance.folder().join("chat.db").is_file());
}
