//! A node that is looked at: where it is, what became of the last look, and what the last few looks say. Asking is
//! bounded in time and size, so that a node that hangs is shown as one that does not answer.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::time::Instant;

use super::reading::{Figures, Reading};
use crate::cli::failure::Failure;

/// Looks that figures are worked out of: those of the last five seconds, or rare events would flicker.
const WINDOW: usize = 6;
/// The largest page.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// All is well.
    Up,
    /// It answers, and says what is the matter.
    Ailing(String),
    /// It does not answer, or not as a node does.
    Silent(String),
}

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    /// Host and port.
    pub(super) name: String,
    pub(super) state: State,
    url: String,
    looks: VecDeque<(Instant, Reading)>,
}

/// What a look came to.
pub(super) type Looked = Result<(Reading, State), String>;

impl Node {
    /// The node at `url`, or at a host and a port.
    pub(super) fn at(url: &str) -> Result<Self, Failure> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = url.trim_end_matches('/').trim_end_matches("/metrics").to_owned();
        let refused = || Failure::Usage(format!("{url:?} is no URL of a server, such as http://127.0.0.1:4000"));
        let parsed = reqwest::Url::parse(&url).map_err(|_| refused())?;
        let host = parsed.host_str().filter(|_| matches!(parsed.scheme(), "http" | "https")).ok_or_else(refused)?;
        let name = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { name, state: State::Silent("not asked yet".to_owned()), url, looks: VecDeque::new() })
    }

    /// Asks how it is, for as long as a look may take.
    pub(super) fn ask(&self, client: &Client) -> impl Future<Output = Looked> + Send + use<> {
        let (metrics, ready, client) =
            (format!("{}/metrics", self.url), format!("{}/readyz", self.url), client.clone());
        async move {
            let (page, readiness) = tokio::join!(fetch(&client, &metrics), fetch(&client, &ready));
            let (status, page) = page?;
            if status != 200 {
                return Err(format!("its metrics answer {status}"));
            }
            let reading = Reading::of(&page).ok_or("it answers, but not as a server of this kind")?;
            Ok((reading, state(readiness)))
        }
    }

    /// Keeps what a look came to.
    pub(super) fn keep(&mut self, at: Instant, looked: Looked) {
        match looked {
            Ok((reading, state)) => {
                self.state = state;
                self.looks.push_back((at, reading));
                if self.looks.len() > WINDOW {
                    self.looks.pop_front();
                }
            }
            Err(problem) => {
                self.state = State::Silent(problem);
                self.looks.clear();
            }
        }
    }

    /// What goes on there; `None` while it does not answer.
    pub(super) fn figures(&self) -> Option<Figures> {
        let ((began, first), (ended, last)) = (self.looks.front()?, self.looks.back()?);
        Some(last.since(first, ended.duration_since(*began)))
    }

    /// Which release runs there.
    pub(super) fn version(&self) -> Option<&str> {
        self.looks.back().map(|(_, reading)| reading.version.as_str())
    }
}

/// What asks nodes, each of which has so long to answer.
pub(super) fn client(patience: Duration) -> Result<Client, Failure> {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(patience).redirect(Policy::none()).no_proxy().build().map_err(Failure::running)
}

fn state(readiness: Result<(u16, String), String>) -> State {
    let body = |body: &str| serde_json::from_str::<Value>(body).unwrap_or_default();
    match readiness {
        Err(problem) => State::Ailing(problem),
        Ok((200, page)) => match body(&page)["data"]["without"].as_array() {
            Some(without) => {
                let without: Vec<&str> = without.iter().filter_map(Value::as_str).collect();
                State::Ailing(format!("without {}", without.join(", ")))
            }
            None => State::Up,
        },
        Ok((_, page)) => State::Ailing(body(&page)["message"].as_str().unwrap_or("not ready").to_owned()),
    }
}

async fn fetch(client: &Client, url: &str) -> Result<(u16, String), String> {
    let told = |error: reqwest::Error| if error.is_timeout() { "no answer in time" } else { "no answer" }.to_owned();
    let mut answer = client.get(url).send().await.map_err(told)?;
    let (status, mut page) = (answer.status().as_u16(), Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if page.len() + chunk.len() > MAX_PAGE_BYTES {
            return Err("its answer is too long".to_owned());
        }
        page.extend_from_slice(&chunk);
    }
    Ok((status, String::from_utf8_lossy(&page).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::reading::tests::page;
    use super::*;

    #[test]
    fn a_node_goes_by_its_host_and_port() {
        for (url, name) in [
            ("http://10.0.0.1:4000", "10.0.0.1:4000"),
            ("10.0.0.1:4000", "10.0.0.1:4000"),
            ("https://chat.example.com/", "chat.example.com"),
            ("http://[::1]:4000/metrics", "[::1]:4000"),
        ] {
            assert_eq!(Node::at(url).unwrap().name, name);
        }
        for bad in ["", "ftp://a", "http://", "a b:1"] {
            assert!(Node::at(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn who_falls_silent_has_no_figures_until_it_speaks_again() {
        let mut node = Node::at("node:1").unwrap();
        assert_eq!(node.figures(), None);
        let look = |sends| Ok((Reading::of(&page(sends)).unwrap(), State::Up));
        let began = Instant::now();
        node.keep(began, look(10));
        assert_eq!(
            node.figures().map(|figures| figures.sends),
            Some(0.0),
            "one look says what holds, not what goes on"
        );
        for second in 1..=20 {
            node.keep(began + Duration::from_secs(second), look(10 + 7 * u32::try_from(second).unwrap()));
        }
        assert_eq!((node.looks.len(), node.figures().map(|figures| figures.sends)), (WINDOW, Some(7.0)));
        node.keep(began, Err("no answer".to_owned()));
        assert_eq!((node.figures(), node.version()), (None, None));
        assert_eq!(node.state, State::Silent("no answer".to_owned()));
    }

    #[test]
    fn what_a_node_does_without_is_said() {
        let answer = |status, body: &str| state(Ok((status, body.to_owned())));
        assert_eq!(answer(200, r#"{"data": {"status": "ok"}}"#), State::Up);
        let without = r#"{"data": {"status": "degraded", "without": ["redis"]}}"#;
        assert_eq!(answer(200, without), State::Ailing("without redis".to_owned()));
        let unready = answer(503, r#"{"message": "No answer from storage"}"#);
        assert_eq!(unready, State::Ailing("No answer from storage".to_owned()));
        assert_eq!(answer(502, "<html>"), State::Ailing("not ready".to_owned()));
    }
}
