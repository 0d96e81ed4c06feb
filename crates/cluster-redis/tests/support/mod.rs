//! A Redis for tests: the one that was started for all of them, or one of a test's own that it can stop.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parlance_cluster_redis::{Options, RedisLink};
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Link};
use parlance_link_testkit::Member;
use tokio::time::timeout;

/// How long anything may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The Redis that is for all tests.
pub(crate) fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a Redis (tests/services/run)")
}

/// A Redis of a test's own, gone with it.
pub(crate) struct OwnRedis {
    port: u16,
    running: Option<Child>,
    folder: tempfile::TempDir,
}

impl OwnRedis {
    pub(crate) async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        let mut redis = Self { port, running: None, folder: tempfile::tempdir().expect("a folder") };
        redis.restart().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
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
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.running = Some(child);
        let answers = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, answers).await.expect("it listens");
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A node on a Redis.
pub(crate) async fn join(url: &str, prefix: &str, node: u32) -> Member {
    let options = Options { node: NodeId(node), prefix: prefix.to_owned() };
    let (link, heard) = RedisLink::connect(url, options).await.expect("a URL");
    Member { link, heard }
}

/// Waits until words get through, or no longer do.
pub(crate) async fn health(link: &Arc<dyn Link>, up: bool) {
    let mut health = link.health();
    timeout(SOON, health.wait_for(|now| *now == up)).await.expect("it notices").expect("it is open");
}

/// Waits until it is heard that something was missed; what was heard before that.
pub(crate) async fn lost(member: &mut Member) -> Vec<Heard> {
    let mut before = Vec::new();
    loop {
        match member.hear().await {
            Heard::Lost => return before,
            heard @ Heard::Word(..) => before.push(heard),
        }
    }
}
