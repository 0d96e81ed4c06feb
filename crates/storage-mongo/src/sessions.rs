//! Transactions that nobody ends. A server keeps a transaction open when the connection over which it came is gone: what
//! a process had begun when it died, or lost its line, is in everybody's way for a minute. So each process keeps a
//! document that names the sessions in which it begins transactions, with a mark that changes while it begins any. Who
//! has met others for too long ends what belongs to a process whose mark stands still; if that process lives, it loses
//! one attempt. What a process could not end itself it ends before it begins the next.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Uuid, doc};
use mongodb::{ClientSession, Database};
use serde::Deserialize;
use tokio::time::Instant;

use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::WRITERS;

/// How old a mark may be when a transaction begins.
const BEAT: Duration = Duration::from_millis(500);
/// How long somebody meets others before they look who that may be.
pub(crate) const LATE: Duration = Duration::from_millis(500);
/// How often it is looked at most.
const LOOK: Duration = Duration::from_millis(250);
/// How long a mark stands still before its process is taken for dead: longer than any transaction takes.
const LEASE: Duration = Duration::from_millis(2_500);
/// The most sessions that a process names: far more than it uses at a time, so that the oldest are of no account.
const MAX_SESSIONS: usize = 4_096;
/// The same, as the server takes it.
const MAX_NAMED: i32 = 4_096;

/// A process that writes.
#[derive(Debug, Deserialize)]
struct WriterDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    mark: ObjectId,
    sessions: Vec<Uuid>,
}

/// The sessions in which this process begins transactions. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    process: ObjectId,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that are written down.
    noted: HashSet<Uuid>,
    marked: Option<Instant>,
    /// Those whose transaction may be open, though nobody is in it any more.
    left: Vec<Uuid>,
    /// The marks of other processes, and how long they have been the same.
    others: HashMap<ObjectId, (ObjectId, Instant)>,
    looked: Option<Instant>,
}

/// A transaction that this process has begun. If it is not said to have ended, it is ended before the next one begins.
#[derive(Debug)]
pub(crate) struct Begun {
    sessions: Sessions,
    session: Uuid,
    ended: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { process: ObjectId::new(), state: Arc::default() }
    }
}

impl Sessions {
    /// To be called before a transaction is begun in `session`.
    pub(crate) async fn begin(&self, database: &Database, session: &ClientSession) -> Result<Begun, Failed> {
        self.end_left(database).await?;
        let id = match session.id().get("id") {
            Some(Bson::Binary(id)) => id.to_uuid().map_err(|_| BadDocument("session"))?,
            _ => return Err(BadDocument("session").into()),
        };
        let (is_new, is_due) = {
            let state = self.state();
            (!state.noted.contains(&id), state.marked.is_none_or(|at| at.elapsed() >= BEAT))
        };
        if is_new || is_due {
            self.note(database, id, is_new).await?;
        }
        Ok(Begun { sessions: self.clone(), session: id, ended: false })
    }

    async fn note(&self, database: &Database, id: Uuid, is_new: bool) -> Result<(), Failed> {
        let now = Instant::now();
        let writers = database.collection::<WriterDocument>(WRITERS);
        let mut change = doc! { "$set": { "mark": ObjectId::new() } };
        if is_new {
            change.insert("$push", doc! { "sessions": { "$each": [id], "$slice": -MAX_NAMED } });
        }
        if writers.update_one(doc! { "_id": self.process }, change).await?.matched_count == 0 {
            // The first time, or others have taken this process for dead.
            let all: Vec<Uuid> = self.state().noted.iter().copied().chain([id]).collect();
            let whole = doc! { "$set": { "mark": ObjectId::new(), "sessions": all } };
            writers.update_one(doc! { "_id": self.process }, whole).upsert(true).await?;
        }
        let mut state = self.state();
        if state.noted.len() >= MAX_SESSIONS {
            // They are written down again when they are used again.
            state.noted.clear();
        }
        state.noted.insert(id);
        state.marked = Some(now);
        Ok(())
    }

    /// Ends what this process could not end when it should have.
    async fn end_left(&self, database: &Database) -> Result<(), Failed> {
        let left = std::mem::take(&mut self.state().left);
        let ended = end(database, &left).await;
        if ended.as_ref().is_err_and(Failed::is_of_the_network) {
            self.state().left.extend(left);
            return ended;
        }
        // A server that refuses ends them itself, later.
        Ok(())
    }

    /// Ends the transactions of processes that are taken for dead. To be called by who has met others for long.
    pub(crate) async fn end_abandoned(&self, database: &Database) -> Result<(), Failed> {
        let now = Instant::now();
        {
            let mut state = self.state();
            if state.looked.is_some_and(|at| now < at + LOOK) {
                return Ok(());
            }
            state.looked = Some(now);
        }
        let others = Query::new(WRITERS, doc! { "_id": { "$ne": self.process } });
        let others: Vec<WriterDocument> = Reader::new(database, None).all(others).await?;
        for writer in self.still(others, now) {
            end(database, &writer.sessions).await?;
            // One that lives writes itself down again.
            let same = doc! { "_id": writer.id, "mark": writer.mark };
            database.collection::<WriterDocument>(WRITERS).delete_one(same).await?;
        }
        Ok(())
    }

    /// Those whose mark has stood still for a whole lease.
    fn still(&self, others: Vec<WriterDocument>, now: Instant) -> Vec<WriterDocument> {
        let mut state = self.state();
        let mut before = std::mem::take(&mut state.others);
        let mut still = Vec::new();
        for writer in others {
            match before.remove(&writer.id).filter(|(mark, _)| *mark == writer.mark) {
                Some((_, since)) if now >= since + LEASE => still.push(writer),
                same => {
                    state.others.insert(writer.id, same.unwrap_or((writer.mark, now)));
                }
            }
        }
        still
    }

    /// This process begins no more transactions.
    pub(crate) async fn close(&self, database: &Database) {
        let own = doc! { "_id": self.process };
        // If it stays, others find it standing still.
        drop(database.collection::<WriterDocument>(WRITERS).delete_one(own).await);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// It is committed, or given up by the server.
    pub(crate) fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.ended {
            let mut state = self.sessions.state();
            if state.left.len() < MAX_SESSIONS {
                state.left.push(self.session);
            }
        }
    }
}

/// Ends whatever is open in these sessions, of whichever process.
async fn end(database: &Database, sessions: &[Uuid]) -> Result<(), Failed> {
    if !sessions.is_empty() {
        let sessions: Vec<_> = sessions.iter().map(|id| doc! { "id": id }).collect();
        database.client().database("admin").run_command(doc! { "killSessions": sessions }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whose_mark_stands_still_for_a_lease_is_taken_for_dead() {
        let sessions = Sessions::default();
        let (dead, living) = (ObjectId::new(), ObjectId::new());
        let mark = ObjectId::new();
        let seen = |living_mark| {
            let writer = |id, mark| WriterDocument { id, mark, sessions: Vec::new() };
            let others = vec![writer(dead, mark), writer(living, living_mark)];
            let still = sessions.still(others, Instant::now());
            still.into_iter().map(|writer| writer.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(ObjectId::new()), []);
        tokio::time::advance(BEAT).await;
        assert_eq!(seen(ObjectId::new()), []);
        tokio::time::advance(LEASE).await;
        assert_eq!(seen(ObjectId::new()), [dead]);
        assert_eq!(seen(ObjectId::new()), [], "once in a lease");
    }

    #[test]
    fn what_is_not_said_to_have_ended_is_left() {
        let sessions = Sessions::default();
        let begun = |session| Begun { sessions: sessions.clone(), session, ended: false };
        let (first, second) = (Uuid::new(), Uuid::new());
        begun(first).ended();
        drop(begun(second));
        assert_eq!(sessions.state().left, [second]);
    }
}
