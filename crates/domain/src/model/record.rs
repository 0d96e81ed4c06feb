//! Everything that a storage holds, as records that no storage's shape is left in: what moves from one storage to
//! another. They carry facts alone. What follows from facts (unread counts, search, uses of media) a storage works
//! out again. Their order is that of [`Place`].

use super::{
    ClaimedProfile, Conversation, ConversationId, Medium, Message, Notification, Place, Preferences, ReadState, Role,
    Seq, Timestamp, User, UserId,
};

/// One thing that a storage holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Somebody.
    User(UserRecord),
    /// An upload, without its bytes.
    Medium(Medium),
    /// A conversation, without its messages and people.
    Conversation(ConversationRecord),
    /// A message, also one that was deleted.
    Message(Message),
    /// Somebody who is or was in a conversation.
    Participant(ParticipantRecord),
    /// Whom somebody blocks.
    Blocks(BlocksRecord),
    /// A notification as it is stored: an unread one of a conversation names the message that it was made for.
    Notification(Notification),
}

/// Somebody, with what only storages know of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// As others see them.
    pub user: User,
    /// What their last token claimed.
    pub claimed: ClaimedProfile,
    /// What they want to be told.
    pub preferences: Preferences,
    /// When they were first seen.
    pub created_at: Timestamp,
    /// The moment before which their tokens are revoked.
    pub revoked_before: Option<Timestamp>,
}

/// A conversation with its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRecord {
    /// The conversation.
    pub conversation: Conversation,
    /// The two people of a direct conversation, in id order; `None` for groups.
    pub pair: Option<(UserId, UserId)>,
}

/// Somebody who is or was in a conversation, and how far they have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantRecord {
    /// Where.
    pub conversation_id: ConversationId,
    /// Who.
    pub user_id: UserId,
    /// `None` after they have left.
    pub attendance: Option<Attendance>,
    /// What they have read.
    pub read: ReadState,
    /// Everything up to here was delivered to them.
    pub delivered: Seq,
}

/// How somebody is in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attendance {
    /// What they may do.
    pub role: Role,
    /// When they came in.
    pub joined_at: Timestamp,
    /// The end of the history when they came in: nothing up to here is unread.
    pub floor: Seq,
}

/// Whom somebody blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocksRecord {
    /// Who blocks.
    pub blocker: UserId,
    /// Whom, and since when; oldest block first, at least one.
    pub blocked: Vec<(UserId, Timestamp)>,
}

impl Record {
    /// Where it stands in the order of all records.
    pub fn place(&self) -> Place {
        match self {
            Self::User(record) => Place::Users(Some(record.user.id.clone())),
            Self::Medium(medium) => Place::Media(Some(medium.id)),
            Self::Conversation(record) => Place::Conversations(Some(record.conversation.id)),
            Self::Message(message) => Place::Messages(Some((message.conversation_id, message.seq))),
            Self::Participant(record) => {
                Place::Participants(Some((record.conversation_id, Some(record.user_id.clone()))))
            }
            Self::Blocks(record) => Place::Blocks(Some(record.blocker.clone())),
            Self::Notification(one) => Place::Notifications(Some((one.user_id.clone(), one.created_at, one.id))),
        }
    }
}

/// The records of a batch, kind by kind; each kind refers only to those before it.
#[derive(Debug, Clone, Default)]
pub struct RecordsByKind<'a> {
    /// Users.
    pub users: Vec<&'a UserRecord>,
    /// Uploads.
    pub media: Vec<&'a Medium>,
    /// Conversations.
    pub conversations: Vec<&'a ConversationRecord>,
    /// Messages.
    pub messages: Vec<&'a Message>,
    /// People who are or were in conversations.
    pub participants: Vec<&'a ParticipantRecord>,
    /// Blocks.
    pub blocks: Vec<&'a BlocksRecord>,
    /// Notifications.
    pub notifications: Vec<&'a Notification>,
}

impl<'a> RecordsByKind<'a> {
    /// These records, each kind in their order.
    pub fn of(records: &'a [Record]) -> Self {
        let mut by_kind = Self::default();
        for record in records {
            match record {
                Record::User(record) => by_kind.users.push(record),
                Record::Medium(medium) => by_kind.media.push(medium),
                Record::Conversation(record) => by_kind.conversations.push(record),
                Record::Message(message) => by_kind.messages.push(message),
                Record::Participant(record) => by_kind.participants.push(record),
                Record::Blocks(record) => by_kind.blocks.push(record),
                Record::Notification(notification) => by_kind.notifications.push(notification),
            }
        }
        by_kind
    }
}

/// How many records of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Users.
    pub users: u64,
    /// Uploads.
    pub media: u64,
    /// Conversations.
    pub conversations: u64,
    /// Messages, tombstones included.
    pub messages: u64,
    /// People in conversations, those who have left included.
    pub participants: u64,
    /// Who blocks whom, pair by pair.
    pub blocks: u64,
    /// Notifications.
    pub notifications: u64,
}

impl RecordCounts {
    /// Counts one more.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::User(_) => self.users += 1,
            Record::Medium(_) => self.media += 1,
            Record::Conversation(_) => self.conversations += 1,
            Record::Message(_) => self.messages += 1,
            Record::Participant(_) => self.participants += 1,
            Record::Blocks(BlocksRecord { blocked, .. }) => self.blocks += blocked.len() as u64,
            Record::Notification(_) => self.notifications += 1,
        }
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        let Self { users, media, conversations, messages, participants, blocks, notifications } = self;
        users + media + conversations + messages + participants + blocks + notifications
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }
}
