//! Removes media that nothing refers to: uploads that no message, group or user came to use or still uses, bytes
//! without a record, and what killed writes left. A record always goes before its bytes, so that a collection that
//! is cut short leaves only what the next one finds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::error::Result;
use crate::model::{MediumId, Timestamp};
use crate::ports::{BlobKey, Blobs, Clock, MediaItems};

/// How many media are looked at in one step.
const PAGE: usize = 200;
/// How often a running server collects.
const EVERY: Duration = Duration::from_hours(1);

/// What a collection removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Media that nothing used.
    pub media: u64,
    /// Blobs without a record.
    pub blobs: u64,
    /// Remains of writes that were never finished.
    pub broken_writes: u64,
}

/// Removes what nothing refers to.
#[derive(Clone)]
pub struct Collecting {
    media: Arc<dyn MediaItems>,
    blobs: Arc<dyn Blobs>,
    clock: Arc<dyn Clock>,
}

impl Collecting {
    /// How old an upload is before it is removed for not being used: time enough to send what was uploaded.
    pub const GRACE: Duration = Duration::from_hours(24);

    /// Collects in this storage and these blobs, which belong together.
    pub fn new(media: Arc<dyn MediaItems>, blobs: Arc<dyn Blobs>, clock: Arc<dyn Clock>) -> Self {
        Self { media, blobs, clock }
    }

    /// Collects at once and then every hour, for as long as it is awaited. It may be dropped at any point.
    pub async fn run(self) -> Infallible {
        let mut hours = interval(EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            match self.collect(Self::GRACE).await {
                Ok(collected) if collected == Collected::default() => {}
                Ok(Collected { media, blobs, broken_writes }) => {
                    tracing::info!(media, blobs, broken_writes, "removed media that nothing refers to");
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "media are not collected this hour");
                }
            }
        }
    }

    /// Removes what nothing refers to and is older than `grace`. An upload must not last longer than that.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`; what was removed until then stays removed.
    pub async fn collect(&self, grace: Duration) -> Result<Collected> {
        let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(self.clock.now().millis().saturating_sub(grace));
        Ok(Collected {
            media: self.remove_unused(before).await?,
            blobs: self.remove_unrecorded(before).await?,
            broken_writes: self.blobs.remove_broken_writes(before).await?,
        })
    }

    async fn remove_unused(&self, before: Timestamp) -> Result<u64> {
        let mut removed = 0;
        loop {
            let page = self.media.list_unused_media(before, PAGE).await?;
            let last = page.len() < PAGE;
            let mut moved = false;
            for id in page {
                // Somebody may have sent it since it was listed.
                if self.media.remove_medium(id).await? {
                    self.blobs.remove(BlobKey::original(id)).await?;
                    self.blobs.remove(BlobKey::thumbnail(id)).await?;
                    removed += 1;
                    moved = true;
                }
            }
            if last || !moved {
                return Ok(removed);
            }
        }
    }

    async fn remove_unrecorded(&self, before: Timestamp) -> Result<u64> {
        let (mut removed, mut after) = (0, None);
        // The blobs of one medium mostly follow each other.
        let mut recorded: Option<MediumId> = None;
        loop {
            let page = self.blobs.list_finished_before(before, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(removed) };
            after = Some(last.key);
            for entry in page {
                let id = entry.key.medium;
                if recorded == Some(id) {
                    continue;
                }
                if self.media.find_medium(id).await?.is_some() {
                    recorded = Some(id);
                } else {
                    self.blobs.remove(entry.key).await?;
                    removed += 1;
                }
            }
        }
    }
}
