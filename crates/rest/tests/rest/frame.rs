//! What holds for every route: authentication, the envelope, ids of requests, bounds, and failures.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Api, Fixed, ROUTES};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_domain::services::Provisioning;
use serde_json::{Value, json};

const ME: &str = "/api/v1/users/me";

fn request(uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().uri(uri);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn every_route_but_the_open_ones_wants_a_token() {
    let api = Api::new().await;
    for headers in [&[][..], &[("authorization", "")], &[("authorization", "Bearer ")], &[("authorization", "bearer")]]
    {
        let answer = api.send(request(ME, headers)).await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.refused(401, "TOKEN_REQUIRED"), "Authentication error: Token required");
    }
    let answer = api.send(request(ME, &[("authorization", "Bearer bad")])).await;
    assert_eq!(answer.refused(401, "INVALID_TOKEN"), "Authentication error: Invalid token");
    for header in ["Bearer alice", "bearer alice", "alice"] {
        api.send(request(ME, &[("authorization", header)])).await.data(200);
    }
    // Who may not come in learns nothing about the rest of the request.
    for (method, route) in ROUTES {
        let (method, uri) = (method.parse().expect("a method"), route.replace(['{', '}'], ""));
        let body = json!({"garbage": true});
        api.call("bad", method, &format!("{uri}?limit=x&dialect=x"), body).await.refused(401, "INVALID_TOKEN");
    }
    api.send(request("/healthz", &[])).await.data(200);
    api.send(request("/readyz", &[])).await.data(200);
}

#[tokio::test]
async fn with_a_directory_an_unknown_bearer_is_nobody() {
    let api = Api::with(Provisioning::DirectoryOnly, |_| ());
    let answer = api.get("alice", ME).await;
    assert_eq!(answer.refused(401, "USER_NOT_FOUND"), "Authentication error: User not found");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_answered_in_the_envelope() {
    let api = Api::new().await;
    for uri in ["/", "/api/v1/nothing", "/api/v1/chat/conversations/", "/api/v1/users/a/b/c"] {
        api.get("alice", uri).await.refused(404, "NOT_FOUND");
    }
    let answer = api.call("alice", Method::PUT, "/api/v1/chat/conversations", Value::Null).await;
    assert!(answer.headers["allow"].to_str().is_ok_and(|allow| allow.contains("GET")));
    answer.refused(405, "METHOD_NOT_ALLOWED");
    api.send(request("/api/messages/read", &[])).await.refused(405, "METHOD_NOT_ALLOWED");
    api.call("alice", Method::POST, "/healthz", Value::Null).await.refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn what_is_not_a_json_object_is_refused_as_the_body() {
    let api = Api::new().await;
    for body in ["{", "nonsense", "[]", "\"text\"", "7", "{\"a\":1}x", "\u{0}", &"[".repeat(100_000)] {
        let request = Request::builder().method("POST").uri("/api/v1/chat/messages").header("authorization", "alice");
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        assert_eq!(api.send(request).await.field(), "body");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let api = Api::with(Provisioning::FromToken, |state| state.settings.max_body_bytes = 100);
    let fits = json!({"fullName": "x".repeat(80)});
    api.patch("alice", ME, fits).await.data(200);
    let message = api.patch("alice", ME, json!({"fullName": "x".repeat(90)})).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert!(message.contains("100"), "{message}");
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let api = Api::new().await;
    let named = |id: &'static str| api.send(request("/healthz", &[("x-request-id", id)]));
    assert_eq!(named("abc-123_4.5").await.headers["x-request-id"], "abc-123_4.5");
    let long: &'static str = Box::leak("x".repeat(129).into_boxed_str());
    for strange in ["a b", "x\"y", "", long] {
        let given = named(strange).await.headers["x-request-id"].to_str().expect("text").to_owned();
        assert_ne!(given, strange);
        assert_eq!(given.len(), 24);
    }
    let refused = api.send(request(ME, &[("x-request-id", "r1")])).await;
    assert_eq!(refused.headers["x-request-id"], "r1");
    assert_eq!(refused.body.get("requestId"), None);
}

#[tokio::test]
async fn answers_are_nobodys_to_keep() {
    let api = Api::new().await;
    assert_eq!(api.get("alice", ME).await.headers["cache-control"], "no-store");
    assert_eq!(api.get("bad", ME).await.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_bug_is_an_internal_error_that_tells_nothing_but_its_request() {
    let api = Api::new().await;
    let answer = api.send(request(ME, &[("authorization", "panic"), ("x-request-id", "r7")])).await;
    assert_eq!(answer.body["requestId"], "r7");
    assert!(!answer.body.to_string().contains("secret-detail"));
    assert_eq!(answer.refused(500, "INTERNAL"), "Internal error");
    let id = api.direct("alice", "bob").await;
    let answer = api.post("alice", "/api/messages", json!({"conversationId": id, "text": "boom"})).await;
    assert!(!answer.body.to_string().contains("secret-detail"));
    answer.refused(500, "INTERNAL");
    api.say("alice", &id, "still there").await;
}

#[tokio::test]
async fn what_does_not_answer_is_unavailable() {
    let api = Api::with(Provisioning::FromToken, |state| state.settings.request_timeout = Duration::from_millis(50));
    assert_eq!(api.get("forever", ME).await.refused(503, "UNAVAILABLE"), "Service temporarily unavailable");
    let answer = api.get("keyless", ME).await;
    assert!(!answer.body.to_string().contains("secret-detail"));
    answer.refused(503, "UNAVAILABLE");
}

#[tokio::test]
async fn readiness_says_who_does_not_answer() {
    let api = Api::with(Provisioning::FromToken, |state| {
        state.probes.push(Arc::new(Fixed("cluster", false)));
        state.probes.push(Arc::new(Fixed("cache", true)));
    });
    let message = api.send(request("/readyz", &[])).await.refused(503, "UNAVAILABLE");
    assert!(message.contains("cluster") && !message.contains("storage") && !message.contains("cache"), "{message}");
    api.send(request("/healthz", &[])).await.data(200);
}

/// Something that can be done without, and does not answer.
struct Optional;

#[async_trait::async_trait]
impl parlance_rest::Probe for Optional {
    fn name(&self) -> &'static str {
        "link"
    }

    fn is_needed(&self) -> bool {
        false
    }

    async fn answers(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn what_can_be_done_without_leaves_it_ready_and_is_named() {
    let api = Api::with(Provisioning::FromToken, |state| state.probes.push(Arc::new(Optional)));
    let data = api.send(request("/readyz", &[])).await.data(200);
    assert_eq!(data, json!({"status": "degraded", "without": ["link"]}));
    let api = Api::with(Provisioning::FromToken, |state| {
        state.probes.extend([Arc::new(Optional) as _, Arc::new(Fixed("storage", false)) as _]);
    });
    let message = api.send(request("/readyz", &[])).await.refused(503, "UNAVAILABLE");
    assert!(message.contains("storage") && !message.contains("link"), "{message}");
}
