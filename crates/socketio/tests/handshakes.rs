//! Who is let in, what they speak, and how a session ends with its token.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use parlance_domain::services::{Provisioning, Settings};
use parlance_socketio::Config;
use serde_json::json;
use support::{Client, Ended, Server};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

#[tokio::test]
async fn refusals_have_the_contracts_words() {
    let server = Server::start().await;
    let refused = async |auth: &str| Client::connect_with(server.addr, "", auth).await.map(|_| ()).unwrap_err();
    for auth in ["", "{}", r#"{"token":""}"#, r#"{"token":null}"#] {
        assert_eq!(refused(auth).await, "Authentication error: Token required");
    }
    for auth in [r#"{"token":"bad"}"#, r#"{"token":"Bearer bad"}"#, r#"{"token":5}"#] {
        assert_eq!(refused(auth).await, "Authentication error: Invalid token");
    }
    assert_eq!(refused(r#"{"token":"alice","dialect":"klingon"}"#).await, "Unknown dialect: klingon");
}

#[tokio::test]
async fn an_unknown_bearer_is_refused_where_users_come_from_the_directory() {
    let settings = Settings { provisioning: Provisioning::DirectoryOnly, ..Settings::default() };
    let server = Server::with(Config::default(), settings).await;
    let refused = Client::connect(server.addr, &json!({ "token": "alice" })).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, "Authentication error: User not found");
}

/// A refusal in words makes clients stay away; one whose connection ends comes back by itself.
#[tokio::test]
async fn who_cannot_be_let_in_just_now_is_told_nothing_and_comes_back() {
    let server = Server::start().await;
    let away = Client::connect(server.addr, &json!({ "token": "away" })).await.map(|_| ()).unwrap_err();
    assert_eq!(away, "closed");
    let bad = Client::connect(server.addr, &json!({ "token": "bad" })).await.map(|_| ()).unwrap_err();
    assert_eq!(bad, "Authentication error: Invalid token");
}

#[tokio::test]
async fn a_refused_client_may_try_again_on_the_same_connection() {
    let server = Server::start().await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer alice".parse().unwrap());
    let (ws, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let mut alice = Client::handshake(ws, "").await.unwrap();
    assert_eq!(alice.call("no:such:event", &json!({})).await["success"], false);
}

#[tokio::test]
async fn the_dialect_is_the_clients_the_listeners_or_the_servers() {
    let server = Server::start().await;
    let config = Config { default_dialect: parlance_dialects::Dialect::Marketplace.into(), ..Config::default() };
    let other = Server::with(config, Settings::default()).await;
    let token = r#"{"token":"alice"}"#;
    let cases = [
        (server.addr, "", token, "talentbridge"),
        (other.addr, "", token, "marketplace"),
        (server.ulearn_addr, "", token, "ulearn"),
        (server.ulearn_addr, "&dialect=gateway", token, "gateway"),
        (server.ulearn_addr, "&dialect=gateway", r#"{"token":"alice","dialect":"nextchat"}"#, "nextchat"),
    ];
    for (addr, query, auth, dialect) in cases {
        let mut client = Client::connect_with(addr, query, auth).await.unwrap();
        assert_eq!(spoken(&mut client).await, dialect, "{query} {auth}");
    }
}

/// The dialect that a client's socket speaks, by the names of sending that it knows.
async fn spoken(client: &mut Client) -> &'static str {
    for (event, dialect) in [("message:send", "talentbridge"), ("send:message", "ulearn"), ("sendMessage", "")] {
        let answer = client.call(event, &json!({})).await;
        if answer["error"].as_str().unwrap().contains(event) {
            continue;
        }
        if dialect.is_empty() {
            // Both know the name; only one knows how to stop typing.
            let answer = client.call("stopTyping", &json!({})).await;
            return if answer["error"].as_str().unwrap().contains("stopTyping") { "nextchat" } else { "gateway" };
        }
        return dialect;
    }
    "marketplace"
}

#[tokio::test]
async fn a_user_has_so_many_sockets_and_no_more() {
    let server = Server::with(Config { max_sockets_per_user: 2, ..Config::default() }, Settings::default()).await;
    let _first = server.client("alice", "talentbridge").await;
    let mut second = server.client("alice", "talentbridge").await;
    let refused = Client::connect(server.addr, &json!({ "token": "alice" })).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, "Too many connections");
    server.client("bob", "talentbridge").await;
    second.say("41").await;
    // The place is free when the server has read it; the answer to a later event says that it has.
    while Client::connect(server.addr, &json!({ "token": "alice" })).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = Server::start().await;
    let mut alice = server.client("alice@300", "talentbridge").await;
    assert_eq!(alice.event_named("session:expired").await, json!({}));
    assert_eq!(alice.end().await, Ended::Disconnected);
    assert_eq!(server.transport.stats().sockets, 0);
}

#[tokio::test]
async fn a_session_goes_on_with_a_newer_token_of_the_same_user() {
    let server = Server::start().await;
    let mut alice = server.client("alice@1000", "talentbridge").await;
    for token in ["bad", "bob"] {
        let refused = alice.call("auth:refresh", &json!({ "token": token })).await;
        assert_eq!(refused["code"], "INVALID_TOKEN");
    }
    assert_eq!(alice.call("auth:refresh", &json!({ "token": "Bearer alice@2000" })).await["success"], true);
    let mut shorter = server.client("carol@1500", "talentbridge").await;
    shorter.event_named("session:expired").await;
    assert_eq!(alice.call("no:such:event", &json!({})).await["success"], false, "the first token's end has passed");
    alice.event_named("session:expired").await;
}
