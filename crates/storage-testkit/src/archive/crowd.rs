//! A made-up server of any size, as a source of records: to see how a storage takes a million messages in. The same
//! for the same size. Records are made one after the other, so it needs no memory for them.

use async_trait::async_trait;
use parlance_domain::model::{
    Attendance, BlocksRecord, ClaimedProfile, ClientMessageId, Conversation, ConversationId, ConversationKind,
    ConversationRecord, Emoji, Message, MessageId, MessageKind, Notification, NotificationBody, NotificationId,
    NotificationKind, ParticipantRecord, Place, Preferences, Reaction, ReadState, Record, RecordCounts, Role, Seq,
    SeqRange, Timestamp, Title, User, UserId, UserRecord,
};
use parlance_domain::ports::{RecordReader, RecordSource, StorageResult};

/// The fewest messages in a direct conversation; one group has a tenth of all.
const DIRECT: u64 = 50;
/// Direct conversations, about as many at most: with more to say they become longer.
const CONVERSATIONS: u64 = 2_000;
/// The newest messages of a conversation are all of its first person: what the others have not read.
const UNREAD: u64 = 10;
/// People in the group, at most.
const MEMBERS: u64 = 200;
/// Records in a batch.
const BATCH: usize = 1_000;

const WORDS: [&str; 16] = [
    "morning", "the", "review", "is", "done", "please", "look", "at", "café", "tomorrow", "we", "ship", "version",
    "größe", "thanks", "today",
];

/// A server with this many messages and what belongs to them.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    messages: u64,
}

impl Crowd {
    /// A crowd that has said about this much; at least 1,000.
    pub fn new(messages: u64) -> Self {
        Self { messages: messages.max(1_000) }
    }

    fn users(self) -> u64 {
        (self.messages / 100).max(20)
    }

    fn conversations(self) -> u64 {
        1 + (self.messages - self.messages / 10) / self.direct()
    }

    fn direct(self) -> u64 {
        DIRECT.max(self.messages / CONVERSATIONS)
    }

    /// Everything, in the order of places.
    fn records(self) -> impl Iterator<Item = Record> + Send {
        let users = (0..self.users()).map(user);
        let conversations = (0..self.conversations()).flat_map(move |number| self.home(number).records());
        let blocks = (0..self.users()).step_by(20).map(move |number| {
            let since = |apart| (id_of((number + apart) % self.users()), moment(number + apart));
            Record::Blocks(BlocksRecord { blocker: id_of(number), blocked: vec![since(1), since(3)] })
        });
        let notifications = (0..self.users()).flat_map(|user| (0..user % 4).map(move |at| told(user, at)));
        users.chain(conversations).chain(blocks).chain(notifications)
    }

    fn home(self, number: u64) -> Home {
        let users = self.users();
        if number == 0 {
            let people = (0..users.min(MEMBERS)).collect();
            return Home { number, people, last: self.messages / 10 };
        }
        let (one, apart) = ((number - 1) % users, 1 + (number - 1) / users);
        Home { number, people: vec![one, (one + apart) % users], last: self.direct() }
    }
}

#[async_trait]
impl RecordSource for Crowd {
    async fn check_whole(&self) -> StorageResult<()> {
        Ok(())
    }

    async fn count_records(&self) -> StorageResult<RecordCounts> {
        let mut counts = RecordCounts::default();
        for record in self.records() {
            counts.add(&record);
        }
        Ok(counts)
    }

    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>> {
        let mut records = self.records();
        if let Some(place) = after {
            records.find(|record| record.place() == *place);
        }
        Ok(Box::new(CrowdReader { records: Box::new(records) }))
    }
}

struct CrowdReader {
    records: Box<dyn Iterator<Item = Record> + Send>,
}

#[async_trait]
impl RecordReader for CrowdReader {
    async fn next_records(&mut self) -> StorageResult<Vec<Record>> {
        Ok(self.records.by_ref().take(BATCH).collect())
    }
}

/// One conversation.
struct Home {
    number: u64,
    people: Vec<u64>,
    last: Seq,
}

impl Home {
    fn records(self) -> impl Iterator<Item = Record> + Send {
        let head = Record::Conversation(self.head());
        let mut people = self.people.clone();
        people.sort_unstable();
        let participants: Vec<Record> = people.into_iter().map(|user| self.participant(user)).collect();
        let last = self.last;
        let messages = (1..=last).map(move |seq| self.message(seq));
        std::iter::once(head).chain(messages).chain(participants)
    }

    fn id(&self) -> ConversationId {
        ConversationId::from_bytes(bytes(0x10, self.number, 0))
    }

    fn head(&self) -> ConversationRecord {
        let group = self.number == 0;
        let mut pair: Vec<UserId> = self.people.iter().map(|number| id_of(*number)).collect();
        pair.sort();
        let conversation = Conversation {
            id: self.id(),
            kind: if group { ConversationKind::Group } else { ConversationKind::Direct },
            title: group.then(|| Title::from_stored("Everybody".to_owned())),
            image: None,
            last_seq: self.last,
            rev: self.last,
            created_at: moment(0),
            updated_at: moment(0),
            active_at: self.said_at(self.last),
        };
        let pair = match &pair[..] {
            [one, other] if !group => Some((one.clone(), other.clone())),
            _ => None,
        };
        ConversationRecord { conversation, pair }
    }

    /// Conversations go on side by side.
    fn said_at(&self, seq: Seq) -> Timestamp {
        moment(seq * 60_000 + self.number % 60_000)
    }

    /// Who says it: everybody in turn, and in the end the first.
    fn sender(&self, seq: Seq) -> u64 {
        if seq + UNREAD > self.last { self.people[0] } else { self.people[at(seq, self.people.len())] }
    }

    fn message(&self, seq: Seq) -> Record {
        let dice = mix(self.number, seq);
        let (created_at, gone) = (self.said_at(seq), dice.is_multiple_of(97));
        let edited_at = (!gone && dice % 50 == 1).then(|| moment(seq * 60_000 + 59_999));
        let deleted_at = gone.then(|| moment(seq * 60_000 + 59_999));
        let text = (0..3 + dice % 18).map(|word| WORDS[at(mix(dice, word), WORDS.len())]).collect::<Vec<_>>().join(" ");
        let reaction = || Reaction { emoji: Emoji::from_stored("👍".to_owned()), users: vec![id_of(self.people[1])] };
        Record::Message(Message {
            id: MessageId::from_bytes(bytes(0x20, self.number, seq)),
            conversation_id: self.id(),
            seq,
            rev: seq,
            sender_id: id_of(self.sender(seq)),
            kind: MessageKind::Text,
            text: (!gone).then_some(text),
            media: Vec::new(),
            reply_to: (dice % 10 == 3 && seq > 1).then(|| MessageId::from_bytes(bytes(0x20, self.number, seq - 1))),
            client_message_id: Some(ClientMessageId::from_stored(format!("mark-{seq}"))),
            reactions: if !gone && dice % 40 == 2 { vec![reaction()] } else { Vec::new() },
            created_at,
            edited_at,
            deleted_at,
            updated_at: edited_at.or(deleted_at).unwrap_or(created_at),
        })
    }

    fn participant(&self, user: u64) -> Record {
        let first = user == self.people[0];
        let unread = mix(self.number, user) % UNREAD;
        let position = if first { self.last } else { self.last - unread };
        let ahead = if unread > 4 { vec![SeqRange { first: position + 2, last: position + 3 }] } else { Vec::new() };
        Record::Participant(ParticipantRecord {
            conversation_id: self.id(),
            user_id: id_of(user),
            attendance: Some(Attendance {
                role: if first && self.number == 0 { Role::Owner } else { Role::Member },
                joined_at: moment(0),
                floor: 0,
            }),
            read: ReadState::from_stored(position, ahead),
            delivered: self.last,
        })
    }
}

fn user(number: u64) -> Record {
    let name = format!("Person {number}");
    let claimed = ClaimedProfile { name: Some(name.clone()), picture: None };
    Record::User(UserRecord {
        user: User { id: id_of(number), name, picture: None },
        claimed,
        preferences: Preferences { push: !number.is_multiple_of(7), ..Preferences::default() },
        created_at: moment(number),
        revoked_before: number.is_multiple_of(11).then(|| moment(number + 1)),
    })
}

fn told(user: u64, number: u64) -> Record {
    Record::Notification(Notification {
        id: NotificationId::from_bytes(bytes(0x30, user, number)),
        user_id: id_of(user),
        kind: NotificationKind::from_stored("system".to_owned()),
        body: NotificationBody::Text {
            title: "Maintenance".to_owned(),
            message: format!("Number {number}"),
            link: None,
            data: None,
        },
        read: number == 0,
        created_at: moment(number),
    })
}

/// Ids that are in the order of their numbers.
fn id_of(number: u64) -> UserId {
    format!("person-{number:09}").parse().expect("a valid id")
}

fn bytes(kind: u8, one: u64, other: u64) -> [u8; 12] {
    let mut bytes = [kind; 12];
    bytes[1..6].copy_from_slice(&one.to_be_bytes()[3..]);
    bytes[6..].copy_from_slice(&other.to_be_bytes()[2..]);
    bytes
}

fn moment(after: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + i64::try_from(after).expect("a moment of this era"))
}

fn at(number: u64, len: usize) -> usize {
    usize::try_from(number % len as u64).expect("below a length")
}

/// A number that looks random, the same for the same two.
fn mix(one: u64, other: u64) -> u64 {
    let mut mixed = one.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ other.wrapping_add(0x632b_e59b_d9b4_e019);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    mixed ^ (mixed >> 32)
}
