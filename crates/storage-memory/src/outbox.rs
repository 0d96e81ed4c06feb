//! The outbox: events in lanes, and dead letters. Ids are counted, so a lane's events are in the order of their ids; an
//! event that is put back keeps its id, and with it its place.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use parlance_domain::model::{NewWebhook, Timestamp, WebhookId, WebhookKinds};
use parlance_domain::ports::{
    ClaimedLane, DeadLetter, Outbox, OutboxClaim, OutboxCounts, SettledLane, StorageResult, WebhookEvent,
};
use parlance_domain::rules::retrying::give_up_at;
use parlance_domain::rules::webhooks::Wanted;

use crate::MemoryStorage;

/// What waits, and what was given up.
#[derive(Debug, Default)]
pub(crate) struct Post {
    pub(crate) wanted: Wanted,
    lanes: HashMap<String, Lane>,
    dead: BTreeMap<WebhookId, DeadLetter>,
    written: u64,
}

/// Events that are delivered one after the other; never empty.
#[derive(Debug)]
struct Lane {
    events: BTreeMap<WebhookId, WebhookEvent>,
    due: Timestamp,
    failures: u32,
    /// It is somebody's until it is due.
    claimed: bool,
}

impl Post {
    /// Writes events.
    pub(crate) fn add(&mut self, events: Vec<NewWebhook>) {
        for NewWebhook { kind, subject, at } in events {
            self.written += 1;
            let mut id = [0; 12];
            id[4..].copy_from_slice(&self.written.to_be_bytes());
            let id = WebhookId::from_bytes(id);
            self.insert(WebhookEvent { id, kind, subject, at, give_up_at: give_up_at(at) }, at);
        }
    }

    /// An event comes into its lane, which is due at `due` if there was none.
    fn insert(&mut self, event: WebhookEvent, due: Timestamp) -> &mut Lane {
        let empty = || Lane { events: BTreeMap::new(), due, failures: 0, claimed: false };
        let lane = self.lanes.entry(event.subject.lane()).or_insert_with(empty);
        lane.events.insert(event.id, event);
        lane
    }

    fn settle(&mut self, settled: SettledLane) {
        let SettledLane { lane: name, until, delivered, buried, due, failures } = settled;
        let Some(lane) = self.lanes.get_mut(&name).filter(|lane| lane.claimed && lane.due == until) else { return };
        for id in delivered {
            lane.events.remove(&id);
        }
        for given_up in buried {
            let Some(event) = lane.events.remove(&given_up.id) else { continue };
            let letter =
                DeadLetter { event, buried_at: given_up.at, failures: given_up.failures, problem: given_up.problem };
            self.dead.insert(given_up.id, letter);
        }
        (lane.due, lane.failures, lane.claimed) = (due, failures, false);
        if lane.events.is_empty() {
            self.lanes.remove(&name);
        }
    }
}

#[async_trait]
impl Outbox for MemoryStorage {
    fn want(&self, kinds: WebhookKinds) {
        self.state().post.wanted.set(kinds);
    }

    async fn add(&self, events: Vec<NewWebhook>) -> StorageResult<()> {
        self.state().post.add(events);
        Ok(())
    }

    async fn claim(&self, claim: OutboxClaim) -> StorageResult<Vec<ClaimedLane>> {
        let OutboxClaim { now, until, lanes, events } = claim;
        let mut state = self.state();
        let mut due: Vec<_> = state.post.lanes.iter_mut().filter(|(_, lane)| lane.due <= now).collect();
        due.sort_by_key(|(_, lane)| lane.due);
        due.truncate(lanes);
        let claimed = due.into_iter().map(|(name, lane)| {
            (lane.due, lane.claimed) = (until, true);
            let events = lane.events.values().take(events).cloned().collect();
            ClaimedLane { lane: name.clone(), until, failures: lane.failures, events }
        });
        Ok(claimed.collect())
    }

    async fn settle(&self, lanes: Vec<SettledLane>) -> StorageResult<()> {
        let mut state = self.state();
        for lane in lanes {
            state.post.settle(lane);
        }
        Ok(())
    }

    async fn wake(&self, now: Timestamp, claimed: bool) -> StorageResult<()> {
        for lane in self.state().post.lanes.values_mut().filter(|lane| claimed || !lane.claimed) {
            (lane.due, lane.claimed) = (lane.due.min(now), false);
        }
        Ok(())
    }

    async fn count_webhooks(&self) -> StorageResult<OutboxCounts> {
        let state = self.state();
        let waiting = state.post.lanes.values().map(|lane| lane.events.len() as u64).sum();
        Ok(OutboxCounts { waiting, dead: state.post.dead.len() as u64 })
    }

    async fn list_dead_letters(&self, after: Option<WebhookId>, limit: usize) -> StorageResult<Vec<DeadLetter>> {
        let state = self.state();
        let later = state.post.dead.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
        Ok(later.take(limit).map(|(_, letter)| letter.clone()).collect())
    }

    async fn retry_dead_letters(&self, ids: &[WebhookId], now: Timestamp) -> StorageResult<u64> {
        let post = &mut self.state().post;
        let mut put_back = 0;
        for id in ids {
            let Some(letter) = post.dead.remove(id) else { continue };
            let lane = post.insert(WebhookEvent { give_up_at: give_up_at(now), ..letter.event }, now);
            if !lane.claimed {
                (lane.due, lane.failures) = (lane.due.min(now), 0);
            }
            put_back += 1;
        }
        Ok(put_back)
    }

    async fn drop_dead_letters(&self, ids: &[WebhookId]) -> StorageResult<u64> {
        let post = &mut self.state().post;
        Ok(ids.iter().filter(|id| post.dead.remove(id).is_some()).count() as u64)
    }
}
