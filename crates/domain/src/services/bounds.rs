//! The limits of messages and groups that hold now. An operator may change them while services run; whoever asks gets
//! all of them as they are at one moment, and judges with those to the end.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::rules::Limits;

/// Limits that may change; all clones see the same.
#[derive(Clone)]
pub(super) struct Bounds(Arc<ArcSwap<Limits>>);

impl Bounds {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(limits)))
    }

    /// What holds now.
    pub(super) fn now(&self) -> Limits {
        **self.0.load()
    }

    /// Lets others hold.
    pub(super) fn change(&self, limits: Limits) {
        self.0.store(Arc::new(limits));
    }
}
