//! A Redis for tests: the one that was started for all of them, or servers of a test's own that it can stop.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod cluster;
pub(crate) mod sentinel;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parlance_cluster_redis::{Options, connect};
use parlance_domain::model::NodeId;
use parlance_link_testkit::outage::Outage;
use parlance_link_testkit::{Member, Network};
use tokio::time::{sleep, timeout};

/// How long anything may take.
const SOON: Duration = Duration::from_secs(20);

/// The Redis that is for all tests.
pub(crate) fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a Redis (tests/services/run)")
}

/// Channels on a Redis.
pub(crate) struct Channels {
    url: String,
    pub(crate) prefix: String,
}

impl Channels {
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
impl Network for Channels {
    async fn join(&self, node: NodeId) -> Member {
        let options = Options { node, prefix: self.prefix.clone() };
        let (link, heard) = connect(&self.url, options).await.expect("a URL");
        Member { link, heard }
    }
}

/// A server of a test's own, gone with it.
pub(crate) struct OwnRedis {
    pub(crate) port: u16,
    options: Vec<String>,
    password: Option<&'static str>,
    running: Option<Child>,
    folder: tempfile::TempDir,
}

impl OwnRedis {
    pub(crate) async fn start(options: &[&str], password: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = options.iter().map(ToString::to_string).collect();
        let mut redis = Self { port: free_port(), options, password, running: None, folder };
        redis.restart().await;
        redis
    }

    /// Kills it.
    pub(crate) fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("it is ours");
            running.wait().expect("it has ended");
        }
    }

    /// Starts it again, empty, at the same place.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        let port = self.port.to_string();
        let configuration = self.folder.path().join("redis.conf");
        std::fs::write(&configuration, "").expect("a file");
        let child = Command::new("redis-server")
            .arg(&configuration)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(&self.options)
            .args(self.password.iter().flat_map(|password| ["--requirepass", *password, "--masterauth", *password]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.running = Some(child);
        eventually("it listens", || async { tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() })
            .await;
    }

    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(url(self.port, self.password))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await
    }

    pub(crate) async fn tell(&self, command: &[&str]) {
        self.ask::<redis::Value>(command).await.expect("it is done");
    }

    /// Waits until what it answers holds this.
    pub(crate) async fn says(&self, command: &[&str], part: &str) {
        let says = || async { self.ask::<String>(command).await.is_ok_and(|answer| answer.contains(part)) };
        eventually(part, says).await;
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A Redis by itself.
pub(crate) struct OneRedis(OwnRedis);

impl OneRedis {
    pub(crate) async fn start() -> Self {
        Self(OwnRedis::start(&[], None).await)
    }
}

#[async_trait]
impl Network for OneRedis {
    async fn join(&self, node: NodeId) -> Member {
        Channels::called(&url(self.0.port, None), "p").join(node).await
    }
}

#[async_trait]
impl Outage for OneRedis {
    async fn stop(&mut self) {
        self.0.stop();
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }
}

pub(crate) fn url(port: u16, password: Option<&str>) -> String {
    format!("redis://{}127.0.0.1:{port}", password.map(|password| format!(":{password}@")).unwrap_or_default())
}

pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its number").port()
}

/// Waits until something holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, waiting).await.expect(what);
}
