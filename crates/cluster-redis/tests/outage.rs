//! A Redis that goes and comes back, one that is not there, one that is not read, and what is no word of ours.

use std::time::Duration;

use parlance_cluster_redis::{Options, RedisLink};
use parlance_domain::model::{ConversationId, NodeId};
use parlance_domain::ports::{Heard, Topic, Word};
use tokio::time::Instant;

mod support;

use support::{OwnRedis, health, join, lost, redis_url};

const ROOM: Topic = Topic::Conversation(ConversationId::from_bytes([1; 12]));

fn here(name: &str) -> Word {
    Word::Here(name.parse().expect("a valid id"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_everything_is_followed_again_and_everybody_looks() {
    let mut redis = OwnRedis::start().await;
    let (one, mut two) = (join(&redis.url(), "p", 1).await, join(&redis.url(), "p", 2).await);
    two.link.follow(vec![ROOM]);
    two.link.settled().await;
    one.link.say(&ROOM, here("before"));
    assert_eq!(two.word().await.1, here("before"));
    redis.stop();
    health(&one.link, false).await;
    health(&two.link, false).await;
    one.link.say(&ROOM, here("meanwhile"));
    // Nobody waits for a link that is down.
    two.link.follow(vec![Topic::Conversation(ConversationId::from_bytes([2; 12]))]);
    let start = Instant::now();
    two.link.settled().await;
    assert!(start.elapsed() < Duration::from_millis(500));
    redis.restart().await;
    health(&one.link, true).await;
    health(&two.link, true).await;
    lost(&mut two).await;
    for (n, topic) in [ROOM, Topic::Conversation(ConversationId::from_bytes([2; 12]))].iter().enumerate() {
        one.link.say(topic, here(&n.to_string()));
        loop {
            match two.hear().await {
                Heard::Word(_, Word::Look) | Heard::Lost => {}
                Heard::Word(_, word) => {
                    break assert_eq!(word, here(&n.to_string()), "what was said meanwhile is old news");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_not_there_yet_is_waited_for_in_the_background() {
    let mut redis = OwnRedis::start().await;
    redis.stop();
    let mut one = join(&redis.url(), "p", 1).await;
    assert!(!*one.link.health().borrow());
    one.link.follow(vec![ROOM]);
    one.link.settled().await;
    redis.restart().await;
    health(&one.link, true).await;
    let two = join(&redis.url(), "p", 2).await;
    two.link.say(&ROOM, here("hello"));
    loop {
        if let Heard::Word(_, word @ Word::Here(_)) = one.hear().await {
            break assert_eq!(word, here("hello"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_word_of_this_version_is_passed_over_and_owned_up_to() {
    let prefix = format!("garbage-{}", std::process::id());
    let (one, mut two) = (join(&redis_url(), &prefix, 1).await, join(&redis_url(), &prefix, 2).await);
    let client = redis::Client::open(redis_url()).expect("a URL");
    let mut stranger = client.get_multiplexed_async_connection().await.expect("Redis answers");
    let next_version = [2, 1, 1, 1];
    for noise in [&b""[..], b"hello", b"\x01\xff\xff\xff\xff\xff\xff", &next_version] {
        let heard: usize = redis::cmd("PUBLISH")
            .arg(format!("{prefix}:all"))
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
    let id = std::process::id();
    let (one, other) =
        (join(&redis_url(), &format!("a-{id}"), 1).await, join(&redis_url(), &format!("b-{id}"), 2).await);
    let mut two = join(&redis_url(), &format!("a-{id}"), 2).await;
    other.link.say(&Topic::Everyone, here("other"));
    other.link.close().await;
    one.link.say(&Topic::Everyone, here("one"));
    assert_eq!(two.word().await, (NodeId(1), here("one")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_before_closing_is_brought() {
    let prefix = format!("closing-{}", std::process::id());
    let (one, mut two) = (join(&redis_url(), &prefix, 1).await, join(&redis_url(), &prefix, 2).await);
    for n in 0..500 {
        one.link.say(&Topic::Everyone, here(&n.to_string()));
    }
    one.link.say(&Topic::Everyone, Word::Farewell);
    one.link.close().await;
    drop(one);
    for n in 0..500 {
        assert_eq!(two.word().await.1, here(&n.to_string()));
    }
    assert_eq!(two.word().await.1, Word::Farewell);
}

#[tokio::test]
async fn what_is_no_url_is_refused_without_its_password() {
    let options = Options { node: NodeId(1), prefix: "p".to_owned() };
    let refused = RedisLink::connect("http://me:hush@redis", options).await.err().expect("it is refused");
    let cause = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(!format!("{refused} {cause:?}").contains("hush"));
}
