//! The `Blobs` port on any `object_store`. Every blob appears whole (a rename, or the end of a multipart
//! upload), and reads are streams. Writing is in `write`, what killed writes left in `remains`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::{
    Error as StoreError, GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt,
};
use parlance_domain::model::Timestamp;
use parlance_domain::ports::{BlobChunks, BlobEntry, BlobInfo, BlobKey, BlobWrite, Blobs, StorageError, StorageResult};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::locations::{key, path, shard, shards_from};
use super::remains;
use super::write::ObjectWrite;

/// The largest chunk that a reader gets.
const CHUNK_BYTES: usize = 64 * 1024;

/// Beyond the end of any blob.
const MAX_BYTES: u64 = 1 << 62;

/// Blobs in a folder, a bucket or memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
    /// The folder, if it is one.
    root: Option<Arc<PathBuf>>,
}

impl ObjectBlobs {
    pub(super) fn new(store: Arc<dyn ObjectStore>, part_bytes: usize, root: Option<PathBuf>) -> Self {
        Self { store, part_bytes, root: root.map(Arc::new) }
    }

    /// Blobs on a store of one's own, for embedding; `part_bytes` is how much a write gathers before it sends.
    pub fn on(store: Arc<dyn ObjectStore>, part_bytes: usize) -> Self {
        Self::new(store, part_bytes, None)
    }
}

/// What the store said, as the port says it. Nothing has happened.
pub(super) fn failed(error: StoreError) -> StorageError {
    let source = Box::new(error);
    match *source {
        StoreError::InvalidPath { .. }
        | StoreError::NotSupported { .. }
        | StoreError::NotImplemented { .. }
        | StoreError::PermissionDenied { .. }
        | StoreError::Unauthenticated { .. }
        | StoreError::UnknownConfigurationKey { .. } => StorageError::Corrupt { source },
        _ => StorageError::Unavailable { source },
    }
}

/// What the store said when it may have done it all the same.
pub(super) fn unknown(error: StoreError) -> StorageError {
    match failed(error) {
        StorageError::Unavailable { source } => StorageError::UnknownOutcome { source },
        other => other,
    }
}

fn info(meta: ObjectMeta) -> BlobInfo {
    BlobInfo {
        bytes: meta.size,
        tag: meta.e_tag,
        modified: Timestamp::from_millis(meta.last_modified.timestamp_millis()),
    }
}

#[async_trait]
impl Blobs for ObjectBlobs {
    async fn begin(&self, key: BlobKey) -> StorageResult<Box<dyn BlobWrite>> {
        Ok(Box::new(ObjectWrite::new(Arc::clone(&self.store), path(&key), self.part_bytes)))
    }

    async fn find_info(&self, key: BlobKey) -> StorageResult<Option<BlobInfo>> {
        match self.store.head(&path(&key)).await {
            Ok(meta) => Ok(Some(info(meta))),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn read(&self, key: BlobKey, range: Range<u64>) -> StorageResult<Option<BlobChunks>> {
        let nothing = || -> BlobChunks { Box::pin(stream::empty()) };
        if range.is_empty() || range.start >= MAX_BYTES {
            return Ok(self.find_info(key).await?.map(|_| nothing()));
        }
        // Not every server can count as far as a client can ask.
        let range = range.start..range.end.min(MAX_BYTES);
        let wanted = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let found = match self.store.get_opts(&path(&key), wanted).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            // Stores word a range beyond the end in different ways; the size tells whether it is one.
            Err(error) => {
                return match self.find_info(key).await? {
                    Some(info) if info.bytes <= range.start => Ok(Some(nothing())),
                    Some(_) => Err(failed(error)),
                    None => Ok(None),
                };
            }
        };
        let range = found.range.clone();
        Ok(Some(match found.payload {
            // The library reads files in pieces of 8 KiB, each a hop to another thread.
            GetResultPayload::File(file, _) => file_chunks(file.into(), range),
            GetResultPayload::Stream(chunks) => Box::pin(chunks.map_err(failed).flat_map(|chunk| match chunk {
                Ok(chunk) => stream::iter(split(chunk)).map(Ok).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })),
        }))
    }

    async fn remove(&self, key: BlobKey) -> StorageResult<()> {
        match self.store.delete(&path(&key)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(unknown(error)),
        }
    }

    async fn list_finished_before(
        &self,
        before: Timestamp,
        after: Option<BlobKey>,
        limit: usize,
    ) -> StorageResult<Vec<BlobEntry>> {
        let mut page = Vec::new();
        for prefix in shards_from(after.as_ref().map_or(0, shard)) {
            if page.len() >= limit {
                break;
            }
            let prefix = object_store::path::Path::from(prefix);
            let mut listing = match &after {
                Some(after) => self.store.list_with_offset(Some(&prefix), &path(after)),
                None => self.store.list(Some(&prefix)),
            };
            // A folder lists in no order: of each shard keep the first ones that the page has room for.
            let mut entries = BTreeMap::new();
            while let Some(meta) = listing.try_next().await.map_err(failed)? {
                let Some(key) = key(&meta.location).filter(|key| after.is_none_or(|after| order(key) > order(&after)))
                else {
                    continue;
                };
                let info = info(meta);
                if info.modified < before {
                    entries.insert(order(&key), BlobEntry { key, info });
                    if entries.len() > limit - page.len() {
                        entries.pop_last();
                    }
                }
            }
            page.extend(entries.into_values());
        }
        Ok(page)
    }

    async fn remove_broken_writes(&self, before: Timestamp) -> StorageResult<u64> {
        match &self.root {
            Some(root) => remains::remove(Arc::clone(root), before).await,
            // Memory forgets by itself. A bucket needs a lifecycle rule that ends incomplete multipart uploads:
            // the library cannot list them.
            None => Ok(0),
        }
    }
}

/// The order of listings: shard by shard, and by key inside one.
const fn order(key: &BlobKey) -> (u8, BlobKey) {
    (shard(key), *key)
}

fn split(mut chunk: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || match chunk.len() {
        0 => None,
        length => Some(chunk.split_to(length.min(CHUNK_BYTES))),
    })
}

fn file_chunks(file: tokio::fs::File, range: Range<u64>) -> BlobChunks {
    let io = |error: std::io::Error| StorageError::Unavailable { source: Box::new(error) };
    let Range { start, end } = range;
    let begun = async move {
        let mut file = file;
        file.seek(std::io::SeekFrom::Start(start)).await.map_err(io)?;
        Ok(stream::try_unfold((file, end - start), move |(mut file, left)| async move {
            let wanted = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            if wanted == 0 {
                return Ok(None);
            }
            let mut chunk = bytes::BytesMut::with_capacity(wanted);
            let read = (&mut file).take(wanted as u64).read_buf(&mut chunk).await.map_err(io)?;
            if read == 0 {
                return Err(io(std::io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(Some((chunk.freeze(), (file, left - read as u64))))
        }))
    };
    Box::pin(stream::once(begun).try_flatten())
}
