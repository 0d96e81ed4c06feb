//! The event bus of a single node: a bounded channel to its delivery, and a window for onlookers such as
//! bots. Several nodes need an adapter.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc};

use crate::event::Event;
use crate::ports::{BusClosed, EventBus};

/// The most events that an onlooker may be behind before it misses some.
const WINDOW: usize = 1_024;

/// A bus that ends in this process.
pub struct LocalBus {
    delivery: mpsc::Sender<Arc<Event>>,
    onlookers: broadcast::Sender<Arc<Event>>,
}

impl LocalBus {
    /// A bus, and the end at which its events come out. At most `capacity` events wait there; publishing the next
    /// one waits for room.
    pub fn new(capacity: usize) -> (Arc<Self>, mpsc::Receiver<Arc<Event>>) {
        let (delivery, events) = mpsc::channel(capacity);
        let (onlookers, _) = broadcast::channel(WINDOW);
        (Arc::new(Self { delivery, onlookers }), events)
    }

    /// Every event from now on, for somebody who only looks on: whoever falls 1,024 events behind misses the oldest
    /// and is told so by the channel. Nobody waits for an onlooker.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Event>> {
        self.onlookers.subscribe()
    }
}

#[async_trait]
impl EventBus for LocalBus {
    async fn publish(&self, event: Arc<Event>) -> Result<(), BusClosed> {
        if self.onlookers.receiver_count() > 0 {
            // Fails only if the last onlooker has just gone.
            let _ = self.onlookers.send(event.clone());
        }
        self.delivery.send(event).await.map_err(|_| BusClosed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PresenceAudience;

    fn online(name: &str) -> Arc<Event> {
        let user_id = name.parse().expect("a valid id");
        Arc::new(Event::UserOnline { user_id, audience: PresenceAudience::Everyone })
    }

    #[tokio::test]
    async fn a_slow_onlooker_misses_events_and_delivery_does_not() {
        let (bus, mut events) = LocalBus::new(4_000);
        let mut onlooker = bus.watch();
        for n in 0..2_000 {
            bus.publish(online(&n.to_string())).await.expect("there is room");
        }
        assert!(matches!(onlooker.recv().await, Err(broadcast::error::RecvError::Lagged(missed)) if missed > 0));
        for n in 0..2_000 {
            assert_eq!(events.recv().await, Some(online(&n.to_string())));
        }
    }
}
