//! What runs beside a relay's own work, and when it is time for more of it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::reading::Found;
use crate::error::Result;
use crate::event::Event;
use crate::model::{ConversationId, NodeId};
use crate::ports::CallAnswer;

/// When a conversation is read again that could not be.
pub(super) const RETRY: Duration = Duration::from_millis(500);
/// What becomes of reading a conversation.
pub(super) type Read = (ConversationId, Result<Found>);
/// What becomes of a look into the storage.
pub(super) type Looked = Result<Vec<Event>>;
/// What becomes of a step that another node asked for; nobody waits for some.
pub(super) type Stepped = Option<(NodeId, u64, CallAnswer)>;

/// What runs beside.
pub(super) struct Beside {
    pub(super) reads: FuturesUnordered<BoxFuture<'static, Read>>,
    pub(super) looks: FuturesUnordered<BoxFuture<'static, Looked>>,
    pub(super) steps: FuturesUnordered<BoxFuture<'static, Stepped>>,
    pub(super) looked: Instant,
    pub(super) look_wanted: bool,
    pub(super) beat: Instant,
    pub(super) again: Instant,
    pub(super) was_up: bool,
}

impl Beside {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            reads: FuturesUnordered::new(),
            looks: FuturesUnordered::new(),
            steps: FuturesUnordered::new(),
            looked: now,
            look_wanted: false,
            beat: now,
            again: now,
            was_up: false,
        }
    }

    /// What a look into the storage has found; it is looked again where it failed.
    pub(super) fn looked(&mut self, looked: Looked) -> Vec<Arc<Event>> {
        match looked {
            Ok(events) => events.into_iter().map(Arc::new).collect(),
            Err(error) => {
                tracing::warn!(%error, "what other nodes did cannot be read yet");
                self.look_wanted = true;
                self.looked = Instant::now() + RETRY;
                Vec::new()
            }
        }
    }
}
