//! Traces as a collector receives them: from what a client asked to the statements that came of it, without a word of what
//! anybody wrote; and a collector that is away, which nobody notices.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post as route_post;
use futures::{SinkExt, StreamExt};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::process::Parlance;
use crate::serving::{Pair, SECRET, get, introduce, post};

/// What a collector was sent.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Bytes>>>);

impl Collected {
    /// Listens, and says where.
    async fn begin() -> (Self, String) {
        let collected = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = collected.clone();
        let keep = move |body: Bytes| async move { kept.0.lock().unwrap().push(body) };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", route_post(keep))).await });
        (collected, url)
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let decode = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).unwrap();
        self.0.lock().unwrap().iter().map(decode).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    fn mentions(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn child<'a>(spans: &'a [Span], parent: &Span, name: &str) -> &'a Span {
    let found = spans.iter().find(|span| span.parent_span_id == parent.span_id && span.name == name);
    let of_trace = spans.iter().filter(|span| span.trace_id == parent.trace_id);
    let names: Vec<_> = of_trace.map(|span| &span.name).collect();
    assert!(found.is_some(), "{} has no {name}; its trace has {names:?}", parent.name);
    let found = found.unwrap();
    assert_eq!(found.trace_id, parent.trace_id);
    found
}

/// Sends messages on a socket, all of them before an answer, and waits for the answers.
async fn send(address: &str, pair: &Pair, texts: &[&str]) {
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket&dialect=talentbridge");
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let (mut socket, mut packets) = socket.split();
    let mut packet = async || packets.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(packet().await.starts_with('0'));
    socket.send(Message::text(format!("40{}", json!({ "token": pair.alice })))).await.unwrap();
    while !packet().await.starts_with("40") {}
    for (number, text) in texts.iter().enumerate() {
        let event = json!(["message:send", { "conversationId": pair.conversation, "text": text }]);
        socket.send(Message::text(format!("42{number}{event}"))).await.unwrap();
    }
    let mut answers = 0;
    while answers < texts.len() {
        let packet = packet().await;
        answers += usize::from(packet.starts_with("43") && packet.contains(r#""success":true"#));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_send_is_one_trace_from_the_event_to_the_statements() {
    let (collected, url) = Collected::begin().await;
    let parlance = Parlance::new();
    let env = [SECRET, ("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_SERVICE_NAME", "shop-chat"), ("RUST_LOG", "warn")];
    let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
    let address = running.address(0);
    let pair = introduce(&parlance, &address);
    send(&address, &pair, &["the cake is in the third drawer"]).await;
    let ended = running.signalled("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.log);

    let spans = collected.spans();
    let event = spans.iter().find(|span| attribute(span, "event") == Some("message:send")).unwrap();
    assert_eq!((event.name.as_str(), attribute(event, "dialect")), ("socketio.event.handle", Some("talentbridge")));
    assert!(event.parent_span_id.is_empty(), "it begins the trace");
    let command = child(&spans, event, "socketio.command.dispatch");
    assert_eq!(attribute(command, "command"), Some("send"));
    let sent = child(&spans, command, "domain.message.send");
    let batch = child(&spans, sent, "domain.batch.store");
    let transaction = child(&spans, batch, "storage.transaction.run");
    for statement in ["INSERT messages", "UPDATE conversations", "COMMIT"] {
        let statement = child(&spans, transaction, statement);
        assert!(statement.start_time_unix_nano >= event.start_time_unix_nano);
        assert!(statement.end_time_unix_nano <= event.end_time_unix_nano, "the ack follows the commit");
    }
    let delivered = spans.iter().find(|span| span.name == "socketio.event.deliver").unwrap();
    assert_eq!(attribute(delivered, "event"), Some("message-new"));
    assert!(collected.mentions("shop-chat"));
    for secret in ["third drawer", pair.alice.as_str(), SECRET.1, "alice", pair.conversation.as_str()] {
        assert!(!collected.mentions(secret), "{secret}");
    }
    assert!(!ended.log.contains("domain.batch.store"), "{}", ended.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sends_that_share_a_commit_share_a_span_that_is_linked_to_each() {
    let (collected, url) = Collected::begin().await;
    let parlance = Parlance::new();
    let env = [SECRET, ("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("RATE_LIMITS", "off")];
    let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
    let pair = introduce(&parlance, &running.address(0));
    send(&running.address(0), &pair, &["again"; 200]).await;
    assert_eq!(running.signalled("TERM").code, Some(0));
    let spans = collected.spans();
    let batches: Vec<&Span> = spans.iter().filter(|span| span.name == "domain.batch.store").collect();
    let sends: Vec<&Span> = spans.iter().filter(|span| span.name == "domain.message.send").collect();
    assert_eq!(sends.len(), 200);
    let is_of = |send: &Span, batch: &Span| {
        batch.parent_span_id == send.span_id || batch.links.iter().any(|link| link.span_id == send.span_id)
    };
    for send in sends {
        assert_eq!(batches.iter().filter(|batch| is_of(send, batch)).count(), 1, "each is in one batch");
    }
    assert!(batches.len() < 200, "some of them share a commit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_request_goes_on_with_the_trace_of_its_caller() {
    const RECORDED: [u8; 16] = [0x4b; 16];
    let (collected, url) = Collected::begin().await;
    let parlance = Parlance::new();
    // Of its own accord it records nothing.
    let env = [SECRET, ("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_TRACES_SAMPLER_ARG", "0")];
    let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
    let address = running.address(0);
    let pair = introduce(&parlance, &address);
    let called = |path: &str, parent: &str| {
        let headers = format!("Authorization: Bearer {}\r\ntraceparent: {parent}\r\nX-Request-Id: r-1\r\n", pair.alice);
        assert!(get(&address, path, &headers).starts_with("HTTP/1.1 200"));
    };
    let path = format!("/api/v1/chat/messages/all/{}", pair.conversation);
    called(&path, "00-4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b-0102030405060708-01");
    called(&path, "00-5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c-0102030405060708-00");
    assert!(post(&address, "/api/v1/chat/messages", &pair.alice, "{}").starts_with("HTTP/1.1 400"));
    assert_eq!(running.signalled("TERM").code, Some(0));
    let spans = collected.spans();
    assert!(!spans.is_empty() && spans.iter().all(|span| span.trace_id == RECORDED), "{spans:?}");
    let request = spans.iter().find(|span| span.parent_span_id == [1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!(request.name, "GET /api/v1/chat/messages/all/{conversation}");
    assert_eq!(attribute(request, "request_id"), Some("r-1"));
    child(&spans, request, "SELECT messages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_collector_that_is_away_or_hangs_is_noticed_by_the_log_alone() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("http://{}", hanging.local_addr().unwrap());
    for (url, told) in [("http://127.0.0.1:1", true), (hanging.as_str(), false)] {
        let parlance = Parlance::new();
        let env = [SECRET, ("OTEL_EXPORTER_OTLP_ENDPOINT", url)];
        let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
        let pair = introduce(&parlance, &running.address(0));
        send(&running.address(0), &pair, &["hello"; 20]).await;
        let began = std::time::Instant::now();
        let ended = running.signalled("TERM");
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(ended.log.matches("traces cannot be sent").count(), usize::from(told), "{}", ended.log);
        assert_eq!(ended.log.contains("the last traces could not be sent"), !told, "{}", ended.log);
    }
}
