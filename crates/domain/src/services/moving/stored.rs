//! A storage as one side of a copy.

use std::sync::Arc;

use async_trait::async_trait;

use super::reading::ArchiveReader;
use crate::model::{ContentHash, Place, Record, RecordCounts};
use crate::ports::{Archive, Begun, RecordReader, RecordSource, RecordTarget, StorageError, StorageResult};

/// A storage that is copied from, or into.
#[derive(Clone)]
pub struct Stored {
    archive: Arc<dyn Archive>,
}

impl Stored {
    /// This storage.
    pub fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive }
    }
}

#[async_trait]
impl RecordSource for Stored {
    async fn check_whole(&self) -> StorageResult<()> {
        match self.archive.find_copy().await? {
            None => Ok(()),
            Some(_) => Err(StorageError::Corrupt { source: "it holds a copy that has not been finished".into() }),
        }
    }

    async fn count_records(&self) -> StorageResult<RecordCounts> {
        self.archive.count_records().await
    }

    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>> {
        Ok(Box::new(ArchiveReader::new(self.archive.clone(), after)))
    }
}

#[async_trait]
impl RecordTarget for Stored {
    async fn begin_copy(&self, source: ContentHash, _counts: &RecordCounts) -> StorageResult<Begun> {
        self.archive.begin_copy(source).await
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        self.archive.take_in(records).await
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        self.archive.finish_copy().await
    }
}
