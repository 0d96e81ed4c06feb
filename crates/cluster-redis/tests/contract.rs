//! The link on Redis keeps the promises of a link.

mod support;

use parlance_link_testkit::link_contract;
use support::Channels;

async fn network() -> Channels {
    Channels::of_their_own(&support::redis_url())
}

link_contract!(network);
