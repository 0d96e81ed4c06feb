//! Keyed deadlines: one timer for any number of keys, each of which has at most one deadline. What
//! becomes of a key when its deadline passes is for the caller to say.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Deadlines of keys.
pub(super) struct Deadlines<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    by_key: HashMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K: Clone + Eq + Hash + Ord> Deadlines<K> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { by_key: HashMap::new(), by_time: BTreeSet::new() }), changed: Notify::new() }
    }

    /// Sets or moves the deadline of `key`.
    pub(super) fn set(&self, key: K, after: Duration) {
        let at = Instant::now() + after;
        let mut state = self.state.lock();
        if let Some(before) = state.by_key.insert(key.clone(), at) {
            state.by_time.remove(&(before, key.clone()));
        }
        state.by_time.insert((at, key));
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the deadline of `key` away. Says whether there was one.
    pub(super) fn cancel(&self, key: &K) -> bool {
        let mut state = self.state.lock();
        let before = state.by_key.remove(key);
        before.is_some_and(|at| state.by_time.remove(&(at, key.clone())))
    }

    /// Waits for the next deadline to pass and hands out its key. For one waiting task.
    pub(super) async fn next(&self) -> K {
        loop {
            let first = {
                let mut state = self.state.lock();
                match state.by_time.first().cloned() {
                    Some((at, key)) if at <= Instant::now() => {
                        state.by_time.pop_first();
                        state.by_key.remove(&key);
                        return key;
                    }
                    first => first.map(|(at, _)| at),
                }
            };
            match first {
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keys_come_out_in_the_order_of_their_latest_deadlines() {
        let deadlines = Deadlines::new();
        deadlines.set("a", Duration::from_secs(1));
        deadlines.set("b", Duration::from_secs(2));
        deadlines.set("c", Duration::from_secs(3));
        deadlines.set("a", Duration::from_secs(5));
        assert!(deadlines.cancel(&"c"));
        assert!(!deadlines.cancel(&"c"));
        let start = Instant::now();
        assert_eq!((deadlines.next().await, start.elapsed().as_secs()), ("b", 2));
        assert_eq!((deadlines.next().await, start.elapsed().as_secs()), ("a", 5));
    }
}
