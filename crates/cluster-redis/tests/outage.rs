//! A Redis that goes and comes back, one that is not there, and what is no word of ours.

mod support;

use parlance_cluster_redis::{Options, connect};
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Topic, Word};
use parlance_link_testkit::Network;
use parlance_link_testkit::outage::{self, lost};
use support::{Channels, OneRedis, redis_url};

fn here(name: &str) -> Word {
    Word::Here(name.parse().expect("a valid id"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_everything_is_followed_again_and_everybody_looks() {
    outage::everything_is_followed_again_and_everybody_looks(OneRedis::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_not_there_yet_is_waited_for_in_the_background() {
    outage::what_is_not_there_yet_is_waited_for_in_the_background(OneRedis::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_word_of_this_version_is_passed_over_and_owned_up_to() {
    let channels = Channels::of_their_own(&redis_url());
    let (one, mut two) = (channels.join(NodeId(1)).await, channels.join(NodeId(2)).await);
    let client = redis::Client::open(redis_url()).expect("a URL");
    let mut stranger = client.get_multiplexed_async_connection().await.expect("Redis answers");
    let next_version = [3, 1, 1, 1];
    for noise in [&b""[..], b"hello", b"\x02\xff\xff\xff\xff\xff\xff", &next_version] {
        let heard: usize = redis::cmd("PUBLISH")
            .arg(format!("{}:all", channels.prefix))
            .arg(noise)
            .query_async(&mut stranger)
            .await
            .expect("it is published");
        assert_eq!(heard, 2, "both nodes hear it");
        assert_eq!(lost(&mut two).await, []);
    }
    one.link.say(&Topic::Everyone, here("still here"));
    assert_eq!(two.word().await.1, here("still here"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_with_different_prefixes_do_not_hear_each_other() {
    let (ours, others) = (Channels::of_their_own(&redis_url()), Channels::of_their_own(&redis_url()));
    let (one, other) = (ours.join(NodeId(1)).await, others.join(NodeId(2)).await);
    let mut two = ours.join(NodeId(2)).await;
    other.link.say(&Topic::Everyone, here("other"));
    other.link.close().await;
    one.link.say(&Topic::Everyone, here("one"));
    assert_eq!(two.word().await, (NodeId(1), here("one")));
}

#[tokio::test]
async fn what_is_no_url_is_refused_without_its_password() {
    let options = Options { node: NodeId(1), prefix: "p".to_owned() };
    let refused = connect("http://me:hush@redis", options).await.err().expect("it is refused");
    let cause = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(!format!("{refused} {cause:?}").contains("hush"));
}
