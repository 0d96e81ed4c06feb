//! The reference storage: everything behind one mutex, so that each call is one transaction. It is the
//! template for a storage of one's own and the fake in tests; nothing outlives the process.
//!
//! The mutex is never held across an `await`. What the data look like is in `state`, the rules are the
//! domain's; each other file implements one port or one larger method of it.

mod addresses;
mod amend;
mod append;
mod archive;
mod blocks;
mod conversations;
mod errands;
mod history;
mod inbox;
mod media_items;
mod membership;
mod messages;
mod notifications;
mod outbox;
mod receipts;
mod room;
mod search;
mod state;
mod users;

use parking_lot::{Mutex, MutexGuard};

use crate::state::State;

/// A storage that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    state: Mutex<State>,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
