//! The event bus of a single node: a bounded channel to its delivery. Several nodes need an adapter.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::event::Event;
use crate::ports::{BusClosed, EventBus};

/// A bus that ends in this process.
pub struct LocalBus {
    queue: mpsc::Sender<Arc<Event>>,
}

impl LocalBus {
    /// A bus, and the end at which its events come out. At most `capacity` events wait there; publishing the next
    /// one waits for room.
    pub fn new(capacity: usize) -> (Arc<Self>, mpsc::Receiver<Arc<Event>>) {
        let (queue, events) = mpsc::channel(capacity);
        (Arc::new(Self { queue }), events)
    }
}

#[async_trait]
impl EventBus for LocalBus {
    async fn publish(&self, event: Arc<Event>) -> Result<(), BusClosed> {
        self.queue.send(event).await.map_err(|_| BusClosed)
    }
}
