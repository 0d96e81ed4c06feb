//! A bounded cache that never keeps what was read before a change: a value loaded while something was
//! forgotten is used once and not kept. Without that, a slow read could put a removed participant back.

use std::hash::Hash;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;

/// When a load began, seen from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(u64);

/// A cache from `K` to `V`.
pub(super) struct FreshCache<K, V> {
    entries: Cache<K, V>,
    /// How often something was forgotten. Forgetting is rare (membership and profile changes), so one counter for
    /// all keys costs nothing but a few loads that are not kept.
    changes: Mutex<u64>,
}

impl<K, V> FreshCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Holds at most `capacity` entries, each for at most `ttl`.
    pub(super) fn new(capacity: u64, ttl: Duration) -> Self {
        Self { entries: Cache::builder().max_capacity(capacity).time_to_live(ttl).build(), changes: Mutex::new(0) }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.entries.get(key)
    }

    /// To be taken before a load, and handed to [`keep`](Self::keep) after it.
    pub(super) fn seen(&self) -> Seen {
        Seen(*self.changes.lock())
    }

    /// Keeps a loaded value, unless something was forgotten since the load began.
    pub(super) fn keep(&self, seen: Seen, key: K, value: V) {
        let changes = self.changes.lock();
        if *changes == seen.0 {
            self.entries.insert(key, value);
        }
    }

    /// Forgets everything, and keeps loads that are under way from coming in.
    pub(super) fn forget_all(&self) {
        let mut changes = self.changes.lock();
        *changes += 1;
        self.entries.invalidate_all();
    }

    /// Forgets a key, and keeps loads that are under way from coming in.
    pub(super) fn forget(&self, key: &K) {
        let mut changes = self.changes.lock();
        *changes += 1;
        self.entries.invalidate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_loaded_before_a_change_is_not_kept() {
        let cache = FreshCache::new(10, Duration::from_mins(1));
        let seen = cache.seen();
        cache.forget(&"group");
        cache.keep(seen, "group", "with the removed one");
        assert_eq!(cache.get(&"group"), None);
        cache.keep(cache.seen(), "group", "as it is now");
        assert_eq!(cache.get(&"group"), Some("as it is now"));
    }
}
