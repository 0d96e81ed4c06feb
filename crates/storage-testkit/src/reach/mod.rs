//! What a storage must pass that has the ports `Addresses` and `Errands`. Not every storage has them, so they have a list
//! of their own.

pub mod cases;
mod contract;

use std::any::Any;
use std::sync::Arc;

use parlance_domain::ports::{Addresses, Errands, Storage};

use crate::{Fresh, World};

/// An empty storage that keeps what channels need, made for one case.
pub struct Reachable {
    fresh: Fresh,
    addresses: Arc<dyn Addresses>,
    errands: Arc<dyn Errands>,
}

impl Reachable {
    /// An empty storage.
    pub fn new(storage: impl Storage + Addresses + Errands + 'static) -> Self {
        let storage = Arc::new(storage);
        Self { addresses: storage.clone(), errands: storage.clone(), fresh: Fresh::shared(storage) }
    }

    /// Keeps `guard` for as long as the case runs.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { fresh: self.fresh.keeping(guard), ..self }
    }
}

/// A storage with people in it who can be reached.
#[derive(Clone)]
pub struct Country {
    /// The people.
    pub world: World,
    /// Where they are reached.
    pub addresses: Arc<dyn Addresses>,
    /// What they are to be told.
    pub errands: Arc<dyn Errands>,
}

impl Country {
    /// A storage without people.
    pub fn new(reachable: Reachable) -> Self {
        let Reachable { fresh, addresses, errands } = reachable;
        Self { world: World::new(fresh), addresses, errands }
    }
}
