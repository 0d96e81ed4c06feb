//! One message: what its document says, before its conversation gives it a place.

use parlance_domain::model::{
    ConversationId, MediaLink, MediaType, Message, MessageId, MessageKind, Seq, Timestamp, UserId,
};

use crate::document::{Document, Unusable};

const CONVERSATION: &[&str] = &["conversationId", "conversation", "chatId", "chat", "room"];
const SENDER: &[&str] = &["senderId", "sender", "from"];
const TEXT: &[&str] = &["text", "content", "message", "body"];
const MEDIA: &[&str] = &["media", "attachments"];
const REPLY: &[&str] = &["replyTo"];
const READ_BY: &[&str] = &["readBy", "seenBy"];
const READ: &[&str] = &["isRead", "read", "seen"];
const DELETED: &[&str] = &["isDeleted", "deleted"];
const DELETED_AT: &[&str] = &["deletedAt"];
const EDITED_AT: &[&str] = &["editedAt"];
const CREATED: &[&str] = &["createdAt", "timestamp", "sentAt"];
const UPDATED: &[&str] = &["updatedAt"];

const LINK: &[&str] = &["url", "secureUrl", "path"];
const TYPE: &[&str] = &["type", "mimetype", "mimeType"];
const FILENAME: &[&str] = &["filename", "originalName", "name"];
const SIZE: &[&str] = &["size"];
const THUMBNAIL: &[&str] = &["thumbnailUrl", "thumbnail"];

/// A message without a place.
pub(crate) struct Said {
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) sender_id: UserId,
    pub(crate) created_at: Timestamp,
    /// Who has read it, as the message itself says.
    pub(crate) read_by: Vec<UserId>,
    /// Whether it only says that it was read.
    pub(crate) read_by_all: bool,
    pub(crate) reply_to: Option<MessageId>,
    text: Option<String>,
    media: Vec<MediaLink>,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    updated_at: Timestamp,
}

impl Said {
    pub(crate) fn of(document: &Document) -> Result<Self, Unusable> {
        let created_at = document.moment(CREATED).ok_or_else(|| document.unusable("createdAt is missing"))?;
        let updated_at = document.moment(UPDATED).unwrap_or(created_at).max(created_at);
        let deleted_at = document.moment(DELETED_AT).or_else(|| document.flag(DELETED).then_some(updated_at));
        // A deleted message keeps its place and loses what it said.
        let (text, media) = match deleted_at {
            Some(_) => (None, Vec::new()),
            None => (
                document.text(TEXT).map(str::to_owned),
                document.objects(MEDIA).filter_map(|item| medium(&item)).collect(),
            ),
        };
        Ok(Self {
            id: document.needed_id(&["_id"])?,
            conversation_id: document.needed_id(CONVERSATION)?,
            sender_id: document.needed_id(SENDER)?,
            created_at,
            read_by: document.ids(READ_BY)?,
            read_by_all: document.flag(READ),
            reply_to: document.id(REPLY)?,
            text,
            media,
            edited_at: document.moment(EDITED_AT),
            deleted_at,
            updated_at,
        })
    }

    /// The message at its place.
    pub(crate) fn placed(self, seq: Seq) -> Message {
        Message {
            id: self.id,
            conversation_id: self.conversation_id,
            seq,
            // As if nothing but sending had ever happened: each message is a change of its own.
            rev: seq,
            sender_id: self.sender_id,
            kind: self.media.first().map_or(MessageKind::Text, |first| MessageKind::Media(first.media_type)),
            text: self.text,
            media: self.media,
            reply_to: self.reply_to,
            client_message_id: None,
            reactions: Vec::new(),
            created_at: self.created_at,
            edited_at: self.edited_at,
            deleted_at: self.deleted_at,
            updated_at: self.updated_at,
        }
    }
}

/// A link to what hangs on a message; nothing where there is no link.
fn medium(document: &Document) -> Option<MediaLink> {
    let media_type = match document.text(TYPE).unwrap_or_default() {
        image if image.starts_with("image") => MediaType::Image,
        video if video.starts_with("video") => MediaType::Video,
        _ => MediaType::File,
    };
    Some(MediaLink {
        url: document.text(LINK)?.to_owned(),
        media_type,
        filename: document.text(FILENAME).map(str::to_owned),
        size: document.number(SIZE),
        thumbnail_url: document.text(THUMBNAIL).map(str::to_owned),
    })
}
