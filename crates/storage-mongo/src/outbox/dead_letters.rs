//! Events that were given up. One that is put back comes before what is in its lane.

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{Timestamp, WebhookId};
use parlance_domain::ports::{Buried, DeadLetter};
use parlance_domain::rules::retrying::give_up_at;
use serde::{Deserialize, Serialize};

use super::{EventDocument, LaneDocument, failures, lock};
use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Delete, Update};
use crate::documents::{all, date, moment, object_id};
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::{DEAD_LETTERS, LANES, OUTBOX};

/// A dead letter. Its place in the lane is of no more use.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LetterDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    lane: String,
    kind: String,
    subject: String,
    happened_at: DateTime,
    give_up_at: DateTime,
    buried_at: DateTime,
    failures: i64,
    problem: String,
}

impl LetterDocument {
    /// An event that is given up.
    pub(super) fn new(event: EventDocument, buried: &Buried) -> Self {
        let EventDocument { id, lane, place: _, kind, subject, happened_at, give_up_at } = event;
        let Buried { id: _, at, failures, problem } = buried;
        let (buried_at, failures) = (date(*at), i64::from(*failures));
        Self { id, lane, kind, subject, happened_at, give_up_at, buried_at, failures, problem: problem.clone() }
    }

    /// The event, at this place in its lane.
    fn into_event(self, place: i64, give_up_at: DateTime) -> EventDocument {
        let Self { id, lane, kind, subject, happened_at, .. } = self;
        EventDocument { id, lane, place, kind, subject, happened_at, give_up_at }
    }
}

impl TryFrom<LetterDocument> for DeadLetter {
    type Error = BadDocument;

    fn try_from(document: LetterDocument) -> Result<Self, BadDocument> {
        let (buried_at, failed, problem) = (moment(document.buried_at), document.failures, document.problem.clone());
        let give_up_at = document.give_up_at;
        let event = document.into_event(0, give_up_at).try_into()?;
        Ok(Self { event, buried_at, failures: failures(failed)?, problem })
    }
}

/// A page of them.
pub(super) async fn list(
    reader: &mut Reader<'_>,
    after: Option<WebhookId>,
    limit: usize,
) -> Result<Vec<DeadLetter>, Failed> {
    let later = after.map_or_else(Document::new, |after| doc! { "_id": { "$gt": object_id(after.bytes()) } });
    let page = Query::new(DEAD_LETTERS, later).sort(doc! { "_id": 1 }).limit(limit);
    Ok(all(reader.all::<LetterDocument>(page).await?)?)
}

/// Puts them back, the last one first, so that the first is before the others.
pub(super) async fn retry(storage: &MongoStorage, ids: &[WebhookId], now: Timestamp) -> Result<u64, Failed> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let mut put_back = 0;
    for id in ids.into_iter().rev() {
        put_back += u64::from(storage.make(&Retry { id, now }).await?);
    }
    Ok(put_back)
}

/// Removes them.
pub(super) async fn drop(storage: &MongoStorage, ids: &[WebhookId]) -> Result<u64, Failed> {
    let ids: Vec<ObjectId> = ids.iter().map(|id| object_id(id.bytes())).collect();
    let collection = storage.deployment.database.collection::<Document>(DEAD_LETTERS);
    let removal = collection.delete_many(doc! { "_id": { "$in": ids } }).into_future();
    Ok(storage.within_write(removal).await?.deleted_count)
}

/// A dead letter that is put back.
struct Retry {
    id: WebhookId,
    now: Timestamp,
}

#[async_trait]
impl Change for Retry {
    type Done = bool;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(find(reader, self.id).await?.map(|letter| lock(&letter.lane)).into_iter().collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<bool, Failed> {
        let Some(letter) = find(&mut unit.reader(), self.id).await? else { return Ok(false) };
        let name = letter.lane.clone();
        unit.require(&lock(&name))?;
        let mut reader = unit.reader();
        let lane: Option<LaneDocument> = reader.one(Query::by_id(LANES, name.as_str())).await?;
        let first = Query::new(OUTBOX, doc! { "lane": &name }).sort(doc! { "place": 1 });
        let first: Option<EventDocument> = reader.one(first).await?;
        let place = first.map_or(1, |first| first.place - 1);
        let id = letter.id;
        unit.write(Command::insert(OUTBOX, &[letter.into_event(place, date(give_up_at(self.now)))])?);
        unit.write(Command::delete(DEAD_LETTERS, vec![Delete::one(doc! { "_id": id })]));
        match lane {
            None => {
                let due_at = date(self.now);
                let new = LaneDocument { lane: name, last: place, due_at, failures: 0, claimed: false };
                unit.write(Command::insert(LANES, &[new])?);
            }
            Some(lane) => {
                // It must not go while this comes in, whether anything of it changes or not.
                unit.hold(LANES, [name.as_str()]);
                if !lane.claimed {
                    let due = doc! { "due_at": lane.due_at.min(date(self.now)), "failures": 0_i64 };
                    let resting = doc! { "_id": name, "claimed": false };
                    unit.write(Command::update(LANES, vec![Update::one(resting, doc! { "$set": due })]));
                }
            }
        }
        Ok(true)
    }
}

async fn find(reader: &mut Reader<'_>, id: WebhookId) -> Result<Option<LetterDocument>, Failed> {
    reader.one(Query::by_id(DEAD_LETTERS, object_id(id.bytes()))).await
}
