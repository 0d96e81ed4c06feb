//! Conversations and who is in them, remembered. Changes that move `rev` (messages, membership) go
//! through the `Messages` port.

use async_trait::async_trait;

use super::StorageResult;
use crate::error::Result;
use crate::model::{
    Conversation, ConversationCursor, ConversationId, Message, Page, Participant, Rev, Roster, Seq, Timestamp, Title,
    UserId,
};

/// A conversation to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewConversation {
    /// Between two different people.
    Direct {
        /// Used if there is none between the two yet.
        id: ConversationId,
        /// Who starts it.
        starter: UserId,
        /// With whom.
        other: UserId,
    },
    /// A group.
    Group {
        /// Identity.
        id: ConversationId,
        /// Its title.
        title: Title,
        /// Who makes it and owns it.
        owner: UserId,
        /// Everybody else, without the owner and without repetition: members.
        members: Vec<UserId>,
    },
}

/// A conversation that was asked for, and whether it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The conversation.
    pub conversation: Conversation,
    /// `false` if the two had one already.
    pub created: bool,
}

/// A change to a group's looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    /// Another title.
    Title(Title),
    /// Another photo, or none.
    Image(Option<String>),
}

/// Which page of the conversation list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationQuery {
    /// Only those whose title, or another participant's name, contains this text (case-insensitive in ASCII at
    /// least; `%` and `_` mean themselves).
    pub search: Option<String>,
    /// After this place.
    pub cursor: Option<ConversationCursor>,
    /// At most this many; at least 1.
    pub limit: usize,
}

/// A conversation as its storage hands it to one participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationEntry {
    /// The conversation.
    pub conversation: Conversation,
    /// Everybody in it, longest-serving first (those of one moment in id order).
    pub participants: Vec<Participant>,
    /// The newest message, also when it is a tombstone.
    pub last_message: Option<Message>,
    /// Others' messages that are neither read by the viewer nor deleted.
    pub unread: u64,
}

/// How far a conversation has come that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Who is in it.
    pub user_id: UserId,
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Its newest message's place.
    pub last_seq: Seq,
    /// Its last change.
    pub rev: Rev,
}

/// The most conversations that `list_heads` asks for at a time where a storage has nothing better.
const HEADS_PAGE: usize = 200;

/// Storage of conversations.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Makes a conversation, or finds the one that two people have. However many start one between the same two
    /// people at once, in either direction, one is made and all get it, and exactly one is told `created`.
    /// Everybody named must exist as a user.
    async fn start_conversation(&self, new: &NewConversation, now: Timestamp) -> StorageResult<Started>;

    /// The conversation with this id, if there is one.
    async fn find_conversation(&self, id: ConversationId) -> StorageResult<Option<Conversation>>;

    /// Those of `ids` that exist, each once, in any order.
    async fn list_conversations(&self, ids: &[ConversationId]) -> StorageResult<Vec<Conversation>>;

    /// Who is in it; `None` if there is no such conversation.
    async fn find_roster(&self, id: ConversationId) -> StorageResult<Option<Roster>>;

    /// The conversation as `viewer` sees it; `None` if there is no such conversation or they are not in it.
    async fn find_entry(&self, id: ConversationId, viewer: &UserId) -> StorageResult<Option<ConversationEntry>>;

    /// A page of the conversations that `viewer` is in, latest activity first, those of one moment by descending id.
    /// The number of statements does not depend on how many there are.
    async fn list_entries(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> StorageResult<Page<ConversationEntry, ConversationCursor>>;

    /// Changes a group's title or photo and sets `updated_at`. A photo that is a medium of this server
    /// (`rules::media`) is used by the group until it has another one.
    ///
    /// # Errors
    /// The inner result refuses by `rules::membership` (`NotParticipant`, `Forbidden`), with `Conflict` for direct
    /// conversations, with `Validation` of `url` for a medium of this server that is not there, and
    /// `ConversationNotFound`; nothing has changed then.
    async fn update_group(
        &self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> StorageResult<Result<Conversation>>;

    /// Everybody who shares a conversation with `user`, save `user` and those who block them or whom they block;
    /// each once, in any order.
    async fn list_contacts(&self, user: &UserId) -> StorageResult<Vec<UserId>>;

    /// How far the conversations of these people have come: one head for each of them and each conversation that they
    /// are in, in any order. Only several nodes ask for it, when a user's first socket comes and while words between
    /// the nodes may be lost. What is here turns pages, and may miss a conversation that moves meanwhile; a storage
    /// that can answers with one statement.
    async fn list_heads(&self, users: &[UserId]) -> StorageResult<Vec<Head>> {
        let mut heads = Vec::new();
        for user in users {
            let mut query = ConversationQuery { limit: HEADS_PAGE, ..ConversationQuery::default() };
            loop {
                let page = self.list_entries(user, &query).await?;
                heads.extend(page.items.into_iter().map(|entry| Head {
                    user_id: user.clone(),
                    conversation_id: entry.conversation.id,
                    last_seq: entry.conversation.last_seq,
                    rev: entry.conversation.rev,
                }));
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
        }
        Ok(heads)
    }
}
