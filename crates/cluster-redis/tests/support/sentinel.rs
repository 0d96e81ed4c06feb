//! A Redis with a replica, and a Sentinel that watches them; all want a password.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use async_trait::async_trait;
use parlance_domain::model::NodeId;
use parlance_link_testkit::outage::Outage;
use parlance_link_testkit::{Member, Network};

use super::{Channels, OwnRedis, eventually, free_port, url};

const PASSWORD: &str = "hush";

/// Two servers and a Sentinel of a test's own, gone with it.
pub(crate) struct OwnSentinel {
    primary: OwnRedis,
    _replica: OwnRedis,
    sentinel: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl OwnSentinel {
    pub(crate) async fn start() -> Self {
        let primary = OwnRedis::start(&["--repl-diskless-sync-delay", "0"], Some(PASSWORD)).await;
        let replica = OwnRedis::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)], Some(PASSWORD)).await;
        replica.says(&["INFO", "replication"], "master_link_status:up").await;
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let servers = Self {
            sentinel: watch(&primary, folder.path().join("sentinel.conf"), port),
            primary,
            _replica: replica,
            port,
            _folder: folder,
        };
        let client = redis::Client::open(url(port, Some(PASSWORD))).expect("a URL");
        let knows_both = || async {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
            let replicas = redis::cmd("SENTINEL").arg("REPLICAS").arg("chat").to_owned();
            replicas.query_async::<Vec<redis::Value>>(&mut connection).await.is_ok_and(|found| found.len() == 1)
        };
        eventually("the Sentinel knows both", knows_both).await;
        servers
    }

    pub(crate) fn channels(&self) -> Channels {
        Channels::of_their_own(&self.url())
    }

    fn url(&self) -> String {
        format!("redis+sentinel://:{PASSWORD}@127.0.0.1:{}/chat", self.port)
    }
}

/// One Sentinel decides alone, and soon.
fn watch(primary: &OwnRedis, file: PathBuf, port: u16) -> Child {
    let configuration = format!(
        "port {port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\n\
         sentinel monitor chat 127.0.0.1 {} 1\nsentinel auth-pass chat {PASSWORD}\n\
         sentinel down-after-milliseconds chat 500\nsentinel failover-timeout chat 2000\n",
        primary.port
    );
    std::fs::write(&file, configuration).expect("a file");
    Command::new("redis-server")
        .arg(file)
        .arg("--sentinel")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

impl Drop for OwnSentinel {
    fn drop(&mut self) {
        self.sentinel.kill().expect("it is ours");
        self.sentinel.wait().expect("it has ended");
    }
}

#[async_trait]
impl Network for OwnSentinel {
    async fn join(&self, node: NodeId) -> Member {
        Channels::called(&self.url(), "p").join(node).await
    }
}

#[async_trait]
impl Outage for OwnSentinel {
    async fn stop(&mut self) {
        self.primary.stop();
    }

    /// The replica takes its place.
    async fn restart(&mut self) {}
}
