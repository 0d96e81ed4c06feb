//! Moving everything from one storage to another. What a storage holds goes out as records in pages, and comes in as
//! batches; both sides can stop at any record and go on later. No part of `Storage`: a storage of one's own that
//! nobody moves does without. Who drives it: `services::Moving`.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{ContentHash, Place, Record, RecordCounts};

/// A copy into a storage that has begun and not been finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedCopy {
    /// Stands for the source as it was when the copy began.
    pub source: ContentHash,
    /// The last record that was taken in.
    pub reached: Option<Place>,
}

/// Whether a copy may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// There was nothing; the copy has begun.
    Fresh,
    /// A copy of the same source was under way; it goes on after this record.
    Unfinished(Option<Place>),
    /// A copy of another source is under way. Nothing has changed.
    Foreign,
    /// There is something that came in no copy. Nothing has changed.
    Occupied,
}

/// A storage that can be moved.
#[async_trait]
pub trait Archive: Send + Sync {
    /// How many records of each kind there are.
    async fn count_records(&self) -> StorageResult<RecordCounts>;

    /// A page of the records of one kind: those after `after`, in the order of [`Place`], at most `limit` of them, and
    /// fewer only at the end. The cost does not depend on how far the place is from the beginning. Pages are stable
    /// under changes elsewhere: what is there all the time comes exactly once.
    async fn list_records(&self, after: &Place, limit: usize) -> StorageResult<Vec<Record>>;

    /// The copy into this storage that has not been finished, if there is one.
    async fn find_copy(&self) -> StorageResult<Option<UnfinishedCopy>>;

    /// Begins a copy of `source` if the storage holds nothing, or finds the one that was begun. Of two that begin at
    /// once with different sources one begins.
    async fn begin_copy(&self, source: ContentHash) -> StorageResult<Begun>;

    /// Takes in records, in the order of [`Place`] and after those taken in before, in one transaction, durably; the
    /// copy has then reached the last of them. A record that is there stays as it is, so a batch may be repeated, and
    /// a batch that was cut in another way too. What follows from records (unread counts, search, repetitions by
    /// `clientMessageId`, uses of media by messages and groups) is true from then on.
    ///
    /// # Errors
    /// `Corrupt` if no copy has begun. Any: the place that was reached has not moved (`UnknownOutcome`: or all is in),
    /// and the batch can be repeated.
    async fn take_in(&self, records: &[Record]) -> StorageResult<()>;

    /// Works out what can only be known when all records are there (uses of media as pictures of users), and forgets
    /// that there was a copy: from then on the storage is one like any other. Idempotent.
    async fn finish_copy(&self) -> StorageResult<()>;
}

/// Where records come from: a storage, or a file.
#[async_trait]
pub trait RecordSource: Send + Sync {
    /// Refuses what cannot be copied: a storage with a copy in it that is not finished, a file that is not whole.
    ///
    /// # Errors
    /// `Corrupt`, with what is wrong as its source.
    async fn check_whole(&self) -> StorageResult<()>;

    /// How many records of each kind there are.
    async fn count_records(&self) -> StorageResult<RecordCounts>;

    /// Begins to read after this record, or from the beginning.
    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>>;
}

/// Records one batch after the other.
#[async_trait]
pub trait RecordReader: Send {
    /// The next records in the order of [`Place`]; none at the end.
    async fn next_records(&mut self) -> StorageResult<Vec<Record>>;
}

/// Where records go: a storage, or a file. Its promises are those of [`Archive`].
#[async_trait]
pub trait RecordTarget: RecordSource {
    /// See [`Archive::begin_copy`]. `counts` is how many records there will be.
    async fn begin_copy(&self, source: ContentHash, counts: &RecordCounts) -> StorageResult<Begun>;

    /// See [`Archive::take_in`].
    async fn take_in(&self, records: &[Record]) -> StorageResult<()>;

    /// See [`Archive::finish_copy`].
    async fn finish_copy(&self) -> StorageResult<()>;
}
