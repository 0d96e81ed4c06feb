//! The link on Redis keeps the promises of a link.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use parlance_cluster_redis::{Options, RedisLink};
use parlance_domain::model::NodeId;
use parlance_link_testkit::{Member, Network, link_contract};

mod support;

use support::redis_url;

/// Channels of a case's own.
struct Channels(String);

static CASES: AtomicU32 = AtomicU32::new(0);

async fn network() -> Channels {
    Channels(format!("contract-{}-{}", std::process::id(), CASES.fetch_add(1, Ordering::Relaxed)))
}

#[async_trait]
impl Network for Channels {
    async fn join(&self, node: NodeId) -> Member {
        let options = Options { node, prefix: self.0.clone() };
        let (link, heard) = RedisLink::connect(&redis_url(), options).await.expect("a URL");
        Member { link, heard }
    }
}

link_contract!(network);
