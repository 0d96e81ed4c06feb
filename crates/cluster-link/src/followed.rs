//! What this node wants to hear of, what the broker has been told of it, and who waits for the two to be the same.

use std::collections::HashSet;

use parking_lot::Mutex;
use parlance_domain::ports::Topic;
use tokio::sync::{Notify, watch};

#[derive(Debug, Default)]
struct State {
    wanted: HashSet<Topic>,
    /// What has changed since the broker was told last.
    changed: HashSet<Topic>,
    /// Counts changes.
    version: u64,
}

/// How far the broker has been told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    version: u64,
    connected: bool,
}

/// What is to be told to the broker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) subscribe: Vec<Topic>,
    pub(crate) unsubscribe: Vec<Topic>,
    version: u64,
}

impl Difference {
    /// What every connection is told first.
    pub(crate) fn new(subscribe: Vec<Topic>) -> Self {
        Self { subscribe, ..Self::default() }
    }
}

/// What is followed.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    state: Mutex<State>,
    /// Wakes the subscriber.
    pub(crate) differs: Notify,
    told: watch::Sender<Told>,
}

impl Followed {
    pub(crate) fn follow(&self, topics: Vec<Topic>) {
        self.change(topics, HashSet::insert);
    }

    pub(crate) fn unfollow(&self, topics: Vec<Topic>) {
        self.change(topics, |wanted, topic| wanted.remove(&topic));
    }

    fn change(&self, topics: Vec<Topic>, change: impl Fn(&mut HashSet<Topic>, Topic) -> bool) {
        if topics.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for topic in topics {
            if change(&mut state.wanted, topic.clone()) {
                state.changed.insert(topic);
            }
        }
        state.version += 1;
        drop(state);
        self.differs.notify_one();
    }

    /// What has changed since this was asked last, for a connection that was told of `subscribed` so far.
    pub(crate) fn difference(&self, subscribed: &HashSet<Topic>) -> Difference {
        let mut state = self.state.lock();
        let changed: Vec<Topic> = state.changed.drain().collect();
        let (wanted, unwanted): (Vec<Topic>, Vec<Topic>) =
            changed.into_iter().partition(|topic| state.wanted.contains(topic));
        Difference {
            subscribe: wanted.into_iter().filter(|topic| !subscribed.contains(topic)).collect(),
            unsubscribe: unwanted.into_iter().filter(|topic| subscribed.contains(topic)).collect(),
            version: state.version,
        }
    }

    /// All that is followed, for a connection that was told nothing yet.
    pub(crate) fn everything(&self) -> Difference {
        let mut state = self.state.lock();
        state.changed.clear();
        Difference {
            subscribe: state.wanted.iter().cloned().collect(),
            unsubscribe: Vec::new(),
            version: state.version,
        }
    }

    /// The broker was told of a difference.
    pub(crate) fn was_told(&self, difference: &Difference) {
        self.told.send_replace(Told { version: difference.version, connected: true });
    }

    /// The connection is gone.
    pub(crate) fn disconnected(&self) {
        self.told.send_modify(|told| told.connected = false);
    }

    /// Waits until the broker was told of everything that is followed by now, or nothing can be told to it.
    pub(crate) async fn settled(&self) {
        let version = self.state.lock().version;
        let mut told = self.told.subscribe();
        // It ends with this struct, which whoever waits holds.
        let _ = told.wait_for(|told| !told.connected || told.version >= version).await;
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::model::ConversationId;

    use super::*;

    fn topic(n: u8) -> Topic {
        Topic::Conversation(ConversationId::from_bytes([n; 12]))
    }

    #[test]
    fn only_what_differs_from_what_was_told_is_told() {
        let followed = Followed::default();
        followed.follow(vec![topic(1), topic(2)]);
        followed.unfollow(vec![topic(2)]);
        let mut subscribed = HashSet::new();
        assert_eq!(followed.difference(&subscribed).subscribe, [topic(1)]);
        subscribed.insert(topic(1));
        followed.unfollow(vec![topic(1)]);
        followed.follow(vec![topic(1)]);
        let difference = followed.difference(&subscribed);
        assert!(difference.subscribe.is_empty() && difference.unsubscribe.is_empty());
        followed.unfollow(vec![topic(1), topic(9)]);
        assert_eq!(followed.difference(&subscribed).unsubscribe, [topic(1)]);
        assert!(followed.everything().subscribe.is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_let_go_when_it_is_told_or_cannot_be() {
        let followed = Followed::default();
        followed.settled().await;
        followed.was_told(&followed.everything());
        followed.follow(vec![topic(1)]);
        let mut waits = Box::pin(followed.settled());
        assert!(futures::poll!(&mut waits).is_pending());
        followed.was_told(&followed.difference(&HashSet::new()));
        waits.await;
        followed.follow(vec![topic(2)]);
        let mut waits = Box::pin(followed.settled());
        assert!(futures::poll!(&mut waits).is_pending());
        followed.disconnected();
        waits.await;
    }
}
