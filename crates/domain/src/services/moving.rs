//! Moves everything from one storage (or file) to another: page by page, reading the next page while the last one is
//! written, so that memory does not grow with the amount. A copy that was interrupted goes on where it was. At the
//! end both sides are read back and compared, conversation by conversation.
//!
//! It is for storages that nobody changes meanwhile. What changes in the source behind the place that was reached is
//! not copied, and the comparison says so. The bytes of media are in no storage: they are moved by other means.

mod reading;
mod stored;
mod verifying;

use std::fmt;
use std::sync::Arc;

pub use stored::Stored;
pub use verifying::Difference;

use crate::model::{ContentHash, Place, Record, RecordCounts};
use crate::ports::{Begun, RecordSource, RecordTarget, StorageError, StorageResult};
use crate::rules::content::Contents;

/// How many of its first records a source is known by.
const FIRST: usize = 100;

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looks whether the source is whole.
    Checking,
    /// Moves records.
    Copying,
    /// Reads both sides back.
    Verifying,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Records that are done in this stage.
    pub done: u64,
    /// How many there are in all.
    pub total: u64,
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What is on both sides now.
    pub counts: RecordCounts,
    /// The hash of all contents, the same on both sides.
    pub hash: ContentHash,
    /// Whether an earlier attempt had done a part of it.
    pub resumed: bool,
}

/// Which side of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where records come from.
    Source,
    /// Where they go.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Why a copy is not done.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One side failed. What was copied stays, and the same copy can go on.
    #[error("the {side} failed")]
    Failed {
        /// Which one.
        side: Side,
        /// Why.
        #[source]
        source: StorageError,
    },
    /// The target holds something else. Nothing was changed.
    #[error("the target is not empty")]
    Occupied,
    /// The target holds an unfinished copy, but not of this source as it is now. Nothing was changed.
    #[error("the target holds an unfinished copy of another source, or the source has changed since it began")]
    Foreign,
    /// The two sides do not hold the same. The target stays an unfinished copy.
    #[error("the copy differs from its source in {count} places, the first: {first}")]
    Differs {
        /// In how many portions.
        count: u64,
        /// The first of them.
        first: Box<Difference>,
    },
}

/// One copy.
pub struct Moving {
    source: Arc<dyn RecordSource>,
    target: Arc<dyn RecordTarget>,
}

impl Moving {
    /// A copy from `source` to `target`. It begins, or goes on, with [`run`](Self::run).
    pub fn new(source: Arc<dyn RecordSource>, target: Arc<dyn RecordTarget>) -> Self {
        Self { source, target }
    }

    /// Carries the copy out. `progress` is told after each batch, and must not block. It may be dropped at any point,
    /// and the process may be killed: the next run goes on.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn run(&self, progress: &(dyn Fn(Progress) + Sync)) -> Result<Moved, MoveError> {
        progress(Progress { stage: Stage::Checking, done: 0, total: 0 });
        at(Side::Source, self.source.check_whole().await)?;
        let counts = at(Side::Source, self.source.count_records().await)?;
        let source = self.identity(&counts).await?;
        let (reached, resumed) = match at(Side::Target, self.target.begin_copy(source, &counts).await)? {
            Begun::Fresh => (None, false),
            Begun::Unfinished(reached) => (reached, true),
            Begun::Foreign => return Err(MoveError::Foreign),
            Begun::Occupied => return Err(MoveError::Occupied),
        };
        self.copy(reached.as_ref(), counts.total(), progress).await?;
        let told = |done| progress(Progress { stage: Stage::Verifying, done, total: counts.total() });
        let (counts, hash) = verifying::compare(&*self.source, &*self.target, &told).await?;
        at(Side::Target, self.target.finish_copy().await)?;
        Ok(Moved { counts, hash, resumed })
    }

    /// What the source is known by: how much it holds, and its first records. A source that has grown since is
    /// another one.
    async fn identity(&self, counts: &RecordCounts) -> Result<ContentHash, MoveError> {
        let mut contents = Contents::default();
        contents.add_counts(counts);
        let mut reader = at(Side::Source, self.source.read_records(None).await)?;
        let mut left = FIRST;
        while left > 0 {
            let records = at(Side::Source, reader.next_records().await)?;
            if records.is_empty() {
                break;
            }
            for record in records.iter().take(left) {
                contents.add(record);
            }
            left = left.saturating_sub(records.len());
        }
        Ok(contents.hash())
    }

    async fn copy(
        &self,
        reached: Option<&Place>,
        total: u64,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), MoveError> {
        let mut done = match reached {
            Some(_) => at(Side::Target, self.target.count_records().await)?.total(),
            None => 0,
        };
        let mut reader = at(Side::Source, self.source.read_records(reached).await)?;
        let mut page = at(Side::Source, reader.next_records().await)?;
        progress(Progress { stage: Stage::Copying, done, total });
        while !page.is_empty() {
            // Two halves at once: a page is written while the next one is read.
            let (written, next) = tokio::join!(self.target.take_in(&page), reader.next_records());
            at(Side::Target, written)?;
            done += count(&page);
            page = at(Side::Source, next)?;
            progress(Progress { stage: Stage::Copying, done, total });
        }
        Ok(())
    }
}

fn count(records: &[Record]) -> u64 {
    let mut counts = RecordCounts::default();
    for record in records {
        counts.add(record);
    }
    counts.total()
}

/// Says on which side a call failed.
fn at<T>(side: Side, result: StorageResult<T>) -> Result<T, MoveError> {
    result.map_err(|source| MoveError::Failed { side, source })
}
