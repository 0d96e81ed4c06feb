//! The link on NATS keeps the promises of a link.

mod support;

use parlance_link_testkit::link_contract;
use support::Subjects;

async fn network() -> Subjects {
    Subjects::of_their_own(&support::nats_url())
}

link_contract!(network);
