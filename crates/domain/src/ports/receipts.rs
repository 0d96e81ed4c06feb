//! How far each participant has read and received each conversation, remembered as positions.

use async_trait::async_trait;

use super::StorageResult;
use crate::error::Result;
use crate::model::{ConversationId, MessageId, UserId, Watermarks};

/// What a participant says they have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadTarget {
    /// Everything.
    All,
    /// Everything up to this message.
    UpTo(MessageId),
    /// Exactly these, at most 500. Those that are not in the conversation are passed over.
    Messages(Vec<MessageId>),
}

/// A message that has just been read, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMessage {
    /// The message.
    pub id: MessageId,
    /// Who sent it: never the reader.
    pub sender_id: UserId,
}

/// What became of a mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadMarked {
    /// Others' messages that were unread before and are read now, without tombstones, oldest first, the newest 500.
    pub newly_read: Vec<ReadMessage>,
    /// The reader's unread count now.
    pub unread: u64,
}

/// Messages of one conversation and one sender that have just reached their first recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredNow {
    /// Where.
    pub conversation_id: ConversationId,
    /// Whose messages.
    pub sender_id: UserId,
    /// Which, oldest first.
    pub message_ids: Vec<MessageId>,
}

/// Storage of read and delivered positions. Positions never go back, whatever races.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Marks as read, in one transaction: moves the position for `All` and `UpTo`, and for `Messages` keeps single
    /// reads beyond the position, which fold into it as gaps close. The reader's own messages are never "newly read".
    /// Idempotent: a second mark of the same reads nothing new.
    ///
    /// # Errors
    /// Inner: `NotParticipant(Access)`, `ConversationNotFound`, and `MessageNotFound` where `UpTo` is not in the
    /// conversation; nothing has changed then.
    async fn mark_read(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> StorageResult<Result<ReadMarked>>;

    /// Moves `user`'s delivered position to the end in every conversation they are in, save direct ones across a block
    /// in either direction: a receipt would tell that they are there. What waits in those waits for a mark after the
    /// block is gone; a mark that begins after `insert_block` has returned sees the block. Answers with the messages
    /// whose status turns from sent to delivered by that: others', not deleted, neither delivered to nor read by
    /// anybody but their sender before; the newest 500 per conversation. Idempotent.
    async fn mark_delivered(&self, user: &UserId) -> StorageResult<Vec<DeliveredNow>>;

    /// The unread counts of `user`, per conversation in which something is unread, in any order. The cost does not
    /// depend on how much is unread.
    async fn list_unread(&self, user: &UserId) -> StorageResult<Vec<(ConversationId, u64)>>;

    /// The unread counts of these people in one conversation, for those of them who are in it, in any order.
    async fn list_unread_of(&self, conversation: ConversationId, users: &[UserId])
    -> StorageResult<Vec<(UserId, u64)>>;

    /// The watermarks of these conversations, for those that exist, in any order. What somebody has read or received
    /// counts on after they have left, so that no message's status goes back. The number of statements does not
    /// depend on how many there are.
    async fn list_watermarks(
        &self,
        conversations: &[ConversationId],
    ) -> StorageResult<Vec<(ConversationId, Watermarks)>>;
}
