//! What is to become of each send of a batch, decided one after the other on what a storage found. What one send
//! decides (`seq`, positions, repetitions) holds for the next. Storages look up, ask here inside their transaction,
//! and write the plan.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::blocking::Blocking;
use super::media::{self, Named};
use super::ranges::{above, newest, uncovered};
use crate::error::{Attempt, Error};
use crate::model::{
    ClientMessageId, ConversationId, MediumId, Message, MessageId, NewMessage, ReadState, Rev, Seq, SeqRange,
    Timestamp, UserId,
};

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position of the newest message.
    pub last_seq: Seq,
    /// Change counter.
    pub rev: Rev,
    /// When something was last written.
    pub active_at: Timestamp,
}

/// Where a sender stands in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Nothing up to here counts as unread.
    pub floor: Seq,
    /// What they have read.
    pub read: ReadState,
    /// Tombstones above the floor that they have not read.
    pub dead: u64,
}

/// Whose position in which conversation.
pub type Place = (ConversationId, UserId);

/// What a storage found for a batch.
#[derive(Debug, Default)]
pub struct Found {
    /// The conversations that exist.
    pub heads: HashMap<ConversationId, Head>,
    /// The senders that are in their conversations.
    pub standings: HashMap<Place, Standing>,
    /// Messages with the same mark of the same sender, that were stored before.
    pub marked: HashMap<(ConversationId, UserId, ClientMessageId), MessageId>,
    /// The messages that are answered, where they are.
    pub originals: HashMap<MessageId, ConversationId>,
    /// Blocks in direct conversations, as the sender sees them.
    pub blockings: HashMap<Place, Blocking>,
    /// Media that must be there and are not.
    pub missing: BTreeSet<MediumId>,
}

/// What becomes of one send.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Nothing.
    Refused(Error),
    /// It is this new message.
    Stored(MessageId),
    /// It was this message already.
    Repeated(MessageId),
}

/// How far positions move; `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// The read position. Nothing beyond it is read, or deleted.
    pub read: Option<Seq>,
    /// The delivered position.
    pub delivered: Option<Seq>,
}

/// What a send reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The place of the send in the batch.
    pub ordinal: usize,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who.
    pub reader: UserId,
    /// Which messages; those that are tombstones or the reader's own are none.
    pub range: SeqRange,
}

/// Everything to be written and answered.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order of the batch.
    pub answers: Vec<Answer>,
    /// New messages, in the order of the batch.
    pub stored: Vec<Message>,
    /// Messages of before that answers need: first sends, and what is answered.
    pub named: HashSet<MessageId>,
    /// Conversations that move, and where they stand after the batch.
    pub heads: BTreeMap<ConversationId, Head>,
    /// Positions that move.
    pub positions: BTreeMap<Place, Moved>,
    /// What the sends read, the newest of it.
    pub reads: Vec<Reading>,
}

/// Decides about every send of a batch.
pub fn decide(batch: Vec<NewMessage>, found: Found) -> Plan {
    let mut course = Course { plan: Plan::default(), found, new: HashMap::new() };
    for (ordinal, new) in batch.into_iter().enumerate() {
        let answer = course.decide(ordinal, new).unwrap_or_else(Answer::Refused);
        course.plan.answers.push(answer);
    }
    course.plan
}

/// What is known in the course of the batch: `found` with the changes of the sends so far.
struct Course {
    plan: Plan,
    found: Found,
    new: HashMap<MessageId, ConversationId>,
}

impl Course {
    fn decide(&mut self, ordinal: usize, new: NewMessage) -> Result<Answer, Error> {
        let whose: Place = (new.conversation_id, new.sender_id.clone());
        let head = *self.found.heads.get(&new.conversation_id).ok_or(Error::ConversationNotFound)?;
        let standing = self.found.standings.get(&whose).ok_or(Error::NotParticipant(Attempt::Send))?;
        // A repetition comes before the block: its message stands already.
        let mark = new.client_message_id.clone().map(|mark| (new.conversation_id, new.sender_id.clone(), mark));
        if let Some(id) = mark.as_ref().and_then(|mark| self.found.marked.get(mark)) {
            if !self.new.contains_key(id) {
                self.plan.named.insert(*id);
            }
            return Ok(Answer::Repeated(*id));
        }
        self.found.blockings.get(&whose).copied().unwrap_or_default().may_contact()?;
        if let Some(id) = new.reply_to {
            if self.found.originals.get(&id) == Some(&new.conversation_id) {
                self.plan.named.insert(id);
            } else if self.new.get(&id) != Some(&new.conversation_id) {
                return Err(Error::MessageNotFound);
            }
        }
        if !Named::by_links(&new.media).required.is_disjoint(&self.found.missing) {
            return Err(media::missing("media"));
        }
        let head =
            Head { last_seq: head.last_seq + 1, rev: head.rev + 1, active_at: head.active_at.max(new.created_at) };
        for range in newest(&above(uncovered(&standing.read, head.last_seq - 1), standing.floor), standing.dead) {
            let (conversation_id, reader) = whose.clone();
            self.plan.reads.push(Reading { ordinal, conversation_id, reader, range });
        }
        self.plan.positions.entry(whose.clone()).or_default().read = Some(head.last_seq);
        if let Some(recipient) = new.delivered_to.clone() {
            self.plan.positions.entry((new.conversation_id, recipient)).or_default().delivered = Some(head.last_seq);
        }
        let read = Standing {
            floor: standing.floor,
            read: ReadState::from_stored(head.last_seq, Vec::new()),
            // The send has read everything before it, tombstones included.
            dead: 0,
        };
        self.found.standings.insert(whose, read);
        self.found.heads.insert(new.conversation_id, head);
        self.plan.heads.insert(new.conversation_id, head);
        let message = new.placed(head.last_seq, head.rev);
        let id = message.id;
        if let Some(mark) = mark {
            self.found.marked.insert(mark, id);
        }
        self.new.insert(id, message.conversation_id);
        self.plan.stored.push(message);
        Ok(Answer::Stored(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageKind;

    fn id<T: From<crate::model::ObjectId>>(number: u8) -> T {
        crate::model::ObjectId::from_bytes([number; 12]).into()
    }

    fn user(name: &str) -> UserId {
        name.parse().expect("a valid id")
    }

    fn draft(number: u8, sender: &str, mark: &str) -> NewMessage {
        NewMessage {
            id: id(number),
            conversation_id: id(1),
            sender_id: user(sender),
            kind: MessageKind::Text,
            text: Some("x".into()),
            media: Vec::new(),
            reply_to: None,
            client_message_id: ClientMessageId::new(mark).ok(),
            created_at: Timestamp::from_millis(i64::from(number)),
            delivered_to: None,
        }
    }

    /// Ann and Bob, five messages; Ann has read the first two of them.
    fn found() -> Found {
        let standing = |read| Standing { floor: 0, read: ReadState::from_stored(read, Vec::new()), dead: 0 };
        Found {
            heads: HashMap::from([(id(1), Head { last_seq: 5, rev: 9, active_at: Timestamp::from_millis(50) })]),
            standings: HashMap::from([((id(1), user("ann")), standing(2)), ((id(1), user("bob")), standing(5))]),
            ..Found::default()
        }
    }

    #[test]
    fn what_one_send_decides_holds_for_the_next() {
        let batch = vec![draft(11, "ann", "m"), draft(12, "ann", "m"), draft(13, "eve", ""), draft(14, "ann", "")];
        let plan = decide(batch, found());
        assert_eq!(
            plan.answers,
            [
                Answer::Stored(id(11)),
                Answer::Repeated(id(11)),
                Answer::Refused(Error::NotParticipant(Attempt::Send)),
                Answer::Stored(id(14)),
            ]
        );
        let places: Vec<(Seq, Rev)> = plan.stored.iter().map(|message| (message.seq, message.rev)).collect();
        assert_eq!(places, [(6, 10), (7, 11)], "a refusal and a repetition use up nothing");
        assert_eq!(plan.heads[&id(1)], Head { last_seq: 7, rev: 11, active_at: Timestamp::from_millis(50) });
        let reads: Vec<(usize, SeqRange)> = plan.reads.iter().map(|read| (read.ordinal, read.range)).collect();
        assert_eq!(reads, [(0, SeqRange { first: 3, last: 5 })], "the second has nothing left to read");
        assert!(plan.named.is_empty(), "a repetition inside the batch is not looked up");
    }

    #[test]
    fn an_answer_may_be_to_a_send_of_the_same_batch() {
        let to = |number, original| NewMessage { reply_to: Some(id(original)), ..draft(number, "bob", "") };
        let plan = decide(vec![draft(11, "ann", ""), to(12, 11), to(13, 99)], found());
        assert_eq!(plan.answers[1..], [Answer::Stored(id(12)), Answer::Refused(Error::MessageNotFound)]);
    }

    #[test]
    fn a_block_refuses_all_but_repetitions() {
        let mut found = found();
        found.blockings.insert((id(1), user("ann")), Blocking { by_viewer: false, by_other: true });
        found.marked.insert((id(1), user("ann"), ClientMessageId::new("m").expect("valid")), id(3));
        let plan = decide(vec![draft(11, "ann", "m"), draft(12, "ann", "n")], found);
        assert_eq!(plan.answers, [Answer::Repeated(id(3)), Answer::Refused(Error::Blocked)]);
        assert_eq!(plan.named, HashSet::from([id(3)]));
    }
}
