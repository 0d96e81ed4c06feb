//! A storage seen from both sides: as a world in which people live, and as an archive that is moved.

use std::any::Any;
use std::sync::Arc;

use parlance_domain::model::{ContentHash, Place, Record};
use parlance_domain::ports::{Archive, Begun, RecordSource, Storage};
use parlance_domain::services::{Moved, Moving, Stored};

use super::answers::Answers;
use crate::{Fresh, World};

/// An empty storage that can be moved, made for one case.
pub struct Movable {
    fresh: Fresh,
    archive: Arc<dyn Archive>,
}

impl Movable {
    /// An empty storage.
    pub fn new(storage: impl Storage + Archive + 'static) -> Self {
        let storage = Arc::new(storage);
        Self { archive: storage.clone(), fresh: Fresh::shared(storage) }
    }

    /// Keeps `guard` for as long as the case runs.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { fresh: self.fresh.keeping(guard), ..self }
    }
}

/// A storage with people in it that can be moved.
#[derive(Clone)]
pub struct Depot {
    /// The people.
    pub world: World,
    /// The storage that they are in.
    pub archive: Arc<dyn Archive>,
}

impl Depot {
    /// A storage without people.
    pub fn new(movable: Movable) -> Self {
        let Movable { fresh, archive } = movable;
        Self { world: World::new(fresh), archive }
    }

    /// Another storage without people, whose ids and clock begin where those of this one are.
    #[must_use]
    pub fn beside(&self, movable: Movable) -> Self {
        let Movable { fresh, archive } = movable;
        Self { world: self.world.beside(fresh), archive }
    }

    /// Something of every kind happens in it, the same each time.
    pub async fn live(&self) {
        super::life::live(&self.world).await;
    }

    /// Life goes on for some random steps, the same ones for the same seed.
    pub async fn live_on(&self, seed: u64, steps: usize) {
        super::life::live_on(&self.world, seed, steps).await;
    }

    /// Everything that it answers about those who have lived in it.
    pub async fn answers(&self) -> Answers {
        super::answers::ask(&self.world).await
    }

    /// Everything in it, in order.
    pub async fn records(&self) -> Vec<Record> {
        self.records_after(None).await
    }

    /// Everything after a record, in order.
    pub async fn records_after(&self, after: Option<&Place>) -> Vec<Record> {
        let stored = Stored::new(self.archive.clone());
        let mut reader = stored.read_records(after).await.expect("the storage answers");
        let mut all = Vec::new();
        loop {
            let batch = reader.next_records().await.expect("the storage answers");
            if batch.is_empty() {
                return all;
            }
            all.extend(batch);
        }
    }

    /// Begins a copy into it.
    pub async fn begin(&self, source: ContentHash) -> Begun {
        self.archive.begin_copy(source).await.expect("the storage answers")
    }

    /// Takes a batch in.
    pub async fn take_in(&self, records: &[Record]) {
        self.archive.take_in(records).await.expect("records of a storage can be taken in by another one");
    }

    /// Moves everything into an empty storage.
    pub async fn move_to(&self, target: &Self) -> Moved {
        let (source, target) = (Stored::new(self.archive.clone()), Stored::new(target.archive.clone()));
        let moving = Moving::new(Arc::new(source), Arc::new(target));
        moving.run(&|_| {}).await.expect("a storage can be moved into an empty one")
    }
}
