//! What the application hands to the HTTP API.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use parlance_dialects::Dialects;
use parlance_domain::model::ConversationId;
use parlance_domain::ports::{ApiKeys, Clock, IdSource, Storage, TokenVerifier, UnsubscribeLinks};
use parlance_domain::services::{Services, Uploading};
use tracing::Span;

use crate::calls::IceServers;

/// Everything that the routes call.
pub struct RestState {
    /// The use cases.
    pub services: Services,
    /// Taking media in, and finding them.
    pub uploading: Uploading,
    /// Decides whose a token is.
    pub verifier: Arc<dyn TokenVerifier>,
    /// Keys of the server API, which is off without them.
    pub api_keys: Option<Arc<dyn ApiKeys>>,
    /// The links by which mail ends; without them there is no such route.
    pub unsubscribe_links: Option<Arc<dyn UnsubscribeLinks>>,
    /// What `/metrics` answers; without it there is no such route.
    pub exposition: Option<Exposition>,
    /// Whoever records traces; without them requests begin none.
    pub traces: Option<Arc<dyn Traces>>,
    /// Whom `/readyz` asks.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Names requests that come without an id.
    pub ids: Arc<dyn IdSource>,
    /// Until when credentials last.
    pub clock: Arc<dyn Clock>,
    /// Bounds, and what clients are told of the world.
    pub settings: RestSettings,
}

/// Writes down everything that is measured, in the text format of Prometheus.
pub type Exposition = Arc<dyn Fn() -> String + Send + Sync>;

/// Bounds of one request, and what clients are told of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestSettings {
    /// The largest JSON body, in bytes (`MAX_PACKET_BYTES`, default 1 MiB).
    pub max_body_bytes: usize,
    /// How long a request may take before it is answered with `UNAVAILABLE` (default 30 s).
    pub request_timeout: Duration,
    /// How long an upload may take (default 15 min): 20 MiB on a slow line.
    pub upload_timeout: Duration,
    /// In whose shapes it can answer, and whose words are no product's (default: the five).
    pub dialects: Dialects,
    /// Whether the API's description is served, at `/openapi.json` and as a page at `/docs` (`API_DOCS`, default on).
    pub documents: bool,
    /// Where people in a call find ways to each other.
    pub ice: IceServers,
}

impl Default for RestSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_mins(15),
            dialects: Dialects::default(),
            documents: true,
            ice: IceServers::default(),
        }
    }
}

/// Traces that callers have begun (`traceparent`).
pub trait Traces: Send + Sync {
    /// Whether the caller has its trace recorded; `None` where it has begun none.
    fn is_recorded(&self, headers: &HeaderMap) -> Option<bool>;

    /// Makes a span that has just begun a part of the caller's trace.
    fn go_on(&self, headers: &HeaderMap, span: &Span);
}

/// Something without which the process cannot work, or not as well.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What `/readyz` calls it.
    fn name(&self) -> &'static str;

    /// Whether the process cannot work without it. What can be done without is said where it is missing, and the
    /// process counts as ready.
    fn is_needed(&self) -> bool {
        true
    }

    /// Whether it answers. May take its time: `/readyz` does not wait for long.
    async fn answers(&self) -> bool;
}

/// Asks whether the storage answers.
pub struct StorageProbe(pub Arc<dyn Storage>);

#[async_trait]
impl Probe for StorageProbe {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn answers(&self) -> bool {
        // A read by primary key that finds nothing: the cheapest question that needs a disk or a peer.
        self.0.find_last_seq(ConversationId::from_bytes([0; 12])).await.is_ok()
    }
}
