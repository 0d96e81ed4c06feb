//! How fast clients may go, and what strangers may hold: each limit from both sides, over the wire.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use std::time::Duration;

use parlance_domain::rules::{Rate, Rates};
use parlance_domain::services::Settings;
use parlance_socketio::Config;
use serde_json::{Value, json};
use support::{Client, Ended, PATIENCE, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// So many at once, and none back while a test runs.
const fn just(burst: u32) -> Rate {
    Rate { number: 1, per: Duration::from_hours(1), burst }
}

/// Rates that nothing here reaches.
fn high() -> Rates {
    let high = Rate::per_second(10_000, 10_000);
    Rates { events: high, sends: high, typing: high, requests: high, uploads: high }
}

/// That an answer says to slow down, and for how long.
fn pause(answer: &Value) -> Duration {
    assert_eq!((&answer["success"], &answer["code"]), (&json!(false), &json!("RATE_LIMITED")), "{answer}");
    assert_eq!(answer["error"], "Too many requests");
    Duration::from_millis(answer["retryAfterMs"].as_u64().unwrap())
}

#[tokio::test]
async fn events_above_the_rate_are_refused_and_told_when_to_come_back() {
    let server = Server::limited(Config::default(), Rates { events: Rate::per_second(10, 5), ..high() }).await;
    let mut alice = server.client("alice", "talentbridge").await;
    let begun = tokio::time::Instant::now();
    let mut asked = Vec::new();
    for _ in 0..200 {
        asked.push(alice.ask("notifications:read-all", &Value::Null).await);
    }
    let (mut passed, mut longest) = (0, Duration::ZERO);
    for id in asked {
        let answer = alice.ack(id).await;
        if answer["success"] == true {
            passed += 1;
        } else {
            longest = longest.max(pause(&answer));
        }
    }
    let earned = usize::try_from(begun.elapsed().as_millis() / 100).unwrap();
    assert!((5..=6 + earned).contains(&passed), "{passed} passed, of which the clock gave {earned}");
    assert!(longest <= Duration::from_millis(101), "{longest:?}");
    tokio::time::sleep(longest).await;
    assert_eq!(alice.call("notifications:read-all", &Value::Null).await["success"], true);
}

#[tokio::test]
async fn the_events_of_all_sockets_of_a_user_count_together_and_nobody_elses() {
    let server = Server::limited(Config::default(), Rates { events: just(4), ..high() }).await;
    let mut one = server.client("alice", "talentbridge").await;
    let mut two = server.client("alice", "gateway").await;
    for _ in 0..2 {
        for client in [&mut one, &mut two] {
            assert_eq!(client.call("notifications:read-all", &Value::Null).await["success"], true);
        }
    }
    for client in [&mut one, &mut two] {
        assert!(pause(&client.call("notifications:read-all", &Value::Null).await) > Duration::from_mins(50));
    }
    let mut bob = server.client("bob", "talentbridge").await;
    assert_eq!(bob.call("notifications:read-all", &Value::Null).await["success"], true);
}

#[tokio::test]
async fn whatever_is_above_the_rate_is_answered() {
    let server = Server::limited(Config::default(), Rates { events: just(1), ..high() }).await;
    for (at, dialect) in ["talentbridge", "ulearn", "gateway", "marketplace", "nextchat"].into_iter().enumerate() {
        let mut client = server.client(&format!("user{at}"), dialect).await;
        assert_eq!(client.call("notifications:read-all", &Value::Null).await["success"], true, "{dialect}");
        let asked = [
            client.ask("notifications:read-all", &Value::Null).await,
            client.ask("no:such:event", &json!({})).await,
            client.ask("auth:refresh", &json!({"token": 7})).await,
        ];
        for id in asked {
            pause(&client.ack(id).await);
        }
        // Without an ack, `ulearn` also with one, the event says so.
        client.emit("notifications:read-all", &Value::Null).await;
        assert_eq!(client.event_named("error").await["code"], "RATE_LIMITED", "{dialect}");
    }
}

#[tokio::test]
async fn messages_above_the_rate_are_not_stored() {
    let server = Server::limited(Config::default(), Rates { sends: just(3), ..high() }).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut bob = server.client("bob", "talentbridge").await;
    for at in 0..3 {
        let sent = alice.call("message:send", &json!({"conversationId": room, "text": at.to_string()})).await;
        assert_eq!(sent["success"], true, "{sent}");
    }
    let refused = alice.call("message:send", &json!({"conversationId": room, "text": "too many"})).await;
    assert!(pause(&refused) > Duration::from_mins(50));
    assert_eq!(alice.call("notifications:read-all", &Value::Null).await["success"], true, "all else goes on");
    bob.call("message:send", &json!({"conversationId": room, "text": "the last"})).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "the last") {
        let text = bob.event_named("message:new").await["message"]["text"].as_str().unwrap().to_owned();
        heard.push(text);
    }
    assert_eq!(heard, ["0", "1", "2", "the last"]);
}

#[tokio::test]
async fn typing_above_the_rate_is_acked_and_told_nobody() {
    let server = Server::limited(Config::default(), Rates { typing: just(2), ..high() }).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut bob = server.client("bob", "talentbridge").await;
    assert_eq!(bob.call("conversation:join", &json!(room)).await["success"], true);
    for _ in 0..5 {
        for event in ["typing:start", "typing:stop"] {
            assert_eq!(alice.call(event, &json!(room)).await, json!({"success": true}));
        }
    }
    alice.call("message:send", &json!({"conversationId": room, "text": "the last"})).await;
    let mut starts = 0;
    loop {
        match bob.event().await.0.as_str() {
            "typing:start" => starts += 1,
            "message:new" => break,
            _ => {}
        }
    }
    assert_eq!(starts, 2);
}

#[tokio::test]
async fn without_limits_nothing_is_refused() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "talentbridge").await;
    let mut asked = Vec::new();
    for _ in 0..200 {
        asked.push(alice.ask("notifications:read-all", &Value::Null).await);
    }
    for id in asked {
        assert_eq!(alice.ack(id).await["success"], true);
    }
}

/// Connects as a proxy would for a client at `forwarded`.
async fn connect_for(server: &Server, forwarded: Option<&str>, token: &str) -> Result<Client, String> {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr);
    let mut request = url.into_client_request().unwrap();
    if let Some(forwarded) = forwarded {
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    }
    let (ws, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    Client::handshake(ws, &json!({ "token": token }).to_string()).await
}

async fn says(server: &Server, forwarded: Option<&str>, token: &str) -> String {
    connect_for(server, forwarded, token).await.map_or_else(|error| error, |_| "welcome".to_owned())
}

#[tokio::test]
async fn so_many_failed_handshakes_and_nobody_from_there_is_let_in() {
    let server = Server::with(Config { failed_handshakes: Some(3), ..Config::default() }, Settings::default()).await;
    assert_eq!(says(&server, None, "alice").await, "welcome");
    for token in ["bad", "", "bad"] {
        assert!(says(&server, None, token).await.starts_with("Authentication error: "));
        assert!(server.transport.stats().sockets <= 1);
    }
    for token in ["bad", "", "alice"] {
        assert_eq!(says(&server, None, token).await, "Too many requests");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_fails_for_itself() {
    let config = Config {
        failed_handshakes: Some(2),
        trusted_proxies: "127.0.0.0/8, 10.0.0.0/8".parse().unwrap(),
        ..Config::default()
    };
    let server = Server::with(config, Settings::default()).await;
    for _ in 0..2 {
        assert_eq!(says(&server, Some("203.0.113.9"), "bad").await, "Authentication error: Invalid token");
    }
    // What the client wrote itself stands before what the proxies added.
    for forwarded in ["203.0.113.9", "198.51.100.1, 203.0.113.9", "203.0.113.9, 10.0.0.7"] {
        assert_eq!(says(&server, Some(forwarded), "alice").await, "Too many requests", "{forwarded}");
    }
    for forwarded in [Some("203.0.113.10"), Some("203.0.113.9, 203.0.113.10"), None] {
        assert_eq!(says(&server, forwarded, "alice").await, "welcome", "{forwarded:?}");
    }
}

#[tokio::test]
async fn a_client_cannot_choose_its_address() {
    let server = Server::with(Config { failed_handshakes: Some(2), ..Config::default() }, Settings::default()).await;
    for made_up in ["203.0.113.1", "203.0.113.2"] {
        assert_eq!(says(&server, Some(made_up), "bad").await, "Authentication error: Invalid token");
    }
    assert_eq!(says(&server, Some("203.0.113.3"), "alice").await, "Too many requests");
}

/// The status of an answer, and its body.
async fn http(stream: &mut TcpStream, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return (head[9..12].parse().unwrap(), body.to_owned());
            }
        }
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0, "closed after {text:?}");
        answer.extend_from_slice(&buffer[..read]);
    }
}

const OPEN: &str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn strangers_hold_so_many_sessions_and_no_more() {
    let config = Config { waiting_sessions: Some(80), ..Config::default() };
    let server = Server::with(config, Settings::default()).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let mut first = String::new();
    for at in 0..20 {
        let (status, body) = http(&mut stream, OPEN).await;
        assert_eq!(status, 200, "session {at}");
        if at == 0 {
            let open: Value = serde_json::from_str(&body[1..]).unwrap();
            first = open["sid"].as_str().unwrap().to_owned();
        }
    }
    assert_eq!(http(&mut stream, OPEN).await.0, 503);
    // One of them says who they are, and makes room.
    let connect = r#"40{"token":"alice"}"#;
    let post = format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={first} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{connect}",
        connect.len()
    );
    assert_eq!(http(&mut stream, &post).await.0, 200);
    let poll = format!("GET /socket.io/?EIO=4&transport=polling&sid={first} HTTP/1.1\r\nhost: a\r\n\r\n");
    let polled = http(&mut stream, &poll).await.1;
    assert!(polled.contains("40{"), "connected: {polled}");
    assert_eq!(http(&mut stream, OPEN).await.0, 200);
    assert_eq!(http(&mut stream, OPEN).await.0, 503);
}

#[tokio::test]
async fn sessions_of_nobody_end_soon() {
    let config = Config { connect_timeout: Duration::from_secs(2), ..Config::default() };
    let server = Server::with(config, Settings::default()).await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr);
    let (silent, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let silent = Client::handshake(silent, "{}");
    assert_eq!(silent.await.map(|_| ()).unwrap_err(), "Authentication error: Token required");
    // Who leaves and does not come back is cut, who comes back stays.
    let mut gone = server.client("alice", "talentbridge").await;
    let mut back = server.client("bob", "talentbridge").await;
    back.say("41").await;
    gone.say("41").await;
    back.say(r#"40{"token":"bob"}"#).await;
    assert_eq!(gone.end().await, Ended::TransportClosed);
    assert_eq!(back.call("user:get-status", &json!("bob")).await["status"], "online");
}

#[tokio::test]
async fn a_payload_that_trickles_is_given_up() {
    let config = Config { post_timeout: Duration::from_millis(200), ..Config::default() };
    let server = Server::with(config, Settings::default()).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let (_, body) = http(&mut stream, OPEN).await;
    let open: Value = serde_json::from_str(&body[1..]).unwrap();
    let head = format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n40",
        open["sid"].as_str().unwrap()
    );
    assert_eq!(http(&mut stream, &head).await.0, 400);
}
