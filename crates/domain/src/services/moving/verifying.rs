//! Compares two sides by reading both through at once: users, media, blocks and notifications each as a whole,
//! conversations one by one. Only hashes of what is being read are held.

use std::fmt;

use super::{MoveError, Side, at};
use crate::model::{ContentHash, Record, RecordCounts};
use crate::ports::{RecordReader, RecordSource, RecordTarget};
use crate::rules::tally::{Portion, Subject, Tally};

/// Where two sides differ; one of them may hold nothing of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// In what.
    pub subject: Subject,
    /// What the source holds.
    pub source: Option<Portion>,
    /// What the target holds.
    pub target: Option<Portion>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = |portion: &Option<Portion>| portion.map_or(0, |portion| portion.counts.total());
        let (source, target) = (holds(&self.source), holds(&self.target));
        write!(f, "{} (", self.subject)?;
        if source == target {
            write!(f, "{source} records on both sides, with different contents)")
        } else {
            write!(f, "{source} records in the source, {target} in the target)")
        }
    }
}

/// Reads both sides through. Answers with what both hold.
pub(super) async fn compare(
    source: &dyn RecordSource,
    target: &dyn RecordTarget,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(RecordCounts, ContentHash), MoveError> {
    let mut source = Portions::new(Side::Source, at(Side::Source, source.read_records(None).await)?);
    let mut target = Portions::new(Side::Target, at(Side::Target, target.read_records(None).await)?);
    let (mut differences, mut first) = (0_u64, None);
    let (mut one, mut other) = both(&mut source, &mut target).await?;
    while let Some(subject) = [&one, &other].into_iter().flatten().map(|portion| portion.subject).min() {
        let here = one.filter(|portion| portion.subject == subject);
        let there = other.filter(|portion| portion.subject == subject);
        if here != there {
            differences += 1;
            first = first.or(Some(Difference { subject, source: here, target: there }));
        }
        match (here.is_some(), there.is_some()) {
            (true, true) => (one, other) = both(&mut source, &mut target).await?,
            (true, false) => one = source.next().await?,
            (false, _) => other = target.next().await?,
        }
        progress(source.tally.counts().total());
    }
    match first {
        None => Ok((*source.tally.counts(), source.tally.hash())),
        Some(first) => Err(MoveError::Differs { count: differences, first: Box::new(first) }),
    }
}

async fn both(source: &mut Portions, target: &mut Portions) -> Result<(Option<Portion>, Option<Portion>), MoveError> {
    let (one, other) = tokio::join!(source.next(), target.next());
    Ok((one?, other?))
}

/// One side, portion by portion.
struct Portions {
    side: Side,
    reader: Box<dyn RecordReader>,
    page: std::vec::IntoIter<Record>,
    tally: Tally,
}

impl Portions {
    fn new(side: Side, reader: Box<dyn RecordReader>) -> Self {
        Self { side, reader, page: Vec::new().into_iter(), tally: Tally::default() }
    }

    async fn next(&mut self) -> Result<Option<Portion>, MoveError> {
        loop {
            for record in self.page.by_ref() {
                if let Some(portion) = self.tally.add(&record) {
                    return Ok(Some(portion));
                }
            }
            self.page = at(self.side, self.reader.next_records().await)?.into_iter();
            if self.page.len() == 0 {
                return Ok(self.tally.close());
            }
        }
    }
}
