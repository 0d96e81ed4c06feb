//! The connection that publishes. What is said queues, and goes out in order, as much as has queued while the last
//! batch was under way. While there is no connection nothing is kept: it would be old news. Whatever is not brought is
//! noted, and everybody is told to look into the storage as soon as somebody can be told anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlance_domain::model::NodeId;
use parlance_domain::ports::{Topic, Word};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::channels::Channels;
use crate::health::{ECHO, Health};
use crate::wire::{Said, encode};

/// The most words that wait.
const CAPACITY: usize = 8_192;
/// The most that go out together.
const BATCH: usize = 256;
/// How long connecting, and bringing a batch, may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long after a connection that failed the next one is tried.
pub(crate) const AGAIN: Duration = Duration::from_millis(200);

/// Something to be published.
pub(crate) enum Queued {
    Word(Topic, Word),
    /// To be answered when everything before it is out.
    Flush(oneshot::Sender<()>),
}

/// The end at which words go in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Words {
    queue: mpsc::Sender<Queued>,
    lost: Arc<AtomicBool>,
}

/// A queue of words.
pub(crate) fn words() -> (Words, mpsc::Receiver<Queued>) {
    let (queue, queued) = mpsc::channel(CAPACITY);
    (Words { queue, lost: Arc::default() }, queued)
}

impl Words {
    /// Queues something, if there is room.
    pub(crate) fn say(&self, said: Queued) {
        if self.queue.try_send(said).is_err() {
            self.lost.store(true, Ordering::Release);
        }
    }
}

/// Publishes what is queued.
pub(crate) struct Publisher {
    client: Client,
    node: NodeId,
    channels: Channels,
    queued: mpsc::Receiver<Queued>,
    lost: Arc<AtomicBool>,
    health: Arc<Health>,
}

impl Publisher {
    pub(crate) fn new(
        client: Client,
        node: NodeId,
        channels: Channels,
        queued: mpsc::Receiver<Queued>,
        words: Words,
        health: Arc<Health>,
    ) -> Self {
        Self { client, node, channels, queued, lost: words.lost, health }
    }

    /// Publishes until the link is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let failed = match self.connect().await {
                Ok(connection) => self.publish(connection).await,
                Err(error) => Err(error),
            };
            match failed {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "nothing can be published"),
            }
            self.health.broke();
            self.lost.store(true, Ordering::Release);
            self.forget_until(Instant::now() + AGAIN).await;
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Publishes until the connection fails; `Ok` when nobody can say anything any more.
    async fn publish(&mut self, mut connection: MultiplexedConnection) -> RedisResult<()> {
        let mut echoes = interval(ECHO);
        echoes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let mut pipe = redis::pipe();
            // A queue that is never empty must not keep the echo away.
            tokio::select! {
                biased;
                _ = echoes.tick() => {
                    self.put(&mut pipe, &Topic::Node(self.node), &Said::Echo);
                }
                count = self.queued.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
            }
            if self.lost.swap(false, Ordering::AcqRel) {
                self.put(&mut pipe, &Topic::Everyone, &Said::Word(Word::Look));
            }
            let mut flushed = Vec::new();
            for queued in batch.drain(..) {
                match queued {
                    Queued::Word(topic, word) => self.put(&mut pipe, &topic, &Said::Word(word)),
                    Queued::Flush(done) => flushed.push(done),
                }
            }
            if !pipe.is_empty() {
                pipe.query_async::<()>(&mut connection).await?;
            }
            for done in flushed {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }

    fn put(&self, pipe: &mut redis::Pipeline, topic: &Topic, said: &Said) {
        if let Some(bytes) = encode(self.node, said) {
            pipe.publish(self.channels.name(topic), bytes).ignore();
        }
    }

    /// Throws away what is said until then.
    async fn forget_until(&mut self, then: Instant) {
        let mut old = Vec::new();
        loop {
            tokio::select! {
                () = sleep_until(then) => return,
                count = self.queued.recv_many(&mut old, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    old.clear();
                }
            }
        }
    }
}
