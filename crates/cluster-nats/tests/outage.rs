//! A NATS that goes and comes back, one that is not there, one whose place another server takes, and what it refuses.

mod support;

use std::sync::Arc;

use parlance_cluster_nats::{Options, connect};
use parlance_domain::event::{Event, ProductAudience};
use parlance_domain::model::{NodeId, ProductEvent};
use parlance_domain::ports::{Heard, Topic, Word};
use parlance_link_testkit::outage::{self, health};
use parlance_link_testkit::{Member, Network};
use support::{OneNats, OwnNats, Subjects, TwoNats, heard_across, nats_url};

fn here(name: &str) -> Word {
    Word::Here(name.parse().expect("a valid id"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_everything_is_followed_again_and_everybody_looks() {
    outage::everything_is_followed_again_and_everybody_looks(OneNats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_is_not_there_yet_is_waited_for_in_the_background() {
    outage::what_is_not_there_yet_is_waited_for_in_the_background(OneNats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_server_of_several_is_gone_the_next_one_is_used() {
    outage::everything_is_followed_again_and_everybody_looks(TwoNats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_different_servers_of_a_cluster_hear_each_other() {
    let servers = TwoNats::start().await;
    let (one, mut two) = (servers.join_at(0, "p").await, servers.join_at(1, "p").await);
    assert_eq!(heard_across(&one, &mut two).await, Heard::Word(one.link.node(), Word::WhoIsHere));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_with_different_prefixes_do_not_hear_each_other() {
    let (ours, others) = (Subjects::of_their_own(&nats_url()), Subjects::of_their_own(&nats_url()));
    let (one, other) = (ours.join(NodeId(1)).await, others.join(NodeId(2)).await);
    let mut two = ours.join(NodeId(2)).await;
    other.link.say(&Topic::Everyone, here("other"));
    other.link.close().await;
    one.link.say(&Topic::Everyone, here("one"));
    assert_eq!(two.word().await, (NodeId(1), here("one")));
}

/// A word that the server does not take would cost the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_for_the_server_is_left_out_and_owned_up_to() {
    let server = OwnNats::start_with("max_payload: 4096").await;
    let join = async |node| Subjects::called(&server.url(), "p").join(NodeId(node)).await;
    let (one, mut two): (Member, Member) = (join(1).await, join(2).await);
    let long = ProductEvent::new("order:update", Some(format!("\"{}\"", "x".repeat(5_000)))).expect("valid");
    let event = Event::Product { event: long, to: ProductAudience::Everyone };
    one.link.say(&Topic::Everyone, here("before"));
    one.link.say(&Topic::Everyone, Word::Event(Arc::new(event)));
    one.link.say(&Topic::Everyone, here("after"));
    let heard = [two.word().await.1, two.word().await.1, two.word().await.1];
    assert_eq!(heard, [here("before"), here("after"), Word::Look]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_wants_to_know_who_is_there() {
    let server = OwnNats::start_with("authorization { user: me, password: \"hu@sh\" }").await;
    let known = Subjects::called(&server.url().replace("//", "//me:hu%40sh@"), "p").join(NodeId(1)).await;
    health(&known.link, true).await;
    let unknown = Subjects::called(&server.url().replace("//", "//me:wrong@"), "p").join(NodeId(2)).await;
    assert!(!*unknown.link.health().borrow());

    let server = OwnNats::start_with("authorization { token: hush }").await;
    let known = Subjects::called(&server.url().replace("//", "//:hush@"), "p").join(NodeId(1)).await;
    health(&known.link, true).await;
}

#[tokio::test]
async fn what_is_no_url_is_refused_without_its_password() {
    let options = Options { node: NodeId(1), prefix: "p".to_owned() };
    let refused = connect("http://me:hush@nats", options).await.err().expect("it is refused");
    let cause = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(!format!("{refused} {cause:?}").contains("hush"));
}
