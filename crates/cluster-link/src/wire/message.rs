//! Messages and people on the wire.

use parlance_domain::model::{
    ClientMessageId, Emoji, MediaLink, MediaType, Message, MessageKind, MessageStatus, MessageView, Reaction,
    ReplyView, Timestamp, User,
};
use serde::{Deserialize, Serialize};

use super::{Unreadable, names, user_id, user_ids};

pub(super) type Id = [u8; 12];

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireUser {
    id: String,
    name: String,
    picture: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireMessageView {
    message: WireMessage,
    sender: WireUser,
    reply_to: Option<WireReply>,
    status: WireStatus,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireMessage {
    id: Id,
    conversation_id: Id,
    seq: u64,
    rev: u64,
    sender_id: String,
    kind: WireKind,
    text: Option<String>,
    media: Vec<WireMedia>,
    reply_to: Option<Id>,
    client_message_id: Option<String>,
    reactions: Vec<WireReaction>,
    created_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    updated_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireReply {
    id: Id,
    text: Option<String>,
    sender: WireUser,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireStatus {
    Sent,
    Delivered,
    Read,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireKind {
    Text,
    Media(WireMediaType),
    System,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireMediaType {
    Image,
    Video,
    File,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireMedia {
    url: String,
    media_type: WireMediaType,
    filename: Option<String>,
    size: Option<u64>,
    thumbnail_url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireReaction {
    emoji: String,
    users: Vec<String>,
}

impl From<&User> for WireUser {
    fn from(user: &User) -> Self {
        let User { id, name, picture } = user;
        Self { id: id.to_string(), name: name.clone(), picture: picture.clone() }
    }
}

impl WireUser {
    pub(super) fn read(self) -> Result<User, Unreadable> {
        let Self { id, name, picture } = self;
        Ok(User { id: user_id(&id)?, name, picture })
    }
}

impl From<&MessageView> for WireMessageView {
    fn from(view: &MessageView) -> Self {
        let MessageView { message, sender, reply_to, status } = view;
        Self {
            message: message.into(),
            sender: sender.into(),
            reply_to: reply_to.as_ref().map(WireReply::from),
            status: match status {
                MessageStatus::Sent => WireStatus::Sent,
                MessageStatus::Delivered => WireStatus::Delivered,
                MessageStatus::Read => WireStatus::Read,
            },
        }
    }
}

impl WireMessageView {
    pub(super) fn read(self) -> Result<MessageView, Unreadable> {
        let Self { message, sender, reply_to, status } = self;
        Ok(MessageView {
            message: message.read()?,
            sender: sender.read()?,
            reply_to: reply_to.map(WireReply::read).transpose()?,
            status: match status {
                WireStatus::Sent => MessageStatus::Sent,
                WireStatus::Delivered => MessageStatus::Delivered,
                WireStatus::Read => MessageStatus::Read,
            },
        })
    }
}

impl From<&Message> for WireMessage {
    fn from(message: &Message) -> Self {
        let Message {
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
            reactions,
            created_at,
            edited_at,
            deleted_at,
            updated_at,
        } = message;
        Self {
            id: id.bytes(),
            conversation_id: conversation_id.bytes(),
            seq: *seq,
            rev: *rev,
            sender_id: sender_id.to_string(),
            kind: match kind {
                MessageKind::Text => WireKind::Text,
                MessageKind::Media(media_type) => WireKind::Media((*media_type).into()),
                MessageKind::System => WireKind::System,
            },
            text: text.clone(),
            media: media.iter().map(WireMedia::from).collect(),
            reply_to: reply_to.map(|id| id.bytes()),
            client_message_id: client_message_id.as_ref().map(|mark| mark.as_str().to_owned()),
            reactions: reactions.iter().map(WireReaction::from).collect(),
            created_at: created_at.millis(),
            edited_at: edited_at.map(Timestamp::millis),
            deleted_at: deleted_at.map(Timestamp::millis),
            updated_at: updated_at.millis(),
        }
    }
}

impl WireMessage {
    fn read(self) -> Result<Message, Unreadable> {
        let Self {
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
            reactions,
            created_at,
            edited_at,
            deleted_at,
            updated_at,
        } = self;
        Ok(Message {
            id: message_id(id),
            conversation_id: conversation_id_of(conversation_id),
            seq,
            rev,
            sender_id: user_id(&sender_id)?,
            kind: match kind {
                WireKind::Text => MessageKind::Text,
                WireKind::Media(media_type) => MessageKind::Media(media_type.into()),
                WireKind::System => MessageKind::System,
            },
            text,
            media: media.into_iter().map(WireMedia::read).collect(),
            reply_to: reply_to.map(message_id),
            client_message_id: client_message_id.map(ClientMessageId::from_stored),
            reactions: reactions.into_iter().map(WireReaction::read).collect::<Result<_, _>>()?,
            created_at: Timestamp::from_millis(created_at),
            edited_at: edited_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
            updated_at: Timestamp::from_millis(updated_at),
        })
    }
}

impl From<&ReplyView> for WireReply {
    fn from(reply: &ReplyView) -> Self {
        let ReplyView { id, text, sender } = reply;
        Self { id: id.bytes(), text: text.clone(), sender: sender.into() }
    }
}

impl WireReply {
    fn read(self) -> Result<ReplyView, Unreadable> {
        let Self { id, text, sender } = self;
        Ok(ReplyView { id: message_id(id), text, sender: sender.read()? })
    }
}

impl From<MediaType> for WireMediaType {
    fn from(media_type: MediaType) -> Self {
        match media_type {
            MediaType::Image => Self::Image,
            MediaType::Video => Self::Video,
            MediaType::File => Self::File,
        }
    }
}

impl From<WireMediaType> for MediaType {
    fn from(media_type: WireMediaType) -> Self {
        match media_type {
            WireMediaType::Image => Self::Image,
            WireMediaType::Video => Self::Video,
            WireMediaType::File => Self::File,
        }
    }
}

impl From<&MediaLink> for WireMedia {
    fn from(link: &MediaLink) -> Self {
        let MediaLink { url, media_type, filename, size, thumbnail_url } = link;
        Self {
            url: url.clone(),
            media_type: (*media_type).into(),
            filename: filename.clone(),
            size: *size,
            thumbnail_url: thumbnail_url.clone(),
        }
    }
}

impl WireMedia {
    fn read(self) -> MediaLink {
        let Self { url, media_type, filename, size, thumbnail_url } = self;
        MediaLink { url, media_type: media_type.into(), filename, size, thumbnail_url }
    }
}

impl From<&Reaction> for WireReaction {
    fn from(reaction: &Reaction) -> Self {
        let Reaction { emoji, users } = reaction;
        Self { emoji: emoji.as_str().to_owned(), users: names(users) }
    }
}

impl WireReaction {
    pub(super) fn read(self) -> Result<Reaction, Unreadable> {
        let Self { emoji, users } = self;
        Ok(Reaction { emoji: Emoji::from_stored(emoji), users: user_ids(&users)? })
    }
}

pub(super) fn message_id(bytes: Id) -> parlance_domain::model::MessageId {
    parlance_domain::model::MessageId::from_bytes(bytes)
}

pub(super) fn conversation_id_of(bytes: Id) -> parlance_domain::model::ConversationId {
    parlance_domain::model::ConversationId::from_bytes(bytes)
}
