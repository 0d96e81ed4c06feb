//! A node's end of the link, and how it is made. What runs beside it ends when it is dropped.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Link, Topic, Word};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::broker::Broker;
use crate::followed::Followed;
use crate::health::Health;
use crate::publisher::{Publisher, Queued, Words, words};
use crate::subscriber::Subscriber;

/// The most things heard that wait for the node.
const HEARD: usize = 16_384;
/// How long the first connection may take before the node goes on without.
const FIRST: Duration = Duration::from_secs(2);
/// How long what was said may take to be brought at the end.
const FLUSH: Duration = Duration::from_millis(500);

/// How a link is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// This node; drawn at random, so that no two of an installation have the same.
    pub node: NodeId,
    /// What topics are called after: an installation's own, since others may use the same broker.
    pub prefix: String,
}

/// A link over a broker.
pub struct BrokerLink {
    node: NodeId,
    words: Words,
    followed: Arc<Followed>,
    health: Arc<Health>,
    _tasks: JoinSet<()>,
}

impl BrokerLink {
    /// Connects a node. A broker that is not there is waited for in the background, for good: what else the node does
    /// needs none. What is heard comes out at the second part.
    pub async fn connect(broker: impl Broker, node: NodeId) -> (Arc<Self>, mpsc::Receiver<Heard>) {
        let broker = Arc::new(broker);
        let (followed, health) = (Arc::new(Followed::default()), Arc::new(Health::default()));
        let (heard, hears) = mpsc::channel(HEARD);
        let (words, queued) = words();
        let mut tasks = JoinSet::new();
        let publisher = Publisher::new(Arc::clone(&broker), node, queued, words.clone(), Arc::clone(&health));
        tasks.spawn(publisher.run());
        let subscriber = Subscriber::new(Arc::clone(&broker), node, Arc::clone(&followed), heard, Arc::clone(&health));
        tasks.spawn(subscriber.run());
        let mut up = health.subscribe();
        if timeout(FIRST, up.wait_for(|up| *up)).await.is_err() {
            tracing::error!("{} does not answer: this node goes on alone until it does", broker.name());
        }
        (Arc::new(Self { node, words, followed, health, _tasks: tasks }), hears)
    }
}

#[async_trait]
impl Link for BrokerLink {
    fn node(&self) -> NodeId {
        self.node
    }

    fn say(&self, topic: &Topic, word: Word) {
        self.words.say(Queued::Word(topic.clone(), word));
    }

    fn follow(&self, topics: Vec<Topic>) {
        self.followed.follow(topics);
    }

    fn unfollow(&self, topics: Vec<Topic>) {
        self.followed.unfollow(topics);
    }

    async fn settled(&self) {
        self.followed.settled().await;
    }

    fn health(&self) -> watch::Receiver<bool> {
        self.health.subscribe()
    }

    async fn close(&self) {
        let (done, flushed) = oneshot::channel();
        self.words.say(Queued::Flush(done));
        // A link that is down brings nothing any more, and nobody can do anything about it.
        let _ = timeout(FLUSH, flushed).await;
    }
}
