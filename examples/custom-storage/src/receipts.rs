//! The `Receipts` port. How positions move and unread counts follow is in `room`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parlance_domain::error::{Attempt, Error, Result};
use parlance_domain::model::{ConversationId, ConversationKind, MessageId, MessageStatus, Seq, UserId, Watermarks};
use parlance_domain::ports::{DeliveredNow, ReadMarked, ReadTarget, Receipts, StorageResult};

use crate::EmbeddedStorage;
use crate::blocks;
use crate::failure::{Failed, Stop, answered};
use crate::room::{self, Room, message_at, newest, seq_in};
use crate::store::{View, Writer};

#[async_trait]
impl Receipts for EmbeddedStorage {
    async fn mark_read(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> StorageResult<Result<ReadMarked>> {
        let (reader, target) = (reader.clone(), target.clone());
        self.write(move |writer| answered(writer.mark_read(conversation, &reader, &target))).await
    }

    async fn mark_delivered(&self, user: &UserId) -> StorageResult<Vec<DeliveredNow>> {
        let user = user.clone();
        self.write(move |writer| {
            let mut delivered = Vec::new();
            for mut room in room::of(writer, &user)? {
                if !is_blocked_in(writer, &room, &user)? {
                    delivered.extend(writer.mark_delivered(&mut room, &user)?);
                }
            }
            Ok(delivered)
        })
        .await
    }

    async fn list_unread(&self, user: &UserId) -> StorageResult<Vec<(ConversationId, u64)>> {
        let user = user.clone();
        self.read(move |view| {
            let rooms = room::of(view, &user)?;
            let counts = rooms.iter().filter_map(|room| Some((room.conversation.id, room.unread(&user)?)));
            Ok(counts.filter(|(_, unread)| *unread > 0).collect())
        })
        .await
    }

    async fn list_unread_of(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> StorageResult<Vec<(UserId, u64)>> {
        let users = users.to_vec();
        self.read(move |view| {
            let Some(room) = room::find(view, conversation)? else { return Ok(Vec::new()) };
            Ok(users.into_iter().filter_map(|user| room.unread(&user).map(|unread| (user, unread))).collect())
        })
        .await
    }

    async fn list_watermarks(
        &self,
        conversations: &[ConversationId],
    ) -> StorageResult<Vec<(ConversationId, Watermarks)>> {
        let conversations = conversations.to_vec();
        self.read(move |view| {
            let mut found = Vec::with_capacity(conversations.len());
            for id in conversations {
                found.extend(room::find(view, id)?.map(|room| (id, room.watermarks())));
            }
            Ok(found)
        })
        .await
    }
}

/// Whether a direct conversation is one across a block.
fn is_blocked_in(view: &impl View, room: &Room, user: &UserId) -> Result<bool, Failed> {
    if room.conversation.kind != ConversationKind::Direct {
        return Ok(false);
    }
    let Some(other) = room.users().find(|other| *other != user) else { return Ok(false) };
    Ok(blocks::between(view, user, other)?.any())
}

impl Writer {
    fn mark_read(
        &mut self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> Result<ReadMarked, Stop> {
        let mut room = room::find(self, conversation)?.ok_or(Error::ConversationNotFound)?;
        room.role_for(reader, Attempt::Access)?;
        let newly_read = match target {
            ReadTarget::All => room.read_up_to(self, reader, room.conversation.last_seq)?,
            ReadTarget::UpTo(id) => {
                let seq = seq_in(self, conversation, *id)?.ok_or(Error::MessageNotFound)?;
                room.read_up_to(self, reader, seq)?
            }
            ReadTarget::Messages(ids) => {
                let seqs = ids.iter().map(|id| seq_in(self, conversation, *id)).collect::<Result<Vec<_>, _>>()?;
                let seqs: Vec<Seq> = seqs.into_iter().flatten().collect();
                room.read_each(self, reader, &seqs)?
            }
        };
        self.put_room(&room)?;
        Ok(ReadMarked { newly_read: newest(newly_read), unread: room.unread(reader).unwrap_or(0) })
    }

    /// Moves the delivered position to the end. Answers with what has turned from sent to delivered, by sender.
    fn mark_delivered(&mut self, room: &mut Room, user: &UserId) -> Result<Vec<DeliveredNow>, Failed> {
        let conversation_id = room.conversation.id;
        let before = room.watermarks();
        let passed = room.deliver(user, room.conversation.last_seq);
        if passed.is_empty() {
            return Ok(Vec::new());
        }
        self.put_room(room)?;
        let mut turned = Vec::new();
        for seq in passed {
            turned.extend(message_at(self, conversation_id, seq)?.filter(|message| {
                message.sender_id != *user
                    && !message.is_tombstone()
                    && before.status(&message.sender_id, seq) == MessageStatus::Sent
            }));
        }
        let mut by_sender: BTreeMap<UserId, Vec<MessageId>> = BTreeMap::new();
        for message in newest(turned) {
            by_sender.entry(message.sender_id).or_default().push(message.id);
        }
        let now = |(sender_id, message_ids)| DeliveredNow { conversation_id, sender_id, message_ids };
        Ok(by_sender.into_iter().map(now).collect())
    }
}
