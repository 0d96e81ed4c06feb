//! Messages, remembered: everything that moves a conversation's `rev`, and reading it back.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{ReadMessage, StorageResult};
use crate::error::Result;
use crate::model::{
    Conversation, ConversationId, Message, MessageId, NewMessage, Page, Rev, Roster, SearchCursor, Seq, Timestamp,
    UserId,
};
use crate::rules::Limits;
use crate::rules::amending::Amendment;
use crate::rules::membership::{MembershipChange, Outcome};

/// What became of one send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The message as stored; on a repetition, the first one as it is now.
    pub message: Message,
    /// The sender had sent this `clientMessageId` to this conversation before: nothing was stored.
    pub duplicate: bool,
    /// The message that it answers.
    pub reply_to: Option<Message>,
    /// Others' messages that were unread before this send and are read by it, oldest first, the newest 500.
    pub newly_read: Vec<ReadMessage>,
}

/// A change to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendMessage {
    /// Which message.
    pub message_id: MessageId,
    /// Who changes it.
    pub actor: UserId,
    /// What changes.
    pub amendment: Amendment,
    /// When.
    pub now: Timestamp,
}

/// What became of an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// The message as it is now.
    pub message: Message,
    /// The message that it answers.
    pub reply_to: Option<Message>,
    /// `false` if there was nothing to change; `rev` has not moved then.
    pub changed: bool,
}

/// A change to who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMembership {
    /// Which group.
    pub conversation_id: ConversationId,
    /// Who changes it.
    pub actor: UserId,
    /// What changes.
    pub change: MembershipChange,
    /// Names of the people concerned, for the system message.
    pub names: HashMap<UserId, String>,
    /// Identity of the system message, if there will be one.
    pub message_id: MessageId,
    /// When.
    pub now: Timestamp,
}

impl ChangeMembership {
    /// The system message that tells of what the change came to, to be appended in the change's transaction; `None`
    /// where there is nothing to tell.
    pub fn system_message(&self, outcome: &Outcome) -> Option<NewMessage> {
        let text = outcome.describe(&self.actor, &self.names)?;
        Some(NewMessage::system(self.message_id, self.conversation_id, self.actor.clone(), text, self.now))
    }
}

/// What became of a membership change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipChanged {
    /// What it came to; empty if there was nothing to change.
    pub outcome: Outcome,
    /// The conversation as it is now.
    pub conversation: Conversation,
    /// Who is in it now.
    pub roster: Roster,
    /// The system message that tells of it.
    pub message: Option<Message>,
}

/// What has changed in a conversation since a `rev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Messages with a higher `rev`, in `rev` order.
    pub messages: Vec<Message>,
    /// Where to ask on: the `rev` of the last message if there are more, else the conversation's.
    pub rev: Rev,
    /// Whether there are more.
    pub has_more: bool,
}

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// Who searches: only conversations that they are in are looked at.
    pub user_id: UserId,
    /// All of these words must occur in the text, each as the beginning of a word, ignoring case and accents.
    /// At least one; letters and digits only.
    pub words: Vec<String>,
    /// Only in this conversation.
    pub conversation_id: Option<ConversationId>,
    /// After this place.
    pub cursor: Option<SearchCursor>,
    /// At most this many; at least 1.
    pub limit: usize,
}

/// Storage of messages.
///
/// All methods that change something allot `rev` (and `append` and `change_membership` `seq`) inside their
/// transaction: per conversation both count 1, 2, 3 … without gaps and without repetition, whoever writes.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores a batch of sends in one transaction, durably, with a number of statements that does not depend on its
    /// size. The answers are in the order of the batch; within a conversation `seq` rises in that order.
    ///
    /// One send's refusal does not touch the others. A repeated (conversation, sender, `clientMessageId`), also inside
    /// the batch, yields the first message. With each message its sender's read position moves to it, and the
    /// delivered position of `delivered_to` (ignored if they are not in the conversation); the conversation's
    /// `active_at` moves to `created_at`, never back.
    ///
    /// # Errors
    /// Outer: nothing of the batch was stored (`Unavailable`, `Corrupt`), or all or nothing (`UnknownOutcome`).
    /// Inner, per send: `ConversationNotFound`, `NotParticipant(Send)`, `BlockedByYou`/`Blocked` (direct conversations
    /// only), `MessageNotFound` if `reply_to` is not in the conversation, `Validation` of `media` if it names a medium
    /// of this server that is not there (`rules::media`; from then on the message uses those that it names). A
    /// repetition is answered with its message also where a block or a missing medium would refuse a new one.
    async fn append(&self, batch: Vec<NewMessage>) -> StorageResult<Vec<Result<Appended>>>;

    /// Applies `rules::amending::amend` in one transaction. A deleted message stops counting as unread for those who
    /// had not read it, is no longer found by search and no longer uses its media; an edited one is found by its new
    /// text alone.
    ///
    /// # Errors
    /// Inner: what the rule refuses, and `MessageNotFound` where there is no such message or the actor is not in its
    /// conversation; nothing has changed then.
    async fn amend(&self, amend: &AmendMessage, limits: &Limits) -> StorageResult<Result<Amended>>;

    /// Applies `rules::membership::plan` in one transaction, together with its system message (`Outcome::describe`),
    /// which is appended like a send of the actor. Those who come in see the history and have nothing unread but
    /// what comes after them, the system message included; coming in reads and delivers nothing of the history. For
    /// those who were in before and come again it is the same, and what they had read and received stays so.
    /// A change of roles alone has no system message and moves neither `seq` nor `rev`. Sets `updated_at` if
    /// anything changes.
    ///
    /// # Errors
    /// Inner: what the rule refuses, `ConversationNotFound`; nothing has changed then. Everybody added must exist as a
    /// user.
    async fn change_membership(
        &self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Result<MembershipChanged>>;

    /// The message with this id, if there is one.
    async fn find_message(&self, id: MessageId) -> StorageResult<Option<Message>>;

    /// Those of `ids` that exist, each once, in any order.
    async fn list_messages(&self, ids: &[MessageId]) -> StorageResult<Vec<Message>>;

    /// The newest page of a conversation's messages before `before` (or of all), tombstones included; inside the page
    /// oldest first. `next` is the oldest message on the page if there are older ones.
    /// `None` if `before` is not a message of the conversation. The cost does not depend on how far back the page is.
    async fn list_history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StorageResult<Option<Page<Message, MessageId>>>;

    /// What has changed in a conversation since `since`, at most `limit` messages. `None` if there is no such
    /// conversation. A `since` beyond the conversation's `rev` yields nothing and the conversation's `rev`.
    async fn list_changes(
        &self,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> StorageResult<Option<Changes>>;

    /// Messages that match, newest first, those of one moment by descending id; tombstones and system messages never.
    async fn search_messages(&self, query: &SearchQuery) -> StorageResult<Page<Message, SearchCursor>>;

    /// The `seq` of the newest message; 0 if there is none or no such conversation.
    async fn find_last_seq(&self, conversation: ConversationId) -> StorageResult<Seq>;
}
