//! The server's HTTP API, as far as a load needs it: setting up conversations, sending where a dialect has no event for
//! it, and the reading scenarios. Connections are kept open and shared.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Bytes;
use tokio_tungstenite::tungstenite::http::{Method, Request};

use crate::failure::Failure;
use crate::people::Person;
use crate::target::Target;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API of one server.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Rest {
    pub(crate) fn new(target: &Target) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, base: format!("http://{}", target.first().authority) }
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// When there is none in time, or its status says that the call failed.
    pub(crate) async fn call(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Failure> {
        let payload = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.send(person, method, path, "application/json", payload).await
    }

    async fn send(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        content_type: &str,
        payload: Bytes,
    ) -> Result<Bytes, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{method} {path}"), error);
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", person.token))
            .header("content-type", content_type)
            .body(Full::new(payload))
            .map_err(|error| failed(&error))?;
        let answered = timeout(PATIENCE, async {
            let response = self.client.request(request).await.map_err(|error| failed(&error))?;
            let status = response.status();
            let bytes = response.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
            if status.is_success() { Ok(bytes) } else { Err(failed(&format_args!("{status} {}", text(&bytes)))) }
        });
        answered.await.map_err(|_| failed(&"no answer in time"))?
    }

    /// The `data` of a successful answer.
    pub(crate) async fn data(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let bytes = self.call(person, method, path, body).await?;
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|error| Failure::new(path, error))?;
        Ok(answer["data"].take())
    }

    /// Uploads a text file.
    pub(crate) async fn upload(&self, person: &Person, text: &str) -> Result<(), Failure> {
        const BOUNDARY: &str = "a-boundary-between-parts";
        let form = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"bench.txt\"\r\n\
             Content-Type: text/plain\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n"
        );
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send(person, Method::POST, "/api/v1/media/upload", &content_type, form.into()).await.map(|_| ())
    }

    /// Makes a user known to the server.
    pub(crate) async fn introduce(&self, person: &Person) -> Result<(), Failure> {
        self.call(person, Method::GET, "/api/v1/users/me", None).await.map(|_| ())
    }

    /// A direct conversation of these two; its id.
    pub(crate) async fn pair(&self, one: &Person, other: &Person) -> Result<String, Failure> {
        let body = json!({ "targetUserId": &*other.id });
        self.conversation(one, "/api/v1/chat/conversations/start", &body).await
    }

    /// A group of these, the first of whom owns it; its id.
    pub(crate) async fn group(&self, members: &[Person]) -> Result<String, Failure> {
        let [owner, others @ ..] = members else { return Err(Failure::plain("a group needs a member")) };
        let ids: Vec<&str> = others.iter().map(|person| &*person.id).collect();
        let body = json!({ "title": "Bench", "participantIds": ids });
        self.conversation(owner, "/api/v1/chat/conversations/group", &body).await
    }

    async fn conversation(&self, person: &Person, path: &str, body: &Value) -> Result<String, Failure> {
        let data = self.data(person, Method::POST, path, Some(body)).await?;
        let id = data["conversation"]["_id"].as_str();
        id.map(str::to_owned).ok_or_else(|| Failure::plain(format!("POST {path}: no conversation in the answer")))
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}
