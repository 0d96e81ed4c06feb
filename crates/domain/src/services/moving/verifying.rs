//! Compares two sides by reading both through at once: users, media, blocks and notifications each as a whole,
//! conversations one by one. Only hashes of what is being read are held.

use std::fmt;

use super::{MoveError, Side, at};
use crate::model::{ContentHash, ConversationId, Record, RecordCounts};
use crate::ports::{RecordReader, RecordSource, RecordTarget};
use crate::rules::content::Contents;

/// What a hash is of, in the order in which it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// All users.
    Users,
    /// All uploads.
    Media,
    /// One conversation with its messages and people.
    Conversation(ConversationId),
    /// All blocks.
    Blocks,
    /// All notifications.
    Notifications,
}

impl Subject {
    fn of(record: &Record) -> Self {
        match record {
            Record::User(_) => Self::Users,
            Record::Medium(_) => Self::Media,
            Record::Conversation(record) => Self::Conversation(record.conversation.id),
            Record::Message(message) => Self::Conversation(message.conversation_id),
            Record::Participant(record) => Self::Conversation(record.conversation_id),
            Record::Blocks(_) => Self::Blocks,
            Record::Notification(_) => Self::Notifications,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users => f.write_str("the users"),
            Self::Media => f.write_str("the media"),
            Self::Conversation(id) => write!(f, "the conversation {id}"),
            Self::Blocks => f.write_str("the blocks"),
            Self::Notifications => f.write_str("the notifications"),
        }
    }
}

/// What one side holds of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Of what.
    pub subject: Subject,
    /// How many records.
    pub counts: RecordCounts,
    /// The hash of all of them.
    pub hash: ContentHash,
}

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
    let (mut all, mut differences, mut first) = (Contents::default(), 0_u64, None);
    let (mut one, mut other) = both(&mut source, &mut target).await?;
    while let Some(subject) = [&one, &other].into_iter().flatten().map(|portion| portion.subject).min() {
        let here = one.filter(|portion| portion.subject == subject);
        let there = other.filter(|portion| portion.subject == subject);
        if here == there {
            here.iter().for_each(|portion| all.add_hash(portion.hash));
        } else {
            differences += 1;
            first = first.or(Some(Difference { subject, source: here, target: there }));
        }
        match (here.is_some(), there.is_some()) {
            (true, true) => (one, other) = both(&mut source, &mut target).await?,
            (true, false) => one = source.next().await?,
            (false, _) => other = target.next().await?,
        }
        progress(source.counts.total());
    }
    match first {
        None => Ok((source.counts, all.hash())),
        Some(first) => Err(MoveError::Differs { count: differences, first }),
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
    /// The first record of the portion that comes next.
    ahead: Option<Record>,
    /// What was read so far.
    counts: RecordCounts,
}

impl Portions {
    fn new(side: Side, reader: Box<dyn RecordReader>) -> Self {
        Self { side, reader, page: Vec::new().into_iter(), ahead: None, counts: RecordCounts::default() }
    }

    async fn next(&mut self) -> Result<Option<Portion>, MoveError> {
        let first = match self.ahead.take() {
            Some(record) => Some(record),
            None => self.record().await?,
        };
        let Some(first) = first else { return Ok(None) };
        let subject = Subject::of(&first);
        let (mut counts, mut contents) = (RecordCounts::default(), Contents::default());
        let mut next = Some(first);
        while let Some(record) = next {
            if Subject::of(&record) != subject {
                self.ahead = Some(record);
                break;
            }
            counts.add(&record);
            self.counts.add(&record);
            contents.add(&record);
            next = self.record().await?;
        }
        Ok(Some(Portion { subject, counts, hash: contents.hash() }))
    }

    async fn record(&mut self) -> Result<Option<Record>, MoveError> {
        if self.page.len() == 0 {
            self.page = at(self.side, self.reader.next_records().await)?.into_iter();
        }
        Ok(self.page.next())
    }
}
