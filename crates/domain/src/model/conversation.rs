//! Conversations and who is in them. What they may do there is decided in `rules`.

use std::sync::Arc;

use super::{ConversationId, Rev, Seq, Timestamp, UserId};
use crate::error::{Error, Result};

/// Two people, or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    /// Exactly two people, for good; one conversation per pair.
    Direct,
    /// Up to `MAX_GROUP_SIZE` people with roles.
    Group,
}

/// A conversation without its participants and messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Identity.
    pub id: ConversationId,
    /// Direct or group.
    pub kind: ConversationKind,
    /// Groups have one; direct conversations do not.
    pub title: Option<Title>,
    /// Link to a group's photo.
    pub image: Option<String>,
    /// Position of the newest message; 0 while there is none.
    pub last_seq: Seq,
    /// Change counter; 0 while nothing has happened.
    pub rev: Rev,
    /// When it was started.
    pub created_at: Timestamp,
    /// When its title, photo or participants last changed.
    pub updated_at: Timestamp,
    /// When something was last written or it was started; orders the list.
    pub active_at: Timestamp,
}

/// What somebody may do in a group. People in direct conversations are members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also adds and removes people, changes title and photo, deletes any message.
    Admin,
    /// Also gives roles. One per group.
    Owner,
}

/// Somebody in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// Always `Member` in direct conversations.
    pub role: Role,
    /// When they came in; the longest-serving inherits a group.
    pub joined_at: Timestamp,
}

/// A group's title: 1 to 100 characters after trimming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// The longest title, in characters.
    pub const MAX_CHARS: usize = 100;

    /// A title from what a client sent.
    ///
    /// # Errors
    /// `Validation` of the field `title` when it is blank or too long, or contains NUL, which not every storage keeps.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX_CHARS {
            return Err(Error::validation("title", "must have 1 to 100 characters"));
        }
        if text.contains('\0') {
            return Err(Error::validation("title", "must not contain NUL"));
        }
        Ok(Self(text.to_owned()))
    }

    /// A title that a storage kept; it was checked when it came in.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The title as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who is in a conversation, in one cheap value: what delivery and permission checks need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Direct or group.
    pub kind: ConversationKind,
    users: Arc<[UserId]>,
}

impl Roster {
    /// The roster of these people.
    pub fn new(kind: ConversationKind, users: impl IntoIterator<Item = UserId>) -> Self {
        let mut users: Vec<UserId> = users.into_iter().collect();
        users.sort_unstable();
        users.dedup();
        Self { kind, users: users.into() }
    }

    /// Whether `user` is in the conversation.
    pub fn contains(&self, user: &UserId) -> bool {
        self.users.binary_search(user).is_ok()
    }

    /// Everybody, in id order; shared, not copied.
    pub fn users(&self) -> &Arc<[UserId]> {
        &self.users
    }

    /// Everybody but `user`.
    pub fn others<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a UserId> {
        self.users.iter().filter(move |other| *other != user)
    }

    /// The other person of a direct conversation; `None` in groups.
    pub fn peer(&self, user: &UserId) -> Option<&UserId> {
        match self.kind {
            ConversationKind::Direct => self.users.iter().find(|other| *other != user),
            ConversationKind::Group => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_have_bounds() {
        assert_eq!(Title::new("  Team ").map(|title| title.as_str().to_owned()), Ok("Team".to_owned()));
        assert!(Title::new(&"é".repeat(100)).is_ok());
        assert!(Title::new(&"é".repeat(101)).is_err());
        assert!(Title::new(" \n ").is_err());
        assert!(Title::new("a\0b").is_err());
    }
}
