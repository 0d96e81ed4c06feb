//! Every event is answered, exactly once, whatever it is; and events of one socket are carried out in order.

mod support;

use serde_json::json;
use support::{Client, Server};

#[tokio::test]
async fn unknown_and_unreadable_events_are_answered() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "talentbridge").await;
    let unknown = alice.call("no:such:event", &json!({})).await;
    assert_eq!((&unknown["success"], &unknown["code"]), (&json!(false), &json!("VALIDATION_FAILED")));
    assert!(unknown["error"].as_str().unwrap().contains("no:such:event"));
    for (id, packet) in
        [(900, r#"42900["message:send",17]"#), (901, r#"42901["message:send"]"#), (902, r#"42902["x"]trailing"#)]
    {
        alice.say(packet).await;
        assert_eq!(alice.ack(id).await["code"], "VALIDATION_FAILED", "{packet}");
    }
    alice.say("42[17]").await;
    alice.end().await;
}

#[tokio::test]
async fn without_an_ack_a_failure_is_an_error_event() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "talentbridge").await;
    alice.emit("no:such:event", &json!(1)).await;
    assert_eq!(alice.event_named("error").await["code"], "VALIDATION_FAILED");
    alice.say("42[\"no:such:event\"]").await;
    assert_eq!(alice.event_named("error").await["code"], "VALIDATION_FAILED");
}

#[tokio::test]
async fn ulearn_hears_of_failures_both_ways() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "ulearn").await;
    let refused = alice.call("join:conversation", &json!({ "conversationId": "0123456789abcdef01234567" })).await;
    assert_eq!(refused["code"], "CONVERSATION_NOT_FOUND");
    assert_eq!(alice.event_named("error").await["code"], "CONVERSATION_NOT_FOUND");
}

#[tokio::test]
async fn binary_attachments_do_not_silence_an_event() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "talentbridge").await;
    alice.say(r#"451-7["message:send",{"_placeholder":true,"num":0}]"#).await;
    alice.say_binary(vec![1, 2, 3]).await;
    assert_eq!(alice.ack(7).await["success"], false);
}

#[tokio::test]
async fn events_of_one_socket_are_carried_out_in_order() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "gateway").await;
    let mut asked = Vec::new();
    for n in 0..100 {
        let event = if n % 10 == 0 { "leaveConversation" } else { "joinConversation" };
        asked.push(alice.ask(event, &json!({ "conversationId": room })).await);
        asked.push(alice.ask("sendMessage", &json!({ "conversationId": room, "content": format!("{n}") })).await);
    }
    for id in asked {
        assert_eq!(alice.ack(id).await["success"], true);
    }
    for n in 0..100 {
        assert_eq!(alice.event_named("newMessage").await["content"], format!("{n}"));
    }
}

#[tokio::test]
async fn a_queue_that_is_full_says_so() {
    let server = Server::start().await;
    let room = server.group(&["alice", "bob"]).await.to_string();
    let mut alice = server.client("alice", "talentbridge").await;
    let mut asked = Vec::new();
    for n in 0..2000 {
        asked.push(alice.ask("message:send", &json!({ "conversationId": room, "text": format!("{n}") })).await);
    }
    let mut sent = 0;
    for id in asked {
        let ack = alice.ack(id).await;
        if ack["success"] == true {
            sent += 1;
        } else {
            assert_eq!(ack["code"], "RATE_LIMITED");
            assert!(ack["retryAfterMs"].as_u64().unwrap() > 0);
        }
    }
    assert!(sent >= 256, "{sent} were sent");
    assert_eq!(alice.call("conversation:join", &json!(room)).await["success"], true, "the socket stays usable");
}

#[tokio::test]
async fn a_packet_above_the_limit_closes_the_connection() {
    let server = Server::start().await;
    let mut alice = server.client("alice", "talentbridge").await;
    let huge = "x".repeat(1 << 20);
    alice.say(&format!("421[\"message:send\",{{\"text\":\"{huge}\"}}]")).await;
    alice.end().await;
    assert!(alice.acked().is_empty());
    let mut again: Client = server.client("alice", "talentbridge").await;
    assert_eq!(again.call("no:such:event", &json!({})).await["success"], false);
}
