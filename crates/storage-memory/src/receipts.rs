//! The `Receipts` port. How positions move and unread counts follow is in `room`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parlance_domain::error::{Attempt, Error, Result};
use parlance_domain::model::{ConversationId, ConversationKind, MessageId, MessageStatus, Seq, UserId, Watermarks};
use parlance_domain::ports::{DeliveredNow, ReadMarked, ReadTarget, Receipts, StorageResult};

use crate::MemoryStorage;
use crate::room::{Room, newest};
use crate::state::State;

#[async_trait]
impl Receipts for MemoryStorage {
    async fn mark_read(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> StorageResult<Result<ReadMarked>> {
        Ok(self.state().mark_read(conversation, reader, target))
    }

    async fn mark_delivered(&self, user: &UserId) -> StorageResult<Vec<DeliveredNow>> {
        let mut state = self.state();
        let open = state.rooms_of(user).filter(|room| !state.is_blocked_in(room, user));
        let ids: Vec<ConversationId> = open.map(|room| room.conversation.id).collect();
        let mut delivered = Vec::new();
        for id in ids {
            if let Some(room) = state.rooms.get_mut(&id) {
                delivered.extend(deliver(room, user));
            }
        }
        Ok(delivered)
    }

    async fn list_unread(&self, user: &UserId) -> StorageResult<Vec<(ConversationId, u64)>> {
        let state = self.state();
        let counts = state.rooms_of(user).filter_map(|room| Some((room.conversation.id, room.unread(user)?)));
        Ok(counts.filter(|(_, unread)| *unread > 0).collect())
    }

    async fn list_unread_of(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> StorageResult<Vec<(UserId, u64)>> {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else { return Ok(Vec::new()) };
        Ok(users.iter().filter_map(|user| Some((user.clone(), room.unread(user)?))).collect())
    }

    async fn list_watermarks(
        &self,
        conversations: &[ConversationId],
    ) -> StorageResult<Vec<(ConversationId, Watermarks)>> {
        let state = self.state();
        Ok(conversations.iter().filter_map(|id| Some((*id, state.rooms.get(id)?.watermarks()))).collect())
    }
}

impl State {
    /// Whether a direct conversation is one across a block.
    fn is_blocked_in(&self, room: &Room, user: &UserId) -> bool {
        let direct = room.conversation.kind == ConversationKind::Direct;
        direct && room.users().any(|other| other != user && self.blocking(user, other).any())
    }

    fn mark_read(&mut self, conversation: ConversationId, reader: &UserId, target: &ReadTarget) -> Result<ReadMarked> {
        let room = self.rooms.get(&conversation).ok_or(Error::ConversationNotFound)?;
        room.role(reader).ok_or(Error::NotParticipant(Attempt::Access))?;
        let last = room.conversation.last_seq;
        let up_to = match target {
            ReadTarget::All => Ok(last),
            ReadTarget::UpTo(id) => Ok(self.seq_in(conversation, *id).ok_or(Error::MessageNotFound)?),
            ReadTarget::Messages(ids) => {
                Err(ids.iter().filter_map(|id| self.seq_in(conversation, *id)).collect::<Vec<Seq>>())
            }
        };
        let room = self.rooms.get_mut(&conversation).ok_or(Error::ConversationNotFound)?;
        let newly_read = match up_to {
            Ok(seq) => room.read_up_to(reader, seq),
            Err(seqs) => room.read_each(reader, &seqs),
        };
        Ok(ReadMarked { newly_read: newest(newly_read), unread: room.unread(reader).unwrap_or(0) })
    }

    /// Where a message of this conversation is.
    pub(crate) fn seq_in(&self, conversation: ConversationId, id: MessageId) -> Option<Seq> {
        self.places.get(&id).filter(|(home, _)| *home == conversation).map(|(_, seq)| *seq)
    }
}

/// Moves the delivered position to the end. Answers with what has turned from sent to delivered, by sender.
fn deliver(room: &mut Room, user: &UserId) -> Vec<DeliveredNow> {
    let before = room.watermarks();
    let passed = room.deliver(user, room.conversation.last_seq);
    let turned = passed
        .filter_map(|seq| room.message(seq))
        .filter(|message| message.sender_id != *user && !message.is_tombstone())
        .filter(|message| before.status(&message.sender_id, message.seq) == MessageStatus::Sent)
        .collect();
    let mut by_sender: BTreeMap<&UserId, Vec<MessageId>> = BTreeMap::new();
    for message in newest(turned) {
        by_sender.entry(&message.sender_id).or_default().push(message.id);
    }
    let now = |(sender, message_ids): (&UserId, Vec<MessageId>)| DeliveredNow {
        conversation_id: room.conversation.id,
        sender_id: sender.clone(),
        message_ids,
    };
    by_sender.into_iter().map(now).collect()
}
