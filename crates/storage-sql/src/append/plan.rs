//! What is to become of each send of a batch, decided one after the other on what was found. No statement
//! runs here.

use std::collections::{BTreeSet, HashMap, HashSet};

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{
    ClientMessageId, ConversationId, MediumId, Message, MessageId, NewMessage, ReadState, SeqRange, Timestamp, UserId,
};
use parlance_domain::rules::blocking::Blocking;
use parlance_domain::rules::media::{self, Named};
use parlance_domain::rules::ranges::{above, newest, uncovered};

use super::Place;
use super::lookup::Found;
use crate::error::{BadRow, Failed};
use crate::rows::{count, object_id, read_state};
use crate::search::PLACE_BITS;

/// What becomes of one send.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing.
    Refused(Error),
    /// It is this new message.
    Stored(MessageId),
    /// It was this message already.
    Repeated(MessageId),
}

/// Where a conversation stands after the batch.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) last_seq: u64,
    pub(super) rev: u64,
    pub(super) active_at: i64,
}

/// How far positions move; `None` stays.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) read: Option<u64>,
    pub(super) delivered: Option<u64>,
}

/// Everything to be written and answered.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In the order of the batch.
    pub(super) answers: Vec<Answer>,
    /// New messages with their places in the order of time, which SQLite's full-text index goes by.
    pub(super) stored: Vec<(i64, Message)>,
    /// Messages of before that answers need.
    pub(super) named: HashSet<MessageId>,
    /// Conversations that move.
    pub(super) heads: HashMap<ConversationId, Head>,
    /// Positions that move.
    pub(super) positions: HashMap<Place, Moved>,
    /// What each send reads: its place in the batch, the conversation, the sender, the messages.
    pub(super) reads: Vec<(usize, ConversationId, UserId, SeqRange)>,
}

/// What is known in the course of the batch beside the plan.
#[derive(Default)]
struct Course {
    plan: Plan,
    states: HashMap<Place, ReadState>,
    first: HashMap<(ConversationId, UserId, ClientMessageId), MessageId>,
    places: HashMap<Timestamp, i64>,
    new: HashMap<MessageId, ConversationId>,
}

/// Decides about every send of the batch. Media in `missing` are not there.
pub(super) fn decide(batch: &[NewMessage], found: Vec<Found>, missing: &BTreeSet<MediumId>) -> Result<Plan, Failed> {
    if found.len() != batch.len() {
        return Err(BadRow("batch").into());
    }
    let mut course = Course::default();
    for (ordinal, (new, found)) in batch.iter().zip(found).enumerate() {
        if usize::try_from(found.ordinal).ok() != Some(ordinal) {
            return Err(BadRow("batch").into());
        }
        let answer = course.decide(ordinal, new, found, missing)?;
        course.plan.answers.push(answer);
    }
    Ok(course.plan)
}

impl Course {
    fn decide(
        &mut self,
        ordinal: usize,
        new: &NewMessage,
        found: Found,
        missing: &BTreeSet<MediumId>,
    ) -> Result<Answer, Failed> {
        let Found {
            ordinal: _,
            last_seq,
            rev,
            active_at,
            floor_seq,
            read_position,
            ahead,
            dead_count,
            first_id,
            has_original,
            by_sender,
            by_peer,
            last_place,
        } = found;
        let (Some(last_seq), Some(rev), Some(active_at)) = (last_seq, rev, active_at) else {
            return Ok(Answer::Refused(Error::ConversationNotFound));
        };
        let (Some(floor_seq), Some(read_position), Some(dead_count)) = (floor_seq, read_position, dead_count) else {
            return Ok(Answer::Refused(Error::NotParticipant(Attempt::Send)));
        };
        if let Some(id) = first_id {
            let id = object_id(&id)?.into();
            self.plan.named.insert(id);
            return Ok(Answer::Repeated(id));
        }
        let mark = new.client_message_id.clone().map(|mark| (new.conversation_id, new.sender_id.clone(), mark));
        if let Some(id) = mark.as_ref().and_then(|mark| self.first.get(mark)) {
            return Ok(Answer::Repeated(*id));
        }
        if let Err(refusal) = (Blocking { by_viewer: by_sender, by_other: by_peer }).may_contact() {
            return Ok(Answer::Refused(refusal));
        }
        if let Some(id) = new.reply_to {
            if has_original {
                self.plan.named.insert(id);
            } else if self.new.get(&id) != Some(&new.conversation_id) {
                return Ok(Answer::Refused(Error::MessageNotFound));
            }
        }
        if !missing.is_empty() && !Named::by_links(&new.media).required.is_disjoint(missing) {
            return Ok(Answer::Refused(media::missing("media")));
        }
        let place = self.place(new.created_at, last_place)?;
        let head = self.plan.heads.entry(new.conversation_id).or_insert(Head {
            last_seq: count(last_seq)?,
            rev: count(rev)?,
            active_at,
        });
        head.last_seq += 1;
        head.rev += 1;
        head.active_at = head.active_at.max(new.created_at.millis());
        let (seq, rev) = (head.last_seq, head.rev);

        let whose: Place = (new.conversation_id, new.sender_id.clone());
        let (state, dead) = match self.states.remove(&whose) {
            // An earlier send of the batch has read everything before it, tombstones included.
            Some(state) => (state, 0),
            None => (read_state(read_position, ahead.as_deref())?, count(dead_count)?),
        };
        for range in newest(&above(uncovered(&state, seq - 1), count(floor_seq)?), dead) {
            self.plan.reads.push((ordinal, new.conversation_id, new.sender_id.clone(), range));
        }
        self.plan.positions.entry(whose.clone()).or_default().read = Some(seq);
        self.states.insert(whose, ReadState::from_stored(seq, Vec::new()));
        if let Some(recipient) = new.delivered_to.clone() {
            self.plan.positions.entry((new.conversation_id, recipient)).or_default().delivered = Some(seq);
        }

        let message = new.clone().placed(seq, rev);
        let id = message.id;
        if let Some(mark) = mark {
            self.first.insert(mark, id);
        }
        self.new.insert(id, message.conversation_id);
        self.plan.stored.push((place, message));
        Ok(Answer::Stored(id))
    }

    /// The next free place of a millisecond, `last` being the highest that was taken before the batch.
    fn place(&mut self, created_at: Timestamp, last: Option<i64>) -> Result<i64, Failed> {
        let start = created_at.millis().checked_mul(1 << PLACE_BITS).ok_or(BadRow("moment"))?;
        let next = self.places.entry(created_at).or_insert_with(|| last.map_or(start, |last| last + 1));
        let place = *next;
        if place - start >= 1 << PLACE_BITS {
            return Err(BadRow("place: more than a million messages in one millisecond").into());
        }
        *next += 1;
        Ok(place)
    }
}
