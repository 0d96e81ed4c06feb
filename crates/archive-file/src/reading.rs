//! Reads a file line by line. Every line is checked against the sums, and the last one against what was read; the
//! memory is that of a batch.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use parlance_domain::model::{ContentHash, Place, Record, RecordCounts};
use parlance_domain::ports::{RecordReader, StorageResult};
use parlance_domain::rules::tally::Tally;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::chain::Chain;
use crate::damage::{Damage, unavailable};
use crate::lines::{self, Line, MAX_BYTES};
use crate::shapes::{Foot, Head};

/// The version of the format that is written, and the only one that is read.
pub(crate) const VERSION: u32 = 1;
/// Records in a batch.
const BATCH: usize = 1_000;
/// What is read from the file at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A file that is being read.
pub(crate) struct FileReader {
    path: PathBuf,
    lines: BufReader<File>,
    /// The line that was read last.
    number: u64,
    /// Where the lines that were read end, in bytes.
    end: u64,
    chain: Chain,
    tally: Tally,
    head: (ContentHash, RecordCounts),
    is_whole: bool,
    /// The bytes of a line.
    buffer: Vec<u8>,
}

impl FileReader {
    /// Opens a file and reads its first line.
    pub(crate) async fn open(path: &Path) -> StorageResult<Self> {
        let file = File::open(path).await.map_err(|error| unavailable(path, &error))?;
        let mut reader = Self {
            path: path.to_owned(),
            lines: BufReader::with_capacity(BUFFER, file),
            number: 0,
            end: 0,
            chain: Chain::default(),
            tally: Tally::default(),
            head: (ContentHash::from_bytes([0; 32]), RecordCounts::default()),
            is_whole: false,
            buffer: Vec::new(),
        };
        match reader.line().await? {
            Some(Line::Head(Head { version: VERSION, source, counts })) => reader.head = (source.0, counts.into()),
            Some(Line::Head(Head { version, .. })) => {
                let problem = format!("is {version}, and this release reads version {VERSION} alone");
                return Err(Damage::line(1, "record.archive.version", problem).into());
            }
            Some(Line::Record(_) | Line::Foot(_)) => {
                return Err(
                    Damage::line(1, "record.archive", "is missing: this is not the beginning of an archive").into()
                );
            }
            None => return Err(Damage::line(1, ".", "is missing: the file is empty").into()),
        }
        Ok(reader)
    }

    /// What the file says that there will be.
    pub(crate) fn counts(&self) -> &RecordCounts {
        &self.head.1
    }

    /// What the file is a copy of.
    pub(crate) fn source(&self) -> ContentHash {
        self.head.0
    }

    /// Everything that was read, for who writes on: the sums, the counts, and where the last whole line ends.
    pub(crate) fn into_parts(self) -> (Chain, Tally, u64) {
        (self.chain, self.tally, self.end)
    }

    /// Whether the last line was read and says what was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Refuses a file whose last line was not there.
    pub(crate) fn must_be_whole(&self) -> StorageResult<()> {
        if self.is_whole { Ok(()) } else { Err(Damage::Truncated { line: self.number + 1 }.into()) }
    }

    /// Reads on to this record.
    pub(crate) async fn go_to(&mut self, place: &Place) -> StorageResult<()> {
        while let Some(record) = self.record().await? {
            if record.place() == *place {
                return Ok(());
            }
        }
        Err(Damage::line(self.number, "record", format!("there is no record `{place}`, at which a copy could go on"))
            .into())
    }

    /// The next record; `None` at the end, whole or not.
    pub(crate) async fn record(&mut self) -> StorageResult<Option<Record>> {
        match self.line().await? {
            None => Ok(None),
            Some(Line::Record(record)) => {
                self.tally.add(&record);
                Ok(Some(record))
            }
            Some(Line::Head(_)) => Err(Damage::line(self.number, "record.archive", "is not at the beginning").into()),
            Some(Line::Foot(foot)) => {
                self.check(&foot)?;
                match self.line().await? {
                    None => Ok(None),
                    Some(_) => Err(Damage::line(self.number, "record", "stands behind the end of the archive").into()),
                }
            }
        }
    }

    fn check(&mut self, foot: &Foot) -> StorageResult<()> {
        let Foot { counts, contents } = foot;
        self.tally.close();
        if RecordCounts::from(counts.clone()) != *self.tally.counts() {
            return Err(Damage::line(self.number, "record.end.counts", "are not those of the lines before").into());
        }
        if contents.0 != self.tally.hash() {
            return Err(Damage::line(self.number, "record.end.contents", "is not the hash of the lines before").into());
        }
        self.is_whole = true;
        Ok(())
    }

    async fn line(&mut self) -> StorageResult<Option<Line>> {
        self.buffer.clear();
        let mut limited = (&mut self.lines).take(MAX_BYTES);
        let read =
            limited.read_until(b'\n', &mut self.buffer).await.map_err(|error| unavailable(&self.path, &error))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() != Some(&b'\n') {
            let problem = if read as u64 == MAX_BYTES { "is too long" } else { "is cut off" };
            return Err(Damage::line(self.number, ".", problem).into());
        }
        let line = lines::read(&self.buffer, self.number, &mut self.chain)?;
        self.end += read as u64;
        Ok(Some(line))
    }
}

#[async_trait]
impl RecordReader for FileReader {
    async fn next_records(&mut self) -> StorageResult<Vec<Record>> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH
            && let Some(record) = self.record().await?
        {
            batch.push(record);
        }
        Ok(batch)
    }
}
