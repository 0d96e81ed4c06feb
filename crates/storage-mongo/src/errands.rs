//! The `Errands` port. An errand is one document with channel, user and subject as its key, and every step of its life is
//! a change of that document alone, conditional on what it was: so of several who take it one does, with transactions
//! and without. One that is handed out stays, with its lease as the moment when it is due.

use async_trait::async_trait;
use mongodb::bson::{DateTime, doc};
use parlance_domain::model::{Subject, Timestamp, UserId};
use parlance_domain::ports::{Errand, Errands, StorageResult, TakenErrand};
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::command::{Command, Update, repeat};
use crate::documents::{date, user_id};
use crate::error::{BadDocument, Failed};
use crate::reader::Query;
use crate::schema::ERRANDS;

/// Somebody is to be told of something.
#[derive(Debug, Serialize, Deserialize)]
struct ErrandDocument {
    #[serde(rename = "_id")]
    id: String,
    channel: String,
    user: String,
    subject: String,
    due_at: DateTime,
    attempts: i64,
    /// When it is due again after it was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again_at: Option<DateTime>,
}

impl ErrandDocument {
    /// What is handed out, by the attempt that begins now.
    fn taken(self) -> Result<TakenErrand, BadDocument> {
        let Self { id: _, channel, user, subject, due_at: _, attempts, again_at: _ } = self;
        let subject = subject.parse().map_err(|_| BadDocument("subject"))?;
        let attempts = u32::try_from(attempts + 1).map_err(|_| BadDocument("number of attempts"))?;
        Ok(TakenErrand { errand: Errand { channel, user_id: user_id(&user)?, subject }, attempts })
    }
}

/// The key of an errand. User ids have no control characters.
fn errand_id(channel: &str, user: &UserId, subject: Subject) -> String {
    format!("{channel}\n{user}\n{subject}")
}

fn id_of(Errand { channel, user_id, subject }: &Errand) -> String {
    errand_id(channel, user_id, *subject)
}

#[async_trait]
impl Errands for MongoStorage {
    async fn put_errands(&self, channel: &str, whom: &[(UserId, Subject)], due: Timestamp) -> StorageResult<()> {
        if whom.is_empty() {
            return Ok(());
        }
        // Those that are handed out first: one that is finished meanwhile is made anew by the second command.
        let again = whom.iter().map(|(user, subject)| {
            let handed_out = doc! { "_id": errand_id(channel, user, *subject), "attempts": { "$gt": 0_i64 } };
            Update::one(handed_out, doc! { "$set": { "again_at": date(due) } })
        });
        let missing = whom.iter().map(|(user, subject)| {
            let new = doc! {
                "channel": channel, "user": user.as_str(), "subject": subject.to_string(), "due_at": date(due),
                "attempts": 0_i64,
            };
            Update::or_insert(doc! { "_id": errand_id(channel, user, *subject) }, doc! { "$setOnInsert": new })
        });
        for updates in [again.collect::<Vec<_>>(), missing.collect()] {
            let command = Command::update(ERRANDS, updates).into_document();
            self.within(repeat(&self.deployment.database, command)).await?;
        }
        Ok(())
    }

    async fn take_errands(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StorageResult<Vec<TakenErrand>> {
        let due = Query::new(ERRANDS, doc! { "channel": channel, "due_at": { "$lte": date(now) } });
        let due: Vec<ErrandDocument> =
            self.within(self.reader().all(due.sort(doc! { "due_at": 1 }).limit(limit))).await?;
        let errands = self.deployment.database.collection::<ErrandDocument>(ERRANDS);
        let mut taken = Vec::with_capacity(due.len());
        for errand in due.into_iter().take(limit) {
            let as_seen = doc! { "_id": &errand.id, "due_at": errand.due_at, "attempts": errand.attempts };
            let lease = doc! { "$set": { "due_at": date(until), "attempts": errand.attempts + 1 } };
            let ours = self.within_write(errands.update_one(as_seen, lease).into_future()).await?;
            if ours.modified_count > 0 {
                taken.push(errand.taken().map_err(Failed::from)?);
            }
        }
        Ok(taken)
    }

    async fn finish_errand(&self, errand: &Errand) -> StorageResult<()> {
        let errands = self.deployment.database.collection::<ErrandDocument>(ERRANDS);
        let id = id_of(errand);
        let once = doc! { "_id": &id, "again_at": { "$exists": false } };
        if self.within_write(errands.delete_one(once).into_future()).await?.deleted_count > 0 {
            return Ok(());
        }
        let left: Option<ErrandDocument> = self.within(self.reader().one(Query::by_id(ERRANDS, id.as_str()))).await?;
        if let Some(again) = left.and_then(|left| left.again_at) {
            let change = doc! { "$set": { "due_at": again, "attempts": 0_i64 }, "$unset": { "again_at": "" } };
            let as_seen = doc! { "_id": &id, "again_at": again };
            self.within_write(errands.update_one(as_seen, change).into_future()).await?;
        }
        Ok(())
    }

    async fn postpone_errand(&self, errand: &Errand, due: Timestamp) -> StorageResult<()> {
        let errands = self.deployment.database.collection::<ErrandDocument>(ERRANDS);
        let set = doc! { "$set": { "due_at": date(due) } };
        self.within_write(errands.update_one(doc! { "_id": id_of(errand) }, set).into_future()).await?;
        Ok(())
    }
}
