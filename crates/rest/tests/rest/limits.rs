//! How fast people may ask, send and upload, each limit from both sides; and bodies that never end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures::Stream;
use parlance_domain::rules::{Rate, Rates};
use parlance_domain::services::{Provisioning, Settings};
use serde_json::json;
use tokio::sync::oneshot;

use crate::support::{Answer, Api};

const ME: &str = "/api/v1/users/me";

/// So many at once, and none back while a test runs.
const fn just(burst: u32) -> Rate {
    Rate { number: 1, per: Duration::from_hours(1), burst }
}

/// Rates that nothing here reaches.
fn high() -> Rates {
    let high = Rate::per_second(10_000, 10_000);
    Rates { events: high, sends: high, typing: high, requests: high, uploads: high }
}

fn api(rates: Rates) -> Api {
    Api::set(Settings { rates: Some(rates), ..Settings::default() }, |_| ())
}

/// That an answer says to slow down, and for how many seconds.
fn pause(answer: Answer) -> u64 {
    let seconds = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert_eq!(answer.refused(429, "RATE_LIMITED"), "Too many requests");
    seconds
}

/// A multipart request with one file.
fn form(token: &str, uri: &str, field: &str, more: &[(&str, &str)]) -> Request<Body> {
    let part = |(name, value): &(&str, &str)| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = format!(
        "--b\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n"
    );
    let body: Vec<String> = more.iter().map(part).chain([file]).collect();
    let body = body.concat();
    let request = Request::post(uri).header("authorization", token);
    request.header("content-type", "multipart/form-data; boundary=b").body(Body::from(body)).expect("a request")
}

#[tokio::test]
async fn requests_above_the_rate_are_refused_and_told_when_to_come_back() {
    let api = api(Rates { requests: just(3), ..high() });
    for _ in 0..3 {
        api.get("alice", ME).await.data(200);
    }
    assert!((3_500..=3_600).contains(&pause(api.get("alice", ME).await)));
    pause(api.post("alice", "/api/v1/chat/messages", json!({"garbage": true})).await);
    api.get("bob", ME).await.data(200);
    api.get("bad", ME).await.refused(401, "INVALID_TOKEN");
}

#[tokio::test]
async fn who_waits_as_long_as_told_is_let_in() {
    let api = api(Rates { requests: Rate::per_second(1, 2), ..high() });
    let mut refused = None;
    while refused.is_none() {
        let answer = api.get("alice", ME).await;
        refused = (answer.status == 429).then(|| pause(answer));
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(refused.expect("it ends so"))).await;
    tokio::time::resume();
    api.get("alice", ME).await.data(200);
}

#[tokio::test]
async fn messages_count_together_by_whichever_route_they_come() {
    let api = api(Rates { sends: just(4), ..high() });
    api.get("bob", ME).await.data(200);
    let id = api.direct("alice", "bob").await;
    let body = json!({"conversationId": id, "text": "hello"});
    api.post("alice", "/api/v1/chat/messages", body.clone()).await.data(201);
    api.post("alice", "/api/messages", body.clone()).await.data(201);
    let file = || form("alice", "/api/v1/chat/messages/file", "file", &[("conversationId", &id)]);
    api.send(file()).await.data(201);
    // What is refused for another reason counts too.
    api.post("alice", "/api/v1/chat/messages", json!({})).await.field();
    for uri in ["/api/v1/chat/messages", "/api/messages"] {
        pause(api.post("alice", uri, body.clone()).await);
    }
    pause(api.send(file()).await);
    api.get("alice", ME).await.data(200);
    api.post("bob", "/api/messages", body).await.data(201);
}

#[tokio::test]
async fn uploads_count_together_by_whichever_route_they_come() {
    let api = api(Rates { uploads: just(3), ..high() });
    api.get("bob", ME).await.data(200);
    let id = api.direct("alice", "bob").await;
    let to_upload = || form("alice", "/api/v1/media/upload", "media", &[]);
    api.send(to_upload()).await.data(201);
    api.send(form("alice", "/api/media/upload", "media", &[])).await.data(201);
    let with_message = || form("alice", "/api/v1/chat/messages/file", "file", &[("conversationId", &id)]);
    api.send(with_message()).await.data(201);
    pause(api.send(to_upload()).await);
    pause(api.send(with_message()).await);
    api.send(form("bob", "/api/media/upload", "media", &[])).await.data(201);
    api.post("alice", "/api/messages", json!({"conversationId": id, "text": "no upload"})).await.data(201);
}

/// A body that begins and never goes on. Says when nobody waits for it any more.
struct Endless {
    beginning: Option<Bytes>,
    _dropped: oneshot::Sender<()>,
}

impl Stream for Endless {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.beginning.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(bytes))))
    }
}

fn endless(beginning: &'static str) -> (Body, oneshot::Receiver<()>) {
    let (dropped, heard) = oneshot::channel();
    (Body::from_stream(Endless { beginning: Some(Bytes::from(beginning)), _dropped: dropped }), heard)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up_and_holds_nothing() {
    let api = Api::with(Provisioning::FromToken, |_| ());
    let (body, dropped) = endless("{\"text\":");
    let request = Request::post("/api/v1/chat/messages").header("authorization", "alice").body(body);
    assert_eq!(api.send(request.expect("a request")).await.field(), "body");
    assert!(dropped.await.is_err(), "the handler has let go of it");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_is_given_up_long_before_its_time_is_over() {
    let api = Api::with(Provisioning::FromToken, |_| ());
    let begun = tokio::time::Instant::now();
    let (body, dropped) =
        endless("--b\r\ncontent-disposition: form-data; name=\"media\"; filename=\"a.txt\"\r\n\r\nhello");
    let request = Request::post("/api/v1/media/upload").header("authorization", "alice");
    let request = request.header("content-type", "multipart/form-data; boundary=b").body(body).expect("a request");
    let answer = api.send(request).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(dropped.await.is_err(), "the handler has let go of it");
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
}
