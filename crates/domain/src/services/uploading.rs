//! Uploads from their first byte to their record, and media on their way out. What an upload is and how it is kept
//! is the intake's part; what nothing refers to any more is [`Collecting`](super::Collecting)'s.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::limiting::Limiting;
use super::publisher::Publisher;
use super::upload_slots::{Slot, Slots};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{MediaLink, MediaType, Medium, MediumId, UserId};
use crate::ports::{
    BlobChunks, BlobKey, Blobs, Clock, EventBus, MediaIntake, MediaItems, RandomIds, StorageError, Upload, UploadChunk,
    UploadChunks,
};

/// At most ten a second (contract: `upload:progress`).
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// The longest name that a client may have for an upload, in bytes.
const MAX_UPLOAD_ID_BYTES: usize = 200;

/// What uploading is built from.
pub struct UploadParts {
    /// Where media are recorded.
    pub media: Arc<dyn MediaItems>,
    /// Where their bytes are.
    pub blobs: Arc<dyn Blobs>,
    /// What takes them in, into the same blobs.
    pub intake: Arc<dyn MediaIntake>,
    /// Where progress goes.
    pub bus: Arc<dyn EventBus>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids that nobody guesses.
    pub ids: Arc<dyn RandomIds>,
    /// What links to media begin with; the same as in the other services' settings.
    pub own_media_prefix: String,
    /// Uploads that run at a time.
    pub at_once: usize,
    /// Those of one user.
    pub at_once_per_user: usize,
    /// How fast one user may begin new ones; the same as the other services'.
    pub limiting: Limiting,
}

struct Needs {
    media: Arc<dyn MediaItems>,
    blobs: Arc<dyn Blobs>,
    intake: Arc<dyn MediaIntake>,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn RandomIds>,
    own_media_prefix: String,
    slots: Arc<Slots>,
    limiting: Limiting,
}

/// Taking media in, and finding them.
#[derive(Clone)]
pub struct Uploading(Arc<Needs>);

/// What a client says of an upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewUpload<'a> {
    /// The file's name on the client's side.
    pub filename: &'a str,
    /// The client's name for the upload; with one its sockets hear of progress.
    pub upload_id: Option<&'a str>,
    /// The only type that will do.
    pub only: Option<MediaType>,
}

/// An upload that may begin. Dropping it gives its place to the next.
#[must_use = "it is the right to one upload"]
pub struct UploadTurn {
    uploading: Uploading,
    uploader: UserId,
    content_length: Option<u64>,
    _slot: Slot,
}

impl Uploading {
    /// Builds the service.
    pub fn new(parts: UploadParts) -> Self {
        let UploadParts { media, blobs, intake, bus, clock, ids, own_media_prefix, .. } = parts;
        let UploadParts { at_once, at_once_per_user, limiting, .. } = parts;
        let (publisher, slots) = (Publisher::new(bus), Slots::new(at_once, at_once_per_user));
        Self(Arc::new(Needs { media, blobs, intake, publisher, clock, ids, own_media_prefix, slots, limiting }))
    }

    /// Lets `uploader` begin, before anything of the body is read.
    ///
    /// # Errors
    /// `PayloadTooLarge` by the request's length, `RateLimited` while too many uploads run and for one too many of
    /// this user's in a minute.
    pub fn begin(&self, uploader: &UserId, content_length: Option<u64>) -> Result<UploadTurn> {
        if let Some(bytes) = content_length {
            self.0.intake.check_content_length(bytes)?;
        }
        let slot = self.0.slots.take(uploader)?;
        self.0.limiting.upload(uploader)?;
        Ok(UploadTurn { uploading: self.clone(), uploader: uploader.clone(), content_length, _slot: slot })
    }

    /// The largest upload, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.0.intake.max_bytes()
    }

    /// Lets so many uploads run at a time from now on; those that run are not ended.
    pub fn change_at_once(&self, at_once: usize) {
        self.0.slots.change(at_once);
    }

    /// A medium by its id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, id: MediumId) -> Result<Medium> {
        self.0.media.find_medium(id).await?.ok_or(Error::NotFound("Medium not found"))
    }

    /// The link to a medium, as a message carries it.
    pub fn link(&self, medium: &Medium) -> MediaLink {
        medium.link(&self.0.own_media_prefix)
    }

    /// Some of a medium's bytes.
    ///
    /// # Errors
    /// `NotFound` when they are gone.
    pub async fn read(&self, key: BlobKey, range: Range<u64>) -> Result<BlobChunks> {
        self.0.blobs.read(key, range).await?.ok_or(Error::NotFound("Medium not found"))
    }

    /// Takes an upload back that nothing came to use. Where that fails, collecting does it a day later.
    pub async fn discard(&self, id: MediumId) {
        // The record goes first: bytes without a record are found, a record without bytes would be a broken link.
        match self.0.media.remove_medium(id).await {
            Ok(true) => self.discard_bytes(id).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%id, %error, "an unused upload is left for the collection"),
        }
    }

    async fn discard_bytes(&self, id: MediumId) {
        if let Err(error) = self.0.intake.discard(id).await {
            tracing::warn!(%id, %error, "the bytes of an upload are left for the collection");
        }
    }

    async fn record(&self, medium: &Medium) -> Result<()> {
        let Err(error) = self.0.media.insert_medium(medium).await else { return Ok(()) };
        match &error {
            // The record may be there: it has to go before the bytes do.
            StorageError::UnknownOutcome { .. } => self.discard(medium.id).await,
            StorageError::Unavailable { .. } | StorageError::Corrupt { .. } => self.discard_bytes(medium.id).await,
        }
        Err(error.into())
    }
}

impl UploadTurn {
    /// Takes the file in and records it. The uploader's sockets hear how far it is, and of its end.
    ///
    /// # Errors
    /// What the intake refuses, `UnsupportedMedia` for another type than the one that will do, `Validation` of
    /// `uploadId`, `Unavailable`. Nothing is left of it.
    pub async fn take(self, new: NewUpload<'_>, chunks: UploadChunks<'_>) -> Result<Medium> {
        let Self { uploading, uploader, content_length, _slot } = &self;
        let needs = &*uploading.0;
        let upload_id = new.upload_id.filter(|id| !id.is_empty());
        if upload_id.is_some_and(|id| id.len() > MAX_UPLOAD_ID_BYTES || id.chars().any(char::is_control)) {
            return Err(Error::validation("uploadId", "must have at most 200 bytes without control characters"));
        }
        let upload = Upload {
            id: needs.ids.random_id().into(),
            uploader: uploader.clone(),
            filename: new.filename,
            declared_bytes: None,
            uploaded_at: needs.clock.now(),
        };
        let loaded = AtomicU64::new(0);
        let receive = needs.intake.receive(upload, Box::pin(Counted { chunks, loaded: &loaded }));
        let medium = match upload_id {
            None => receive.await?,
            Some(id) => tokio::select! {
                medium = receive => medium?,
                never = self.report(id, *content_length, &loaded) => match never {},
            },
        };
        if new.only.is_some_and(|only| only != medium.media_type) {
            uploading.discard_bytes(medium.id).await;
            return Err(Error::UnsupportedMedia(medium.content_type));
        }
        uploading.record(&medium).await?;
        if let Some(id) = upload_id {
            self.publish(id, medium.bytes, Some(medium.bytes)).await;
        }
        Ok(medium)
    }

    async fn report(&self, upload_id: &str, total: Option<u64>, loaded: &AtomicU64) -> std::convert::Infallible {
        let mut ticks = interval_at(Instant::now() + PROGRESS_EVERY, PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = 0;
        loop {
            ticks.tick().await;
            let now = loaded.load(Ordering::Relaxed);
            if now > told {
                told = now;
                self.publish(upload_id, now, total).await;
            }
        }
    }

    async fn publish(&self, upload_id: &str, loaded: u64, total: Option<u64>) {
        let (user_id, upload_id) = (self.uploader.clone(), upload_id.to_owned());
        self.uploading.0.publisher.publish(Event::UploadProgress { user_id, upload_id, loaded, total }).await;
    }
}

/// Chunks that are counted as they pass.
struct Counted<'a> {
    chunks: UploadChunks<'a>,
    loaded: &'a AtomicU64,
}

impl Stream for Counted<'_> {
    type Item = UploadChunk;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<UploadChunk>> {
        let next = self.chunks.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &next {
            // One task counts and reads; nothing else is ordered by the number.
            self.loaded.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        next
    }
}
