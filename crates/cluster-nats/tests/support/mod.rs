//! A NATS for tests: the one that was started for all of them, or servers of a test's own that it can stop.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parlance_cluster_nats::{Options, connect};
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Topic, Word};
use parlance_link_testkit::outage::Outage;
use parlance_link_testkit::{Member, Network};
use tokio::time::{sleep, timeout};

/// How long anything may take.
const SOON: Duration = Duration::from_secs(20);

/// The NATS that is for all tests.
pub(crate) fn nats_url() -> String {
    std::env::var("TEST_NATS_URL").expect("TEST_NATS_URL names a NATS (tests/services/run)")
}

/// Subjects on a NATS.
pub(crate) struct Subjects {
    url: String,
    prefix: String,
}

impl Subjects {
    /// That nobody else is on.
    pub(crate) fn of_their_own(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { url: url.to_owned(), prefix }
    }

    pub(crate) fn called(url: &str, prefix: &str) -> Self {
        Self { url: url.to_owned(), prefix: prefix.to_owned() }
    }
}

#[async_trait]
impl Network for Subjects {
    async fn join(&self, node: NodeId) -> Member {
        let options = Options { node, prefix: self.prefix.clone() };
        let (link, heard) = connect(&self.url, options).await.expect("a URL");
        Member { link, heard }
    }
}

/// A server of a test's own, gone with it.
pub(crate) struct OwnNats {
    port: u16,
    configuration: String,
    running: Option<Child>,
    folder: tempfile::TempDir,
}

impl OwnNats {
    pub(crate) async fn start_with(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut nats = Self { port: free_port(), configuration: configuration.to_owned(), running: None, folder };
        nats.restart().await;
        nats
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub(crate) fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("it is ours");
            running.wait().expect("it has ended");
        }
    }

    /// Starts it again at the same place.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        let file = self.folder.path().join("nats.conf");
        std::fs::write(&file, &self.configuration).expect("a file");
        let server = std::env::var("TEST_NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let child = Command::new(server)
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--config"])
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed");
        self.running = Some(child);
        let answers = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, answers).await.expect("it listens");
    }
}

impl Drop for OwnNats {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A NATS by itself.
pub(crate) struct OneNats(OwnNats);

impl OneNats {
    pub(crate) async fn start() -> Self {
        Self(OwnNats::start_with("").await)
    }
}

#[async_trait]
impl Network for OneNats {
    async fn join(&self, node: NodeId) -> Member {
        Subjects::called(&self.0.url(), "p").join(node).await
    }
}

#[async_trait]
impl Outage for OneNats {
    async fn stop(&mut self) {
        self.0.stop();
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }
}

/// A cluster of two servers.
pub(crate) struct TwoNats([OwnNats; 2]);

impl TwoNats {
    pub(crate) async fn start() -> Self {
        let routes = [free_port(), free_port()];
        let configuration = |n: usize| {
            let (own, other) = (routes[n], routes[1 - n]);
            format!("cluster {{ name: test, listen: \"127.0.0.1:{own}\", routes: [\"nats://127.0.0.1:{other}\"] }}")
        };
        let servers = [OwnNats::start_with(&configuration(0)).await, OwnNats::start_with(&configuration(1)).await];
        let two = Self(servers);
        // They know each other when a word crosses.
        let (one, mut other) = (two.join_at(0, "first").await, two.join_at(1, "first").await);
        heard_across(&one, &mut other).await;
        two
    }

    /// A node that knows one of them alone, and has its number.
    pub(crate) async fn join_at(&self, server: u32, prefix: &str) -> Member {
        Subjects::called(&self.0[server as usize].url(), prefix).join(NodeId(server + 1)).await
    }
}

/// What a node on one server hears first of a node on another one that says something again and again: servers tell each
/// other in a moment what is subscribed to.
pub(crate) async fn heard_across(one: &Member, other: &mut Member) -> Heard {
    let crosses = async {
        loop {
            one.link.say(&Topic::Everyone, Word::WhoIsHere);
            if let Ok(Some(heard)) = timeout(Duration::from_millis(50), other.heard.recv()).await {
                return heard;
            }
        }
    };
    timeout(SOON, crosses).await.expect("servers find each other")
}

#[async_trait]
impl Network for TwoNats {
    async fn join(&self, node: NodeId) -> Member {
        let [first, second] = &self.0;
        let url = format!("nats://127.0.0.1:{},127.0.0.1:{}", first.port, second.port);
        Subjects::called(&url, "p").join(node).await
    }
}

#[async_trait]
impl Outage for TwoNats {
    async fn stop(&mut self) {
        self.0[0].stop();
    }

    /// The other one is there.
    async fn restart(&mut self) {}
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its number").port()
}
