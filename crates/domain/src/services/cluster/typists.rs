//! Who types, between nodes. Words may be lost and nodes killed, so what another node said of somebody typing holds for
//! a short time only, and a node says it again as long as it is so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Event;
use crate::model::{ConversationId, User, UserId};

/// How often it is said again that somebody types.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
/// How long it holds.
const HOLDS: Duration = Duration::from_secs(5);
/// The most people elsewhere of whom it is known.
const MAX_THEIRS: usize = 10_000;

type Key = (ConversationId, UserId);

/// Who types, here and elsewhere.
#[derive(Debug, Default)]
pub(super) struct Typists {
    ours: HashMap<Key, Arc<Event>>,
    theirs: HashMap<Key, (User, Instant)>,
}

impl Typists {
    /// Takes notice of what happened here; as many as the domain lets type.
    pub(super) fn here(&mut self, event: &Arc<Event>) {
        match &**event {
            Event::TypingStarted { conversation_id, user } => {
                self.ours.insert((*conversation_id, user.id.clone()), Arc::clone(event));
            }
            Event::TypingStopped { conversation_id, user } => {
                self.ours.remove(&(*conversation_id, user.id.clone()));
            }
            _ => {}
        }
    }

    /// What is to be said again.
    pub(super) fn again(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.ours.values()
    }

    /// Something happened elsewhere; whether it is news.
    pub(super) fn elsewhere(&mut self, event: &Event, now: Instant) -> bool {
        match event {
            Event::TypingStarted { conversation_id, user } => {
                let key = (*conversation_id, user.id.clone());
                if self.theirs.len() >= MAX_THEIRS && !self.theirs.contains_key(&key) {
                    return false;
                }
                self.theirs.insert(key, (user.clone(), now + HOLDS)).is_none()
            }
            Event::TypingStopped { conversation_id, user } => {
                self.theirs.remove(&(*conversation_id, user.id.clone())).is_some()
            }
            _ => true,
        }
    }

    /// Whose typing nobody has said again.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Event> {
        let expired = self.theirs.extract_if(|_, (_, until)| *until <= now);
        expired.map(|((conversation_id, _), (user, _))| Event::TypingStopped { conversation_id, user }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn typing_elsewhere_is_told_once_and_ends_by_itself() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        let user = User::nameless("ann".parse().expect("a valid id"));
        let conversation_id = ConversationId::from_bytes([9; 12]);
        let started = Event::TypingStarted { conversation_id, user: user.clone() };
        let stopped = Event::TypingStopped { conversation_id, user };
        assert!(typists.elsewhere(&started, start));
        assert!(!typists.elsewhere(&started, start + AGAIN), "said again");
        assert_eq!(typists.expired(start + HOLDS), []);
        assert_eq!(typists.expired(start + AGAIN + HOLDS), std::slice::from_ref(&stopped));
        assert!(!typists.elsewhere(&stopped, start + AGAIN + HOLDS), "it has ended");
        assert!(typists.elsewhere(&started, start + AGAIN + HOLDS));
        assert!(typists.elsewhere(&stopped, start + AGAIN + HOLDS));
    }
}
