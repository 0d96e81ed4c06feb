//! The `Outbox` port, and writing events as part of the change that they tell of. An event's place in its lane is
//! counted by the lane's document, which every change that touches the lane writes: so the server, or the lock of the lane,
//! keeps their order. Claiming and settling lanes is in `lanes`, what was given up in `dead_letters`.

mod dead_letters;
mod lanes;

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use futures::TryFutureExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{NewWebhook, Timestamp, WebhookId, WebhookKind, WebhookKinds, WebhookSubject};
use parlance_domain::ports::{
    ClaimedLane, DeadLetter, Outbox, OutboxClaim, OutboxCounts, SettledLane, StorageResult, WebhookEvent,
};
use parlance_domain::rules::retrying::give_up_at;
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::{count, date, moment};
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::{DEAD_LETTERS, LANES, OUTBOX};

/// An event that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EventDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    lane: String,
    /// Its place in the lane.
    place: i64,
    kind: String,
    subject: String,
    happened_at: DateTime,
    give_up_at: DateTime,
}

/// A lane that has events.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LaneDocument {
    #[serde(rename = "_id")]
    lane: String,
    /// The place of its last event.
    last: i64,
    due_at: DateTime,
    failures: i64,
    claimed: bool,
}

#[async_trait]
impl Outbox for MongoStorage {
    fn want(&self, kinds: WebhookKinds) {
        self.wanted.set(kinds);
    }

    async fn add(&self, events: Vec<NewWebhook>) -> StorageResult<()> {
        Ok(self.make(&Add { events: &events }).await?)
    }

    async fn claim(&self, claim: OutboxClaim) -> StorageResult<Vec<ClaimedLane>> {
        Ok(lanes::claim(self, claim).await?)
    }

    async fn settle(&self, settled: Vec<SettledLane>) -> StorageResult<()> {
        Ok(lanes::settle(self, &settled).await?)
    }

    async fn wake(&self, now: Timestamp, claimed: bool) -> StorageResult<()> {
        Ok(lanes::wake(self, now, claimed).await?)
    }

    async fn count_webhooks(&self) -> StorageResult<OutboxCounts> {
        let all = |collection| {
            let collection = self.deployment.database.collection::<Document>(collection);
            async move { self.within(collection.count_documents(doc! {}).into_future().map_err(Failed::from)).await }
        };
        Ok(OutboxCounts { waiting: all(OUTBOX).await?, dead: all(DEAD_LETTERS).await? })
    }

    async fn list_dead_letters(&self, after: Option<WebhookId>, limit: usize) -> StorageResult<Vec<DeadLetter>> {
        Ok(self.within(dead_letters::list(&mut self.reader(), after, limit)).await?)
    }

    async fn retry_dead_letters(&self, ids: &[WebhookId], now: Timestamp) -> StorageResult<u64> {
        Ok(dead_letters::retry(self, ids, now).await?)
    }

    async fn drop_dead_letters(&self, ids: &[WebhookId]) -> StorageResult<u64> {
        Ok(dead_letters::drop(self, ids).await?)
    }
}

/// Events that belong to no other change.
struct Add<'a> {
    events: &'a [NewWebhook],
}

#[async_trait]
impl Change for Add<'_> {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(locks(self.events).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        write(unit, self.events).await
    }
}

/// The locks of the lanes of these events.
pub(crate) fn locks(events: &[NewWebhook]) -> impl Iterator<Item = String> {
    events.iter().map(|event| lock(&event.subject.lane()))
}

/// The lock of a lane.
pub(crate) fn lock(lane: &str) -> String {
    format!("lane/{lane}")
}

/// Writes the events of a change: all of them at once, as the last thing that it does.
pub(crate) async fn write(unit: &mut Unit<'_>, events: &[NewWebhook]) -> Result<(), Failed> {
    if events.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<String> = events.iter().map(|event| event.subject.lane()).collect();
    for lane in &names {
        unit.require(&lock(lane))?;
    }
    let names: Vec<String> = names.into_iter().collect();
    let found: Vec<LaneDocument> = unit.reader().all(Query::new(LANES, doc! { "_id": { "$in": names } })).await?;
    let mut last: HashMap<String, i64> = found.into_iter().map(|lane| (lane.lane, lane.last)).collect();
    let mut begun: HashMap<String, Timestamp> = HashMap::new();
    let mut documents = Vec::with_capacity(events.len());
    for NewWebhook { kind, subject, at } in events {
        let lane = subject.lane();
        begun.entry(lane.clone()).or_insert(*at);
        let place = last.entry(lane.clone()).or_default();
        *place += 1;
        documents.push(EventDocument {
            id: ObjectId::new(),
            place: *place,
            lane,
            kind: kind.name().to_owned(),
            subject: subject.to_stored(),
            happened_at: date(*at),
            give_up_at: date(give_up_at(*at)),
        });
    }
    let lanes = begun.into_iter().map(|(lane, at)| {
        let place = last.get(&lane).copied().unwrap_or_default();
        let new = doc! { "due_at": date(at), "failures": 0_i64, "claimed": false };
        Update::or_insert(doc! { "_id": lane }, doc! { "$set": { "last": place }, "$setOnInsert": new })
    });
    unit.write(Command::insert(OUTBOX, &documents)?);
    unit.write(Command::update(LANES, lanes.collect()));
    Ok(())
}

impl TryFrom<EventDocument> for WebhookEvent {
    type Error = BadDocument;

    fn try_from(document: EventDocument) -> Result<Self, BadDocument> {
        let EventDocument { id, lane: _, place: _, kind, subject, happened_at, give_up_at } = document;
        let kind: WebhookKind = kind.parse().map_err(|_| BadDocument("kind of an event"))?;
        Ok(Self {
            id: WebhookId::from_bytes(id.bytes()),
            kind,
            subject: WebhookSubject::from_stored(kind, &subject).map_err(|_| BadDocument("subject of an event"))?,
            at: moment(happened_at),
            give_up_at: moment(give_up_at),
        })
    }
}

/// How often something has failed.
fn failures(number: i64) -> Result<u32, BadDocument> {
    Ok(u32::try_from(count(number)?).unwrap_or(u32::MAX))
}
