//! Where the bytes of media are kept. A blob appears whole or not at all, and never changes afterwards.
//! What a medium is (type, name, uploader) is a storage's business; adapters: `parlance-media`, whose tests
//! check every sentence here on every backend.

use std::ops::Range;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use super::StorageResult;
use crate::model::{MediumId, Timestamp};

/// Names a blob. Backends choose their own paths, so there is no text in it that could lead astray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey {
    /// The medium.
    pub medium: MediumId,
    /// Which of its blobs.
    pub part: BlobPart,
}

/// The blobs that a medium may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobPart {
    /// What was uploaded.
    Original,
    /// The smaller picture.
    Thumbnail,
}

impl BlobKey {
    /// The key of what was uploaded.
    pub const fn original(medium: MediumId) -> Self {
        Self { medium, part: BlobPart::Original }
    }

    /// The key of the smaller picture.
    pub const fn thumbnail(medium: MediumId) -> Self {
        Self { medium, part: BlobPart::Thumbnail }
    }
}

/// What a backend knows of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its size in bytes.
    pub bytes: u64,
    /// The backend's own tag, if it has one: another content has another tag. Not what clients are shown.
    pub tag: Option<String>,
    /// When it was finished, by the backend's clock; may be cut to whole seconds.
    pub modified: Timestamp,
}

/// A blob in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its key.
    pub key: BlobKey,
    /// What is known of it.
    pub info: BlobInfo,
}

/// Bytes in order, in chunks of the backend's choice (none of them above 1 MiB). Ends after the first error.
pub type BlobChunks = Pin<Box<dyn Stream<Item = StorageResult<Bytes>> + Send>>;

/// Keeps blobs.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Begins to write a blob. Nothing is there to see until the write is finished. Finishing over a blob that
    /// exists replaces it whole.
    ///
    /// # Errors
    /// Any: nothing happened.
    async fn begin(&self, key: BlobKey) -> StorageResult<Box<dyn BlobWrite>>;

    /// What is known of a blob; `None` if there is none, never because the backend does not answer.
    async fn find_info(&self, key: BlobKey) -> StorageResult<Option<BlobInfo>>;

    /// The bytes from `range.start` up to but not including `range.end`, cut at the end of the blob; an empty
    /// or wholly outlying range gives no bytes. `None` if there is no such blob. A reader that has begun reads
    /// the old content or fails when the blob is replaced or removed meanwhile, and never a mixture.
    async fn read(&self, key: BlobKey, range: Range<u64>) -> StorageResult<Option<BlobChunks>>;

    /// Removes a blob. Idempotent.
    ///
    /// # Errors
    /// `UnknownOutcome`: repeat it.
    async fn remove(&self, key: BlobKey) -> StorageResult<()>;

    /// A page of the blobs finished before `before`, at most `limit` of them, beginning after `after`. The order
    /// is the backend's and does not change: going on from the last key of a page until a page comes back empty
    /// shows each blob that was there all the time exactly once.
    async fn list_finished_before(
        &self,
        before: Timestamp,
        after: Option<BlobKey>,
        limit: usize,
    ) -> StorageResult<Vec<BlobEntry>>;

    /// Removes what writes begun before `before` have left because the process was killed, as far as the backend
    /// can know, and says how many. Such remains are never listed or read.
    async fn remove_broken_writes(&self, before: Timestamp) -> StorageResult<u64>;
}

/// A blob on its way in. Dropping it aborts it: the remains go in the background.
#[async_trait]
pub trait BlobWrite: Send {
    /// Takes the next bytes, however many; waits while the backend is slower than the caller, so that no more
    /// than one part (at most 5 MiB) is held.
    ///
    /// # Errors
    /// Any: the write is lost and can only be dropped or aborted.
    async fn write(&mut self, chunk: Bytes) -> StorageResult<()>;

    /// Makes the blob appear; it then survives a power cut, as far as the backend promises.
    ///
    /// # Errors
    /// `UnknownOutcome`: it may have appeared; remove it. Any other: nothing is left.
    async fn finish(self: Box<Self>) -> StorageResult<()>;

    /// Leaves nothing, and returns when that is so.
    async fn abort(self: Box<Self>) -> StorageResult<()>;
}
