//! Laws of decoding: whatever it is fed, it does not panic and yields a command or an error with a code that is the
//! client's to see; bounds hold; a field of the wrong type is named.

use parlance_dialects::{Command, Dialect, errors};
use parlance_domain::Error;
use parlance_domain::ports::ReadTarget;
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "64f456def789abc123456789";

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn event() -> impl Strategy<Value = String> {
    let known: Vec<_> = Dialect::ALL.into_iter().flat_map(|dialect| dialect.inbound().map(str::to_owned)).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => any::<String>()]
}

fn field() -> impl Strategy<Value = String> {
    let names = [
        "conversationId",
        "messageId",
        "messageIds",
        "text",
        "content",
        "message",
        "senderId",
        "userId",
        "userIds",
        "media",
        "url",
        "type",
        "size",
        "filename",
        "messageType",
        "replyTo",
        "clientMessageId",
        "upToMessageId",
        "emoji",
        "conversations",
        "token",
        "notificationId",
        "callId",
        "to",
        "data",
        "reason",
        ID,
    ];
    prop_oneof![9 => prop::sample::select(names.map(str::to_owned).to_vec()), 1 => any::<String>()]
}

/// Any JSON, with a liking for what gets past the first checks.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(json!(ID)),
        2 => prop::sample::select(vec!["text", "image", "audio", "system", "alice", "👍", "video", ""]).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(field(), inner, 0..8).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn whatever_is_fed_yields_a_command_or_an_error_with_a_code(
        dialect in dialect(), event in event(), args in prop::collection::vec(anything(), 0..3),
    ) {
        match dialect.decode(&event, &args) {
            Ok(_) => prop_assert!(dialect.inbound().any(|name| name == event)),
            Err(error) => {
                let code = errors::code(&error);
                let codes =
                    ["VALIDATION_FAILED", "CONVERSATION_NOT_FOUND", "MESSAGE_NOT_FOUND", "AUDIO_NOT_ALLOWED", "NOT_FOUND"];
                prop_assert!(codes.contains(&code), "{code}");
                let answer = dialect.answer(&event, &args, Err(&error));
                prop_assert!(serde_json::from_str::<Value>(answer.ack.get()).is_ok());
                prop_assert!(answer.events.iter().chain(&answer.instead_of_ack).any(|wire| wire.event == "error"));
            }
        }
    }

    #[test]
    fn an_id_means_the_same_bare_and_in_an_object(dialect in dialect(), id in anything()) {
        let join = dialect.inbound().next().expect("the table is not empty");
        let object = json!({ "conversationId": id, "unknown": 1 });
        if !id.is_object() {
            prop_assert_eq!(dialect.decode(join, &[id]), dialect.decode(join, &[object]));
        }
    }

    #[test]
    fn what_people_in_a_call_tell_each_other_is_any_json(data in anything()) {
        let sent = json!({ "callId": "c", "to": "bob", "data": data });
        match Dialect::Gateway.decode("call:signal", &[sent]) {
            Ok(Command::CallSignal { data: kept, .. }) => {
                prop_assert_eq!(serde_json::from_str::<Value>(&kept).ok(), Some(data));
            }
            other => prop_assert!(data.is_null(), "{other:?}"),
        }
    }

    #[test]
    fn an_unknown_event_is_named_but_not_at_length(dialect in dialect(), name in "[a-z]{1,300}") {
        let Err(Error::Validation { field, .. }) = dialect.decode(&name, &[]) else {
            return Err(TestCaseError::reject("a known event"));
        };
        prop_assert!(name.starts_with(&*field) && (field.len() == name.len() || field.len() == 100));
    }
}

/// The field that a refusal names; anything else tells what it is by itself.
fn refused(dialect: Dialect, event: &str, arg: Value) -> String {
    match dialect.decode(event, &[arg]) {
        Err(Error::Validation { field, .. }) => field.into_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_field_that_is_missing_or_of_the_wrong_type_is_named() {
    use Dialect::{Gateway, Nextchat, Talentbridge, Ulearn};
    for wrong in [json!(5), json!({}), json!([ID]), json!(true)] {
        let with = |field: &str| {
            let mut payload = json!({
                "conversationId": ID, "messageId": ID, "text": "x", "content": "x", "message": "x", "emoji": "x",
                "messageType": "text", "senderId": "alice", "userId": "alice", "messageIds": [], "token": "x",
                "callId": "x", "to": "alice", "data": {}, "reason": "x",
            });
            payload[field] = wrong.clone();
            payload
        };
        for (dialect, event, fields) in [
            (Talentbridge, "message:send", &["conversationId", "text", "replyTo", "clientMessageId"][..]),
            (Ulearn, "send:message", &["conversationId", "text", "messageType", "replyTo", "clientMessageId"]),
            (Gateway, "sendMessage", &["conversationId", "content", "clientMessageId"]),
            (Nextchat, "sendMessage", &["conversationId", "message", "senderId", "clientMessageId"]),
            (Nextchat, "typing", &["conversationId", "userId"]),
            (Talentbridge, "messages:mark_read", &["conversationId", "upToMessageId"]),
            (Ulearn, "message:read", &["conversationId"]),
            (Gateway, "message:edit", &["messageId", "text"]),
            (Gateway, "message:react", &["messageId", "emoji"]),
            (Gateway, "user:get-status", &["userId"]),
            (Gateway, "auth:refresh", &["token"]),
            (Gateway, "call:accept", &["callId"]),
            (Gateway, "call:reject", &["callId", "reason"]),
            (Gateway, "call:hangup", &["callId", "reason"]),
            (Gateway, "call:signal", &["callId", "to"]),
        ] {
            for field in fields {
                assert_eq!(refused(dialect, event, with(field)), *field, "{event} with {wrong}");
                assert!(dialect.decode(event, &[with("unknown")]).is_ok(), "{event} minds an unknown field");
            }
        }
    }
    assert_eq!(refused(Ulearn, "message:read", json!({ "conversationId": ID, "messageIds": "x" })), "messageIds");
    assert_eq!(refused(Ulearn, "message:read", json!({ "conversationId": ID, "messageIds": [1] })), "messageIds");
    assert_eq!(refused(Gateway, "users:get-status", json!(["alice", 1])), "userIds");
    assert_eq!(refused(Gateway, "sync", json!({ "conversations": { ID: -1 } })), "conversations");
    assert_eq!(refused(Gateway, "sync", json!({ "conversations": { ID: 1.5 } })), "conversations");
    assert_eq!(refused(Gateway, "sync", json!({})), "conversations");
    let invite = |media: Value| json!({ "conversationId": ID, "callId": "x", "media": media });
    assert_eq!(refused(Gateway, "call:invite", invite(json!(5))), "media");
    assert_eq!(refused(Gateway, "call:invite", invite(json!("smell"))), "media");
    assert_eq!(refused(Gateway, "call:invite", json!({ "conversationId": ID, "media": "audio" })), "callId");
    assert_eq!(refused(Gateway, "call:signal", json!({ "callId": "x", "to": "bob", "data": null })), "data");
    assert_eq!(refused(Gateway, "call:accept", json!("x".repeat(65))), "callId");
    assert_eq!(refused(Gateway, "notification:read", json!({})), "notificationId");
    assert_eq!(refused(Gateway, "joinConversation", Value::Null), "conversationId");
    assert_eq!(refused(Gateway, "sendMessage", json!("x")), "payload");
}

#[test]
fn a_malformed_id_is_something_that_is_not_there() {
    let gateway = Dialect::Gateway;
    assert_eq!(gateway.decode("joinConversation", &[json!("nope")]), Err(Error::ConversationNotFound));
    assert_eq!(gateway.decode("message:delete", &[json!({ "messageId": "nope" })]), Err(Error::MessageNotFound));
    assert_eq!(gateway.decode("notification:read", &[json!("nope")]), Err(Error::NotFound("Notification not found")));
    let up_to = json!({ "conversationId": ID, "upToMessageId": "" });
    assert_eq!(gateway.decode("messages:mark_read", &[up_to]), Err(Error::MessageNotFound));
    let ids = json!({ "conversationId": ID, "messageIds": [ID, "nope"] });
    assert_eq!(Dialect::Ulearn.decode("message:read", &[ids]), Err(Error::MessageNotFound));
}

#[test]
fn lists_are_bounded() {
    let ids = |count: usize| json!({ "conversationId": ID, "messageIds": vec![ID; count] });
    let read = Dialect::Ulearn.decode("message:read", &[ids(500)]);
    assert!(matches!(read, Ok(Command::MarkRead(_, ReadTarget::Messages(ids))) if ids.len() == 500));
    assert_eq!(refused(Dialect::Ulearn, "message:read", ids(501)), "messageIds");

    let marketplace = Dialect::Marketplace;
    let users = |count: usize| json!(vec!["alice"; count]);
    assert!(marketplace.decode("users:get-status", &[users(200)]).is_ok());
    assert_eq!(refused(marketplace, "users:get-status", users(201)), "userIds");

    let entries = |count: usize| {
        let revs: serde_json::Map<_, _> = (0..count).map(|at| (format!("{at:024x}"), json!(at))).collect();
        json!({ "conversations": revs })
    };
    let sync = marketplace.decode("sync", &[entries(200)]);
    assert!(matches!(sync, Ok(Command::Sync(asked)) if asked.len() == 200));
    assert_eq!(refused(marketplace, "sync", entries(201)), "conversations");
}
