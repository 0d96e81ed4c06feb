//! Sentinels and Redis Cluster: both keep the promises of a link, and when a server is killed its successor is found.
//! Servers are dear to start, so all cases run in one test.

mod support;

use parlance_link_testkit::{link_cases, outage};
use support::cluster::OwnCluster;
use support::sentinel::OwnSentinel;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_sentinels_name_keeps_the_promises_and_its_successor_is_found() {
    let servers = OwnSentinel::start().await;
    let network = || async { servers.channels() };
    link_cases!(network);
    outage::everything_is_followed_again_and_everybody_looks(servers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_cluster_keeps_the_promises_and_the_successor_of_a_node_is_found() {
    let servers = OwnCluster::start().await;
    let network = || async { servers.channels() };
    link_cases!(network);
    outage::everything_is_followed_again_and_everybody_looks(servers).await;
}
