//! Writes a file, or goes on with one that an interrupted export has left.

use std::path::{Path, PathBuf};

use parlance_domain::model::{ContentHash, Place, Record, RecordCounts};
use parlance_domain::ports::{Begun, StorageError, StorageResult};
use parlance_domain::rules::tally::Tally;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt, SeekFrom};

use crate::chain::Chain;
use crate::damage::unavailable;
use crate::fields::Text;
use crate::lines;
use crate::reading::{FileReader, VERSION};
use crate::shapes::{Body, Foot, Head};

/// What came of opening a file to write.
pub(crate) enum Opened {
    /// It is something else, and stays what it is.
    Refused(Begun),
    /// It is new, or goes on.
    Writing(Box<FileWriter>, Begun),
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct FileWriter {
    path: PathBuf,
    file: File,
    chain: Chain,
    tally: Tally,
    is_finished: bool,
}

impl FileWriter {
    /// Opens the file for a copy of `source`.
    pub(crate) async fn open(path: &Path, source: ContentHash, counts: &RecordCounts) -> StorageResult<Opened> {
        let size = match tokio::fs::metadata(path).await {
            Ok(found) => found.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(unavailable(path, &error)),
        };
        if size == 0 {
            let mut writer = Self::at(path, Chain::default(), Tally::default(), 0).await?;
            let head = Head { version: VERSION, source: Text(source), counts: (*counts).into() };
            writer.lines(&[Body::Archive(head)]).await?;
            return Ok(Opened::Writing(Box::new(writer), Begun::Fresh));
        }
        // What is there and is no archive is somebody else's, and is not touched.
        let mut reader = match FileReader::open(path).await {
            Ok(reader) => reader,
            Err(StorageError::Corrupt { .. }) => return Ok(Opened::Refused(Begun::Occupied)),
            Err(error) => return Err(error),
        };
        let its_own = reader.source() == source;
        let mut reached: Option<Place> = None;
        // The first line that is not whole, as a crash may leave it, ends what can be used.
        loop {
            match reader.record().await {
                Ok(Some(record)) => reached = Some(record.place()),
                Ok(None) | Err(StorageError::Corrupt { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        if reader.is_whole() {
            return Ok(Opened::Refused(Begun::Occupied));
        }
        if !its_own {
            return Ok(Opened::Refused(Begun::Foreign));
        }
        let (chain, tally, end) = reader.into_parts();
        let writer = Self::at(path, chain, tally, end).await?;
        Ok(Opened::Writing(Box::new(writer), Begun::Unfinished(reached)))
    }

    /// Writes on from this byte; what was behind it is gone.
    async fn at(path: &Path, chain: Chain, tally: Tally, end: u64) -> StorageResult<Self> {
        let failed = |error: std::io::Error| unavailable(path, &error);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).open(path).await.map_err(failed)?;
        file.set_len(end).await.map_err(failed)?;
        file.seek(SeekFrom::Start(end)).await.map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, chain, tally, is_finished: false })
    }

    /// What is in the file.
    pub(crate) fn counts(&self) -> &RecordCounts {
        self.tally.counts()
    }

    /// Adds records.
    pub(crate) async fn write(&mut self, records: &[Record]) -> StorageResult<()> {
        let bodies: Vec<Body> = records.iter().map(Body::from).collect();
        for record in records {
            self.tally.add(record);
        }
        self.lines(&bodies).await
    }

    /// Adds the last line and sees everything onto the disk.
    pub(crate) async fn finish(&mut self) -> StorageResult<()> {
        if !self.is_finished {
            self.tally.close();
            let foot = Foot { counts: (*self.tally.counts()).into(), contents: Text(self.tally.hash()) };
            self.lines(&[Body::End(foot)]).await?;
            self.file.sync_all().await.map_err(|error| unavailable(&self.path, &error))?;
            self.is_finished = true;
        }
        Ok(())
    }

    async fn lines(&mut self, bodies: &[Body]) -> StorageResult<()> {
        let mut text = Vec::with_capacity(bodies.len() * 512);
        for body in bodies {
            lines::write(body, &mut self.chain, &mut text)
                .map_err(|error| StorageError::Corrupt { source: Box::new(error) })?;
        }
        let failed = |error: std::io::Error| unavailable(&self.path, &error);
        self.file.write_all(&text).await.map_err(failed)?;
        self.file.flush().await.map_err(failed)
    }
}
