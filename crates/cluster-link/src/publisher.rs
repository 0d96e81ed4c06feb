//! The connection that publishes. What is said queues, and goes out in order, as much as has queued while the last
//! batch was under way. While there is no connection nothing is kept: it would be old news. Whatever is not brought is
//! noted, and everybody is told to look into the storage as soon as somebody can be told anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Topic, Word};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::broker::{Broker, BrokerError, Publishing};
use crate::health::{ECHO, Health};
use crate::seldom::Seldom;
use crate::wire::{Said, encode};

/// The most words that wait.
const CAPACITY: usize = 8_192;
/// The most that go out together.
const BATCH: usize = 256;
/// How long bringing a batch may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long connecting may take. Finding the server that is in charge may be a part of it.
pub(crate) const CONNECTING: Duration = Duration::from_secs(3);
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
pub(crate) struct Publisher<B> {
    broker: Arc<B>,
    node: NodeId,
    queued: mpsc::Receiver<Queued>,
    lost: Arc<AtomicBool>,
    health: Arc<Health>,
    complaint: Seldom,
}

impl<B: Broker> Publisher<B> {
    pub(crate) fn new(
        broker: Arc<B>,
        node: NodeId,
        queued: mpsc::Receiver<Queued>,
        words: Words,
        health: Arc<Health>,
    ) -> Self {
        Self { broker, node, queued, lost: words.lost, health, complaint: Seldom::default() }
    }

    /// Publishes until the link is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let failed = match self.connect().await {
                Ok(connection) => self.publish(connection).await,
                Err(error) => Err(error),
            };
            let Err(error) = failed else { return };
            if self.complaint.is_due() {
                tracing::warn!(error = &error as &dyn std::error::Error, "nothing can be said to other nodes");
            }
            self.health.broke();
            self.lost.store(true, Ordering::Release);
            self.forget_until(Instant::now() + AGAIN).await;
        }
    }

    async fn connect(&self) -> Result<B::Publishing, BrokerError> {
        timeout(CONNECTING, self.broker.publishing()).await.map_err(|_| BrokerError::late())?
    }

    /// Publishes until the connection fails; `Ok` when nobody can say anything any more.
    async fn publish(&mut self, mut connection: B::Publishing) -> Result<(), BrokerError> {
        let mut echoes = interval(ECHO);
        echoes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let most = connection.max_word_bytes();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let mut words = Vec::new();
            // A queue that is never empty must not keep the echo away.
            tokio::select! {
                biased;
                _ = echoes.tick() => {
                    self.put(&mut words, most, Topic::Node(self.node), &Said::Echo);
                }
                count = self.queued.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
            }
            if self.lost.swap(false, Ordering::AcqRel) {
                self.put(&mut words, most, Topic::Everyone, &Said::Word(Word::Look));
            }
            let mut flushed = Vec::new();
            for queued in batch.drain(..) {
                match queued {
                    Queued::Word(topic, word) => self.put(&mut words, most, topic, &Said::Word(word)),
                    Queued::Flush(done) => flushed.push(done),
                }
            }
            if !words.is_empty() {
                timeout(PATIENCE, connection.publish(words)).await.map_err(|_| BrokerError::late())??;
            }
            for done in flushed {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }

    fn put(&self, words: &mut Vec<(Topic, Bytes)>, most: usize, topic: Topic, said: &Said) {
        match encode(self.node, said) {
            Some(bytes) if bytes.len() <= most => words.push((topic, bytes.into())),
            // It is owned up to with the next batch, which the echo brings if nothing else does.
            _ => self.lost.store(true, Ordering::Release),
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
