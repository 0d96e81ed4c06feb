//! Thumbnails: at most 512 pixels on the longer side, upright, without any metadata. Decoding happens off the
//! runtime, a few pictures at a time, under limits on pixels and memory; a picture that cannot be decoded within
//! them is served without a thumbnail. The source is in memory only while its turn lasts.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use image::codecs::jpeg::JpegEncoder;
use image::error::{LimitError, LimitErrorKind};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use parlance_domain::model::{Dimensions, MediumId, Thumbnail};
use parlance_domain::ports::{BlobKey, Blobs, StorageError};
use tokio::sync::Semaphore;

use crate::sniff::{Format, is_progressive, swaps};

/// The longest side of a thumbnail.
pub(crate) const LONGEST_SIDE: u32 = 512;
const JPEG_QUALITY: u8 = 80;
/// What the coefficients of a progressive JPEG take while it is decoded, against the picture itself.
const PROGRESSIVE_FACTOR: u64 = 3;

/// Makes thumbnails.
#[derive(Debug)]
pub(crate) struct Thumbnailer {
    turns: Arc<Semaphore>,
    limits: ThumbnailLimits,
}

/// What a thumbnail may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThumbnailLimits {
    pub(crate) at_once: usize,
    pub(crate) max_pixels: u64,
    pub(crate) max_decoded_bytes: u64,
    pub(crate) max_wait: Duration,
}

/// A stored thumbnail.
pub(crate) struct Stored {
    pub(crate) thumbnail: Thumbnail,
    /// The size of the whole picture as shown: only decoding tells the orientation of a PNG or WebP.
    pub(crate) shown: Dimensions,
}

/// A thumbnail before it is stored.
struct Made {
    bytes: Vec<u8>,
    content_type: &'static str,
    dimensions: Dimensions,
    shown: Dimensions,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the picture cannot be decoded")]
    Picture(#[from] ImageError),
    #[error("the storage failed")]
    Storage(#[from] StorageError),
    #[error("the decoder broke down")]
    Decoder(#[from] tokio::task::JoinError),
    #[error("the blob is gone")]
    Gone,
    #[error("no turn came in time")]
    Busy,
}

impl Thumbnailer {
    pub(crate) fn new(limits: ThumbnailLimits) -> Self {
        Self { turns: Arc::new(Semaphore::new(limits.at_once.max(1))), limits }
    }

    /// Whether a picture of this size gets a thumbnail.
    pub(crate) fn is_due(&self, size: Dimensions) -> bool {
        size.width.max(size.height) > LONGEST_SIDE
            && u64::from(size.width) * u64::from(size.height) <= self.limits.max_pixels
    }

    /// Makes and stores the thumbnail of a stored picture; `None` where it cannot be had.
    pub(crate) async fn make(&self, blobs: &dyn Blobs, id: MediumId, format: Format, bytes: u64) -> Option<Stored> {
        match self.try_make(blobs, id, format, bytes).await {
            Ok(thumbnail) => Some(thumbnail),
            Err(error @ Failure::Picture(_)) => {
                tracing::debug!(%id, error = &error as &dyn std::error::Error, "no thumbnail");
                None
            }
            Err(error) => {
                tracing::warn!(%id, error = &error as &dyn std::error::Error, "no thumbnail");
                None
            }
        }
    }

    async fn try_make(&self, blobs: &dyn Blobs, id: MediumId, format: Format, bytes: u64) -> Result<Stored, Failure> {
        let turn = tokio::time::timeout(self.limits.max_wait, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        let mut chunks = blobs.read(BlobKey::original(id), 0..bytes).await?.ok_or(Failure::Gone)?;
        let mut source = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        while let Some(chunk) = chunks.try_next().await? {
            source.extend_from_slice(&chunk);
        }
        let limits = self.limits;
        let made = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also when nobody waits for it any more.
            let _turn = turn;
            shrink(&source, format, limits)
        });
        let Made { bytes, content_type, dimensions, shown } = made.await??;
        let size = bytes.len() as u64;
        let mut write = blobs.begin(BlobKey::thumbnail(id)).await?;
        write.write(Bytes::from(bytes)).await?;
        write.finish().await?;
        Ok(Stored { thumbnail: Thumbnail { content_type: content_type.to_owned(), bytes: size, dimensions }, shown })
    }
}

fn shrink(source: &[u8], format: Format, allowed: ThumbnailLimits) -> Result<Made, ImageError> {
    let format = match format {
        Format::Png => ImageFormat::Png,
        Format::Gif => ImageFormat::Gif,
        Format::Webp => ImageFormat::WebP,
        _ => ImageFormat::Jpeg,
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(allowed.max_decoded_bytes);
    let mut reader = ImageReader::with_format(Cursor::new(source), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // The decoders watch only what they allocate besides the picture; and a header may have told us another size
    // than it tells them.
    let (width, height) = decoder.dimensions();
    let factor = if format == ImageFormat::Jpeg && is_progressive(source) { PROGRESSIVE_FACTOR } else { 1 };
    if u64::from(width) * u64::from(height) > allowed.max_pixels
        || decoder.total_bytes().saturating_mul(factor) > allowed.max_decoded_bytes
    {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)));
    }
    let orientation = decoder.orientation()?;
    let picture = DynamicImage::from_decoder(decoder)?;
    let mut small = picture.thumbnail(LONGEST_SIDE, LONGEST_SIDE);
    drop(picture);
    small.apply_orientation(orientation);
    let dimensions = Dimensions { width: small.width(), height: small.height() };
    let shown =
        if swaps(orientation) { Dimensions { width: height, height: width } } else { Dimensions { width, height } };
    let mut bytes = Vec::new();
    // JPEG knows no transparency, and lossless WebP is too large for photographs.
    let content_type = if is_transparent(&small) {
        DynamicImage::from(small.into_rgba8()).write_to(&mut Cursor::new(&mut bytes), ImageFormat::WebP)?;
        "image/webp"
    } else {
        small.into_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        "image/jpeg"
    };
    Ok(Made { bytes, content_type, dimensions, shown })
}

fn is_transparent(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX)
}
