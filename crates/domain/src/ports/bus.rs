//! How events reach the nodes whose sockets they concern.

use std::sync::Arc;

use async_trait::async_trait;

use crate::event::Event;

/// Nobody listens any more: the process is going down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event bus is closed")]
pub struct BusClosed;

/// Carries domain events to every node; each encodes for its own sockets.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Hands an event over. Events that one task publishes one after the other reach this node's delivery in that
    /// order, each once. Waits while the delivery is behind (back-pressure); an error says that the node goes down.
    async fn publish(&self, event: Arc<Event>) -> Result<(), BusClosed>;
}
