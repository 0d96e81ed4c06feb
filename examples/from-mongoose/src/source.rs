//! The collections as one side of a copy, which checks at its end that both sides hold the same.

use async_trait::async_trait;
use parlance_domain::model::{Place, Record, RecordCounts};
use parlance_domain::ports::{RecordReader, RecordSource, StorageResult};

/// Records in a batch that is handed on.
const BATCH: usize = 1_000;

/// What the collections come to, in the order of [`Place`].
#[derive(Debug, Clone)]
pub struct Collections(Vec<Record>);

impl Collections {
    pub(crate) fn new(records: Vec<Record>) -> Self {
        Self(records)
    }
}

#[async_trait]
impl RecordSource for Collections {
    async fn check_whole(&self) -> StorageResult<()> {
        Ok(())
    }

    async fn count_records(&self) -> StorageResult<RecordCounts> {
        let mut counts = RecordCounts::default();
        self.0.iter().for_each(|record| counts.add(record));
        Ok(counts)
    }

    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>> {
        let reached = after.and_then(|place| self.0.iter().position(|record| record.place() == *place));
        let records = self.0.iter().skip(reached.map_or(0, |reached| reached + 1)).cloned().collect();
        Ok(Box::new(Reader(records)))
    }
}

struct Reader(Vec<Record>);

#[async_trait]
impl RecordReader for Reader {
    async fn next_records(&mut self) -> StorageResult<Vec<Record>> {
        let rest = self.0.split_off(self.0.len().min(BATCH));
        Ok(std::mem::replace(&mut self.0, rest))
    }
}
