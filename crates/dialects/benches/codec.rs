//! What it costs to understand a send and to tell a dialect of a new message: the work that each message causes once
//! per send, and once per dialect that hears of it. `make bench-parts` runs it.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use parlance_dialects::Dialect;
use parlance_domain::event::Event;
use parlance_domain::model::{
    ConversationId, Message, MessageId, MessageKind, MessageStatus, MessageView, Timestamp, User, UserId,
};
use serde_json::{Value, json};

const CONVERSATION: &str = "65f1a2b3c4d5e6f708192a3b";

/// How each dialect asks for a send; `marketplace` sends over REST, which is read as `ulearn`'s.
fn sends() -> [(Dialect, &'static str, Value); 4] {
    let text = "See you at the station at six, I have the tickets.";
    [
        (Dialect::Talentbridge, "message:send", json!({ "conversationId": CONVERSATION, "text": text })),
        (
            Dialect::Ulearn,
            "send:message",
            json!({ "conversationId": CONVERSATION, "text": text, "messageType": "text" }),
        ),
        (Dialect::Gateway, "sendMessage", json!({ "conversationId": CONVERSATION, "content": text })),
        (
            Dialect::Nextchat,
            "sendMessage",
            json!({ "conversationId": CONVERSATION, "senderId": "alice", "message": text }),
        ),
    ]
}

fn new_message() -> Event {
    let conversation_id: ConversationId = CONVERSATION.parse().expect("an id");
    let alice: UserId = "alice".parse().expect("a user id");
    let at = Timestamp::from_millis(1_795_222_923_004);
    let message = Message {
        id: MessageId::from_bytes([7; 12]),
        conversation_id,
        seq: 4_711,
        rev: 4_800,
        sender_id: alice.clone(),
        kind: MessageKind::Text,
        text: Some("See you at the station at six, I have the tickets.".to_owned()),
        media: Vec::new(),
        reply_to: None,
        client_message_id: None,
        reactions: Vec::new(),
        created_at: at,
        edited_at: None,
        deleted_at: None,
        updated_at: at,
    };
    let sender = User { id: alice.clone(), name: "Alice".to_owned(), picture: None };
    let bob: UserId = "bob".parse().expect("a user id");
    Event::MessageNew {
        message: Box::new(MessageView { message, sender, reply_to: None, status: MessageStatus::Sent }),
        participants: Arc::from([alice, bob]),
        origin: None,
    }
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a send");
    for (dialect, event, payload) in sends() {
        let args = [payload];
        assert!(dialect.decode(event, &args).is_ok(), "{dialect} refuses the sample");
        group.bench_function(dialect.name(), |bencher| bencher.iter(|| dialect.decode(event, black_box(&args))));
    }
}

fn encode(criterion: &mut Criterion) {
    let event = new_message();
    let mut group = criterion.benchmark_group("encode a new message");
    for dialect in Dialect::ALL {
        assert!(!dialect.encode(&event, 0).is_empty(), "{dialect} does not show it");
        group.bench_function(dialect.name(), |bencher| bencher.iter(|| dialect.encode(black_box(&event), 0)));
    }
}

criterion_group!(codec, decode, encode);
criterion_main!(codec);
