//! The connection that hears. It subscribes to everyone's topic, the node's own, and those of what is followed; it never
//! waits for the node to take what was heard. What there is no room for, what cannot be read, and what may have been said
//! while there was no connection is owned up to with `Heard::Lost`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Topic};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::broker::{Broker, BrokerError, Hearing};
use crate::followed::{Difference, Followed};
use crate::health::Health;
use crate::publisher::{AGAIN, CONNECTING};
use crate::seldom::Seldom;
use crate::wire::{Said, Spoken, decode};

/// How long subscribing to [`TOPICS`] may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most topics that are subscribed to at a time.
const TOPICS: usize = 500;
/// How often it is looked after whether words get through.
const CHECK: Duration = Duration::from_millis(100);
/// How long nothing that this node says to itself may come back before another connection is made: the server may no
/// longer be the one to which words go, and a connection to a machine that is gone says nothing of it.
const SILENCE: Duration = Duration::from_secs(3);

/// Hears what is said.
pub(crate) struct Subscriber<B> {
    broker: Arc<B>,
    node: NodeId,
    followed: Arc<Followed>,
    heard: mpsc::Sender<Heard>,
    health: Arc<Health>,
    /// Something was missed that the node does not know of.
    missed: bool,
    /// When the node's own word was last heard, or could not have been.
    echoed: Instant,
    broken: Seldom,
    unreadable: Seldom,
}

impl<B: Broker> Subscriber<B> {
    pub(crate) fn new(
        broker: Arc<B>,
        node: NodeId,
        followed: Arc<Followed>,
        heard: mpsc::Sender<Heard>,
        health: Arc<Health>,
    ) -> Self {
        let (broken, unreadable) = (Seldom::default(), Seldom::default());
        Self { broker, node, followed, heard, health, missed: false, echoed: Instant::now(), broken, unreadable }
    }

    /// Hears until the link is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(error) = self.hear().await
                && self.broken.is_due()
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "nothing can be heard of other nodes");
            }
            self.followed.disconnected();
            self.health.broke();
            self.missed = true;
            sleep(AGAIN).await;
        }
    }

    /// Hears until the connection fails.
    async fn hear(&mut self) -> Result<(), BrokerError> {
        let connecting = timeout(CONNECTING, self.broker.hearing()).await;
        let mut connection = connecting.map_err(|_| BrokerError::late())??;
        self.echoed = Instant::now();
        let own = [Topic::Everyone, Topic::Node(self.node)];
        tell(&mut connection, &Difference::new(own.to_vec())).await?;
        let mut subscribed = HashSet::new();
        let everything = self.followed.everything();
        self.bring(&mut connection, &mut subscribed, &everything).await?;
        let mut checks = interval(CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let followed = Arc::clone(&self.followed);
        loop {
            tokio::select! {
                said = connection.next() => self.take(&said?),
                () = followed.differs.notified() => {
                    let difference = followed.difference(&subscribed);
                    self.bring(&mut connection, &mut subscribed, &difference).await?;
                }
                _ = checks.tick() => {
                    self.health.check();
                    self.own_up();
                    if self.echoed.elapsed() > SILENCE {
                        return Err(BrokerError::new("what this node says to itself does not come back"));
                    }
                }
            }
        }
    }

    /// Brings what the broker is told to what is followed.
    async fn bring(
        &mut self,
        connection: &mut B::Hearing,
        subscribed: &mut HashSet<Topic>,
        difference: &Difference,
    ) -> Result<(), BrokerError> {
        let began = Instant::now();
        tell(connection, difference).await?;
        subscribed.extend(difference.subscribe.iter().cloned());
        for topic in &difference.unsubscribe {
            subscribed.remove(topic);
        }
        self.followed.was_told(difference);
        // Nothing was taken meanwhile, and it may have been much to tell.
        self.echoed += began.elapsed();
        Ok(())
    }

    fn take(&mut self, said: &[u8]) {
        match decode(said) {
            Ok(Spoken { node, what: Said::Echo }) if node == self.node => {
                self.echoed = Instant::now();
                self.health.came_back();
            }
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
                if self.unreadable.is_due() {
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

/// Subscribes and unsubscribes, and waits until that holds.
async fn tell(connection: &mut impl Hearing, difference: &Difference) -> Result<(), BrokerError> {
    for topics in difference.subscribe.chunks(TOPICS) {
        timeout(PATIENCE, connection.subscribe(topics)).await.map_err(|_| BrokerError::late())??;
    }
    for topics in difference.unsubscribe.chunks(TOPICS) {
        timeout(PATIENCE, connection.unsubscribe(topics)).await.map_err(|_| BrokerError::late())??;
    }
    Ok(())
}
