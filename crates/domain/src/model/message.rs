//! Messages: what is said, its place in the conversation, and what became of it since.

use super::short_text::short_text;
use super::{ConversationId, MessageId, Timestamp, UserId};

/// A message's position in its conversation: 1, 2, 3 …, strictly rising in send order, never reused.
pub type Seq = u64;

/// A conversation's change counter; a message carries the value of its last change.
pub type Rev = u64;

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Identity.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// Position in the conversation.
    pub seq: Seq,
    /// The conversation's `rev` at this message's last change.
    pub rev: Rev,
    /// Who said it; of a system message, who caused it.
    pub sender_id: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// The text; `None` on tombstones and on media without a caption.
    pub text: Option<String>,
    /// What hangs on it; empty on tombstones.
    pub media: Vec<MediaLink>,
    /// The message it answers, in the same conversation.
    pub reply_to: Option<MessageId>,
    /// The sender's own mark, by which a repeated send is recognised.
    pub client_message_id: Option<ClientMessageId>,
    /// In order of first appearance; empty on tombstones.
    pub reactions: Vec<Reaction>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its text was last changed by its sender.
    pub edited_at: Option<Timestamp>,
    /// When it became a tombstone.
    pub deleted_at: Option<Timestamp>,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

impl Message {
    /// Whether it was deleted: it keeps its place and loses what it said.
    pub fn is_tombstone(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// A message on its way into storage, which adds `seq` and `rev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Identity, made by the server.
    pub id: MessageId,
    /// Where it goes.
    pub conversation_id: ConversationId,
    /// Who says it.
    pub sender_id: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// The text, checked by `rules::messages`.
    pub text: Option<String>,
    /// Media, checked by `rules::messages`.
    pub media: Vec<MediaLink>,
    /// The message it answers; storage checks that it is in the same conversation.
    pub reply_to: Option<MessageId>,
    /// The sender's own mark.
    pub client_message_id: Option<ClientMessageId>,
    /// When it came in.
    pub created_at: Timestamp,
    /// One recipient who has a live socket now, if there is one: their delivered position moves with the append.
    pub delivered_to: Option<UserId>,
}

impl NewMessage {
    /// What the server says of something that `sender_id` caused.
    pub fn system(
        id: MessageId,
        conversation_id: ConversationId,
        sender_id: UserId,
        text: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            conversation_id,
            sender_id,
            kind: MessageKind::System,
            text: Some(text),
            media: Vec::new(),
            reply_to: None,
            client_message_id: None,
            created_at,
            delivered_to: None,
        }
    }

    /// The message as it is stored, at its place.
    pub fn placed(self, seq: Seq, rev: Rev) -> Message {
        let Self {
            id,
            conversation_id,
            sender_id,
            kind,
            text,
            media,
            reply_to,
            client_message_id,
            created_at,
            delivered_to: _,
        } = self;
        Message {
            id,
            conversation_id,
            seq,
            rev,
            sender_id,
            kind,
            text,
            media,
            reply_to,
            client_message_id,
            reactions: Vec::new(),
            created_at,
            edited_at: None,
            deleted_at: None,
            updated_at: created_at,
        }
    }
}

/// What a message is, for clients that show each kind in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Text without media.
    Text,
    /// The first medium is of this type.
    Media(MediaType),
    /// Written by the server about the conversation itself.
    System,
}

/// Types of media that a message may carry. Audio is refused at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Anything else that may be uploaded.
    File,
}

/// A link to a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLink {
    /// Ours (`/media/…`) or `https:`.
    pub url: String,
    /// Its type.
    pub media_type: MediaType,
    /// The name it was uploaded under.
    pub filename: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// A smaller picture of it.
    pub thumbnail_url: Option<String>,
}

/// Everybody who reacted with one emoji, in the order they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: Emoji,
    /// Who, without repetition.
    pub users: Vec<UserId>,
}

/// How far a message has come; it never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageStatus {
    /// Stored.
    Sent,
    /// A recipient had a live socket since.
    Delivered,
    /// A recipient read it.
    Read,
}

short_text! {
    /// A sender's own mark on a message: 1 to 64 bytes. The same sender, conversation and mark are the same message.
    ClientMessageId, "clientMessageId", 64, "must have 1 to 64 bytes without control characters"
}
short_text! {
    /// A reaction: any short text, 1 to 64 bytes (a family emoji with skin tones has 41).
    Emoji, "emoji", 64, "must have 1 to 64 bytes without control characters"
}
