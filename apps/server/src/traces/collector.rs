//! The way to a collector of traces: HTTP on the thread that sends batches, with a small runtime of its own, so that
//! neither is slowed by the other. A time bounds each request, and an outage is told once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Runtime};

/// How long a batch may take to be sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why no traces can be sent at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCollector {
    #[error("no client can be made for it: {0}")]
    Client(reqwest::Error),
    #[error("nothing can be sent on a thread of its own: {0}")]
    Runtime(std::io::Error),
}

/// A client of a collector.
#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    runtime: Runtime,
    is_away: AtomicBool,
}

impl Collector {
    pub(super) fn new() -> Result<Self, NoCollector> {
        // Somebody else may have chosen a provider for the process: theirs is as good.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(NoCollector::Runtime)?;
        Ok(Self { client: client.map_err(NoCollector::Client)?, runtime, is_away: AtomicBool::new(false) })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let mut answer = self.client.execute(request.try_into()?).await?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())]);
            if body.len() == MAX_ANSWER_BYTES {
                break;
            }
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        Ok(response)
    }

    fn tell(&self, problem: Option<String>) {
        match problem {
            Some(problem) if !self.is_away.swap(true, Ordering::Relaxed) => {
                tracing::warn!(problem, "traces cannot be sent and are lost until they can");
            }
            None if self.is_away.swap(false, Ordering::Relaxed) => tracing::info!("traces are sent again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// Called on the thread that sends batches, which has nothing else to do meanwhile.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.block_on(self.send(request));
        self.tell(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answers {}", response.status())),
            // Its address may hold a key.
            Err(error) => Some(format!("the collector does not answer (timed out: {})", error.is_timeout())),
        });
        Ok(sent.map_err(reqwest::Error::without_url)?)
    }
}
