//! Claiming lanes, and settling what became of them. A claim changes the lane's document if that is as it was seen, so of
//! several nodes one gets it; whoever settles names the moment until which the lane was theirs.

use async_trait::async_trait;
use futures::future::try_join_all;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{Timestamp, WebhookId};
use parlance_domain::ports::{ClaimedLane, OutboxClaim, SettledLane};

use super::dead_letters::LetterDocument;
use super::{EventDocument, LaneDocument, failures, lock};
use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Delete, Update};
use crate::documents::{all, date, moment, object_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{DEAD_LETTERS, LANES, OUTBOX};

/// Lanes that are settled at a time.
const AT_ONCE: usize = 4;

/// Claims lanes that are due, with their first events.
pub(super) async fn claim(storage: &MongoStorage, claim: OutboxClaim) -> Result<Vec<ClaimedLane>, Failed> {
    let OutboxClaim { now, until, lanes, events } = claim;
    let due = Query::new(LANES, doc! { "due_at": { "$lte": date(now) } }).sort(doc! { "due_at": 1 }).limit(lanes);
    let due: Vec<LaneDocument> = storage.within(storage.reader().all(due)).await?;
    let mut claimed = Vec::with_capacity(due.len());
    for LaneDocument { lane, last: _, due_at, failures: failed, claimed: before } in due {
        let as_seen = doc! { "_id": &lane, "due_at": due_at, "claimed": before };
        let ours = doc! { "$set": { "due_at": date(until), "claimed": true } };
        let collection = storage.deployment.database.collection::<Document>(LANES);
        if storage.within_write(collection.update_one(as_seen, ours).into_future()).await?.matched_count == 0 {
            continue;
        }
        let first = Query::new(OUTBOX, doc! { "lane": &lane }).sort(doc! { "place": 1 }).limit(events);
        let first: Vec<EventDocument> = storage.within(storage.reader().all(first)).await?;
        claimed.push(ClaimedLane { lane, until, failures: failures(failed)?, events: all(first)? });
    }
    Ok(claimed)
}

/// Settles those of these lanes that are still claimed so: each is a change of its own, since what comes into one must not
/// hold up the others.
pub(super) async fn settle(storage: &MongoStorage, settled: &[SettledLane]) -> Result<(), Failed> {
    let changes: Vec<Settle<'_>> = settled.iter().map(|settled| Settle { settled }).collect();
    for some in changes.chunks(AT_ONCE) {
        let mut making = Vec::with_capacity(AT_ONCE);
        for change in some {
            making.push(storage.make(change));
        }
        try_join_all(making).await?;
    }
    Ok(())
}

/// A lane whose claim ends.
struct Settle<'a> {
    settled: &'a SettledLane,
}

#[async_trait]
impl Change for Settle<'_> {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(&self.settled.lane)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        let SettledLane { lane, until, delivered, buried, due, failures } = self.settled;
        let mut reader = unit.reader();
        let found: Option<LaneDocument> = reader.one(Query::by_id(LANES, lane.as_str())).await?;
        if found.is_none_or(|found| !found.claimed || moment(found.due_at) != *until) {
            return Ok(());
        }
        let given_up: Vec<WebhookId> = buried.iter().map(|buried| buried.id).collect();
        let letters: Vec<EventDocument> = if given_up.is_empty() {
            Vec::new()
        } else {
            reader.all(Query::new(OUTBOX, doc! { "lane": lane, "_id": { "$in": ids(&given_up) } })).await?
        };
        let gone: Vec<ObjectId> = ids(&given_up).into_iter().chain(ids(delivered)).collect();
        let rest = Query::new(OUTBOX, doc! { "lane": lane, "_id": { "$nin": &gone } }).fields(doc! { "_id": 1 });
        let is_empty = reader.one::<Document>(rest).await?.is_none();
        let letters: Vec<LetterDocument> = letters
            .into_iter()
            .filter_map(|event| {
                let id = WebhookId::from_bytes(event.id.bytes());
                buried.iter().find(|buried| buried.id == id).map(|buried| LetterDocument::new(event, buried))
            })
            .collect();
        unit.write(Command::insert(DEAD_LETTERS, &letters)?);
        unit.write(Command::delete(
            OUTBOX,
            gone.iter().map(|id| Delete::one(doc! { "_id": id, "lane": lane })).collect(),
        ));
        if is_empty {
            unit.write(Command::delete(LANES, vec![Delete::one(doc! { "_id": lane })]));
        } else {
            let rests = doc! { "due_at": date(*due), "failures": i64::from(*failures), "claimed": false };
            let ours = doc! { "_id": lane, "claimed": true, "due_at": date(*until) };
            unit.write(Command::update(LANES, vec![Update::one(ours, doc! { "$set": rests })]));
        }
        Ok(())
    }
}

fn ids(ids: &[WebhookId]) -> Vec<ObjectId> {
    ids.iter().map(|id| object_id(id.bytes())).collect()
}

/// Makes lanes due that rest.
pub(super) async fn wake(storage: &MongoStorage, now: Timestamp, claimed: bool) -> Result<(), Failed> {
    let mut resting = doc! { "due_at": { "$gt": date(now) } };
    if !claimed {
        resting.insert("claimed", false);
    }
    let collection = storage.deployment.database.collection::<Document>(LANES);
    let due = doc! { "$set": { "due_at": date(now), "claimed": false } };
    storage.within_write(collection.update_many(resting, due).into_future()).await?;
    Ok(())
}
