//! The way of an upload: checked before it is read, sniffed and hashed while it streams into the blobs, named,
//! measured, and given a thumbnail. What is refused, breaks off or fails leaves nothing behind.
//!
//! Who may upload and how often, progress to the uploader (watch the stream of chunks) and keeping the
//! [`Medium`] are the callers' business.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use parlance_domain::Error;
use parlance_domain::model::{Dimensions, Medium, MediumId};
use parlance_domain::ports::{
    BlobKey, BlobWrite, Blobs, MediaIntake, StorageError, StorageResult, Upload, UploadChunks,
};
use sha2::{Digest, Sha256};

use crate::filename::clean_filename;
use crate::sniff::{Found, HEAD_BYTES, Refusal, Sniffer};
use crate::thumbnail::{ThumbnailLimits, Thumbnailer};

/// What a multipart body may have around its file: names, captions, boundaries.
const FRAMING_BYTES: u64 = 256 * 1024;
/// How much is hashed and sniffed before others get their turn on the thread.
const STEP_BYTES: usize = 64 * 1024;

/// Limits of uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeSettings {
    /// The largest upload in bytes (`MAX_UPLOAD_BYTES`, 20 MiB).
    pub max_bytes: u64,
    /// How long the next chunk may take to come (30 s).
    pub max_pause: Duration,
    /// An image with more pixels than this is refused: a viewer's browser would have to hold them (250 million).
    pub max_image_pixels: u64,
    /// An image with more pixels than this gets no thumbnail (50 million).
    pub max_thumbnail_pixels: u64,
    /// What decoding one image may take in memory (256 MiB); beyond that it gets no thumbnail.
    pub max_decoded_bytes: u64,
    /// How many images are decoded at the same time (1).
    pub thumbnails_at_once: usize,
    /// How long an upload waits for its turn to be decoded (20 s); then it goes without a thumbnail.
    pub max_thumbnail_wait: Duration,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            max_bytes: 20 * 1024 * 1024,
            max_pause: Duration::from_secs(30),
            max_image_pixels: 250_000_000,
            max_thumbnail_pixels: 50_000_000,
            max_decoded_bytes: 256 * 1024 * 1024,
            thumbnails_at_once: 1,
            max_thumbnail_wait: Duration::from_secs(20),
        }
    }
}

/// Why an upload was not taken. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Its content may not be uploaded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is larger than this many bytes.
    #[error("an upload may have at most {0} bytes")]
    TooLarge(u64),
    /// It has no bytes.
    #[error("the upload is empty")]
    Empty,
    /// The uploader broke off, or paused for too long.
    #[error("the upload broke off")]
    BrokenOff(#[source] Box<dyn StdError + Send + Sync>),
    /// The blobs failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<IntakeError> for Error {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Refused(refusal) => refusal.into(),
            IntakeError::TooLarge(max_bytes) => {
                Self::PayloadTooLarge(format!("an upload may have at most {max_bytes} bytes"))
            }
            IntakeError::Empty => Self::validation("media", "must not be empty"),
            IntakeError::BrokenOff(_) => Self::validation("media", "the upload broke off"),
            IntakeError::Storage(error) => error.into(),
        }
    }
}

/// Takes uploads in. One for the process: it counts the decoders at work.
pub struct Intake {
    blobs: Arc<dyn Blobs>,
    settings: IntakeSettings,
    /// What holds instead of the one in the settings.
    max_bytes: AtomicU64,
    thumbnails: Thumbnailer,
}

impl Intake {
    /// An intake that keeps what it takes in `blobs`.
    pub fn new(blobs: Arc<dyn Blobs>, settings: IntakeSettings) -> Self {
        let thumbnails = Thumbnailer::new(ThumbnailLimits {
            at_once: settings.thumbnails_at_once,
            max_pixels: settings.max_thumbnail_pixels,
            max_decoded_bytes: settings.max_decoded_bytes,
            max_wait: settings.max_thumbnail_wait,
        });
        let max_bytes = AtomicU64::new(settings.max_bytes);
        Self { blobs, settings, max_bytes, thumbnails }
    }

    /// The largest upload, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes.load(Ordering::Relaxed)
    }

    /// Lets another size be the largest from now on, also for uploads that are under way.
    pub fn change_max_bytes(&self, max_bytes: u64) {
        self.max_bytes.store(max_bytes, Ordering::Relaxed);
    }

    /// Refuses a request by its `Content-Length` before its body is read; a multipart body may have a little
    /// more around the file.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn check_content_length(&self, content_length: u64) -> Result<(), IntakeError> {
        self.check_bytes(content_length.saturating_sub(FRAMING_BYTES))
    }

    /// Takes an upload in: reads `chunks` to their end and keeps them under `upload.id`, which must be new.
    /// Dropped before it is done, it leaves nothing; once it has returned, the bytes are the caller's to keep a
    /// record of or to [`discard`](Self::discard).
    ///
    /// # Errors
    /// See [`IntakeError`]; refusals come as early as the bytes show them, with the rest unread.
    pub async fn receive<S, E>(&self, upload: Upload<'_>, chunks: S) -> Result<Medium, IntakeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.check_bytes(upload.declared_bytes.unwrap_or(0))?;
        let mut chunks = Box::pin(chunks);
        let mut head = BytesMut::new();
        let mut ended = false;
        while head.len() < HEAD_BYTES && !ended {
            match self.next(&mut chunks).await? {
                Some(chunk) => {
                    self.check_bytes((head.len() + chunk.len()) as u64)?;
                    head.extend_from_slice(&chunk);
                }
                None => ended = true,
            }
        }
        if head.is_empty() {
            return Err(IntakeError::Empty);
        }
        let sniffer = Sniffer::begin(&head[..head.len().min(HEAD_BYTES)])?;
        let key = BlobKey::original(upload.id);
        let mut passage = Passage { write: self.blobs.begin(key).await?, sniffer, digest: Sha256::new(), bytes: 0 };
        match self.pass(&mut passage, head.freeze(), ended, &mut chunks).await {
            Ok(()) => {}
            Err(error) => {
                passage.give_up().await;
                return Err(error);
            }
        }
        self.keep(upload, passage).await
    }

    /// Removes what [`receive`](Self::receive) kept, for callers who could not record it.
    pub async fn discard(&self, id: MediumId) -> StorageResult<()> {
        self.blobs.remove(BlobKey::original(id)).await?;
        self.blobs.remove(BlobKey::thumbnail(id)).await
    }

    async fn pass<S, E>(
        &self,
        passage: &mut Passage,
        head: Bytes,
        ended: bool,
        chunks: &mut S,
    ) -> Result<(), IntakeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut next = Some(head);
        while let Some(mut chunk) = next {
            self.check_bytes(passage.bytes + chunk.len() as u64)?;
            while !chunk.is_empty() {
                let step = chunk.split_to(chunk.len().min(STEP_BYTES));
                passage.step(step).await?;
            }
            next = if ended { None } else { self.next(chunks).await? };
        }
        Ok(())
    }

    async fn next<S, E>(&self, chunks: &mut S) -> Result<Option<Bytes>, IntakeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match tokio::time::timeout(self.settings.max_pause, chunks.next()).await {
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(None) => Ok(None),
            Ok(Some(Err(error))) => Err(IntakeError::BrokenOff(error.into())),
            Err(pause) => Err(IntakeError::BrokenOff(pause.into())),
        }
    }

    async fn keep(&self, upload: Upload<'_>, passage: Passage) -> Result<Medium, IntakeError> {
        let Passage { write, sniffer, digest, bytes } = passage;
        let found = match sniffer.finish().and_then(|found| self.check_pixels(found)) {
            Ok(found) => found,
            Err(refusal) => {
                abort(write).await;
                return Err(refusal.into());
            }
        };
        let unkept = Unkept { blobs: Some(Arc::clone(&self.blobs)), id: upload.id };
        write.finish().await?;
        let stored = match found.dimensions {
            Some(size) if self.thumbnails.is_due(size) => {
                self.thumbnails.make(&*self.blobs, upload.id, found.format, bytes).await
            }
            _ => None,
        };
        unkept.kept();
        let Found { format, dimensions } = found;
        let (thumbnail, shown) = stored.map(|stored| (stored.thumbnail, stored.shown)).unzip();
        Ok(Medium {
            id: upload.id,
            uploader: upload.uploader,
            media_type: format.media_type(),
            format: format.name().to_owned(),
            content_type: format.content_type().to_owned(),
            filename: clean_filename(upload.filename, format),
            bytes,
            digest: hex(&digest.finalize()),
            dimensions: shown.or(dimensions),
            thumbnail,
            uploaded_at: upload.uploaded_at,
        })
    }

    fn check_bytes(&self, bytes: u64) -> Result<(), IntakeError> {
        let max_bytes = self.max_bytes();
        if bytes > max_bytes { Err(IntakeError::TooLarge(max_bytes)) } else { Ok(()) }
    }

    fn check_pixels(&self, found: Found) -> Result<Found, Refusal> {
        match found.dimensions {
            Some(Dimensions { width, height })
                if u64::from(width) * u64::from(height) > self.settings.max_image_pixels =>
            {
                Err(Refusal::unsupported(format!("{} of {width} × {height} pixels", found.format.content_type())))
            }
            _ => Ok(found),
        }
    }
}

#[async_trait]
impl MediaIntake for Intake {
    fn max_bytes(&self) -> u64 {
        Self::max_bytes(self)
    }

    fn check_content_length(&self, content_length: u64) -> Result<(), Error> {
        Ok(Self::check_content_length(self, content_length)?)
    }

    async fn receive(&self, upload: Upload<'_>, chunks: UploadChunks<'_>) -> Result<Medium, Error> {
        let received = Self::receive(self, upload, chunks).await;
        if let Err(IntakeError::BrokenOff(cause)) = &received {
            tracing::debug!(error = &**cause as &dyn StdError, "an upload broke off");
        }
        Ok(received?)
    }

    async fn discard(&self, id: MediumId) -> StorageResult<()> {
        Self::discard(self, id).await
    }
}

/// An upload between its first byte and its last.
struct Passage {
    write: Box<dyn BlobWrite>,
    sniffer: Sniffer,
    digest: Sha256,
    bytes: u64,
}

impl Passage {
    async fn step(&mut self, step: Bytes) -> Result<(), IntakeError> {
        self.sniffer.feed(&step)?;
        self.digest.update(&step);
        self.bytes += step.len() as u64;
        Ok(self.write.write(step).await?)
    }

    async fn give_up(self) {
        abort(self.write).await;
    }
}

async fn abort(write: Box<dyn BlobWrite>) {
    if let Err(error) = write.abort().await {
        tracing::warn!(error = &error as &dyn StdError, "a refused upload may have left parts in the store");
    }
}

/// Blobs that nobody knows of yet: dropped before they are kept, it removes them in the background.
struct Unkept {
    blobs: Option<Arc<dyn Blobs>>,
    id: MediumId,
}

impl Unkept {
    fn kept(mut self) {
        self.blobs = None;
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        let (Some(blobs), id) = (self.blobs.take(), self.id) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for key in [BlobKey::original(id), BlobKey::thumbnail(id)] {
                    if let Err(error) = blobs.remove(key).await {
                        tracing::warn!(%id, error = &error as &dyn StdError, "an upload that broke off is left to the sweep");
                    }
                }
            });
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
