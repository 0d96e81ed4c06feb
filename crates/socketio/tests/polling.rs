//! Long-polling, the upgrade from it, and cutting either kind of session when its client does not take what it is sent.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use parlance_domain::services::Settings;
use serde_json::{Value, json};
use support::{PATIENCE, Server, impatient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// What separates packets in a polling payload.
const SEPARATOR: char = '\u{1e}';

/// A client that polls.
struct Poller {
    addr: SocketAddr,
    sid: String,
}

impl Poller {
    async fn connect(addr: SocketAddr, auth: &Value) -> Self {
        let poller = Self::knock(addr, auth).await;
        while !poller.poll().await.unwrap().iter().any(|packet| packet.starts_with("40")) {}
        poller
    }

    /// Asks to be let in.
    async fn knock(addr: SocketAddr, auth: &Value) -> Self {
        let (status, body) = http(addr, "GET", "", "").await;
        assert_eq!(status, 200);
        let open: Value = serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap();
        let poller = Self { addr, sid: open["sid"].as_str().unwrap().to_owned() };
        poller.post(&format!("40{auth}")).await;
        poller
    }

    async fn post(&self, packet: &str) {
        let (status, body) = http(self.addr, "POST", &format!("&sid={}", self.sid), packet).await;
        assert_eq!((status, body.as_str()), (200, "ok"));
    }

    /// The packets of one poll; `None` when the session is gone.
    async fn poll(&self) -> Option<Vec<String>> {
        let (status, body) = http(self.addr, "GET", &format!("&sid={}", self.sid), "").await;
        (status == 200).then(|| body.split(SEPARATOR).map(str::to_owned).collect())
    }

    /// Polls until a packet begins with `prefix`; says what follows.
    async fn wait_for(&self, prefix: &str) -> String {
        loop {
            for packet in self.poll().await.expect("the session is there") {
                if packet == "2" {
                    self.post("3").await;
                } else if let Some(rest) = packet.strip_prefix(prefix) {
                    return rest.to_owned();
                }
            }
        }
    }
}

async fn http(addr: SocketAddr, method: &str, query: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "{method} /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_polling_client_takes_part() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let alice = Poller::connect(server.addr, &json!({ "token": "alice" })).await;
    let mut bob = server.client("bob", "talentbridge").await;
    alice.post(&format!("421{}", json!(["message:send", { "conversationId": room, "text": "by post" }]))).await;
    let ack: Value = serde_json::from_str(&alice.wait_for("431").await).unwrap();
    assert_eq!(ack[0]["success"], true);
    assert_eq!(bob.event_named("message:new").await["message"]["text"], "by post");
}

#[tokio::test]
async fn an_upgraded_client_keeps_its_session_and_its_dialect() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let alice = Poller::connect(server.ulearn_addr, &json!({ "token": "alice" })).await;
    let mut ws = upgrade(&alice).await;
    let send = json!(["send:message", { "conversationId": room, "text": "upgraded", "messageType": "text" }]);
    ws.send(Message::text(format!("42{send}"))).await.unwrap();
    loop {
        let Some(Ok(Message::Text(text))) = timeout(PATIENCE, ws.next()).await.unwrap() else { panic!("closed") };
        if text.starts_with("42[\"message:sent\"") {
            return;
        }
    }
}

/// What a client by WebSocket is not told either.
#[tokio::test]
async fn who_cannot_be_let_in_just_now_hears_no_refusal_by_polling() {
    let server = Server::start().await;
    let away = Poller::knock(server.addr, &json!({ "token": "away" })).await;
    while let Some(packets) = timeout(PATIENCE, away.poll()).await.expect("the session is gone") {
        assert!(packets.iter().all(|packet| !packet.starts_with("44")), "{packets:?}");
    }
}

async fn upgrade(poller: &Poller) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>> {
    let mut ws = support::deaf_websocket(poller.addr, &format!("&sid={}", poller.sid)).await;
    ws.send(Message::text("2probe")).await.unwrap();
    assert_eq!(ws.next().await.unwrap().unwrap(), Message::text("3probe"));
    ws.send(Message::text("5")).await.unwrap();
    ws
}

/// Sends until a slow consumer is cut.
async fn flood(server: &Server, room: &str) {
    let mut bob = server.client("bob", "marketplace").await;
    let sender = server.user("bob").await;
    let text = "x".repeat(9_000);
    timeout(PATIENCE, async {
        while server.transport.stats().slow_consumers == 0 {
            let sent = bob.call("no:such:event", &json!({})).await;
            assert_eq!(sent["success"], false);
            // So few that all of it fits on the way to Bob, who does not read meanwhile.
            for _ in 0..4 {
                let draft = parlance_domain::rules::messages::Draft::text(room.parse().unwrap(), text.clone());
                server.services.messaging.send(&sender, draft, None).await.unwrap();
            }
        }
    })
    .await
    .expect("the slow one is cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_client_that_does_not_poll_is_cut_and_must_connect_again() {
    let server = Server::with(impatient(), Settings::default()).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let alice = Poller::connect(server.addr, &json!({ "token": "alice" })).await;
    flood(&server, &room).await;
    // What was in the buffer may still be read; then the session is unknown.
    timeout(PATIENCE, async { while alice.poll().await.is_some() {} }).await.expect("the session is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgraded_client_that_does_not_read_is_cut_on_its_new_connection() {
    let server = Server::with(impatient(), Settings::default()).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let alice = Poller::connect(server.addr, &json!({ "token": "alice" })).await;
    let mut ws = upgrade(&alice).await;
    flood(&server, &room).await;
    timeout(PATIENCE, async { while let Some(Ok(_)) = ws.next().await {} }).await.expect("the connection ends");
}
