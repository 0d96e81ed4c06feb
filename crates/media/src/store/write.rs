//! A blob on its way into an object store. Small blobs go in one request; larger ones part by part, one at
//! a time, so that never more than one part is held. Dropped on the way, it tells the store in the background.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayloadMut};
use parlance_domain::ports::{BlobWrite, StorageResult};

use super::blobs::{failed, unknown};

/// Grain of the gathered part; small enough that the last block wastes little.
const BLOCK_BYTES: usize = 64 * 1024;

/// The state of one write.
#[derive(Debug)]
pub(super) struct ObjectWrite {
    store: Arc<dyn ObjectStore>,
    path: Path,
    part_bytes: usize,
    part: PutPayloadMut,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl ObjectWrite {
    pub(super) fn new(store: Arc<dyn ObjectStore>, path: Path, part_bytes: usize) -> Self {
        Self { store, path, part_bytes: part_bytes.max(1), part: empty_part(), upload: None }
    }

    async fn send_part(&mut self) -> object_store::Result<()> {
        let part = std::mem::replace(&mut self.part, empty_part()).freeze();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.store.put_multipart(&self.path).await?),
        };
        upload.put_part(part).await
    }
}

fn empty_part() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(BLOCK_BYTES)
}

#[async_trait]
impl BlobWrite for ObjectWrite {
    async fn write(&mut self, mut chunk: Bytes) -> StorageResult<()> {
        while !chunk.is_empty() {
            let room = self.part_bytes - self.part.content_length();
            let piece = chunk.split_to(room.min(chunk.len()));
            // Copied: a chunk may be a small view into a large buffer of the transport's.
            self.part.extend_from_slice(&piece);
            if self.part.content_length() >= self.part_bytes {
                self.send_part().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> StorageResult<()> {
        if self.upload.is_none() {
            let whole = std::mem::replace(&mut self.part, empty_part()).freeze();
            self.store.put(&self.path, whole).await.map_err(unknown)?;
            return Ok(());
        }
        if !self.part.is_empty() {
            self.send_part().await.map_err(failed)?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(unknown)?;
        }
        self.upload = None;
        Ok(())
    }

    async fn abort(mut self: Box<Self>) -> StorageResult<()> {
        match self.upload.take() {
            Some(mut upload) => upload.abort().await.map_err(failed),
            None => Ok(()),
        }
    }
}

impl Drop for ObjectWrite {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        // Outside a runtime only the folder can clean up, and it does so when its upload is dropped.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "an upload that broke off may have left parts in the store");
                }
            });
        }
    }
}
