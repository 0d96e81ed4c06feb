//! Whatever comes in, what goes out is the envelope, and never a server error.

use crate::support::{Answer, Api, NOBODY, ROUTES};
use axum::body::Body;
use axum::http::Request;
use parlance_domain::model::{NotificationKind, UserId};
use parlance_domain::services::Notice;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const FIELDS: &[&str] = &[
    "targetUserId",
    "title",
    "participantIds",
    "userIds",
    "role",
    "url",
    "upToMessageId",
    "messageIds",
    "conversationId",
    "text",
    "content",
    "message",
    "media",
    "messageType",
    "replyTo",
    "clientMessageId",
    "fullName",
    "profilePicture",
    "emailNotifications",
    "chatNotifications",
];
const QUERIES: &[&str] = &["limit", "cursor", "search", "since", "q", "conversationId", "dialect", "page", "unread"];
/// What exists, so that some of what is thrown at the routes hits.
#[derive(Debug, Clone)]
struct World {
    conversation: String,
    message: String,
    notification: String,
}

fn words(world: &World) -> BoxedStrategy<String> {
    prop_oneof![
        Just(world.conversation.clone()),
        Just(world.message.clone()),
        Just(world.notification.clone()),
        Just(NOBODY.to_owned()),
        prop::sample::select(vec!["alice", "bob", "admin", "text", "image", "https://x/y", "gateway", "1", "-1", ""])
            .prop_map(str::to_owned),
        any::<String>(),
    ]
    .boxed()
}

fn values(world: &World) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words(world).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("url|type|size|[a-z]{1,3}", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
    .boxed()
}

fn bodies(world: &World) -> BoxedStrategy<Vec<u8>> {
    let fields = prop::collection::hash_map(prop::sample::select(FIELDS), values(world), 0..6);
    prop_oneof![
        6 => fields.prop_map(|fields| json!(fields).to_string().into_bytes()),
        1 => values(world).prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
    .boxed()
}

/// Percent-encodes everything but letters and digits.
fn encoded(text: &str) -> String {
    let one =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

fn uris(world: &World) -> BoxedStrategy<(&'static str, String)> {
    let query = prop::collection::vec((prop::sample::select(QUERIES), words(world)), 0..4);
    let routes = [ROUTES, &[("GET", "/healthz"), ("GET", "/readyz")]].concat();
    (prop::sample::select(routes), words(world), words(world), words(world), any::<[bool; 3]>(), query)
        .prop_map({
            let world = world.clone();
            move |((method, route), c, m, u, real, query)| {
                let pick = |real: bool, known: &str, other: &str| {
                    if real || other.is_empty() { encoded(known) } else { encoded(other) }
                };
                let path = route
                    .replace("{c}", &pick(real[0], &world.conversation, &c))
                    .replace("{m}", &pick(real[1], &world.message, &m))
                    .replace("{n}", &pick(real[1], &world.notification, &m))
                    .replace("{u}", &pick(real[2], "bob", &u));
                let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
                (method, format!("{path}?{}", query.join("&")))
            }
        })
        .boxed()
}

fn is_envelope(answer: &Answer) -> bool {
    let body = &answer.body;
    let told = body["message"].is_string() && answer.headers.contains_key("x-request-id");
    if answer.status.is_success() {
        return told && body["success"] == json!(true) && body["data"].is_object() && body.get("code").is_none();
    }
    let validation = body["code"] == "VALIDATION_FAILED";
    let errors = body["errors"].as_array().is_some_and(|errors| {
        !errors.is_empty() && errors.iter().all(|error| error["field"].is_string() && error["message"].is_string())
    });
    told && answer.status.is_client_error()
        && body["success"] == json!(false)
        && body["code"].is_string()
        && validation == (answer.status == 400)
        && errors == validation
}

#[test]
fn anything_at_all_is_answered_in_the_envelope() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (api, world) = runtime.block_on(async {
        let mut api = Api::new().await;
        // Nobody listens here: what is published is taken off so that nothing waits for room.
        let (_, closed) = tokio::sync::mpsc::channel(1);
        let mut events = std::mem::replace(&mut api.events, closed);
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        let conversation = api.group("alice", &["bob"]).await;
        let message = api.say("alice", &conversation, "hello").await;
        let kind = NotificationKind::new("system").expect("a valid type");
        let notice = Notice { kind, title: "News".into(), message: String::new(), link: None, data: None };
        let alice = "alice".parse::<UserId>().expect("a valid id");
        api.services.notifying.notify([alice.clone()], &notice).await.expect("a notice");
        let page = api.services.notifying.list(&alice, false, 1, 1).await.expect("a page");
        let notification = page.notifications[0].id.to_string();
        (api, World { conversation, message, notification })
    });
    let cases = (uris(&world), bodies(&world));
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&cases, |((method, uri), body)| {
            let request = Request::builder().method(method).uri(&uri).header("authorization", "alice");
            let request = request.body(Body::from(body)).expect("a request");
            let answer = runtime.block_on(api.send(request));
            prop_assert!(is_envelope(&answer), "{method} {uri}: {answer:?}");
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
