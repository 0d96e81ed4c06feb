//! Web push to a push service on a port of its own, which checks who calls and answers as it is told. That browsers can
//! open what is sent is shown by the standard's example beside the code, and end to end.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use parlance_domain::Error;
use parlance_domain::model::{
    Address, ConversationId, NotificationId, NotificationKind, NotificationView, Timestamp, User,
};
use parlance_domain::ports::{ChannelError, Clock, Delivered, Digest, NotificationChannel, Subscription, WebPush};
use parlance_notify::{Push, PushSettings, Reachable, VapidKey};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const NOW: i64 = 1_700_000_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }
}

type Heard = (String, HeaderMap, Bytes);

#[derive(Clone)]
struct Service {
    status: Arc<AtomicU16>,
    heard: mpsc::Sender<Heard>,
}

/// A push service: its origin, what it answers for `/push/told`, and what it hears. `/push/gone` is gone.
async fn service() -> (String, Arc<AtomicU16>, mpsc::Receiver<Heard>) {
    async fn take(
        State(service): State<Service>,
        Path(name): Path<String>,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        service.heard.send((name.clone(), headers, body)).await.unwrap();
        if name == "gone" {
            return StatusCode::GONE;
        }
        StatusCode::from_u16(service.status.load(Ordering::Relaxed)).unwrap()
    }
    let (sender, heard) = mpsc::channel(10);
    let status = Arc::new(AtomicU16::new(201));
    let service = Service { status: status.clone(), heard: sender };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/push/{name}", post(take)).with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, status, heard)
}

fn push(reachable: Reachable) -> Push {
    let contact = "mailto:ops@example.com".to_owned();
    let settings = PushSettings { key: VapidKey::generate().unwrap(), contact, reachable, clock: Arc::new(Fixed) };
    Push::new(settings).unwrap()
}

fn subscription(endpoint: &str) -> Subscription {
    // Any point of the curve is a browser's key.
    let p256dh = VapidKey::generate().unwrap().public_key();
    Subscription { endpoint: endpoint.to_owned(), p256dh, auth: BASE64_URL_SAFE_NO_PAD.encode([1; 16]) }
}

fn digest(addresses: Vec<Address>) -> Digest {
    Digest {
        user: User::nameless("bob".parse().unwrap()),
        addresses,
        notification: NotificationView {
            id: NotificationId::from_bytes([9; 12]),
            kind: NotificationKind::chat_message(),
            title: "Ann".to_owned(),
            message: "hello".to_owned(),
            link: None,
            conversation_id: Some(ConversationId::from_bytes([7; 12])),
            data: None,
            read: false,
            created_at: Timestamp::from_millis(0),
        },
        unread: 1,
        words: vec![],
    }
}

#[tokio::test]
async fn a_push_service_is_told_who_calls_and_what_may_be_dropped() {
    let (origin, _, mut heard) = service().await;
    let push = push(Reachable::Everything);
    let address = push.address(&subscription(&format!("{origin}/push/told"))).unwrap();
    assert_eq!(push.deliver(&digest(vec![address])).await.unwrap(), Delivered::default());
    let (_, headers, body) = heard.recv().await.unwrap();
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!((header("content-encoding"), header("urgency"), header("ttl")), ("aes128gcm", "normal", "86400"));
    assert_eq!(header("topic"), format!("c{}", "07".repeat(12)));
    assert!(body.len() > 86 + 17 && !body.windows(5).any(|part| part == b"hello"), "it is encrypted");
    let credentials = header("authorization").strip_prefix("vapid t=").unwrap();
    let (token, key) = credentials.split_once(", k=").unwrap();
    assert_eq!(key, push.public_key());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let verifying = VerifyingKey::from_sec1_bytes(&decoded(key)).unwrap();
    verifying.verify(signed.as_bytes(), &Signature::from_slice(&decoded(signature)).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&decoded(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(
        (claims["aud"].as_str(), claims["sub"].as_str()),
        (Some(origin.as_str()), Some("mailto:ops@example.com"))
    );
    assert_eq!(claims["exp"].as_i64(), Some(NOW / 1_000 + 12 * 3_600));
}

#[tokio::test]
async fn browsers_that_are_gone_are_named_and_the_others_are_told() {
    let (origin, status, mut heard) = service().await;
    let push = push(Reachable::Everything);
    let address = |name: &str| push.address(&subscription(&format!("{origin}/push/{name}"))).unwrap();
    let both = digest(vec![address("gone"), address("told")]);
    let gone = Delivered { gone: vec![format!("{origin}/push/gone")] };
    assert_eq!(push.deliver(&both).await.unwrap(), gone);
    let mut called = [heard.recv().await.unwrap().0, heard.recv().await.unwrap().0];
    called.sort();
    assert_eq!(called, ["gone", "told"]);
    for (answered, later) in [(429, true), (503, true), (400, false), (413, false)] {
        status.store(answered, Ordering::Relaxed);
        let failed = push.deliver(&digest(vec![address("told")])).await.unwrap_err();
        assert_eq!(matches!(failed, ChannelError::Later(_)), later, "{answered}: {failed:?}");
    }
    // A place to which a browser is sent on could be anywhere.
    status.store(302, Ordering::Relaxed);
    assert!(matches!(push.deliver(&digest(vec![address("told")])).await, Err(ChannelError::Refused(_))));
}

#[tokio::test]
async fn nothing_inside_is_called_whoever_asks_for_it() {
    let (origin, _, mut heard) = service().await;
    let (careful, open) = (push(Reachable::Public), push(Reachable::Everything));
    let inside = subscription(&format!("{origin}/push/told"));
    for endpoint in [&inside.endpoint, "https://169.254.169.254/latest", "https://me:pw@push.example/"] {
        let refused = careful.address(&Subscription { endpoint: endpoint.to_owned(), ..inside.clone() });
        assert!(matches!(refused, Err(Error::Validation { ref field, .. }) if field == "endpoint"), "{refused:?}");
    }
    let taken = open.address(&inside).unwrap();
    let delivered = careful.deliver(&digest(vec![taken])).await.unwrap();
    assert_eq!(delivered.gone, [inside.endpoint], "one that was taken before is forgotten");
    let port = origin.rsplit_once(':').unwrap().1;
    let named = careful.address(&subscription(&format!("https://localhost:{port}/push/told"))).unwrap();
    assert!(
        matches!(careful.deliver(&digest(vec![named])).await, Err(ChannelError::Later(_))),
        "a name that leads home"
    );
    assert!(heard.try_recv().is_err(), "nobody was called");
    let keys = Subscription { auth: "AA".to_owned(), ..subscription("https://push.example/1") };
    assert!(matches!(careful.address(&keys), Err(Error::Validation { ref field, .. }) if field == "keys"));
}
