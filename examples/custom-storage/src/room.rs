//! One conversation with its people, as one document: whoever changes it holds all of it, so that positions, counts
//! and `rev` move together. Messages are documents of their own; `seq` counts them without a gap, so a page of them is
//! a run of numbers.

use std::ops::Range;

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{
    Conversation, ConversationId, Message, MessageId, Participant, ReadState, Rev, Role, Roster, Seq, Timestamp,
    UserId, Watermarks,
};
use parlance_domain::ports::{ConversationEntry, ReadMessage};
use serde::{Deserialize, Serialize};

use crate::failure::Failed;
use crate::records::{ConversationFields, RoleFields, read_state, text};
use crate::store::{Scan, View, Writer};
use crate::tables::{self, MESSAGES, PLACES, ROOMS, ROOMS_OF};

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Room {
    #[serde(with = "ConversationFields")]
    pub(crate) conversation: Conversation,
    /// Everybody who is or was in it, in id order: a status must not go back because its reader has left.
    members: Vec<Member>,
}

/// Somebody who is or was in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Member {
    #[serde(with = "text")]
    user_id: UserId,
    /// `None` after they have left.
    present: Option<Present>,
    #[serde(with = "read_state")]
    read: ReadState,
    /// Nothing up to here is unread: the end of the history when they came in, though they have not read it.
    floor: Seq,
    delivered: Seq,
    unread: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Present {
    #[serde(with = "RoleFields")]
    role: Role,
    #[serde(with = "text")]
    joined_at: Timestamp,
}

impl Room {
    pub(crate) fn new(conversation: Conversation) -> Self {
        Self { conversation, members: Vec::new() }
    }

    pub(crate) fn next_rev(&mut self) -> Rev {
        self.conversation.rev += 1;
        self.conversation.rev
    }

    /// Somebody comes in: the history is theirs to see, and nothing of it is unread.
    pub(crate) fn enter(&mut self, user: &UserId, role: Role, joined_at: Timestamp) {
        let at = self.members.binary_search_by_key(&user, |member| &member.user_id).unwrap_or_else(|at| {
            let new = Member {
                user_id: user.clone(),
                present: None,
                read: ReadState::default(),
                floor: 0,
                delivered: 0,
                unread: 0,
            };
            self.members.insert(at, new);
            at
        });
        let member = &mut self.members[at];
        member.present = Some(Present { role, joined_at });
        member.floor = self.conversation.last_seq;
        member.unread = 0;
    }

    pub(crate) fn leave(&mut self, user: &UserId) {
        if let Some(member) = self.present_mut(user) {
            member.present = None;
        }
    }

    pub(crate) fn set_role(&mut self, user: &UserId, role: Role) {
        if let Some(present) = self.present_mut(user).and_then(|member| member.present.as_mut()) {
            present.role = role;
        }
    }

    fn present(&self, user: &UserId) -> Option<&Member> {
        let at = self.members.binary_search_by_key(&user, |member| &member.user_id).ok()?;
        Some(&self.members[at]).filter(|member| member.present.is_some())
    }

    /// Somebody who is or was in it.
    fn member_mut(&mut self, user: &UserId) -> Option<&mut Member> {
        let at = self.members.binary_search_by_key(&user, |member| &member.user_id).ok()?;
        Some(&mut self.members[at])
    }

    fn present_mut(&mut self, user: &UserId) -> Option<&mut Member> {
        self.member_mut(user).filter(|member| member.present.is_some())
    }

    pub(crate) fn role(&self, user: &UserId) -> Option<Role> {
        Some(self.present(user)?.present?.role)
    }

    /// The role of somebody who must be in it to do this.
    pub(crate) fn role_for(&self, user: &UserId, attempt: Attempt) -> Result<Role, Error> {
        self.role(user).ok_or(Error::NotParticipant(attempt))
    }

    /// Everybody in it, longest-serving first, those of one moment in id order.
    pub(crate) fn participants(&self) -> Vec<Participant> {
        let mut all: Vec<Participant> = (self.members.iter())
            .filter_map(|Member { user_id, present, .. }| {
                present.map(|Present { role, joined_at }| Participant { user_id: user_id.clone(), role, joined_at })
            })
            .collect();
        // Members are in id order, and the sort keeps it within one moment.
        all.sort_by_key(|participant| participant.joined_at);
        all
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().filter(|member| member.present.is_some()).map(|member| &member.user_id)
    }

    pub(crate) fn roster(&self) -> Roster {
        Roster::new(self.conversation.kind, self.users().cloned())
    }

    /// How much is unread by somebody who is in it.
    pub(crate) fn unread(&self, user: &UserId) -> Option<u64> {
        Some(self.present(user)?.unread)
    }

    /// Whether somebody who is in it has not read this message of somebody else's, said since they came in.
    pub(crate) fn is_ahead_of(&self, user: &UserId, message: &Message) -> bool {
        self.present(user).is_some_and(|member| {
            message.sender_id != *user && message.seq > member.floor && !member.read.covers(message.seq)
        })
    }

    pub(crate) fn watermarks(&self) -> Watermarks {
        Watermarks::of(self.members.iter().map(|Member { user_id, read, delivered, .. }| {
            (user_id.clone(), read.position(), *delivered, read.ahead().to_vec())
        }))
    }

    /// A message has been appended: it is unread by everybody but its sender.
    pub(crate) fn count_unread(&mut self, sender: &UserId) {
        for member in self.members.iter_mut().filter(|member| member.user_id != *sender) {
            member.unread += 1;
        }
    }

    /// This message is about to be deleted: it stops counting for those who had not read it.
    pub(crate) fn discount_unread(&mut self, message: &Message) {
        for member in self.members.iter_mut().filter(|member| member.has_unread(message)) {
            member.unread = member.unread.saturating_sub(1);
        }
    }

    /// Raises the delivered position of somebody who is in it. Answers with the positions that it has passed.
    pub(crate) fn deliver(&mut self, user: &UserId, seq: Seq) -> Range<Seq> {
        let Some(member) = self.present_mut(user) else { return 0..0 };
        let before = member.delivered;
        member.delivered = before.max(seq);
        before + 1..member.delivered + 1
    }

    /// Reads everything up to `seq`. Answers with what was unread before, oldest first.
    pub(crate) fn read_up_to(&mut self, view: &impl View, user: &UserId, seq: Seq) -> Result<Vec<ReadMessage>, Failed> {
        self.read(view, user, &[], |state| state.advance_to(seq))
    }

    /// Reads these messages. Answers with what was unread before, oldest first.
    pub(crate) fn read_each(
        &mut self,
        view: &impl View,
        user: &UserId,
        seqs: &[Seq],
    ) -> Result<Vec<ReadMessage>, Failed> {
        self.read(view, user, seqs, |state| seqs.iter().filter(|seq| state.mark(**seq)).count() > 0)
    }

    fn read(
        &mut self,
        view: &impl View,
        user: &UserId,
        marked: &[Seq],
        change: impl FnOnce(&mut ReadState) -> bool,
    ) -> Result<Vec<ReadMessage>, Failed> {
        let id = self.conversation.id;
        // Who leaves has read the line that tells of it.
        let Some(member) = self.member_mut(user) else { return Ok(Vec::new()) };
        let mut after = member.read.clone();
        if !change(&mut after) {
            return Ok(Vec::new());
        }
        // Nothing up to the floor was unread.
        let mut touched: Vec<Seq> = (member.read.position().max(member.floor) + 1..=after.position()).collect();
        touched.extend(marked.iter().filter(|seq| **seq > after.position()));
        touched.sort_unstable();
        touched.dedup();
        let mut newly = Vec::new();
        for seq in touched {
            let message = view.load(&MESSAGES, &tables::numbered(id, seq))?.0;
            if member.has_unread(&message) {
                newly.push(ReadMessage { id: message.id, sender_id: message.sender_id });
            }
        }
        member.read = after;
        member.unread = member.unread.saturating_sub(newly.len() as u64);
        Ok(newly)
    }
}

impl Member {
    fn has_unread(&self, message: &Message) -> bool {
        message.seq > self.floor
            && message.sender_id != self.user_id
            && !message.is_tombstone()
            && !self.read.covers(message.seq)
    }
}

impl Writer {
    pub(crate) fn put_room(&mut self, room: &Room) -> Result<(), Failed> {
        self.put(&ROOMS, &room.conversation.id.bytes(), room)
    }
}

/// A conversation.
pub(crate) fn find(view: &impl View, id: ConversationId) -> Result<Option<Room>, Failed> {
    view.get(&ROOMS, &id.bytes())
}

/// The conversations that `user` is in now.
pub(crate) fn of(view: &impl View, user: &UserId) -> Result<Vec<Room>, Failed> {
    let keys = view.entries(ROOMS_OF, Scan::of(&tables::of_user(user)))?;
    keys.iter().map(|(key, _)| view.load(&ROOMS, &tables::last_id(key))).collect()
}

/// A conversation as somebody in it sees it.
pub(crate) fn entry(view: &impl View, room: &Room, viewer: &UserId) -> Result<Option<ConversationEntry>, Failed> {
    let Some(unread) = room.unread(viewer) else { return Ok(None) };
    let Conversation { id, last_seq, .. } = room.conversation;
    Ok(Some(ConversationEntry {
        conversation: room.conversation.clone(),
        participants: room.participants(),
        last_message: message_at(view, id, last_seq)?,
        unread,
    }))
}

/// The message at a place of a conversation.
pub(crate) fn message_at(view: &impl View, id: ConversationId, seq: Seq) -> Result<Option<Message>, Failed> {
    Ok(view.get(&MESSAGES, &tables::numbered(id, seq))?.map(|record| record.0))
}

/// The newest message of a conversation that is not `user`'s own.
pub(crate) fn newest_of_others(view: &impl View, room: &Room, user: &UserId) -> Result<Option<Message>, Failed> {
    for seq in (1..=room.conversation.last_seq).rev() {
        let message = message_at(view, room.conversation.id, seq)?;
        if let Some(message) = message.filter(|message| message.sender_id != *user) {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

/// The message with this id.
pub(crate) fn message(view: &impl View, id: MessageId) -> Result<Option<Message>, Failed> {
    let Some(key) = view.bytes(PLACES, &id.bytes())? else { return Ok(None) };
    Ok(view.get(&MESSAGES, &key)?.map(|record| record.0))
}

/// Where a message of this conversation is.
pub(crate) fn seq_in(view: &impl View, conversation: ConversationId, id: MessageId) -> Result<Option<Seq>, Failed> {
    let found = message(view, id)?.filter(|message| message.conversation_id == conversation);
    Ok(found.map(|message| message.seq))
}

/// What is reported of many messages at once.
pub(crate) fn newest<T>(mut items: Vec<T>) -> Vec<T> {
    const MOST: usize = 500;
    items.drain(..items.len().saturating_sub(MOST));
    items
}
