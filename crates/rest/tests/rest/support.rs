//! The whole API in one process: the routes over the real services, the storage in memory, a bus that
//! remembers, a clock that ticks, and a verifier for which a token is its bearer's name.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use parlance_domain::event::Event;
use parlance_domain::model::{ClaimedProfile, ObjectId, Roster, Timestamp, User};
use parlance_domain::ports::{
    Claims, Clock, EmptyRooms, IdSource, MessagePolicy, RandomIds, TokenError, TokenVerifier, Verdict,
};
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::{LocalBus, Parts, Provisioning, Services, Settings, UploadParts, Uploading};
use parlance_media::{Intake, IntakeSettings, ObjectBlobs};
use parlance_rest::{Probe, RestSettings, RestState, StorageProbe, router};
use parlance_storage_memory::MemoryStorage;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;
use tower::ServiceExt;

/// Every reading is a millisecond later, so that orders by time are decided.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counter(AtomicI64);

impl RandomIds for Counter {
    fn random_id(&self) -> ObjectId {
        self.next_id()
    }
}

impl IdSource for Counter {
    fn next_id(&self) -> ObjectId {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

/// `alice` is alice's token. Some tokens are trouble.
struct Names;

#[async_trait]
impl TokenVerifier for Names {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        match token {
            "bad" => Err(TokenError::Invalid("bad".into())),
            "keyless" => Err(TokenError::Unavailable("no keys: secret-detail".into())),
            "panic" => unreachable!("a verifier with a bug: secret-detail"),
            "forever" => std::future::pending().await,
            name => Ok(Claims {
                user_id: name.parse().map_err(|_| TokenError::Invalid("no id".into()))?,
                profile: ClaimedProfile { name: Some(name.to_uppercase()), picture: None },
                email: None,
                issued_at: None,
                expires_at: None,
            }),
        }
    }
}

/// Refuses one word, and has a bug with another.
struct Moderation;

#[async_trait]
impl MessagePolicy for Moderation {
    async fn review(&self, _: &User, _: &Roster, draft: Draft) -> Verdict {
        match draft.text.as_deref() {
            Some("spam") => Verdict::Refuse("No advertising here"),
            Some("boom") => unreachable!("a policy with a bug: secret-detail"),
            _ => Verdict::Accept(draft),
        }
    }
}

/// A probe that answers what it was made with.
pub(crate) struct Fixed(pub(crate) &'static str, pub(crate) bool);

#[async_trait]
impl Probe for Fixed {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn answers(&self) -> bool {
        self.1
    }
}

/// The API under test.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) services: Services,
    pub(crate) events: Receiver<Arc<Event>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// What is in the envelope; the answer must be a success with this status.
    pub(crate) fn data(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.body["success"], json!(true), "{self:?}");
        assert!(self.body["message"].is_string(), "{self:?}");
        self.body["data"].clone()
    }

    /// The text of a refusal with this status and code.
    pub(crate) fn refused(self, status: u16, code: &str) -> String {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.body["success"], json!(false), "{self:?}");
        self.body["message"].as_str().expect("a message").to_owned()
    }

    /// The field that a validation refuses.
    pub(crate) fn field(self) -> String {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (400, Some("VALIDATION_FAILED")), "{self:?}");
        let error = &self.body["errors"][0];
        assert!(error["message"].is_string(), "{self:?}");
        let field = error["field"].as_str().expect("a field").to_owned();
        assert!(self.body["message"].as_str().is_some_and(|message| message.contains(&field)), "{self:?}");
        field
    }
}

impl Api {
    pub(crate) async fn new() -> Self {
        let api = Self::with(Provisioning::FromToken, |_| ());
        for user in ["alice", "bob", "carol"] {
            api.get(user, "/api/v1/users/me").await.data(200);
        }
        api
    }

    pub(crate) fn with(provisioning: Provisioning, change: impl FnOnce(&mut RestState)) -> Self {
        Self::set(Settings { provisioning, rates: None, ..Settings::default() }, change)
    }

    pub(crate) fn set(settings: Settings, change: impl FnOnce(&mut RestState)) -> Self {
        let storage = Arc::new(MemoryStorage::new());
        let ids = Arc::new(Counter::default());
        let clock = Arc::new(Ticks::default());
        let (bus, events) = LocalBus::new(1_000);
        let (services, workers) = Services::new(Parts {
            storage: storage.clone(),
            outbox: None,
            webhooks: None,
            bus: bus.clone(),
            link: None,
            clock: clock.clone(),
            ids: ids.clone(),
            policy: Arc::new(Moderation),
            rooms: Arc::new(EmptyRooms),
            reach: None,
            settings,
        });
        tokio::spawn(workers.writer.run());
        tokio::spawn(workers.presence.run());
        tokio::spawn(workers.typing.run());
        tokio::spawn(workers.notifier.run());
        let blobs = Arc::new(ObjectBlobs::memory());
        let uploading = Uploading::new(UploadParts {
            media: storage.clone(),
            blobs: blobs.clone(),
            intake: Arc::new(Intake::new(blobs, IntakeSettings::default())),
            bus: bus.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            own_media_prefix: "/media/".to_owned(),
            at_once: 8,
            at_once_per_user: 2,
            limiting: services.limiting.clone(),
        });
        let mut state = RestState {
            services: services.clone(),
            uploading,
            verifier: Arc::new(Names),
            api_keys: None,
            unsubscribe_links: None,
            exposition: None,
            traces: None,
            probes: vec![Arc::new(StorageProbe(storage))],
            ids,
            clock,
            settings: RestSettings { request_timeout: Duration::from_secs(5), ..RestSettings::default() },
        };
        change(&mut state);
        Self { router: router(state), services, events }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        assert_eq!(parts.headers["content-type"], "application/json", "{parts:?}");
        let body = serde_json::from_slice(&bytes).expect("JSON");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn call(&self, token: &str, method: Method, uri: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(uri).header("authorization", format!("Bearer {token}"));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.header("content-type", "application/json").body(body).expect("a request")).await
    }

    pub(crate) async fn get(&self, token: &str, uri: &str) -> Answer {
        self.call(token, Method::GET, uri, Value::Null).await
    }

    pub(crate) async fn delete(&self, token: &str, uri: &str) -> Answer {
        self.call(token, Method::DELETE, uri, Value::Null).await
    }

    pub(crate) async fn post(&self, token: &str, uri: &str, body: Value) -> Answer {
        self.call(token, Method::POST, uri, body).await
    }

    pub(crate) async fn put(&self, token: &str, uri: &str, body: Value) -> Answer {
        self.call(token, Method::PUT, uri, body).await
    }

    pub(crate) async fn patch(&self, token: &str, uri: &str, body: Value) -> Answer {
        self.call(token, Method::PATCH, uri, body).await
    }

    /// The id of the direct conversation of two people.
    pub(crate) async fn direct(&self, one: &str, other: &str) -> String {
        let answer = self.post(one, "/api/v1/chat/conversations/start", json!({"targetUserId": other})).await;
        id_of(&answer.body["data"]["conversation"])
    }

    /// The id of a new group.
    pub(crate) async fn group(&self, owner: &str, members: &[&str]) -> String {
        let body = json!({"title": "Team", "participantIds": members});
        let answer = self.post(owner, "/api/v1/chat/conversations/group", body).await;
        id_of(&answer.data(201)["conversation"])
    }

    /// The id of a new message.
    pub(crate) async fn say(&self, sender: &str, conversation: &str, text: &str) -> String {
        let body = json!({"conversationId": conversation, "text": text});
        id_of(&self.post(sender, "/api/v1/chat/messages", body).await.data(201)["message"])
    }
}

pub(crate) fn id_of(value: &Value) -> String {
    value["_id"].as_str().expect("an id").to_owned()
}

/// An id that nobody has.
pub(crate) const NOBODY: &str = "ffffffffffffffffffffffff";

/// Every route that wants a token; `{c}` is a conversation, `{m}` a message, `{u}` a user or emoji,
/// `{n}` a notification.
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/api/v1/chat/conversations"),
    ("POST", "/api/v1/chat/conversations/start"),
    ("POST", "/api/v1/chat/conversations/group"),
    ("GET", "/api/v1/chat/conversations/{c}"),
    ("PATCH", "/api/v1/chat/conversations/{c}"),
    ("PUT", "/api/v1/chat/conversations/{c}/photo"),
    ("DELETE", "/api/v1/chat/conversations/{c}/photo"),
    ("GET", "/api/v1/chat/conversations/{c}/online"),
    ("POST", "/api/v1/chat/conversations/{c}/read"),
    ("GET", "/api/v1/chat/conversations/{c}/changes"),
    ("POST", "/api/v1/chat/conversations/{c}/participants"),
    ("DELETE", "/api/v1/chat/conversations/{c}/participants/{u}"),
    ("PATCH", "/api/v1/chat/conversations/{c}/participants/{u}"),
    ("POST", "/api/v1/chat/messages"),
    ("GET", "/api/v1/chat/messages/all/{c}"),
    ("GET", "/api/v1/chat/messages/search"),
    ("PATCH", "/api/v1/chat/messages/{m}"),
    ("DELETE", "/api/v1/chat/messages/{m}"),
    ("PUT", "/api/v1/chat/messages/{m}/reactions/{u}"),
    ("DELETE", "/api/v1/chat/messages/{m}/reactions/{u}"),
    ("GET", "/api/v1/chat/unread"),
    ("GET", "/api/v1/users"),
    ("GET", "/api/v1/users/me"),
    ("PATCH", "/api/v1/users/me"),
    ("GET", "/api/v1/users/blocked"),
    ("GET", "/api/v1/users/{u}"),
    ("PUT", "/api/v1/users/{u}/block"),
    ("DELETE", "/api/v1/users/{u}/block"),
    ("GET", "/api/v1/notifications"),
    ("PUT", "/api/v1/notifications/mark-all-read"),
    ("GET", "/api/v1/notifications/preferences"),
    ("PUT", "/api/v1/notifications/preferences"),
    ("DELETE", "/api/v1/notifications/{n}"),
    ("PUT", "/api/v1/notifications/{n}/read"),
    ("GET", "/api/v1/calls/ice-servers"),
    ("POST", "/api/v1/media/upload"),
    ("POST", "/api/media/upload"),
    ("POST", "/api/v1/chat/messages/file"),
    ("POST", "/api/messages"),
    ("POST", "/api/messages/read"),
    ("GET", "/api/messages/unread-count"),
    ("GET", "/api/messages/{c}"),
    ("DELETE", "/api/messages/{m}"),
];
