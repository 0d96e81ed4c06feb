//! Notifications: what a user is told outside of conversations' rooms. A chat notification points at its
//! conversation and says no more than the newest message of somebody else there does; any other one carries its own
//! text.

use std::fmt;

use super::{ConversationId, MessageId, Timestamp, UserId};
use crate::error::{Error, Result};

/// The type that the domain itself writes: somebody wrote to a conversation that the user is not looking at.
pub const CHAT_MESSAGE: &str = "chat_message";
/// The type that `jobMatchNotifications: false` stops.
pub const JOB_MATCH: &str = "job_match";

/// A notification's type: 1 to 64 bytes, lower-case letters, digits and `_ . : -`. Products invent their own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NotificationKind(String);

impl NotificationKind {
    /// A type from what a product sent.
    ///
    /// # Errors
    /// `Validation` of `type`.
    pub fn new(text: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
        if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
            return Err(Error::validation("type", "must have 1 to 64 lower-case letters, digits or _ . : -"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The type of notifications about messages.
    pub fn chat_message() -> Self {
        Self(CHAT_MESSAGE.to_owned())
    }

    /// A type that a storage kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NotificationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationBody {
    /// Something was written. While it is unread it stands for the conversation's newest message of somebody else than
    /// its user, from then on for the one that was the newest when it was read (an answer reads it, and is not it): its
    /// text is that message's, also after an edit or deletion.
    Chat {
        /// Where.
        conversation_id: ConversationId,
        /// The message it stands for.
        message_id: MessageId,
    },
    /// What a product has to say.
    Text {
        /// 1 to 200 characters.
        title: String,
        /// 0 to 2,000 characters.
        message: String,
        /// Where a click leads, at most 2,048 bytes.
        link: Option<String>,
        /// JSON that the product's clients understand, at most 8 KiB.
        data: Option<String>,
    },
}

/// A notification as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Identity.
    pub id: super::NotificationId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its type.
    pub kind: NotificationKind,
    /// What it says.
    pub body: NotificationBody,
    /// Whether it was read.
    pub read: bool,
    /// When it was made; newest first in lists.
    pub created_at: Timestamp,
}

impl Notification {
    /// The conversation that a chat notification points at.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self.body {
            NotificationBody::Chat { conversation_id, .. } => Some(conversation_id),
            NotificationBody::Text { .. } => None,
        }
    }
}

/// A notification as its user is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationView {
    /// Identity.
    pub id: super::NotificationId,
    /// Its type.
    pub kind: NotificationKind,
    /// What it is about: the sender or the group, or a product's words.
    pub title: String,
    /// What it says.
    pub message: String,
    /// Where a click leads.
    pub link: Option<String>,
    /// The conversation that it is about.
    pub conversation_id: Option<ConversationId>,
    /// JSON for the product's clients; of a chat notification `conversationId` and `messageId`.
    pub data: Option<String>,
    /// Whether it was read.
    pub read: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a user wants to be told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches, as the contract names them")]
pub struct Preferences {
    /// By e-mail.
    pub email: bool,
    /// By push.
    pub push: bool,
    /// Of messages at all.
    pub chat: bool,
    /// Of the type `job_match` at all.
    pub job_match: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { email: true, push: true, chat: true, job_match: true }
    }
}

/// A change to preferences; `None` keeps what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PreferencesChange {
    /// By e-mail.
    pub email: Option<bool>,
    /// By push.
    pub push: Option<bool>,
    /// Of messages at all.
    pub chat: Option<bool>,
    /// Of the type `job_match` at all.
    pub job_match: Option<bool>,
}

impl Preferences {
    /// These preferences with a change.
    #[must_use]
    pub fn with(self, change: PreferencesChange) -> Self {
        Self {
            email: change.email.unwrap_or(self.email),
            push: change.push.unwrap_or(self.push),
            chat: change.chat.unwrap_or(self.chat),
            job_match: change.job_match.unwrap_or(self.job_match),
        }
    }

    /// Whether a notification of this type is wanted at all.
    pub fn want(self, kind: &NotificationKind) -> bool {
        match kind.as_str() {
            CHAT_MESSAGE => self.chat,
            JOB_MATCH => self.job_match,
            _ => true,
        }
    }
}
