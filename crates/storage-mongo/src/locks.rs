//! Locks of our own, for deployments without transactions and for migrations. Whoever changes something takes the
//! locks of all that the change depends on, decides, writes the change down as a whole in its first lock (from
//! here on it has happened), carries it out, and removes the locks, the first one before the others.
//!
//! Who finds a lock whose holder has not changed for a whole lease takes its process for dead: a change that was
//! written down is carried out, any other is undone. A living process becomes a new holder after half a lease.

use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::ErrorKind;
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::command::{Command, Delete, repeat};
use crate::error::{BadDocument, Failed, TimedOut, is_duplicate};
use crate::schema::LOCKS;

/// The longest pause between two looks at a lock that somebody else has.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// One of the locks of a change.
#[derive(Debug, Serialize, Deserialize)]
struct LockDocument {
    #[serde(rename = "_id")]
    id: String,
    change: ObjectId,
    /// Who carries the change out: another one if the first has died.
    holder: ObjectId,
    /// The lock that decides about the change.
    first: String,
    /// What is to be carried out, if the change has happened. As bytes: names of operators may not be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<Binary>,
}

/// What a journal holds.
#[derive(Serialize, Deserialize)]
struct Journal {
    commands: Vec<Document>,
}

/// The locks of one change, held.
#[derive(Debug)]
pub(crate) struct Locks<'a> {
    database: &'a Database,
    lease: Duration,
    change: ObjectId,
    holder: ObjectId,
    first: String,
    /// From here on the holder must change before anything else is written.
    until: Instant,
}

impl<'a> Locks<'a> {
    /// Takes all of these locks or none of them, however often others come first. No locks, nothing to commit.
    pub(crate) async fn take(database: &'a Database, lease: Duration, mut names: Vec<String>) -> Result<Self, Failed> {
        names.sort_unstable();
        names.dedup();
        let first = names.first().cloned().unwrap_or_default();
        let collection: Collection<LockDocument> = database.collection(LOCKS);
        loop {
            let change = ObjectId::new();
            let lock = |id: &String| LockDocument {
                id: id.clone(),
                change,
                holder: change,
                first: first.clone(),
                journal: None,
            };
            let until = Instant::now() + lease / 2;
            let held = Self { database, lease, change, holder: change, first: first.clone(), until };
            if names.is_empty() {
                return Ok(held);
            }
            let Err(error) = collection.insert_many(names.iter().map(lock)).await else { return Ok(held) };
            let Some(at) = first_duplicate(&error) else {
                // Whether some were taken is not known.
                held.release().await?;
                return Err(error.into());
            };
            if at > 0 {
                held.release().await?;
            }
            if let Some(taken) = names.get(at) {
                wait(database, lease, taken).await?;
            }
        }
    }

    /// Makes the change happen and carries it out. If others have undone it, that is a conflict.
    pub(crate) async fn commit(&mut self, commands: Vec<Command>) -> Result<(), Failed> {
        let commands: Vec<Document> = commands.into_iter().map(Command::into_document).collect();
        let journal = to_bytes(&Journal { commands: commands.clone() })?;
        if !self.step(doc! { "journal": journal }).await.map_err(Failed::in_commit)? {
            return Err(Failed::Conflict("a change was taken for dead"));
        }
        for command in commands {
            if self.is_late() && !self.step(doc! {}).await.map_err(Failed::in_commit)? {
                // Somebody else carries it out.
                return Err(Failed::TimedOutInCommit(TimedOut));
            }
            repeat(self.database, command).await.map_err(Failed::in_commit)?;
        }
        Ok(())
    }

    /// Shows that the process lives. If others have taken it for dead, that is a conflict.
    pub(crate) async fn keep(&mut self) -> Result<(), Failed> {
        if self.is_late() && !self.step(doc! {}).await? {
            return Err(Failed::Conflict("a change was taken for dead"));
        }
        Ok(())
    }

    /// Writes this into the first lock, with a new holder, for whom others wait a whole lease again. `false` if others
    /// have been faster.
    async fn step(&mut self, mut set: Document) -> Result<bool, Failed> {
        let (holder, begun) = (ObjectId::new(), Instant::now());
        set.insert("holder", holder);
        let own = doc! { "_id": &self.first, "change": self.change, "holder": self.holder };
        let locks: Collection<LockDocument> = self.database.collection(LOCKS);
        let matched = locks.update_one(own, doc! { "$set": set }).await?.matched_count > 0;
        (self.holder, self.until) = (holder, begun + self.lease / 2);
        Ok(matched)
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Removes the locks.
    pub(crate) async fn release(self) -> Result<(), Failed> {
        if self.first.is_empty() {
            return Ok(());
        }
        remove(self.database, &self.first, self.change).await
    }
}

/// Which of the inserted locks was there already.
fn first_duplicate(error: &mongodb::error::Error) -> Option<usize> {
    let ErrorKind::InsertMany(many) = error.kind.as_ref() else { return None };
    many.write_errors.as_ref()?.first().filter(|_| is_duplicate(error)).map(|error| error.index)
}

/// Removes a change's locks. The first one goes first: as long as it is there, the change may be carried out again,
/// which would undo what others do once they have the other locks.
async fn remove(database: &Database, first: &str, change: ObjectId) -> Result<(), Failed> {
    let remove = [Delete::one(doc! { "_id": first, "change": change }), Delete::all(doc! { "change": change })];
    repeat(database, Command::delete(LOCKS, remove.into()).into_document()).await
}

/// Waits until a lock is gone; brings the change of a dead process to its end.
async fn wait(database: &Database, lease: Duration, name: &str) -> Result<(), Failed> {
    let collection: Collection<LockDocument> = database.collection(LOCKS);
    let mut watched: Option<(ObjectId, Instant)> = None;
    let mut pause = Duration::from_millis(2);
    loop {
        let Some(lock) = collection.find_one(doc! { "_id": name }).await? else { return Ok(()) };
        let change = lock.change;
        let first = if lock.first == name {
            lock
        } else {
            match collection.find_one(doc! { "_id": &lock.first, "change": change }).await? {
                Some(first) => first,
                // The change is at its end, and its process has not come to remove this lock.
                None => return remove(database, &lock.first, change).await,
            }
        };
        match watched {
            Some((holder, since)) if holder == first.holder => {
                if since.elapsed() >= lease {
                    return finish(database, &collection, first).await;
                }
            }
            _ => watched = Some((first.holder, Instant::now())),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Carries out, or undoes, the change of a process that is taken for dead. Of several who try one does it.
async fn finish(database: &Database, locks: &Collection<LockDocument>, lock: LockDocument) -> Result<(), Failed> {
    let LockDocument { id, change, holder, first: _, journal } = lock;
    let theirs = doc! { "_id": &id, "change": change, "holder": holder };
    let Some(journal) = journal else {
        let mut undecided = theirs;
        undecided.insert("journal", doc! { "$exists": false });
        if locks.delete_one(undecided).await?.deleted_count > 0 {
            remove(database, &id, change).await?;
        }
        return Ok(());
    };
    let taken = locks.update_one(theirs, doc! { "$set": { "holder": ObjectId::new() } }).await?;
    if taken.matched_count > 0 {
        let Journal { commands } =
            mongodb::bson::deserialize_from_slice(&journal.bytes).map_err(|_| BadDocument("journal"))?;
        for command in commands {
            repeat(database, command).await?;
        }
        remove(database, &id, change).await?;
    }
    Ok(())
}

fn to_bytes(journal: &Journal) -> Result<Binary, Failed> {
    let bytes = mongodb::bson::serialize_to_vec(journal).map_err(|_| BadDocument("journal"))?;
    Ok(Binary { subtype: BinarySubtype::Generic, bytes })
}
