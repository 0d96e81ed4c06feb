//! What reaches sockets beside messages: notifications on every device, the badge that a socket is told of when it
//! connects, and calls between sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod support;

use parlance_domain::model::NotificationKind;
use parlance_domain::services::Notice;
use serde_json::{Value, json};
use support::Server;

async fn notify(server: &Server, user: &str, title: &str) {
    let kind = NotificationKind::new("system").unwrap();
    let notice = Notice { kind, title: title.to_owned(), message: String::new(), link: None, data: None };
    let told = server.services.notifying.notify([user.parse().unwrap()], &notice).await;
    assert_eq!(told.unwrap(), 1);
}

#[tokio::test]
async fn a_badge_is_told_on_connecting_and_with_every_change() {
    let server = Server::start().await;
    server.user("bob").await;
    notify(&server, "bob", "one").await;
    notify(&server, "bob", "two").await;
    let mut first = server.client("bob", "gateway").await;
    assert_eq!(first.event().await, ("unreadCount".to_owned(), vec![json!(2)]));
    notify(&server, "bob", "three").await;
    let (event, mut args) = first.event().await;
    let three = args.remove(0);
    assert_eq!((event.as_str(), &three["title"]), ("notification", &json!("three")));
    assert_eq!(first.event().await, ("unreadCount".to_owned(), vec![json!(3)]));

    let mut second = server.client("bob", "gateway").await;
    assert_eq!(second.event().await, ("unreadCount".to_owned(), vec![json!(3)]));
    assert_eq!(second.call("notification:read", &three["id"]).await, json!({ "success": true }));
    for device in [&mut first, &mut second] {
        assert_eq!(device.event().await, ("notification:read".to_owned(), vec![three["id"].clone()]));
        assert_eq!(device.event().await, ("unreadCount".to_owned(), vec![json!(2)]));
    }
    assert_eq!(second.call("notifications:read-all", &Value::Null).await, json!({ "success": true }));
    for device in [&mut first, &mut second] {
        assert_eq!(device.event().await, ("notifications:read-all".to_owned(), vec![]));
        assert_eq!(device.event().await, ("unreadCount".to_owned(), vec![json!(0)]));
    }
}

#[tokio::test]
async fn however_changes_and_connecting_meet_the_last_count_is_right() {
    let server = Server::start().await;
    server.user("bob").await;
    for round in 0..30 {
        let ((), mut client) = tokio::join!(notify(&server, "bob", "n"), server.client("bob", "gateway"));
        let id = client.ask("notification:read", &json!("no such one")).await;
        assert_eq!(client.ack(id).await["code"], "NOT_FOUND");
        notify(&server, "bob", "last").await;
        while client.event_named("notification").await["title"] != "last" {}
        assert_eq!(client.event_named("unreadCount").await, json!(2 * (round + 1)));
        // Nothing is behind it: what comes next was asked for after it.
        client.call("user:get-status", &json!("bob")).await;
        assert_eq!(client.seen(), [""; 0]);
    }
}

#[tokio::test]
async fn a_socket_in_the_room_gets_no_notification_and_leaving_brings_them_back() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut bob = server.client("bob", "marketplace").await;
    bob.call("join:conversation", &json!(room)).await;
    let say = json!({ "conversationId": room, "text": "you see this" });
    assert_eq!(alice.call("message:send", &say).await["success"], true);
    bob.event_named("message:new").await;
    bob.call("leave:conversation", &json!(room)).await;
    let say = json!({ "conversationId": room, "text": "and are told of this" });
    assert_eq!(alice.call("message:send", &say).await["success"], true);
    let told = bob.event_named("notification:new").await;
    assert_eq!((&told["message"], &told["isRead"]), (&json!("alice: and are told of this"), &json!(false)));
    assert_eq!(told["data"]["conversationId"], json!(room));
}

#[tokio::test]
async fn a_call_is_rung_on_every_device_and_goes_on_between_two_sockets() {
    let server = Server::start().await;
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let (direct, _) = server.services.conversing.start_direct(&alice, &bob.id).await.unwrap();
    let room = direct.conversation.id.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut phone = server.client("bob", "ulearn").await;
    let mut laptop = server.client("bob", "nextchat").await;
    let invite = json!({ "conversationId": room, "callId": "c", "media": "video", "data": { "hd": true } });
    assert_eq!(alice.call("call:invite", &invite).await, json!({ "success": true }));
    for device in [&mut phone, &mut laptop] {
        let mut heard = invite.clone();
        heard["from"] = json!("alice");
        assert_eq!(device.event_named("call:invite").await, heard);
    }
    assert_eq!(laptop.call("call:accept", &json!({ "callId": "c" })).await, json!({ "success": true }));
    let accepted = json!({ "callId": "c", "conversationId": room, "userId": "bob", "reason": null });
    for device in [&mut alice, &mut phone, &mut laptop] {
        assert_eq!(device.event_named("call:accept").await, accepted);
    }
    let offer = json!({ "type": "offer", "sdp": "v=0\r\n" });
    let signal = json!({ "callId": "c", "to": "bob", "data": offer });
    assert_eq!(alice.call("call:signal", &signal).await, json!({ "success": true }));
    assert_eq!(laptop.event_named("call:signal").await, json!({ "callId": "c", "from": "alice", "data": offer }));
    phone.call("user:get-status", &json!("bob")).await;
    assert!(!phone.seen().contains(&"call:signal".to_owned()), "that device is not in the call");

    assert_eq!(alice.call("call:hangup", &json!({ "callId": "c", "reason": "done" })).await["success"], true);
    let over = json!({ "callId": "c", "conversationId": room, "userId": "alice", "reason": "done" });
    for device in [&mut alice, &mut phone, &mut laptop] {
        assert_eq!(device.event_named("call:hangup").await, over);
    }
    assert_eq!(laptop.call("call:accept", &json!("c")).await["code"], "CONFLICT");
    assert_eq!(laptop.call("call:reject", &json!("unknown")).await["code"], "NOT_FOUND");
}

#[tokio::test]
async fn a_word_that_is_too_long_is_refused_and_the_socket_stays_usable() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "gateway").await;
    let mut bob = server.client("bob", "gateway").await;
    let invite = json!({ "conversationId": room, "callId": "c", "media": "audio" });
    assert_eq!(alice.call("call:invite", &invite).await["success"], true);
    assert_eq!(bob.call("call:accept", &json!("c")).await["success"], true);
    // Quotes count too.
    let word = |length: usize| json!({ "callId": "c", "to": "bob", "data": "x".repeat(length - 2) });
    let refused = alice.call("call:signal", &word(64 * 1024 + 1)).await;
    assert_eq!((&refused["success"], &refused["code"]), (&json!(false), &json!("VALIDATION_FAILED")));
    assert_eq!(alice.call("call:signal", &word(64 * 1024)).await["success"], true);
    assert_eq!(bob.event_named("call:signal").await["data"].as_str().map(str::len), Some(64 * 1024 - 2));
}
