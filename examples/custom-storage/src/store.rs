//! One transaction, as the ports' code sees it: documents and index entries by key. A `Reader` sees one state; a
//! `Writer` sees its own changes, and they are kept when it commits.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failed;
use crate::tables::{Documents, RawTable};

/// A key and what stands there.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// Which entries of an index, in which order.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Bound<Vec<u8>>,
    pub(crate) backwards: bool,
    pub(crate) skip: usize,
    pub(crate) limit: usize,
}

impl Scan {
    /// All keys that begin with `prefix`, rising.
    pub(crate) fn of(prefix: &[u8]) -> Self {
        // The first key behind them: the prefix with its last byte raised, save where there is none behind.
        let kept = prefix.iter().rposition(|byte| *byte < u8::MAX).map_or(0, |last| last + 1);
        let mut to = prefix[..kept].to_vec();
        if let Some(last) = to.last_mut() {
            *last += 1;
        }
        let to = if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to) };
        Self { from: prefix.to_vec(), to, backwards: false, skip: 0, limit: usize::MAX }
    }
}

/// What can be asked in a transaction.
pub(crate) trait View {
    /// The bytes at `key`.
    fn bytes(&self, table: RawTable, key: &[u8]) -> Result<Option<Vec<u8>>, Failed>;

    /// The entries that `keep` wants, each with its key.
    fn entries_where(
        &self,
        table: RawTable,
        scan: Scan,
        keep: impl FnMut(&[u8]) -> Result<bool, Failed>,
    ) -> Result<Vec<Entry>, Failed>;

    /// The entries, each with its key.
    fn entries(&self, table: RawTable, scan: Scan) -> Result<Vec<Entry>, Failed> {
        self.entries_where(table, scan, |_| Ok(true))
    }

    /// The document at `key`.
    fn get<T: DeserializeOwned>(&self, table: &Documents<T>, key: &[u8]) -> Result<Option<T>, Failed> {
        Ok(self.bytes(table.raw, key)?.map(|json| serde_json::from_slice(&json)).transpose()?)
    }

    /// The document at `key`, which must be there.
    fn load<T: DeserializeOwned>(&self, table: &Documents<T>, key: &[u8]) -> Result<T, Failed> {
        let missing = || Failed::Broken(format!("a document of {} is missing", table.raw));
        self.get(table, key)?.ok_or_else(missing)
    }
}

/// A transaction that reads.
pub(crate) struct Reader(ReadTransaction);

impl Reader {
    pub(crate) fn new(transaction: ReadTransaction) -> Self {
        Self(transaction)
    }
}

impl View for Reader {
    fn bytes(&self, table: RawTable, key: &[u8]) -> Result<Option<Vec<u8>>, Failed> {
        bytes(&self.0.open_table(table)?, key)
    }

    fn entries_where(
        &self,
        table: RawTable,
        scan: Scan,
        keep: impl FnMut(&[u8]) -> Result<bool, Failed>,
    ) -> Result<Vec<Entry>, Failed> {
        entries(&self.0.open_table(table)?, scan, keep)
    }
}

/// The transaction that writes. Dropped without a commit, it leaves everything as it was.
pub(crate) struct Writer {
    transaction: WriteTransaction,
    changed: bool,
}

impl Writer {
    pub(crate) fn new(transaction: WriteTransaction) -> Self {
        Self { transaction, changed: false }
    }

    /// Keeps a document.
    pub(crate) fn put<T: Serialize>(&mut self, table: &Documents<T>, key: &[u8], document: &T) -> Result<(), Failed> {
        self.put_bytes(table.raw, key, &serde_json::to_vec(document)?)
    }

    /// Keeps an entry of an index.
    pub(crate) fn put_bytes(&mut self, table: RawTable, key: &[u8], value: &[u8]) -> Result<(), Failed> {
        self.changed = true;
        self.transaction.open_table(table)?.insert(key, value)?;
        Ok(())
    }

    /// Removes what is at `key`, if there is something.
    pub(crate) fn remove(&mut self, table: RawTable, key: &[u8]) -> Result<(), Failed> {
        self.changed = true;
        self.transaction.open_table(table)?.remove(key)?;
        Ok(())
    }

    /// Makes the changes last. Where there are none, the disk is not asked for anything.
    pub(crate) fn commit(self) -> Result<(), Failed> {
        if self.changed { self.transaction.commit().map_err(Failed::Commit) } else { Ok(()) }
    }
}

impl View for Writer {
    fn bytes(&self, table: RawTable, key: &[u8]) -> Result<Option<Vec<u8>>, Failed> {
        bytes(&self.transaction.open_table(table)?, key)
    }

    fn entries_where(
        &self,
        table: RawTable,
        scan: Scan,
        keep: impl FnMut(&[u8]) -> Result<bool, Failed>,
    ) -> Result<Vec<Entry>, Failed> {
        entries(&self.transaction.open_table(table)?, scan, keep)
    }
}

fn bytes(table: &impl ReadableTable<&'static [u8], &'static [u8]>, key: &[u8]) -> Result<Option<Vec<u8>>, Failed> {
    Ok(table.get(key)?.map(|found| found.value().to_vec()))
}

fn entries(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    scan: Scan,
    mut keep: impl FnMut(&[u8]) -> Result<bool, Failed>,
) -> Result<Vec<Entry>, Failed> {
    let Scan { from, to, backwards, mut skip, limit } = scan;
    let to = to.as_ref().map(Vec::as_slice);
    let mut range = table.range::<&[u8]>((Bound::Included(from.as_slice()), to))?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(entry) = if backwards { range.next_back() } else { range.next() }
    {
        let (key, value) = entry?;
        if !keep(value.value())? {
            continue;
        }
        if skip > 0 {
            skip -= 1;
        } else {
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_ends_behind_its_prefix() {
        let to = |prefix: &[u8]| Scan::of(prefix).to;
        assert_eq!(to(b"ann\0"), Bound::Excluded(b"ann\x01".to_vec()));
        assert_eq!(to(&[7, 255, 255]), Bound::Excluded(vec![8]));
        assert_eq!(to(&[255, 255]), Bound::Unbounded);
    }
}
