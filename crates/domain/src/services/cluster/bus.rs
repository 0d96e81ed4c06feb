//! The event bus of a node among others: what is published goes to this node's delivery first, and then, without
//! waiting, onto the link. A link that is slow or down changes nothing for this node's own sockets.

use std::sync::Arc;

use async_trait::async_trait;

use super::topic::topic_of;
use crate::event::Event;
use crate::ports::{BusClosed, EventBus, Link, Word};
use crate::services::LocalBus;

/// A bus that reaches other nodes as well.
pub struct ClusterBus {
    local: Arc<LocalBus>,
    link: Arc<dyn Link>,
}

impl ClusterBus {
    /// A bus that hands events to `local`, and to those who hear `link`.
    pub fn new(local: Arc<LocalBus>, link: Arc<dyn Link>) -> Arc<Self> {
        Arc::new(Self { local, link })
    }
}

#[async_trait]
impl EventBus for ClusterBus {
    async fn publish(&self, event: Arc<Event>) -> Result<(), BusClosed> {
        self.local.publish(Arc::clone(&event)).await?;
        if let Some(topic) = topic_of(&event) {
            self.link.say(&topic, Word::Event(event));
        }
        Ok(())
    }
}
