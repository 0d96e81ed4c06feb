//! Opens the store of media that the configuration names, and collects in it what nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use parlance_domain::ports::Blobs;
use parlance_domain::services::{Collected, Collecting};
use parlance_media::ObjectBlobs;

use crate::config::{Config, ConfigError};
use crate::storage::Opened;
use crate::system::SystemClock;

/// Why nothing, or not everything, was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// What the configuration names cannot be had.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Storage or blobs failed on the way.
    #[error(transparent)]
    Failed(#[from] parlance_domain::Error),
}

/// The blobs that the configuration names.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Blobs>, ConfigError> {
    let at = config.media.at.clone();
    let opened = tokio::task::spawn_blocking(move || ObjectBlobs::open(&at)).await;
    let refused = |error: &dyn std::error::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        config.refuse("MEDIA_DIR", format!("{error}{cause}"))
    };
    match opened {
        Ok(Ok(blobs)) => Ok(Arc::new(blobs)),
        Ok(Err(error)) => Err(refused(&error)),
        Err(error) => Err(refused(&error)),
    }
}

/// Removes media that nothing has referred to for `grace`, once.
pub async fn collect_media(config: &Config, grace: Duration) -> Result<Collected, CollectError> {
    let storage = Opened::open_whole(config).await?;
    let blobs = open(config).await?;
    let collected = Collecting::new(storage.storage.clone(), blobs, Arc::new(SystemClock)).collect(grace).await;
    storage.close().await;
    Ok(collected?)
}
