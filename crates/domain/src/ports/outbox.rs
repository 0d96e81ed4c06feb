//! The outbox of webhooks: events that are written together with the changes that they tell of, and wait in lanes until
//! they are delivered. Whoever delivers claims a lane for a while, so that of several nodes one does at a time.
//! Which events a change makes is `rules::webhooks`' to say, how they are delivered `services::webhooks`'.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{NewWebhook, Timestamp, WebhookId, WebhookKind, WebhookKinds, WebhookSubject};

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Identity: no two events of a storage have the same, and none has it again later.
    pub id: WebhookId,
    /// What happened.
    pub kind: WebhookKind,
    /// To what.
    pub subject: WebhookSubject,
    /// When.
    pub at: Timestamp,
    /// Until when it is tried (`rules::retrying::give_up_at`).
    pub give_up_at: Timestamp,
}

/// What somebody who delivers asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxClaim {
    /// The present moment: only lanes that are due are handed out.
    pub now: Timestamp,
    /// How long they are this claim's alone.
    pub until: Timestamp,
    /// At most so many lanes; at least 1.
    pub lanes: usize,
    /// Of each at most so many events, the oldest; at least 1.
    pub events: usize,
}

/// A lane that is somebody's for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedLane {
    /// Which.
    pub lane: String,
    /// Until when: by this its holder is known.
    pub until: Timestamp,
    /// How often its first event has failed.
    pub failures: u32,
    /// Its first events, in the order in which they were written.
    pub events: Vec<WebhookEvent>,
}

/// An event that is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// Which.
    pub id: WebhookId,
    /// When.
    pub at: Timestamp,
    /// How often it was tried.
    pub failures: u32,
    /// What went wrong the last time, in a line.
    pub problem: String,
}

/// What became of a claimed lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledLane {
    /// Which.
    pub lane: String,
    /// The claim's end, by which its holder is known.
    pub until: Timestamp,
    /// Events that were delivered.
    pub delivered: Vec<WebhookId>,
    /// Events that are given up.
    pub buried: Vec<Buried>,
    /// When the lane is due again, if anything is left in it.
    pub due: Timestamp,
    /// How often its first event has failed.
    pub failures: u32,
}

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: WebhookEvent,
    /// When it was given up.
    pub buried_at: Timestamp,
    /// How often it was tried.
    pub failures: u32,
    /// What went wrong the last time.
    pub problem: String,
}

/// How much is in an outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Events that wait, those that are being delivered included.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
}

/// A storage's outbox.
///
/// Every change that makes an event of a wanted kind (`rules::webhooks::Wanted`) writes it in its own transaction: it is
/// there if and only if the change is. Events of a lane keep the order in which their changes happened. What a copy
/// brings in makes no events, and neither events nor dead letters are part of a copy.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// From now on changes that are made through this value, or clones of it, write events of these kinds; until then
    /// of none.
    fn want(&self, kinds: WebhookKinds);

    /// Writes events that belong to no stored change, whatever is wanted, in their order and all or none.
    async fn add(&self, events: Vec<NewWebhook>) -> StorageResult<()>;

    /// Claims lanes that are due, those first that have been for the longest, and hands out their first events. A lane
    /// is due when an event is the first in it, when the moment has come that it was settled for, and when its claim
    /// has ended without being settled. Of several at once each lane goes to one.
    async fn claim(&self, claim: OutboxClaim) -> StorageResult<Vec<ClaimedLane>>;

    /// Ends claims, each lane as a whole: what was delivered goes, what is given up becomes a dead letter, and the rest
    /// is due again. Nothing of that happens to a lane whose claim has ended and that somebody else has claimed, or that
    /// is settled already.
    async fn settle(&self, lanes: Vec<SettledLane>) -> StorageResult<()>;

    /// Makes every lane due that waits for its moment; with `claimed` also those that are somebody's, whose claims end
    /// by that. The failures of a lane are kept.
    async fn wake(&self, now: Timestamp, claimed: bool) -> StorageResult<()>;

    /// How much there is.
    async fn count_webhooks(&self) -> StorageResult<OutboxCounts>;

    /// Dead letters in the order of their ids, after this one; at most `limit`.
    async fn list_dead_letters(&self, after: Option<WebhookId>, limit: usize) -> StorageResult<Vec<DeadLetter>>;

    /// Puts those of these back that are dead letters: each is before everything else in its lane, is due, and tried
    /// for as long as a new one. Says how many.
    async fn retry_dead_letters(&self, ids: &[WebhookId], now: Timestamp) -> StorageResult<u64>;

    /// Removes those of these that are dead letters, for good. Says how many.
    async fn drop_dead_letters(&self, ids: &[WebhookId]) -> StorageResult<u64>;
}
