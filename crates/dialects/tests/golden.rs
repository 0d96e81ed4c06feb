//! Golden payloads: what each dialect makes of the guides' own examples on their way in, and what it makes of
//! everything that can happen and of every answer on its way out. Read changes against the contract before accepting.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod examples;
mod samples;

use std::fmt::Write;
use std::time::Duration;

use parlance_dialects::{Answer, Dialect, Wire, notification_webhook, webhook};
use parlance_domain::Error;
use parlance_domain::error::Attempt;
use parlance_domain::model::{CallId, CallMedia, EndedCall, Timestamp, WebhookId, WebhookKind};
use parlance_domain::ports::{Digest, Webhook, WebhookData, Words};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use examples::inbound;

fn pretty(json: &RawValue) -> String {
    let value: Value = serde_json::from_str(json.get()).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

fn wire(out: &mut String, label: &str, wire: &Wire) {
    let args: Vec<_> = wire.args.iter().map(|arg| pretty(arg)).collect();
    writeln!(out, "{label}{} {}", wire.event, args.join(", ")).unwrap();
}

fn answer(out: &mut String, answer: &Answer) {
    writeln!(out, "ack {}", pretty(&answer.ack)).unwrap();
    answer.events.iter().for_each(|event| wire(out, "event ", event));
    answer.instead_of_ack.iter().for_each(|event| wire(out, "without ack: event ", event));
}

#[test]
fn what_clients_send() {
    for dialect in Dialect::ALL {
        let mut out = String::new();
        let examples = inbound(dialect);
        for name in dialect.inbound() {
            assert!(examples.iter().any(|(event, _)| *event == name), "{dialect}: no example of {name}");
        }
        for (event, args) in examples {
            let decoded = dialect.decode(event, &args);
            writeln!(out, "{event} {}\n{decoded:#?}\n", Value::from(args)).unwrap();
        }
        insta::assert_snapshot!(format!("{dialect}_in"), out);
    }
}

#[test]
fn what_clients_hear() {
    for dialect in Dialect::ALL {
        let mut out = String::new();
        for event in samples::events() {
            writeln!(out, "## {}", samples::kind(&event)).unwrap();
            dialect.encode(&event, samples::UNREAD).iter().for_each(|heard| wire(&mut out, "", heard));
            out.push('\n');
        }
        insta::assert_snapshot!(format!("{dialect}_out"), out);
    }
}

#[test]
fn what_clients_are_answered() {
    for dialect in Dialect::ALL {
        let mut out = String::new();
        for (event, args) in inbound(dialect) {
            writeln!(out, "## {event} {}", Value::from(args.clone())).unwrap();
            match dialect.decode(event, &args) {
                Ok(_) => answer(&mut out, &dialect.answer(event, &args, Ok(&samples::reply(event)))),
                Err(error) => answer(&mut out, &dialect.answer(event, &args, Err(&error))),
            }
            out.push('\n');
        }
        insta::assert_snapshot!(format!("{dialect}_answers"), out);
    }
}

#[test]
fn what_clients_are_answered_when_it_fails() {
    let internal = || Error::internal(std::io::Error::other("secret"));
    let limited = || Error::RateLimited { retry_after: Duration::from_micros(1_200_500) };
    for dialect in Dialect::ALL {
        let mut out = String::new();
        for (event, error) in [
            ("conversation:join", Error::NotParticipant(Attempt::Join)),
            ("join:conversation", internal()),
            ("joinConversation", Error::ConversationNotFound),
            ("message:send", internal()),
            ("send:message", Error::BlockedByYou),
            ("sendMessage", Error::Blocked),
            ("message:read", internal()),
            ("messages:mark_read", internal()),
            ("sync", internal()),
            ("notification:read", Error::NotFound("Notification not found")),
            ("call:invite", Error::Blocked),
            ("call:accept", Error::Conflict("The call is over")),
            ("message:edit", limited()),
            ("user:get-status", limited()),
            ("users:get-status", limited()),
            ("conversation:get-online-users", Error::NotParticipant(Attempt::Access)),
        ] {
            if dialect.inbound().any(|name| name == event) {
                writeln!(out, "## {event}: {error}").unwrap();
                answer(&mut out, &dialect.answer(event, &[json!("bob")], Err(&error)));
                out.push('\n');
            }
        }
        assert!(!out.contains("secret"), "{dialect} tells what only the log may know");
        insta::assert_snapshot!(format!("{dialect}_failures"), out);
    }
}

#[test]
fn a_webhook_shows_what_the_api_shows() {
    let api = Dialect::Talentbridge;
    let user_id = samples::bob().id;
    let (id, at) = (WebhookId::from_bytes([7; 12]), Timestamp::from_millis(1_795_222_923_004));
    let shown = |kind, data| {
        let body: Value = serde_json::from_str(webhook(&Webhook { id, kind, at, data }).get()).unwrap();
        assert_eq!(body["id"], "070707070707070707070707");
        assert_eq!(body["createdAt"], "2026-11-21T01:02:03.004Z");
        assert_eq!(body["type"], kind.name());
        body["data"].clone()
    };
    let same = |json: Box<RawValue>| serde_json::from_str::<Value>(json.get()).unwrap();

    let message = samples::full();
    let (conversation_id, message_id) = (message.message.conversation_id, message.message.id);
    let data = WebhookData::Message { conversation_id, message_id, message: Some(Box::new(message.clone())) };
    let mut expected = json!({"conversationId": conversation_id.to_string(), "messageId": message_id.to_string()});
    expected["message"] = same(api.message(&message));
    assert_eq!(shown(WebhookKind::MessageCreated, data), expected);
    let data = WebhookData::Message { conversation_id, message_id, message: None };
    expected["message"] = Value::Null;
    assert_eq!(shown(WebhookKind::MessageDeleted, data), expected);

    let view = samples::group();
    let data = WebhookData::Conversation { conversation_id, conversation: Some(Box::new(view.clone())) };
    let expected =
        json!({"conversationId": conversation_id.to_string(), "conversation": same(api.conversation(&view))});
    assert_eq!(shown(WebhookKind::ConversationUpdated, data), expected);

    let view = samples::noted();
    let notification_id = view.id;
    let data = WebhookData::Notification {
        user_id: user_id.clone(),
        notification_id,
        notification: Some(Box::new(view.clone())),
    };
    let expected = json!({
        "userId": user_id.as_str(),
        "notificationId": notification_id.to_string(),
        "notification": same(api.notification(&view)),
    });
    assert_eq!(shown(WebhookKind::NotificationCreated, data), expected);

    let data = WebhookData::User { user_id: user_id.clone(), online: false };
    assert_eq!(shown(WebhookKind::UserOffline, data), json!({"userId": user_id.as_str(), "online": false}));
    let (call_id, caller, media) = (CallId::new("c1").unwrap(), user_id.clone(), CallMedia::Screen);
    let ended = EndedCall { call_id, conversation_id, caller, media, answered: false, reason: None };
    let expected = json!({
        "callId": "c1",
        "conversationId": conversation_id.to_string(),
        "callerId": user_id.as_str(),
        "media": "screen",
        "answered": false,
        "reason": null,
    });
    assert_eq!(shown(WebhookKind::CallEnded, WebhookData::Call(ended)), expected);
}

#[test]
fn what_waits_has_an_id_of_its_own_for_each_state() {
    let notification = samples::noted();
    let words = Words { from: "Ann".to_owned(), text: "hello".to_owned() };
    let digest = Digest {
        user: samples::bob(),
        addresses: vec![],
        notification: notification.clone(),
        unread: 2,
        words: vec![words],
    };
    let now = Timestamp::from_millis(1_795_222_923_004);
    let (id, body) = notification_webhook(&digest, now);
    let body: Value = serde_json::from_str(body.get()).unwrap();
    let shown: Value = serde_json::from_str(Dialect::Talentbridge.notification(&notification).get()).unwrap();
    let expected = json!({
        "id": id,
        "type": "notification.due",
        "createdAt": "2026-11-21T01:02:03.004Z",
        "data": {
            "userId": samples::bob().id.as_str(),
            "unread": 2,
            "notification": shown,
            "messages": [{"from": "Ann", "text": "hello"}],
        },
    });
    assert_eq!(body, expected);
    assert_eq!(notification_webhook(&digest, now.plus(Duration::from_secs(9))).0, id, "the same is told once more");
    assert_ne!(notification_webhook(&Digest { unread: 3, ..digest }, now).0, id, "more waits");
}
