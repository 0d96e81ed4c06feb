//! The network in memory keeps the promises of a link.

use parlance_link_testkit::{MemoryNetwork, link_contract};

async fn network() -> MemoryNetwork {
    MemoryNetwork::default()
}

link_contract!(network);
