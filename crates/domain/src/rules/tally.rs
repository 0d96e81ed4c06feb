//! Counts and hashes of records that pass in the order of their places, so that two sides can be compared portion by
//! portion and as a whole: users, media, blocks and notifications each as one, conversations one by one.

use std::fmt;

use super::content::Contents;
use crate::model::{ContentHash, ConversationId, Record, RecordCounts};

/// What a hash is of, in the order in which it passes.
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

/// Counts and hashes of all that has passed.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counts: RecordCounts,
    portions: Contents,
    open: Option<(Subject, RecordCounts, Contents)>,
}

impl Tally {
    /// One more record passes. Answers with the portion that was before it, if it begins another one.
    pub fn add(&mut self, record: &Record) -> Option<Portion> {
        let subject = Subject::of(record);
        let before = if self.open.as_ref().is_some_and(|(open, ..)| *open == subject) { None } else { self.close() };
        let (_, counts, contents) =
            self.open.get_or_insert_with(|| (subject, RecordCounts::default(), Contents::default()));
        counts.add(record);
        contents.add(record);
        self.counts.add(record);
        before
    }

    /// Ends the portion that is open.
    pub fn close(&mut self) -> Option<Portion> {
        let (subject, counts, contents) = self.open.take()?;
        let hash = contents.hash();
        self.portions.add_hash(hash);
        Some(Portion { subject, counts, hash })
    }

    /// How many records have passed.
    pub fn counts(&self) -> &RecordCounts {
        &self.counts
    }

    /// The hash of the portions that are ended: of everything, after [`close`](Self::close).
    pub fn hash(&self) -> ContentHash {
        self.portions.hash()
    }
}
