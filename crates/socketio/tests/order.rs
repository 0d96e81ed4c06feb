//! A hundred senders race; every receiver hears every message once, in `seq` order, and every send is acked once.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use std::collections::HashSet;

use serde_json::{Value, json};
use support::{Client, Server};

const SENDERS: usize = 100;
const EACH: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_senders_reach_everybody_in_order() {
    let server = Server::start().await;
    let names: Vec<String> = (0..SENDERS).map(|n| format!("user{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let room = server.group(&names).await.to_string();

    let mut listeners = Vec::new();
    for dialect in ["talentbridge", "ulearn", "gateway", "marketplace", "nextchat"] {
        let mut listener = server.client("user0", dialect).await;
        let join = match dialect {
            "talentbridge" => None,
            "ulearn" | "marketplace" => Some("join:conversation"),
            _ => Some("joinConversation"),
        };
        if let Some(join) = join {
            assert_eq!(listener.call(join, &json!({ "conversationId": room })).await["success"], true);
        }
        listeners.push(tokio::spawn(hear_all(listener, dialect)));
    }
    let mut senders = Vec::new();
    for name in &names {
        let sender = server.client(name, "talentbridge").await;
        senders.push(tokio::spawn(send_all(sender, room.clone())));
    }
    let mut acked = HashSet::new();
    for sender in senders {
        acked.extend(sender.await.unwrap());
    }
    assert_eq!(acked.len(), SENDERS * EACH);
    for listener in listeners {
        assert_eq!(listener.await.unwrap(), acked);
    }
}

async fn send_all(mut client: Client, room: String) -> Vec<String> {
    let mut asked = Vec::new();
    for n in 0..EACH {
        asked
            .push(client.ask("message:send", &json!({ "conversationId": room, "text": format!("message {n}") })).await);
    }
    let mut sent = Vec::new();
    let mut last = 0;
    for id in asked {
        let ack = client.ack(id).await;
        assert_eq!(ack["success"], true, "{ack}");
        let seq = ack["message"]["seq"].as_u64().unwrap();
        assert!(seq > last, "sends of one socket keep their order");
        last = seq;
        sent.push(ack["messageId"].as_str().unwrap().to_owned());
    }
    assert!(client.acked().is_empty(), "no ack comes twice");
    sent
}

async fn hear_all(mut client: Client, dialect: &str) -> HashSet<String> {
    let (event, at) = match dialect {
        "talentbridge" => ("message:new", "/message"),
        "ulearn" => ("new:message", "/message"),
        "marketplace" => ("message:new", ""),
        _ => ("newMessage", ""),
    };
    let mut heard = HashSet::new();
    let mut last = 0;
    while heard.len() < SENDERS * EACH {
        let payload = client.event_named(event).await;
        let message = payload.pointer(at).unwrap();
        if message["messageType"] == "system" || message["type"] == "system" {
            continue;
        }
        let seq = message["seq"].as_u64().unwrap();
        assert!(seq > last, "{dialect}: {seq} after {last}");
        last = seq;
        assert!(heard.insert(id_of(message)), "{dialect}: a message came twice");
    }
    heard
}

fn id_of(message: &Value) -> String {
    message.get("_id").or_else(|| message.get("id")).and_then(Value::as_str).unwrap().to_owned()
}
