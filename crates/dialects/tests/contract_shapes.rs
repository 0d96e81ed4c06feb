//! The tables of `dialects.md`, written down a second time as fields and JSON types, and held against what the
//! dialects encode. A payload may carry more than the contract names, never less and never other types.

#![expect(clippy::panic, reason = "what is missing is named where it is missing")]

mod samples;

use parlance_dialects::{Command, Dialect, Dialects};
use parlance_domain::event::{CallAudience, CallEvent, Event};
use parlance_domain::model::{NotificationView, SessionId};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use Dialect::{Gateway, Marketplace, Nextchat, Talentbridge, Ulearn};

/// The fields of an object: `name: type`, separated by commas. A type is a JSON type, a shape by its name, a quoted
/// literal, `[type]`, or several of these joined by `|`.
fn fields(dialect: Dialect, shape: &str) -> Option<&'static str> {
    const CONVERSATION: &str = "_id: id, id: id, type: 'direct'|'group', title: string|null, groupImage: string|null, \
        participants: [participant], participantUsers: [talentbridge user], lastMessage: talentbridge message|null, \
        unreadCount: number, rev: number, createdAt: time, updatedAt: time";
    Some(match (dialect, shape) {
        (_, "conversation") => CONVERSATION,
        (_, "participant") => "user: talentbridge user, role: 'owner'|'admin'|'member'",
        (_, "medium") => {
            "url: string, type: 'image'|'video'|'file', filename: string|null, size: number|null, \
             thumbnailUrl: string|null"
        }
        (_, "reaction") => "emoji: string, count: number, userIds: [string]",
        (_, "status") => "userId: string, status: 'online'|'offline'",
        (Gateway | Marketplace, "notification") => {
            "id: id, type: string, title: string, message: string, link: string|null, data: any, isRead: boolean, \
             createdAt: time"
        }
        (_, "notification") => {
            "_id: id, type: string, title: string, message: string, link: string|null, conversationId: id|null, \
             data: any, read: boolean, createdAt: time"
        }
        (Talentbridge, "user") => "_id: string, fullName: string, profilePicture: string|null",
        (Ulearn, "user") => "_id: string, name: string, profileImage: string|null",
        (Gateway | Marketplace, "user") => "id: string, name: string, avatar: string|null",
        (Talentbridge, "message") => {
            "_id: id, id: id, conversationId: id, seq: number, rev: number, sender: user, text: string|null, \
             messageType: kind, media: [medium], replyTo: reply|null, status: progress, \
             clientMessageId: string|null, reactions: [reaction], createdAt: time, updatedAt: time, \
             editedAt: time|null, deletedAt: time|null"
        }
        (Talentbridge, "reply") => "_id: id, text: string|null, sender: user",
        (Ulearn, "message") => {
            "_id: id, conversationId: id, seq: number, rev: number, senderId: user, text: string|null, \
             media: [medium], messageType: kind, status: progress, replyTo: reply|null, \
             clientMessageId: string|null, reactions: [reaction], createdAt: time, updatedAt: time, \
             editedAt: time|null, deletedAt: time|null"
        }
        (Ulearn, "reply") => "_id: id, text: string|null, senderId: user",
        (Gateway | Marketplace, "message") => {
            "id: id, conversationId: id, seq: number, rev: number, senderId: string, sender: user, \
             content: string|null, type: kind, attachments: [medium], replyTo: reply|null, status: progress, \
             isRead: boolean, clientMessageId: string|null, reactions: [reaction], createdAt: time, \
             updatedAt: time, editedAt: time|null, deletedAt: time|null"
        }
        (Gateway | Marketplace, "reply") => "id: id, content: string|null, senderId: string",
        (Nextchat, "message") => {
            "id: id, conversationId: id, senderId: string, message: string|null, timestamp: time, seq: number, \
             clientMessageId: string|null"
        }
        _ => return None,
    })
}

/// In place of the type of an argument: there is none.
const NOTHING: &str = "";
/// What is heard of somebody's step in a call.
const STEP: &str = "{callId: string, conversationId: id, userId: string, reason: string|null}";

/// What a dialect's sockets hear of a kind of event: name and fields of each.
fn heard(dialect: Dialect, kind: &str) -> &'static [(&'static str, &'static str)] {
    match (dialect, kind) {
        (Talentbridge, "MessageNew") => &[("message:new", "{message: message, conversationId: id}")],
        (Ulearn, "MessageNew") => &[("new:message", "{message: message}")],
        (Gateway | Nextchat, "MessageNew") => &[("newMessage", "message")],
        (Marketplace, "MessageNew") => &[("message:new", "message")],
        (_, "MessageEdited") => &[("message:edited", "{conversationId: id, message: message}")],
        (_, "MessageDeleted") => &[("message:deleted", "{messageId: id, conversationId: id}")],
        (_, "ReactionChanged") => &[(
            "message:reaction",
            "{conversationId: id, messageId: id, emoji: string, userId: string, action: 'added'|'removed', \
             reactions: [reaction]}",
        )],
        (Talentbridge, "MessagesRead") => {
            &[("messages:read", "{conversationId: id, userId: string, upToMessageId: id, messageIds: [id]}")]
        }
        (Ulearn, "MessagesRead") => &[("messages:read", "{messageIds: [id], readBy: string, conversationId: id}")],
        (_, "MessagesRead") => &[("messages:read", "{conversationId: id, messageIds: [id], userId: string}")],
        // The sample is of two messages.
        (Ulearn, "MessagesDelivered") => {
            &[("message:delivered", "{messageId: id}"), ("message:delivered", "{messageId: id}")]
        }
        (Talentbridge, "TypingStarted") => &[("typing:start", "{conversationId: id, userId: string, userInfo: user}")],
        (Talentbridge, "TypingStopped") => &[("typing:stop", "{conversationId: id, userId: string, userInfo: user}")],
        (Ulearn | Marketplace, "TypingStarted") => &[("typing:start", "{userId: string, conversationId: id}")],
        (Ulearn | Marketplace, "TypingStopped") => &[("typing:stop", "{userId: string, conversationId: id}")],
        (Gateway, "TypingStarted") => &[("userTyping", "{userId: string, conversationId: id}")],
        (Gateway, "TypingStopped") => &[("userStoppedTyping", "{userId: string, conversationId: id}")],
        (Nextchat, "TypingStarted") => &[("typing", "{userId: string, isTyping: true, conversationId: id}")],
        (Nextchat, "TypingStopped") => &[("typing", "{userId: string, isTyping: false, conversationId: id}")],
        (Talentbridge | Ulearn, "UserOnline") => &[("user:online", "{userId: string}")],
        (Talentbridge | Ulearn, "UserOffline") => &[("user:offline", "{userId: string}")],
        (Marketplace, "UserOnline") => &[("user:status-changed", "{userId: string, status: 'online'}")],
        (Marketplace, "UserOffline") => &[("user:status-changed", "{userId: string, status: 'offline'}")],
        (Ulearn, "GroupPhotoChanged") => {
            &[("group:photo:updated", "{groupId: id, groupImage: string, updatedBy: string}")]
        }
        (Ulearn, "GroupPhotoRemoved") => {
            &[("group:photo:removed", "{groupId: id, groupImage: null, removedBy: string}")]
        }
        (_, "ConversationNew") => &[("conversation:new", "{conversation: conversation}")],
        (_, "ConversationUpdated") => &[("conversation:updated", "{conversation: conversation}")],
        (_, "ParticipantRemoved") => &[("conversation:removed", "{conversationId: id}")],
        (Gateway, "NotificationNew") => &[("notification", "notification"), ("unreadCount", "number")],
        (Gateway, "NotificationRead" | "NotificationRemoved") => {
            &[("notification:read", "id"), ("unreadCount", "number")]
        }
        (Gateway, "NotificationsReadAll") => &[("notifications:read-all", NOTHING), ("unreadCount", "number")],
        (_, "NotificationNew") => &[("notification:new", "notification")],
        (_, "NotificationRead" | "NotificationRemoved") => &[("notification:read", "id")],
        (_, "NotificationsReadAll") => &[("notifications:read-all", NOTHING)],
        (_, "Product") => &[("order:update", "{orderId: number, status: string}")],
        (_, "SessionsEnded") => &[("session:ended", "{reason: string|null}")],
        (_, "UploadProgress") => &[("upload:progress", "{uploadId: string, loaded: number, total: number|null}")],
        (_, "CallInvited") => {
            &[("call:invite", "{conversationId: id, callId: string, media: callmedia, data: any, from: string}")]
        }
        (_, "CallInvitedWithoutData") => {
            &[("call:invite", "{conversationId: id, callId: string, media: callmedia, from: string}")]
        }
        (_, "CallAccepted") => &[("call:accept", STEP)],
        (_, "CallRejected") => &[("call:reject", STEP)],
        (_, "CallHungUp") => &[("call:hangup", STEP)],
        (_, "CallSignal") => &[("call:signal", "{callId: string, from: string, data: any}")],
        _ => &[],
    }
}

/// What the ack of an event of the dialect holds when all went well.
fn acked(dialect: Dialect, event: &str) -> &'static str {
    match (dialect, event) {
        (Talentbridge, "conversation:join" | "conversation:leave") => "{success: true, conversationId: id}",
        (Talentbridge, "conversation:get_online_users") => "{success: true, onlineUsers: [user], count: number}",
        (Marketplace, "conversation:get-online-users") => "[string]",
        (_, "message:send" | "send:message" | "sendMessage") => {
            "{success: true, messageId: id, conversationId: id, message: message}"
        }
        (_, "messages:mark_read") => "{success: true, unreadCount: number}",
        (_, "user:get-status") => "status",
        (_, "users:get-status") => "[status]",
        (_, "sync") => "{success: true, conversations: [synced], unknown: [string]}",
        _ => "{success: true}",
    }
}

/// Panics, saying where, unless `value` is of type `wanted`.
fn check(dialect: Dialect, wanted: &str, value: &Value, at: &str) {
    assert!(is(dialect, wanted, value, at), "{dialect} {at}: wanted {wanted}, got {value}");
}

fn is(dialect: Dialect, wanted: &str, value: &Value, at: &str) -> bool {
    if let Some(inside) = wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return object(dialect, inside, value, at);
    }
    if let Some(item) = wanted.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return value.as_array().is_some_and(|items| items.iter().all(|value| is(dialect, item, value, at)));
    }
    if wanted.contains('|') {
        return wanted.split('|').any(|alternative| is(dialect, alternative, value, at));
    }
    if let Some(literal) = wanted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return value == literal;
    }
    match wanted {
        "string" => value.is_string(),
        "number" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "true" => *value == true,
        "false" => *value == false,
        "null" => value.is_null(),
        "id" => value
            .as_str()
            .is_some_and(|id| id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))),
        // 2026-11-21T01:02:03.004Z
        "time" => value.as_str().is_some_and(|time| {
            let digits: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            digits == "0000-00-00T00:00:00.000Z"
        }),
        "any" => true,
        "callmedia" => is(dialect, "'audio'|'video'|'screen'", value, at),
        "kind" => is(dialect, "'text'|'image'|'video'|'file'|'system'", value, at),
        "progress" => is(dialect, "'sent'|'delivered'|'read'", value, at),
        "synced" => {
            object(dialect, "conversationId: id, rev: number, hasMore: boolean, messages: [message]", value, at)
        }
        "user" if dialect == Nextchat => value.is_string(),
        "talentbridge user" => is(Talentbridge, "user", value, at),
        "talentbridge message" => is(Talentbridge, "message", value, at),
        shape => {
            let fields = fields(dialect, shape).unwrap_or_else(|| panic!("{dialect} has no shape {shape}"));
            object(dialect, fields, value, at)
        }
    }
}

fn object(dialect: Dialect, fields: &str, value: &Value, at: &str) -> bool {
    let Some(object) = value.as_object() else { return false };
    for field in fields.split(", ") {
        let (name, wanted) = field.trim().split_once(": ").expect("name: type");
        let found = object.get(name).unwrap_or_else(|| panic!("{dialect} {at}: {name} is missing in {value}"));
        check(dialect, wanted, found, &format!("{at}.{name}"));
    }
    true
}

fn parsed(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).expect("what is encoded is JSON")
}

#[test]
fn what_is_heard_has_the_fields_of_the_contract() {
    for dialect in Dialect::ALL {
        for event in samples::events() {
            let kind = samples::kind(&event);
            let wires = dialect.encode(&event, samples::UNREAD);
            let names: Vec<_> = wires.iter().map(|wire| &*wire.event).collect();
            let expected = heard(dialect, kind);
            assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{dialect} {kind}");
            for (wire, (name, wanted)) in wires.iter().zip(expected) {
                let args: Vec<_> = wire.args.iter().map(|arg| parsed(arg)).collect();
                match args.as_slice() {
                    [] => assert_eq!(*wanted, NOTHING, "{dialect} {name}"),
                    [arg] => check(dialect, wanted, arg, name),
                    more => panic!("{dialect} {name} has {} arguments", more.len()),
                }
            }
        }
    }
}

#[test]
fn events_of_a_product_cannot_be_called_like_any_of_ours() {
    let dialects = Dialects::default();
    let is_taken = |name: &str| dialects.is_taken(name);
    for dialect in Dialect::ALL {
        for event in samples::events().iter().filter(|event| !matches!(event, Event::Product { .. })) {
            for wire in dialect.encode(event, samples::UNREAD) {
                assert!(is_taken(&wire.event), "{dialect} says {}", wire.event);
            }
        }
        assert!(dialect.inbound().all(is_taken), "{dialect}");
        assert!(dialect.unread_notifications(1).is_none_or(|wire| is_taken(&wire.event)), "{dialect}");
    }
    assert!(is_taken("disconnect") && is_taken("error") && is_taken("session:expired"));
    assert!(!is_taken("order:update") && !is_taken("announcement"));
}

#[test]
fn what_is_acked_has_the_fields_of_the_contract() {
    for dialect in Dialect::ALL {
        for event in dialect.inbound() {
            let answer = dialect.answer(event, &[json!({})], Ok(&samples::reply(event)));
            check(dialect, acked(dialect, event), &parsed(&answer.ack), event);
            assert!(answer.instead_of_ack.is_none(), "{dialect} {event}");
            let events: Vec<_> = answer.events.iter().map(|wire| &*wire.event).collect();
            let sent: &[&str] = if (dialect, event) == (Ulearn, "send:message") { &["message:sent"] } else { &[] };
            assert_eq!(events, sent, "{dialect} {event}");
            for wire in &answer.events {
                check(dialect, "{messageId: id, conversationId: id}", &parsed(&wire.args[0]), &wire.event);
            }
        }
    }
}

#[test]
fn a_receipt_names_the_newest_message_that_was_read() {
    let read = samples::events().into_iter().find(|event| samples::kind(event) == "MessagesRead").expect("a sample");
    let payload = parsed(&Talentbridge.encode(&read, 0)[0].args[0]);
    assert_eq!(payload["upToMessageId"], payload["messageIds"][1]);
}

#[test]
fn each_hearer_of_an_update_gets_their_own_unread_count() {
    let updated = samples::events().into_iter().find(|event| samples::kind(event) == "ConversationUpdated");
    let updated = updated.expect("a sample");
    for (dialect, unread) in Dialect::ALL.into_iter().zip(0..) {
        let payload = parsed(&dialect.encode(&updated, unread)[0].args[0]);
        assert_eq!(payload["conversation"]["unreadCount"], unread);
    }
}

#[test]
fn shapes_for_rest_are_those_of_the_events() {
    for dialect in Dialect::ALL {
        check(dialect, "message", &parsed(&dialect.message(&samples::full())), "message");
        check(dialect, "user", &parsed(&dialect.user(&samples::alice())), "user");
        check(dialect, "user", &parsed(&dialect.user(&samples::bob())), "user");
        check(dialect, "conversation", &parsed(&dialect.conversation(&samples::group())), "conversation");
        check(dialect, "notification", &parsed(&dialect.notification(&samples::noted())), "notification");
        check(dialect, "notification", &parsed(&dialect.notification(&samples::notice())), "notification");
        check(dialect, "[reaction]", &parsed(&dialect.reactions(&samples::reactions())), "reactions");
    }
}

#[test]
fn a_badge_is_told_how_many_are_unread_in_gateway_alone() {
    for dialect in Dialect::ALL {
        let wire = dialect.unread_notifications(7);
        let told = wire.map(|wire| (wire.event.clone(), wire.args.iter().map(|arg| parsed(arg)).collect::<Vec<_>>()));
        assert_eq!(told, (dialect == Gateway).then(|| ("unreadCount".into(), vec![json!(7)])), "{dialect}");
    }
    let badge = |kind: &str| {
        let event = samples::events().into_iter().find(|event| samples::kind(event) == kind).expect("a sample");
        Gateway.encode(&event, samples::UNREAD).last().map(|wire| parsed(&wire.args[0]))
    };
    assert_eq!(badge("NotificationNew"), Some(json!(4)));
    assert_eq!(badge("NotificationRead"), Some(json!(3)));
    assert_eq!(badge("NotificationRemoved"), Some(json!(2)));
    assert_eq!(badge("NotificationsReadAll"), Some(json!(0)));
}

#[test]
fn what_others_wrote_as_json_is_passed_on_as_it_is() {
    let sent = json!({ "callId": "c", "to": "bob", "data": { "sdp": "v=0\r\n", "n": [1, 2.5, null, true, {}] } });
    let decoded = Gateway.decode("call:signal", std::slice::from_ref(&sent));
    let Ok(Command::CallSignal { call_id, data, .. }) = decoded else { panic!("{decoded:?}") };
    let what = CallEvent::Signal { from: samples::bob().id, data };
    let heard = Nextchat.encode(&Event::Call { call_id, what, to: CallAudience::Socket(SessionId(1)) }, 0);
    assert_eq!(parsed(&heard[0].args[0])["data"], sent["data"]);

    let notice = samples::notice();
    let shown = parsed(&Ulearn.notification(&notice));
    assert_eq!(shown["data"], serde_json::from_str::<Value>(&notice.data.expect("a sample")).expect("JSON"));
    let broken = NotificationView { data: Some("{".to_owned()), ..samples::notice() };
    assert_eq!(parsed(&Ulearn.notification(&broken))["data"], Value::Null);
}

#[test]
fn times_have_three_digits_of_fraction_whatever_they_are() {
    use parlance_domain::model::Timestamp;
    let text = |millis| parlance_dialects::timestamp(Timestamp::from_millis(millis));
    assert_eq!(text(1_795_222_923_004), "2026-11-21T01:02:03.004Z");
    assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(text(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(text(951_782_400_120), "2000-02-29T00:00:00.120Z");
    assert!(text(i64::MAX).starts_with("9999-"));
}
