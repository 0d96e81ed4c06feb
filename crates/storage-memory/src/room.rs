//! One conversation with its people and messages. `seq` is the place in `messages` plus one; `rev` is
//! allotted here alone. Each member's `unread` is kept as a count, so that asking for it costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use parlance_domain::model::{
    Attendance, ClientMessageId, Conversation, Message, Participant, ParticipantRecord, ReadState, Rev, Role, Roster,
    Seq, Timestamp, UserId, Watermarks,
};
use parlance_domain::ports::{ConversationEntry, ReadMessage};

/// A conversation.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) conversation: Conversation,
    pub(crate) messages: Vec<Message>,
    /// By whom and with which mark a message was sent.
    pub(crate) sent: HashMap<(UserId, ClientMessageId), Seq>,
    /// Everybody who is or was in it: a status must not go back because its reader has left.
    members: BTreeMap<UserId, Member>,
}

/// Somebody who is or was in a conversation.
#[derive(Debug, Default)]
struct Member {
    /// `None` after they have left.
    present: Option<(Role, Timestamp)>,
    read: ReadState,
    /// Nothing up to here is unread: the end of the history when they came in, though they have not read it.
    floor: Seq,
    delivered: Seq,
    unread: u64,
}

impl Room {
    pub(crate) fn new(conversation: Conversation) -> Self {
        Self { conversation, messages: Vec::new(), sent: HashMap::new(), members: BTreeMap::new() }
    }

    pub(crate) fn message(&self, seq: Seq) -> Option<&Message> {
        self.messages.get(index(seq)?)
    }

    pub(crate) fn message_mut(&mut self, seq: Seq) -> Option<&mut Message> {
        self.messages.get_mut(index(seq)?)
    }

    pub(crate) fn next_rev(&mut self) -> Rev {
        self.conversation.rev += 1;
        self.conversation.rev
    }

    /// Somebody comes in: the history is theirs to see, and nothing of it is unread.
    pub(crate) fn enter(&mut self, user: &UserId, role: Role, now: Timestamp) {
        let member = self.members.entry(user.clone()).or_default();
        member.present = Some((role, now));
        member.floor = self.conversation.last_seq;
        member.unread = 0;
    }

    pub(crate) fn leave(&mut self, user: &UserId) {
        if let Some(member) = self.members.get_mut(user) {
            member.present = None;
        }
    }

    pub(crate) fn set_role(&mut self, user: &UserId, role: Role) {
        if let Some((old, _)) = self.members.get_mut(user).and_then(|member| member.present.as_mut()) {
            *old = role;
        }
    }

    pub(crate) fn role(&self, user: &UserId) -> Option<Role> {
        self.members.get(user)?.present.map(|(role, _)| role)
    }

    /// Everybody in it, longest-serving first, those of one moment in id order.
    pub(crate) fn participants(&self) -> Vec<Participant> {
        let present = self.members.iter().filter_map(|(user, member)| member.present.map(|present| (user, present)));
        let mut all: Vec<_> =
            present.map(|(user, (role, joined_at))| Participant { user_id: user.clone(), role, joined_at }).collect();
        // The map is in id order, and the sort keeps it within one moment.
        all.sort_by_key(|participant| participant.joined_at);
        all
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().filter(|(_, member)| member.present.is_some()).map(|(user, _)| user)
    }

    pub(crate) fn roster(&self) -> Roster {
        Roster::new(self.conversation.kind, self.users().cloned())
    }

    /// How much is unread by somebody who is in it.
    pub(crate) fn unread(&self, user: &UserId) -> Option<u64> {
        self.members.get(user).filter(|member| member.present.is_some()).map(|member| member.unread)
    }

    /// Whether somebody who is in it has not read what others said at `seq` since they came in.
    pub(crate) fn is_ahead_of(&self, user: &UserId, seq: Seq) -> bool {
        let member = self.members.get(user).filter(|member| member.present.is_some());
        let said = self.message(seq).filter(|message| message.sender_id != *user);
        said.is_some() && member.is_some_and(|member| seq > member.floor && !member.read.covers(seq))
    }

    /// Everybody who is or was in it, in id order.
    pub(crate) fn records(&self) -> impl Iterator<Item = ParticipantRecord> {
        self.members.iter().map(|(user, member)| ParticipantRecord {
            conversation_id: self.conversation.id,
            user_id: user.clone(),
            attendance: member.present.map(|(role, joined_at)| Attendance { role, joined_at, floor: member.floor }),
            read: member.read.clone(),
            delivered: member.delivered,
        })
    }

    /// How many are or were in it.
    pub(crate) fn count_members(&self) -> u64 {
        self.members.len() as u64
    }

    /// Puts somebody back as they were; the messages must be there.
    pub(crate) fn restore(&mut self, record: &ParticipantRecord) {
        let ParticipantRecord { conversation_id: _, user_id, attendance, read, delivered } = record.clone();
        let present = attendance.map(|Attendance { role, joined_at, .. }| (role, joined_at));
        let floor = attendance.map_or(0, |attendance| attendance.floor);
        let mut member = Member { present, read, floor, delivered, unread: 0 };
        member.unread = self.messages.iter().filter(|message| member.has_unread(&user_id, message)).count() as u64;
        self.members.entry(user_id).or_insert(member);
    }

    pub(crate) fn entry(&self, viewer: &UserId) -> Option<ConversationEntry> {
        Some(ConversationEntry {
            conversation: self.conversation.clone(),
            participants: self.participants(),
            last_message: self.messages.last().cloned(),
            unread: self.unread(viewer)?,
        })
    }

    pub(crate) fn watermarks(&self) -> Watermarks {
        Watermarks::of(self.members.iter().map(|(user, member)| {
            (user.clone(), member.read.position(), member.delivered, member.read.ahead().to_vec())
        }))
    }

    /// The message has been appended: it is unread by everybody but its sender.
    pub(crate) fn count_unread(&mut self, sender: &UserId) {
        for (_, member) in self.members.iter_mut().filter(|(user, _)| *user != sender) {
            member.unread += 1;
        }
    }

    /// The message at `seq` is about to be deleted: it stops counting for those who had not read it.
    pub(crate) fn discount_unread(&mut self, seq: Seq) {
        let Some(message) = index(seq).and_then(|at| self.messages.get(at)) else { return };
        for (user, member) in &mut self.members {
            if member.has_unread(user, message) {
                member.unread = member.unread.saturating_sub(1);
            }
        }
    }

    /// Reads everything up to `seq`. Answers with what was unread before, oldest first.
    pub(crate) fn read_up_to(&mut self, reader: &UserId, seq: Seq) -> Vec<ReadMessage> {
        self.read(reader, &[], |state| state.advance_to(seq))
    }

    /// Reads these messages. Answers with what was unread before, oldest first.
    pub(crate) fn read_each(&mut self, reader: &UserId, seqs: &[Seq]) -> Vec<ReadMessage> {
        self.read(reader, seqs, |state| seqs.iter().filter(|seq| state.mark(**seq)).count() > 0)
    }

    fn read(
        &mut self,
        reader: &UserId,
        marked: &[Seq],
        change: impl FnOnce(&mut ReadState) -> bool,
    ) -> Vec<ReadMessage> {
        let Some(member) = self.members.get_mut(reader) else { return Vec::new() };
        let mut after = member.read.clone();
        if !change(&mut after) {
            return Vec::new();
        }
        let mut touched: Vec<Seq> = (member.read.position() + 1..=after.position()).collect();
        touched.extend(marked.iter().filter(|seq| **seq > after.position()));
        touched.sort_unstable();
        touched.dedup();
        let messages = touched.into_iter().filter_map(|seq| self.messages.get(index(seq)?));
        let newly: Vec<ReadMessage> = messages
            .filter(|message| member.has_unread(reader, message))
            .map(|message| ReadMessage { id: message.id, sender_id: message.sender_id.clone() })
            .collect();
        member.read = after;
        member.unread = member.unread.saturating_sub(newly.len() as u64);
        newly
    }

    /// Raises the delivered position of somebody who is in it. Answers with the positions that it has passed.
    pub(crate) fn deliver(&mut self, user: &UserId, seq: Seq) -> Range<Seq> {
        let Some(member) = self.members.get_mut(user).filter(|member| member.present.is_some()) else { return 0..0 };
        let before = member.delivered;
        member.delivered = before.max(seq);
        before + 1..member.delivered + 1
    }
}

impl Member {
    fn has_unread(&self, user: &UserId, message: &Message) -> bool {
        message.seq > self.floor
            && message.sender_id != *user
            && !message.is_tombstone()
            && !self.read.covers(message.seq)
    }
}

fn index(seq: Seq) -> Option<usize> {
    usize::try_from(seq.checked_sub(1)?).ok()
}

/// What is reported of many messages at once.
pub(crate) fn newest<T>(mut items: Vec<T>) -> Vec<T> {
    const MOST: usize = 500;
    items.drain(..items.len().saturating_sub(MOST));
    items
}
