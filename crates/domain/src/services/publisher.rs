//! Publishing as services do it: what is stored is stored, so a bus that is closed is only noted.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::event::Event;
use crate::ports::EventBus;

/// Hands events to the bus.
#[derive(Clone)]
pub(super) struct Publisher {
    bus: Arc<dyn EventBus>,
    /// Whoever looks for webhooks when something has happened.
    watcher: Option<Arc<Notify>>,
}

impl Publisher {
    pub(super) fn new(bus: Arc<dyn EventBus>) -> Self {
        Self { bus, watcher: None }
    }

    /// The same; somebody else hears that something has happened, whatever it was.
    pub(super) fn watched_by(self, watcher: Arc<Notify>) -> Self {
        Self { watcher: Some(watcher), ..self }
    }

    pub(super) async fn publish(&self, event: Event) {
        if let Some(watcher) = &self.watcher {
            watcher.notify_one();
        }
        if self.bus.publish(Arc::new(event)).await.is_err() {
            // Clients that are still connected reconnect and catch up with `sync`.
            tracing::debug!("event not delivered: the node is going down");
        }
    }
}
