//! Posts events to the receiver: bounded in time, without following redirects (a receiver that moves is a setting that
//! has to change), and without looking at what it says beside its status.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::Timestamp;
use parlance_domain::ports::{Clock, SendFailure, Webhook, WebhookSender};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tokio_rustls::rustls::crypto::ring;

use super::SigningKeys;

/// How long a receiver may take for one event.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read so that the connection can be used again; one with more is closed.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// There is no client for the receiver.
#[derive(Debug, thiserror::Error)]
#[error("no client can be made for it")]
pub(super) struct NoClient;

/// A receiver behind an address.
pub(super) struct HttpSender {
    client: Client,
    url: Url,
    keys: SigningKeys,
    clock: Arc<dyn Clock>,
}

impl HttpSender {
    pub(super) fn new(url: &str, keys: SigningKeys, clock: Arc<dyn Clock>) -> Result<Self, NoClient> {
        // Somebody else may have chosen a provider for the process: theirs is as good.
        let _ = ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("parlance/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            client: client.build().map_err(|_| NoClient)?,
            url: Url::parse(url).map_err(|_| NoClient)?,
            keys,
            clock,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Brings a body to the receiver: the same `id` where it is brought once more.
    pub(super) async fn post(&self, id: &str, body: &str) -> Result<(), SendFailure> {
        let seconds = self.now().millis().div_euclid(1_000);
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Parlance-Webhook-Id", id)
            .header("Parlance-Webhook-Timestamp", seconds)
            .header("Parlance-Webhook-Signature", self.keys.sign(seconds, body))
            .body(body.to_owned());
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        read_out(response).await;
        if status.is_success() {
            return Ok(());
        }
        let problem = format!("the receiver answers with status {}", status.as_u16());
        Err(SendFailure { problem, is_final: status == StatusCode::GONE })
    }
}

#[async_trait]
impl WebhookSender for HttpSender {
    async fn send(&self, webhook: &Webhook) -> Result<(), SendFailure> {
        let body = parlance_dialects::webhook(webhook);
        self.post(&webhook.id.to_string(), body.get()).await
    }
}

/// Reads what is left of an answer. It has been given already: what becomes of the rest is of no account.
async fn read_out(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER_BYTES {
            return;
        }
    }
}

/// The address may hold a key, so nothing of it is repeated.
fn unreachable(error: reqwest::Error) -> SendFailure {
    let error = error.without_url();
    let problem = if error.is_timeout() {
        "the receiver does not answer in time".to_owned()
    } else {
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let cause = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("the receiver cannot be reached: {}", cause.chars().take(200).collect::<String>())
    };
    SendFailure { problem, is_final: false }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::Router;
    use axum::body::Bytes;
    use axum::extract::State;
    use axum::http::HeaderMap;
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::post;
    use parlance_domain::model::{WebhookId, WebhookKind};
    use parlance_domain::ports::WebhookData;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    const SECRET: &str = "sixteen-visible-1";

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_795_000_000_999)
        }
    }

    type Heard = (HashMap<String, String>, String);

    /// A receiver with a mood for each path, and what it hears.
    async fn receiver() -> (String, mpsc::Receiver<Heard>) {
        let (sender, heard) = mpsc::channel(8);
        let take = async |State(heard): State<mpsc::Sender<Heard>>, headers: HeaderMap, body: Bytes| {
            let headers = headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
            let body = String::from_utf8(body.to_vec()).expect("JSON is text");
            heard.send((headers.collect(), body)).await.expect("the test listens");
            "x".repeat(3 * MAX_ANSWER_BYTES)
        };
        let routes = Router::new()
            .route("/takes", post(take))
            .route("/gone", post(async || StatusCode::GONE))
            .route("/broken", post(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/moved", post(async || Redirect::temporary("/takes").into_response()))
            .with_state(sender);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (format!("http://{address}"), heard)
    }

    async fn send(url: &str) -> Result<(), SendFailure> {
        let sender = HttpSender::new(url, SECRET.parse().expect("a good secret"), Arc::new(Noon)).expect("a client");
        let data = WebhookData::User { user_id: "ann".parse().expect("a valid id"), online: true };
        let at = Timestamp::from_millis(1_795_000_000_001);
        sender.send(&Webhook { id: WebhookId::from_bytes([7; 12]), kind: WebhookKind::UserOnline, at, data }).await
    }

    #[tokio::test]
    async fn an_event_is_posted_with_its_id_and_a_signature_over_moment_and_body() {
        let (base, mut heard) = receiver().await;
        assert_eq!(send(&format!("{base}/takes")).await, Ok(()), "also with a long answer");
        let (headers, body) = heard.recv().await.expect("it was heard");
        assert_eq!(
            body,
            r#"{"id":"070707070707070707070707","type":"user.online","createdAt":"2026-11-18T11:06:40.001Z","data":{"userId":"ann","online":true}}"#
        );
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["parlance-webhook-id"], "070707070707070707070707");
        assert_eq!(headers["parlance-webhook-timestamp"], "1795000000");
        let keys: SigningKeys = SECRET.parse().expect("a good secret");
        assert_eq!(headers["parlance-webhook-signature"], keys.sign(1_795_000_000, &body));
    }

    #[tokio::test]
    async fn only_a_success_counts_and_gone_is_for_good() {
        let (base, mut heard) = receiver().await;
        for (path, status, is_final) in [("gone", 410, true), ("broken", 500, false), ("moved", 307, false)] {
            let problem = format!("the receiver answers with status {status}");
            assert_eq!(send(&format!("{base}/{path}")).await, Err(SendFailure { problem, is_final }));
        }
        assert!(heard.try_recv().is_err(), "nobody follows to another place");
    }

    #[tokio::test]
    async fn a_receiver_that_is_away_is_said_without_its_address() {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let failure = send(&format!("http://me:hush@{address}/takes?token=hush")).await.expect_err("nobody is there");
        assert!(!failure.is_final && !failure.problem.contains("hush"), "{failure}");
        assert!(failure.problem.starts_with("the receiver cannot be reached: "), "{failure}");
    }
}
