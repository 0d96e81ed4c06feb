//! A storage seen from both sides: as a world in which people live, and as an outbox that somebody empties.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use parlance_domain::model::{Timestamp, WebhookId, WebhookKind, WebhookKinds, WebhookSubject};
use parlance_domain::ports::{
    Buried, ClaimedLane, DeadLetter, Outbox, OutboxClaim, OutboxCounts, SettledLane, Storage, WebhookEvent,
};

use crate::{Fresh, World};

/// An empty storage with an outbox, made for one case.
pub struct Posting {
    fresh: Fresh,
    outbox: Arc<dyn Outbox>,
}

impl Posting {
    /// An empty storage.
    pub fn new(storage: impl Storage + Outbox + 'static) -> Self {
        let storage = Arc::new(storage);
        Self { outbox: storage.clone(), fresh: Fresh::shared(storage) }
    }

    /// Keeps `guard` for as long as the case runs.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { fresh: self.fresh.keeping(guard), ..self }
    }
}

/// A storage with people in it, and its outbox.
#[derive(Clone)]
pub struct Office {
    // Fields drop in order: the storage goes before what the world keeps for it.
    outbox: Arc<dyn Outbox>,
    /// The people.
    pub world: World,
}

impl Office {
    /// How long a claim lasts here.
    pub const LEASE: Duration = Duration::from_hours(1);

    /// An office without people, which nobody has told to write anything.
    pub fn new(posting: Posting) -> Self {
        Self { outbox: posting.outbox, world: World::new(posting.fresh) }
    }

    /// The port.
    pub fn outbox(&self) -> &dyn Outbox {
        &*self.outbox
    }

    /// From now on everything is written.
    pub fn want_all(&self) {
        self.outbox.want(WebhookKinds::all());
    }

    /// Claims up to `lanes` lanes now, with up to `events` of each.
    pub async fn claim_at(&self, now: Timestamp, lanes: usize, events: usize) -> Vec<ClaimedLane> {
        let claim = OutboxClaim { now, until: now.plus(Self::LEASE), lanes, events };
        self.outbox.claim(claim).await.expect("the storage answers")
    }

    /// Claims everything that is due.
    pub async fn claim_all(&self) -> Vec<ClaimedLane> {
        self.claim_at(self.world.now(), 1_000, 1_000).await
    }

    /// Ends claims.
    pub async fn settle(&self, lanes: Vec<SettledLane>) {
        self.outbox.settle(lanes).await.expect("the storage answers");
    }

    /// How much there is.
    pub async fn counts(&self) -> (u64, u64) {
        let OutboxCounts { waiting, dead } = self.outbox.count_webhooks().await.expect("the storage answers");
        (waiting, dead)
    }

    /// All dead letters, a page of two at a time.
    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.outbox.list_dead_letters(after, 2).await.expect("the storage answers");
            assert!(page.len() <= 2, "a page has its limit");
            let Some(last) = page.last() else { return all };
            after = Some(last.event.id);
            all.extend(page);
        }
    }
}

/// A claim that ends: its first `delivered` events were delivered, and the rest is due at `due`.
pub(super) fn delivered(claimed: &ClaimedLane, delivered: usize, due: Timestamp) -> SettledLane {
    SettledLane {
        lane: claimed.lane.clone(),
        until: claimed.until,
        delivered: ids(&claimed.events[..delivered]),
        buried: Vec::new(),
        due,
        failures: 0,
    }
}

/// Nobody takes this event.
pub(super) fn bury(event: &WebhookEvent, at: Timestamp) -> Buried {
    Buried { id: event.id, at, failures: 7, problem: "the receiver said \"no\"".to_owned() }
}

pub(super) fn ids(events: &[WebhookEvent]) -> Vec<WebhookId> {
    events.iter().map(|event| event.id).collect()
}

/// What happened, and to what.
pub(super) fn told(events: &[WebhookEvent]) -> Vec<(WebhookKind, WebhookSubject)> {
    events.iter().map(|event| (event.kind, event.subject.clone())).collect()
}
