//! What killed writes leave in a folder: `object_store` writes to `<name>#<number>` first and renames it. Such
//! files are never listed or read; here they are removed once they are old enough.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlance_domain::model::Timestamp;
use parlance_domain::ports::{StorageError, StorageResult};

use super::locations::shards_from;

/// Removes the staged files under `root` that were last written before `before`, and counts them.
pub(super) async fn remove(root: Arc<PathBuf>, before: Timestamp) -> StorageResult<u64> {
    let before = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(before.millis()).unwrap_or(0));
    let failed = |source| StorageError::Unavailable { source };
    match tokio::task::spawn_blocking(move || remove_now(&root, before)).await {
        Ok(Ok(removed)) => Ok(removed),
        Ok(Err(error)) => Err(failed(Box::new(error))),
        Err(error) => Err(failed(Box::new(error))),
    }
}

fn remove_now(root: &Path, before: SystemTime) -> std::io::Result<u64> {
    let mut removed = 0;
    for shard in shards_from(0) {
        for entry in std::fs::read_dir(root.join(shard))? {
            let entry = entry?;
            let staged = entry.file_name().to_str().is_some_and(is_staged);
            // A file may be finished and renamed while we look.
            let Ok(meta) = entry.metadata() else { continue };
            if staged && meta.is_file() && meta.modified()? < before && std::fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn is_staged(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()))
}
