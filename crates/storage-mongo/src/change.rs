//! Changes: look up, decide, write, all or nothing. Where there are transactions, the server finds out whether what
//! was looked up still holds when it is written, and the change is tried again. Where there are none, [`Locks`]
//! keep others away, and the journal makes it whole.
//!
//! What a decision depends on must be written by the same change, or [`Unit::hold`] it: the server notices only
//! writes that meet.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mongodb::bson::{Bson, doc};
use mongodb::error::UNKNOWN_TRANSACTION_COMMIT_RESULT;
use mongodb::options::ReadConcern;
use mongodb::{ClientSession, Database};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use crate::MongoStorage;
use crate::command::{Command, Update, repeat, run};
use crate::connect::{Options, write_concern};
use crate::error::{Failed, TimedOut};
use crate::locks::Locks;
use crate::reader::Reader;
use crate::sessions::{LATE, Sessions};
use crate::spans;

/// How often a change is tried again because a connection broke before its commit.
const BROKEN_CONNECTIONS: u32 = 2;
/// How often a commit is asked for whose answer got lost.
const COMMITS: u32 = 3;

/// Something that is changed as a whole.
#[async_trait]
pub(crate) trait Change: Sync {
    /// What it comes to.
    type Done: Send;

    /// The locks of everything that it depends on: taken by deployments without transactions, elsewhere what to queue
    /// for. What is looked up for that may have changed when the locks are held: see [`Unit::require`].
    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed>;

    /// Looks up, decides, and says what is to be written. May be called several times.
    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed>;
}

/// One attempt at a change.
pub(crate) struct Unit<'a> {
    database: &'a Database,
    session: Option<ClientSession>,
    /// The locks that are held, where there are no transactions.
    locked: Option<HashSet<String>>,
    commands: Vec<Command>,
}

impl Unit<'_> {
    /// Asks for the state that the decision is about.
    pub(crate) fn reader(&mut self) -> Reader<'_> {
        Reader::new(self.database, self.session.as_mut())
    }

    /// Writes this, after what was to be written before.
    pub(crate) fn write(&mut self, command: Command) {
        if command.len() > 0 {
            self.commands.push(command);
        }
    }

    /// Nobody else may have changed these documents in the meantime, though this change leaves them as they are.
    pub(crate) fn hold<Id: Into<Bson>>(&mut self, collection: &'static str, ids: impl IntoIterator<Item = Id>) {
        // Where there are locks, those of the change see to it.
        if self.session.is_some() {
            let hold = |id: Id| Update::one(doc! { "_id": id.into() }, doc! { "$inc": { "holds": 1_i64 } });
            self.write(Command::update(collection, ids.into_iter().map(hold).collect()));
        }
    }

    /// Whether this lock is held, or none is needed.
    pub(crate) fn holds(&self, lock: &str) -> bool {
        self.locked.as_ref().is_none_or(|locked| locked.contains(lock))
    }

    /// Gives the attempt up if this lock is needed and not held.
    pub(crate) fn require(&self, lock: &str) -> Result<(), Failed> {
        if self.holds(lock) { Ok(()) } else { Err(Failed::Conflict("what is to be changed is not what was locked")) }
    }
}

impl MongoStorage {
    /// Carries out a change, in as many attempts as the time of a call allows.
    pub(crate) async fn make<C: Change>(&self, change: &C) -> Result<C::Done, Failed> {
        let began = Instant::now();
        let made = self.make_in_turn(change).await;
        self.meters.wrote(began.elapsed());
        made
    }

    async fn make_in_turn<C: Change>(&self, change: &C) -> Result<C::Done, Failed> {
        let _turn = self.turn().await?;
        let deadline = Instant::now() + self.time_for_change();
        let (mut attempt, mut broken) = (0, 0);
        let (mut queued, mut met) = (None, None);
        loop {
            let committing = AtomicBool::new(false);
            let failed = match timeout_at(deadline, self.attempt(change, &committing)).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(failed)) => failed,
                Err(_) if committing.load(Ordering::Relaxed) => return Err(Failed::TimedOutInCommit(TimedOut)),
                Err(_) => return Err(TimedOut.into()),
            };
            if failed.is_broken_connection() && broken < BROKEN_CONNECTIONS {
                broken += 1;
            } else if !failed.is_conflict() {
                return Err(failed);
            }
            if self.deployment.transactional && queued.is_none() && failed.is_conflict() {
                let Ok(place) = timeout_at(deadline, self.queue(change)).await else { return Err(failed) };
                queued = Some(place?);
            }
            if self.deployment.transactional
                && failed.is_conflict()
                && met.get_or_insert_with(Instant::now).elapsed() >= LATE
            {
                // If that is refused, the server does it later.
                drop(timeout_at(deadline, self.sessions.end_abandoned(&self.deployment.database)).await);
            }
            let pause = pause_before(attempt);
            if Instant::now() + pause >= deadline {
                return Err(failed);
            }
            sleep(pause).await;
            attempt += 1;
        }
    }

    /// Who waits for a lock must be able to find out that its process has died.
    fn time_for_change(&self) -> Duration {
        let Options { call_timeout, lease, .. } = self.options;
        if self.deployment.transactional { call_timeout } else { call_timeout.max(3 * lease) }
    }

    /// Waits until nobody else in this process who met others is about what this change is about.
    async fn queue<C: Change>(&self, change: &C) -> Result<Vec<OwnedSemaphorePermit>, Failed> {
        let names = change.locks(&mut self.reader()).await?;
        Ok(self.queues.join(&names).await)
    }

    async fn attempt<C: Change>(&self, change: &C, committing: &AtomicBool) -> Result<C::Done, Failed> {
        if self.deployment.transactional {
            attempt_in_transaction(&self.deployment.database, &self.sessions, change, committing).await
        } else {
            attempt_with_locks(&self.deployment.database, self.options.lease, change, committing).await
        }
    }
}

async fn attempt_in_transaction<C: Change>(
    database: &Database,
    sessions: &Sessions,
    change: &C,
    committing: &AtomicBool,
) -> Result<C::Done, Failed> {
    let mut session = database.client().start_session().await?;
    let begun = sessions.begin(database, &session).await?;
    session.start_transaction().read_concern(ReadConcern::snapshot()).write_concern(write_concern()).await?;
    let mut unit = Unit { database, session: Some(session), locked: None, commands: Vec::new() };
    let decided = change.decide(&mut unit).await;
    let (Some(mut session), commands) = (unit.session, unit.commands) else { return decided };
    let written = match &decided {
        Ok(_) if !commands.is_empty() => write_in_transaction(database, &mut session, commands).await,
        _ => Ok(false),
    };
    match written {
        Ok(true) => {
            committing.store(true, Ordering::Relaxed);
            let committed = commit(&mut session).await;
            if !committed.as_ref().is_err_and(Failed::is_of_the_network) {
                begun.ended();
            }
            committed?;
            decided
        }
        written => {
            let failed = written.and(decided);
            // An open transaction is in the way of others until the server gives it up. The driver does not say whether it
            // could be ended; over a line that has just failed it could not.
            drop(session.abort_transaction().await);
            if !failed.as_ref().is_err_and(Failed::is_of_the_network) {
                begun.ended();
            }
            failed
        }
    }
}

/// Says that there is something to commit.
async fn write_in_transaction(
    database: &Database,
    session: &mut ClientSession,
    commands: Vec<Command>,
) -> Result<bool, Failed> {
    for command in commands {
        run(database, session, command).await?;
    }
    Ok(true)
}

async fn commit(session: &mut ClientSession) -> Result<(), Failed> {
    let mut left = COMMITS;
    loop {
        left -= 1;
        match session.commit_transaction().into_future().instrument(spans::commit()).await {
            Ok(()) => return Ok(()),
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) && left > 0 => {}
            // That the server knows no such transaction may mean that an earlier request has committed it.
            Err(error) => {
                let failed = Failed::Command(error);
                return Err(if failed.is_write_conflict() { failed } else { failed.in_commit() });
            }
        }
    }
}

async fn attempt_with_locks<C: Change>(
    database: &Database,
    lease: Duration,
    change: &C,
    committing: &AtomicBool,
) -> Result<C::Done, Failed> {
    let names = change.locks(&mut Reader::new(database, None)).await?;
    let mut locks = Locks::take(database, lease, names.clone()).await?;
    let locked = Some(names.into_iter().collect());
    let mut unit = Unit { database, session: None, locked, commands: Vec::new() };
    let decided = change.decide(&mut unit).await;
    let commands = unit.commands;
    let written = if decided.is_ok() {
        committing.store(!commands.is_empty(), Ordering::Relaxed);
        write_with_locks(database, &mut locks, commands).await
    } else {
        Ok(())
    };
    // A change that is written down and not carried out needs its locks: who comes next carries it out.
    match written {
        Err(failed) if failed.is_in_commit() => Err(failed),
        written => {
            let released = locks.release().await;
            let done = decided?;
            written?;
            // It is done, whatever becomes of the locks.
            drop(released);
            Ok(done)
        }
    }
}

async fn write_with_locks(database: &Database, locks: &mut Locks<'_>, commands: Vec<Command>) -> Result<(), Failed> {
    match commands.as_slice() {
        [] => Ok(()),
        // The server changes one document as a whole.
        [only] if only.len() == 1 => {
            locks.keep().await?;
            repeat(database, only.clone().into_document()).await.map_err(Failed::in_commit)
        }
        _ => locks.commit(commands).await,
    }
}

/// A pause that grows with the attempts, of random length, so that those who met once do not meet again.
fn pause_before(attempt: u32) -> Duration {
    let longest = 2_u64 << attempt.min(5);
    // The seed of the standard library's maps is the only randomness that is needed here.
    let random = RandomState::new().build_hasher().finish();
    Duration::from_micros(500 + random % (longest * 1_000))
}
