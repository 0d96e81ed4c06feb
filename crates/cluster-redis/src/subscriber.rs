//! The connection that hears. It subscribes to everyone's channel, the node's own, and those of what is followed; it
//! never waits for the node to take what was heard. What there is no room for, what cannot be read, and what may have
//! been said while there was no connection is owned up to with `Heard::Lost`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Topic};
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisError, RedisResult};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::channels::Channels;
use crate::followed::{Difference, Followed};
use crate::health::Health;
use crate::publisher::AGAIN;
use crate::wire::{Said, Spoken, decode};

/// How long connecting, and one command, may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most channels of one command.
const CHANNELS: usize = 500;
/// How often it is looked after whether words get through.
const CHECK: Duration = Duration::from_millis(100);
/// How often it is said that something cannot be read.
const COMPLAIN: Duration = Duration::from_mins(1);

/// Hears what is said.
pub(crate) struct Subscriber {
    client: Client,
    node: NodeId,
    channels: Channels,
    followed: Arc<Followed>,
    heard: mpsc::Sender<Heard>,
    health: Arc<Health>,
    /// Something was missed that the node does not know of.
    missed: bool,
    complained: Option<Instant>,
}

impl Subscriber {
    pub(crate) fn new(
        client: Client,
        node: NodeId,
        channels: Channels,
        followed: Arc<Followed>,
        heard: mpsc::Sender<Heard>,
        health: Arc<Health>,
    ) -> Self {
        Self { client, node, channels, followed, heard, health, missed: false, complained: None }
    }

    /// Hears until the link is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::debug!(%error, "nothing can be heard");
            }
            self.followed.disconnected();
            self.health.broke();
            self.missed = true;
            sleep(AGAIN).await;
        }
    }

    /// Hears until the connection fails.
    async fn hear(&mut self) -> RedisResult<()> {
        let connected = timeout(PATIENCE, self.client.get_async_pubsub()).await.map_err(|_| late())??;
        let (mut sink, mut stream) = connected.split();
        let own = [Topic::Everyone, Topic::Node(self.node)];
        self.tell(&mut sink, &Difference::new(own.to_vec())).await?;
        let mut subscribed = HashSet::new();
        self.bring(&mut sink, &mut subscribed, &self.followed.everything()).await?;
        let mut checks = interval(CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let followed = Arc::clone(&self.followed);
        loop {
            tokio::select! {
                said = next(&mut stream) => self.take(&said?),
                () = followed.differs.notified() => {
                    let difference = followed.difference(&subscribed);
                    self.bring(&mut sink, &mut subscribed, &difference).await?;
                }
                _ = checks.tick() => {
                    self.health.check();
                    self.own_up();
                }
            }
        }
    }

    /// Brings what Redis is told to what is followed.
    async fn bring(
        &self,
        sink: &mut PubSubSink,
        subscribed: &mut HashSet<Topic>,
        difference: &Difference,
    ) -> RedisResult<()> {
        self.tell(sink, difference).await?;
        subscribed.extend(difference.subscribe.iter().cloned());
        for topic in &difference.unsubscribe {
            subscribed.remove(topic);
        }
        self.followed.was_told(difference);
        Ok(())
    }

    /// Subscribes and unsubscribes, and waits until Redis has said so.
    async fn tell(&self, sink: &mut PubSubSink, difference: &Difference) -> RedisResult<()> {
        let names = |topics: &[Topic]| topics.iter().map(|topic| self.channels.name(topic)).collect::<Vec<_>>();
        for topics in difference.subscribe.chunks(CHANNELS) {
            timeout(PATIENCE, sink.subscribe(names(topics))).await.map_err(|_| late())??;
        }
        for topics in difference.unsubscribe.chunks(CHANNELS) {
            timeout(PATIENCE, sink.unsubscribe(names(topics))).await.map_err(|_| late())??;
        }
        Ok(())
    }

    fn take(&mut self, said: &[u8]) {
        match decode(said) {
            Ok(Spoken { node, what: Said::Echo }) if node == self.node => self.health.came_back(),
            Ok(Spoken { node, .. }) if node == self.node => {}
            Ok(Spoken { what: Said::Echo, .. }) => {}
            Ok(Spoken { node, what: Said::Word(word) }) => {
                self.own_up();
                if self.heard.try_send(Heard::Word(node, word)).is_err() {
                    self.missed = true;
                }
            }
            Err(problem) => {
                self.missed = true;
                if self.complained.is_none_or(|at| at.elapsed() > COMPLAIN) {
                    self.complained = Some(Instant::now());
                    tracing::warn!(%problem, "a word of another node cannot be read: what it says is read from the storage");
                }
            }
        }
    }

    /// Says that something was missed, if there is room.
    fn own_up(&mut self) {
        if self.missed && self.heard.try_send(Heard::Lost).is_ok() {
            self.missed = false;
        }
    }
}

async fn next(stream: &mut PubSubStream) -> RedisResult<Vec<u8>> {
    match stream.next().await {
        Some(message) => message.get_payload(),
        None => Err(RedisError::from((redis::ErrorKind::Io, "the connection is gone"))),
    }
}

fn late() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "Redis takes too long"))
}
