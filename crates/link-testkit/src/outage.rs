//! What a link over a broker does when that goes away and comes back, or another one takes its place.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::{ConversationId, NodeId};
use parlance_domain::ports::{Heard, Link, Topic, Word};
use tokio::time::{Instant, timeout};

use crate::network::{Member, Network};

/// How long anything may take.
const SOON: Duration = Duration::from_secs(20);

/// A network over something that can go away.
#[async_trait]
pub trait Outage: Network {
    /// What brings words is gone, at once and without a word.
    async fn stop(&mut self);

    /// It is back, or its place is taken, or is about to be.
    async fn restart(&mut self);
}

fn room(n: u8) -> Topic {
    Topic::Conversation(ConversationId::from_bytes([n; 12]))
}

fn here(name: &str) -> Word {
    Word::Here(name.parse().expect("a valid id"))
}

/// Waits until words get through, or no longer do.
pub async fn health(link: &Arc<dyn Link>, up: bool) {
    let mut health = link.health();
    timeout(SOON, health.wait_for(|now| *now == up)).await.expect("it notices").expect("it is open");
}

/// Waits until it is heard that something was missed; what was heard before that.
pub async fn lost(member: &mut Member) -> Vec<Heard> {
    let mut before = Vec::new();
    loop {
        match member.hear().await {
            Heard::Lost => return before,
            heard @ Heard::Word(..) => before.push(heard),
        }
    }
}

/// The next word but those that say that something was missed.
async fn news(member: &mut Member) -> Word {
    loop {
        match member.hear().await {
            Heard::Word(_, Word::Look) | Heard::Lost => {}
            Heard::Word(_, word) => return word,
        }
    }
}

/// Both ends notice, nobody waits meanwhile, and afterwards everything that is followed is heard again.
pub async fn everything_is_followed_again_and_everybody_looks(mut network: impl Outage) {
    let (one, mut two) = (network.join(NodeId(1)).await, network.join(NodeId(2)).await);
    two.link.follow(vec![room(1)]);
    two.link.settled().await;
    one.link.say(&room(1), here("before"));
    assert_eq!(two.word().await.1, here("before"));
    network.stop().await;
    health(&one.link, false).await;
    health(&two.link, false).await;
    one.link.say(&room(1), here("meanwhile"));
    // Nobody waits for a link that is down.
    two.link.follow(vec![room(2)]);
    let start = Instant::now();
    two.link.settled().await;
    assert!(start.elapsed() < Duration::from_millis(500));
    network.restart().await;
    health(&one.link, true).await;
    health(&two.link, true).await;
    lost(&mut two).await;
    two.link.settled().await;
    for n in 1..=2 {
        one.link.say(&room(n), here(&n.to_string()));
        assert_eq!(news(&mut two).await, here(&n.to_string()), "what was said meanwhile is old news");
    }
}

/// A link comes about without what brings its words, and is up when that is there.
pub async fn what_is_not_there_yet_is_waited_for_in_the_background(mut network: impl Outage) {
    network.stop().await;
    let mut one = network.join(NodeId(1)).await;
    assert!(!*one.link.health().borrow());
    one.link.follow(vec![room(1)]);
    one.link.settled().await;
    network.restart().await;
    health(&one.link, true).await;
    let two = network.join(NodeId(2)).await;
    two.link.say(&room(1), here("hello"));
    assert_eq!(news(&mut one).await, here("hello"));
}
