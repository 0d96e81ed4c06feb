//! Publishing as services do it: what is stored is stored, so a bus that is closed is only noted.

use std::sync::Arc;

use crate::event::Event;
use crate::ports::EventBus;

/// Hands events to the bus.
#[derive(Clone)]
pub(super) struct Publisher {
    bus: Arc<dyn EventBus>,
}

impl Publisher {
    pub(super) fn new(bus: Arc<dyn EventBus>) -> Self {
        Self { bus }
    }

    pub(super) async fn publish(&self, event: Event) {
        if self.bus.publish(Arc::new(event)).await.is_err() {
            // Clients that are still connected reconnect and catch up with `sync`.
            tracing::debug!("event not delivered: the node is going down");
        }
    }
}
