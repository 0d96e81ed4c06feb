//! What a client is shown: a message or conversation together with the people in it. Services fill
//! them in, dialects write them down.

use super::{Conversation, Message, MessageId, MessageStatus, Role, User};

/// A message with its sender, what it answers and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The message.
    pub message: Message,
    /// Who sent it, as they present themselves now.
    pub sender: User,
    /// What it answers.
    pub reply_to: Option<ReplyView>,
    /// How far it has come.
    pub status: MessageStatus,
}

/// The message that another one answers, cut to what is shown above the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyView {
    /// The original.
    pub id: MessageId,
    /// Its text; `None` if it has none or was deleted.
    pub text: Option<String>,
    /// Who sent it.
    pub sender: User,
}

/// A conversation as one participant sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationView {
    /// The conversation.
    pub conversation: Conversation,
    /// Everybody in it, longest-serving first.
    pub participants: Vec<(User, Role)>,
    /// The newest message, also when it is a tombstone.
    pub last_message: Option<MessageView>,
    /// Others' messages that the viewer has not read.
    pub unread: u64,
}
