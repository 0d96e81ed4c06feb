//! Slow consumers, presence, removal from a conversation, and going down.

mod support;

use std::time::Duration;

use parlance_domain::model::UserId;
use parlance_domain::services::Settings;
use parlance_socketio::Config;
use serde_json::json;
use support::{Client, Ended, PATIENCE, Server, deaf_websocket, impatient};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_is_cut_while_others_go_on() {
    let server = Server::with(impatient(), Settings::default()).await;
    let room = server.group(&["alice", "bob", "carol"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let bob = Client::handshake(deaf_websocket(server.addr, "").await, r#"{"token":"bob"}"#).await.unwrap();
    let mut carol = server.client("carol", "talentbridge").await;
    let (counted, mut count) = tokio::sync::watch::channel(0);
    let reader = tokio::spawn(async move {
        loop {
            carol.event_named("message:new").await;
            counted.send_modify(|count| *count += 1);
        }
    });
    let text = "x".repeat(9_000);
    let mut sent = 0;
    // Bob never reads. Alice reads whenever she has written: where she wrote many before she read, a busy machine took
    // her for one who does not.
    timeout(PATIENCE, async {
        while server.transport.stats().slow_consumers == 0 {
            let answer = alice.call("message:send", &json!({ "conversationId": room, "text": text })).await;
            assert_eq!(answer["success"], true);
            sent += 1;
        }
    })
    .await
    .expect("bob is cut");
    timeout(PATIENCE, count.wait_for(|count| *count == sent)).await.expect("carol hears all").unwrap();
    reader.abort();
    assert_eq!(server.transport.stats().slow_consumers, 1);
    drop(bob);
    let mut bob = server.client("bob", "talentbridge").await;
    let synced = bob.call("sync", &json!({ "conversations": { &room: 0 } })).await;
    assert_eq!(synced["success"], true);
    assert!(!synced["conversations"][0]["messages"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn presence_follows_the_sockets() {
    let server = Server::start().await;
    server.group(&["alice", "bob"]).await;
    let mut bob = server.client("bob", "talentbridge").await;
    let first = server.client("alice", "talentbridge").await;
    assert_eq!(bob.event_named("user:online").await, json!({ "userId": "alice" }));
    let mut second = server.client("alice", "ulearn").await;
    drop(first);
    // Any answer on the second socket: the first one's end may not have taken her offline.
    second.call("no:such:event", &json!({})).await;
    let alice: UserId = "alice".parse().unwrap();
    assert!(server.services.presence.is_online(&alice));
    drop(second);
    assert_eq!(bob.event_named("user:offline").await, json!({ "userId": "alice" }));
    assert!(!server.services.presence.is_online(&alice));
}

#[tokio::test]
async fn typing_stops_when_the_typist_is_gone() {
    let settings = Settings { typing_timeout: Duration::from_hours(1), ..Settings::default() };
    let server = Server::with(Config::default(), settings).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut bob = server.client("bob", "talentbridge").await;
    bob.call("conversation:join", &json!(room)).await;
    let mut alice = server.client("alice", "talentbridge").await;
    assert_eq!(alice.call("typing:start", &json!(room)).await["success"], true);
    assert_eq!(bob.event_named("typing:start").await["userId"], "alice");
    drop(alice);
    assert_eq!(bob.event_named("typing:stop").await["userId"], "alice");
}

#[tokio::test]
async fn a_removed_participants_sockets_leave_the_room_at_once() {
    let server = Server::start().await;
    let id = server.group(&["alice", "bob"]).await;
    let room = json!({ "conversationId": id.to_string() });
    let mut alice = server.client("alice", "gateway").await;
    let mut bob = server.client("bob", "gateway").await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.call("joinConversation", &room).await["success"], true);
    }
    let (owner, bob_id) = (server.user("alice").await, "bob".parse().unwrap());
    server.services.conversing.remove(&owner, id, &bob_id).await.unwrap();
    let sent = alice.call("sendMessage", &json!({ "conversationId": id.to_string(), "content": "without bob" })).await;
    assert_eq!(sent["success"], true);
    assert_eq!(bob.event_named("conversation:removed").await["conversationId"], id.to_string());
    let refused = bob.call("joinConversation", &room).await;
    assert_eq!(refused["code"], "NOT_PARTICIPANT");
    while alice.event_named("newMessage").await["content"] != "without bob" {}
    assert!(!bob.seen().contains(&"newMessage".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_down_answers_what_is_queued_and_lets_clients_come_back() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut idle = server.client("bob", "talentbridge").await;
    let mut asked = Vec::new();
    for n in 0..200 {
        asked.push(alice.ask("message:send", &json!({ "conversationId": room, "text": format!("{n}") })).await);
    }
    alice.ack(asked[0]).await;
    timeout(PATIENCE, server.transport.shutdown(PATIENCE)).await.unwrap();
    for id in &asked[1..] {
        let ack = alice.ack(*id).await;
        assert!(ack["success"] == true || ack["code"] == "UNAVAILABLE", "{ack}");
    }
    assert_eq!(alice.end().await, Ended::TransportClosed);
    assert_eq!(idle.end().await, Ended::TransportClosed);
    assert_eq!(server.transport.stats().sockets, 0);
    let alice: UserId = "alice".parse().unwrap();
    timeout(PATIENCE, async {
        while server.services.presence.is_online(&alice) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("presence ends without the library's callbacks");
}

#[tokio::test]
async fn going_down_does_not_wait_for_those_who_do_not_read() {
    let patient = Config { slow_consumer_timeout: Duration::from_hours(1), ..impatient() };
    let server = Server::with(patient, Settings::default()).await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let _deaf = Client::handshake(deaf_websocket(server.addr, "").await, r#"{"token":"bob"}"#).await.unwrap();
    let text = "x".repeat(9_000);
    // More than the buffers of kernel and library hold.
    for _ in 0..300 {
        alice.call("message:send", &json!({ "conversationId": room, "text": text })).await;
    }
    timeout(PATIENCE, server.transport.shutdown(Duration::from_millis(300))).await.expect("bounded");
    assert_eq!(server.transport.stats().sockets, 0);
}
