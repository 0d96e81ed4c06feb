//! A limiter's buckets, in a place of their own: the limiter knows how to let one through or to refuse it, and what
//! is let through elsewhere has to come out of the same buckets without being asked.

use std::sync::Arc;

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};

use crate::model::UserId;

/// Everybody's bucket. Cheap to clone; clones are the same buckets.
#[derive(Clone, Default)]
pub(super) struct Buckets(Arc<DashMapStateStore<UserId>>);

impl StateStore for Buckets {
    type Key = UserId;

    fn measure_and_replace<T, F, E>(&self, key: &UserId, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, f)
    }
}

impl ShrinkableKeyedStateStore<UserId> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&*self.0, drop_below);
    }

    fn len(&self) -> usize {
        ShrinkableKeyedStateStore::len(&*self.0)
    }

    fn is_empty(&self) -> bool {
        ShrinkableKeyedStateStore::is_empty(&*self.0)
    }
}
