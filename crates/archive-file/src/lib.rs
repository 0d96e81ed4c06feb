//! An archive file: everything that a storage holds, as one side of a copy. NDJSON, one record a line in the order of
//! `Place`; the first line says what the file is, the last one how much there is and what its contents hash to. Each
//! line carries a sum over itself and all lines before it, so that what was cut off, changed or put elsewhere is
//! found, and at which line.
//!
//! A file that is being written ends without its last line. An interrupted export goes on after the last line that is
//! whole; an import reads a file through before it takes in the first record.

mod chain;
mod damage;
mod fields;
mod lines;
mod message;
mod people;
mod reading;
mod shapes;
mod writing;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use parlance_domain::model::{ContentHash, Place, Record, RecordCounts};
use parlance_domain::ports::{Begun, RecordReader, RecordSource, RecordTarget, StorageError, StorageResult};
use tokio::sync::Mutex;

pub use damage::Damage;

use reading::FileReader;
use writing::{FileWriter, Opened};

/// An archive file, to be read or written.
#[derive(Debug)]
pub struct ArchiveFile {
    path: PathBuf,
    /// The one that writes, from when a copy into the file has begun.
    writer: Mutex<Option<FileWriter>>,
}

impl ArchiveFile {
    /// The file of this name. Nothing is opened or made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), writer: Mutex::new(None) }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl RecordSource for ArchiveFile {
    /// Reads the file through.
    async fn check_whole(&self) -> StorageResult<()> {
        let mut reader = FileReader::open(&self.path).await?;
        while !reader.next_records().await?.is_empty() {}
        reader.must_be_whole()
    }

    async fn count_records(&self) -> StorageResult<RecordCounts> {
        match self.writer.lock().await.as_ref() {
            Some(writer) => Ok(*writer.counts()),
            None => Ok(*FileReader::open(&self.path).await?.counts()),
        }
    }

    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>> {
        let mut reader = FileReader::open(&self.path).await?;
        if let Some(place) = after {
            reader.go_to(place).await?;
        }
        Ok(Box::new(reader))
    }
}

/// Batches are on the disk at the latest when the copy is finished; what a crash took away before is written again.
#[async_trait]
impl RecordTarget for ArchiveFile {
    async fn begin_copy(&self, source: ContentHash, counts: &RecordCounts) -> StorageResult<Begun> {
        let mut writer = self.writer.lock().await;
        match FileWriter::open(&self.path, source, counts).await? {
            Opened::Refused(begun) => Ok(begun),
            Opened::Writing(opened, begun) => {
                *writer = Some(*opened);
                Ok(begun)
            }
        }
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        match self.writer.lock().await.as_mut() {
            Some(writer) => writer.write(records).await,
            None => Err(not_begun()),
        }
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        match self.writer.lock().await.as_mut() {
            Some(writer) => writer.finish().await,
            None => Err(not_begun()),
        }
    }
}

fn not_begun() -> StorageError {
    StorageError::Corrupt { source: "no copy into the file has begun".into() }
}
