//! A Redis Cluster of three nodes, the first of which has a replica.

use async_trait::async_trait;
use parlance_domain::model::NodeId;
use parlance_link_testkit::outage::Outage;
use parlance_link_testkit::{Member, Network};

use super::{Channels, OwnRedis, free_port};

/// The slots of the nodes.
const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
/// Its slot, of which the test makes sure, is the first node's.
const ON_THE_FIRST: &str = "p0";

/// Servers of a test's own, gone with it.
pub(crate) struct OwnCluster {
    nodes: Vec<OwnRedis>,
    prefix: String,
}

impl OwnCluster {
    pub(crate) async fn start() -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..4 {
            let bus = free_port().to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "1000"];
            nodes.push(OwnRedis::start(&[&options[..], &["--repl-diskless-sync-delay", "0"]].concat(), None).await);
            buses.push(bus);
        }
        for (n, (first, last)) in SLOTS.iter().enumerate() {
            nodes[n].tell(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
            nodes[n].tell(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]).await;
        }
        for (node, bus) in nodes.iter().zip(&buses).skip(1) {
            nodes[0].tell(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]).await;
        }
        for node in &nodes {
            node.says(&["CLUSTER", "INFO"], "cluster_known_nodes:4").await;
        }
        let first: String = nodes[0].ask(&["CLUSTER", "MYID"]).await.expect("a name");
        nodes[3].tell(&["CLUSTER", "REPLICATE", &first]).await;
        for node in &nodes {
            node.says(&["CLUSTER", "INFO"], "cluster_state:ok").await;
            node.says(&["CLUSTER", "NODES"], "slave").await;
        }
        nodes[3].says(&["INFO", "replication"], "master_link_status:up").await;
        let mut prefix = ON_THE_FIRST.to_owned();
        while nodes[0].ask::<u16>(&["CLUSTER", "KEYSLOT", &prefix]).await.expect("a slot") > 5460 {
            prefix.push('x');
        }
        Self { nodes, prefix }
    }

    pub(crate) fn channels(&self) -> Channels {
        Channels::of_their_own(&self.url())
    }

    fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{}", hosts.join(","))
    }
}

#[async_trait]
impl Network for OwnCluster {
    async fn join(&self, node: NodeId) -> Member {
        Channels::called(&self.url(), &self.prefix).join(node).await
    }
}

#[async_trait]
impl Outage for OwnCluster {
    async fn stop(&mut self) {
        self.nodes[0].stop();
    }

    /// Its replica takes its place.
    async fn restart(&mut self) {}
}
