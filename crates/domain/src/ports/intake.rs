//! The way in of uploads: whoever implements it finds out what an upload really is, keeps its bytes in the
//! [`Blobs`](super::Blobs) and describes it. Keeping the record, progress and who may upload are `Uploading`'s.

use std::error::Error as StdError;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use super::StorageResult;
use crate::error::Result;
use crate::model::{Medium, MediumId, Timestamp, UserId};

/// The bytes of an upload as they arrive. An error means that the uploader broke off.
pub type UploadChunks<'a> = Pin<Box<dyn Stream<Item = UploadChunk> + Send + 'a>>;

/// One of them.
pub type UploadChunk = std::result::Result<Bytes, Box<dyn StdError + Send + Sync>>;

/// What an upload says of itself.
#[derive(Debug, Clone)]
pub struct Upload<'a> {
    /// The id that the medium gets. Whoever knows it can fetch the medium: make it from randomness.
    pub id: MediumId,
    /// Who uploads.
    pub uploader: UserId,
    /// The name it came with; only its cleaned form is kept.
    pub filename: &'a str,
    /// The size of the file in bytes, if it was announced.
    pub declared_bytes: Option<u64>,
    /// Now.
    pub uploaded_at: Timestamp,
}

/// Takes uploads in.
#[async_trait]
pub trait MediaIntake: Send + Sync {
    /// The largest upload, in bytes.
    fn max_bytes(&self) -> u64;

    /// Refuses a request by its `Content-Length` before its body is read; a multipart body may have a little more
    /// around the file.
    ///
    /// # Errors
    /// `PayloadTooLarge`.
    fn check_content_length(&self, content_length: u64) -> Result<()>;

    /// Reads `chunks` to their end and keeps them under `upload.id`, which must be new. Dropped before it is done,
    /// it leaves nothing; once it has returned, the bytes are the caller's to record or to [`discard`](Self::discard).
    ///
    /// # Errors
    /// `UnsupportedMedia`, `AudioNotAllowed`, `PayloadTooLarge`, `Validation` of `media` for an upload that is empty
    /// or broke off, `Unavailable`. Nothing is left of it.
    async fn receive(&self, upload: Upload<'_>, chunks: UploadChunks<'_>) -> Result<Medium>;

    /// Removes what [`receive`](Self::receive) kept. Idempotent.
    async fn discard(&self, id: MediumId) -> StorageResult<()>;
}
