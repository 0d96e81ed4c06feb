//! A message with everything that hangs on it, and what it is found by.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{
    ClientMessageId, ConversationId, Emoji, MediaLink, Message, MessageId, MessageKind, Reaction, UserId,
};
use parlance_domain::rules::search;
use serde::{Deserialize, Serialize};

use super::{count, date, media_type, media_type_number, moment, number, object_id, user_id};
use crate::error::BadDocument;

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MessageDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    conversation: ObjectId,
    seq: i64,
    rev: i64,
    sender: String,
    kind: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    media: Vec<LinkDocument>,
    /// The media of this server that count this use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) media_ids: Vec<ObjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<ObjectId>,
    /// Sender and `clientMessageId`, see [`mark`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionDocument>,
    /// What it is found by; nothing for those that a search never finds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    created_at: DateTime,
    updated_at: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_at: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime>,
}

/// A link to a medium.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LinkDocument {
    url: String,
    #[serde(rename = "type")]
    media_type: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

/// Everybody who reacted with one emoji.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ReactionDocument {
    emoji: String,
    users: Vec<String>,
}

/// As much of a message as says where it is and whether it counts.
#[derive(Debug, Deserialize)]
pub(crate) struct PlaceDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    conversation: ObjectId,
    pub(crate) seq: i64,
    sender: String,
    #[serde(default)]
    deleted_at: Option<DateTime>,
}

impl PlaceDocument {
    /// The fields that it is made of.
    pub(crate) fn fields() -> Document {
        doc! { "conversation": 1, "seq": 1, "sender": 1, "deleted_at": 1 }
    }

    pub(crate) fn id(&self) -> MessageId {
        MessageId::from_bytes(self.id.bytes())
    }

    pub(crate) fn conversation_id(&self) -> ConversationId {
        ConversationId::from_bytes(self.conversation.bytes())
    }

    pub(crate) fn sender_id(&self) -> Result<UserId, BadDocument> {
        user_id(&self.sender)
    }

    pub(crate) fn is_tombstone(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// What makes a repetition: one string for an index that is asked for many of them. No user id has a line feed.
pub(crate) fn mark(sender: &UserId, client_message_id: &ClientMessageId) -> String {
    format!("{sender}\n{}", client_message_id.as_str())
}

impl MessageDocument {
    /// The fields that are read: not the words that it is found by.
    pub(crate) fn fields() -> Document {
        doc! { "words": 0 }
    }

    /// A message that uses these media.
    pub(crate) fn new(message: &Message, media_ids: Vec<ObjectId>) -> Self {
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
        let searchable = text.as_deref().filter(|_| *kind != MessageKind::System);
        Self {
            id: object_id(id.bytes()),
            conversation: object_id(conversation_id.bytes()),
            seq: number(*seq),
            rev: number(*rev),
            sender: sender_id.as_str().to_owned(),
            kind: kind_number(*kind),
            text: text.clone(),
            media: media.iter().map(LinkDocument::from).collect(),
            media_ids,
            reply_to: reply_to.map(|id| object_id(id.bytes())),
            mark: client_message_id.as_ref().map(|id| mark(sender_id, id)),
            reactions: reactions.iter().map(ReactionDocument::from).collect(),
            words: searchable.map(search::indexed).into_iter().flatten().collect(),
            created_at: date(*created_at),
            updated_at: date(*updated_at),
            edited_at: edited_at.map(date),
            deleted_at: deleted_at.map(date),
        }
    }
}

impl TryFrom<MessageDocument> for Message {
    type Error = BadDocument;

    fn try_from(document: MessageDocument) -> Result<Self, BadDocument> {
        let MessageDocument {
            id,
            conversation,
            seq,
            rev,
            sender,
            kind,
            text,
            media,
            media_ids: _,
            reply_to,
            mark,
            reactions,
            words: _,
            created_at,
            updated_at,
            edited_at,
            deleted_at,
        } = document;
        let own = |mark: String| Some(ClientMessageId::from_stored(mark.split_once('\n')?.1.to_owned()));
        Ok(Self {
            id: MessageId::from_bytes(id.bytes()),
            conversation_id: ConversationId::from_bytes(conversation.bytes()),
            seq: count(seq)?,
            rev: count(rev)?,
            sender_id: user_id(&sender)?,
            kind: message_kind(kind)?,
            text,
            media: super::all(media)?,
            reply_to: reply_to.map(|id| MessageId::from_bytes(id.bytes())),
            client_message_id: mark.and_then(own),
            reactions: super::all(reactions)?,
            created_at: moment(created_at),
            edited_at: edited_at.map(moment),
            deleted_at: deleted_at.map(moment),
            updated_at: moment(updated_at),
        })
    }
}

impl From<&MediaLink> for LinkDocument {
    fn from(link: &MediaLink) -> Self {
        let MediaLink { url, media_type, filename, size, thumbnail_url } = link.clone();
        let size = size.map(number);
        Self { url, media_type: media_type_number(media_type), filename, size, thumbnail: thumbnail_url }
    }
}

impl TryFrom<LinkDocument> for MediaLink {
    type Error = BadDocument;

    fn try_from(document: LinkDocument) -> Result<Self, BadDocument> {
        let LinkDocument { url, media_type: number, filename, size, thumbnail } = document;
        let media_type = media_type(number).ok_or(BadDocument("type of a medium"))?;
        Ok(Self { url, media_type, filename, size: size.map(count).transpose()?, thumbnail_url: thumbnail })
    }
}

impl From<&Reaction> for ReactionDocument {
    fn from(Reaction { emoji, users }: &Reaction) -> Self {
        let users = users.iter().map(|user| user.as_str().to_owned()).collect();
        Self { emoji: emoji.as_str().to_owned(), users }
    }
}

impl TryFrom<ReactionDocument> for Reaction {
    type Error = BadDocument;

    fn try_from(ReactionDocument { emoji, users }: ReactionDocument) -> Result<Self, BadDocument> {
        let users = users.iter().map(|user| user_id(user)).collect::<Result<_, _>>()?;
        Ok(Self { emoji: Emoji::from_stored(emoji), users })
    }
}

fn message_kind(number: i32) -> Result<MessageKind, BadDocument> {
    match number {
        0 => Ok(MessageKind::Text),
        4 => Ok(MessageKind::System),
        _ => media_type(number).map(MessageKind::Media).ok_or(BadDocument("kind of a message")),
    }
}

fn kind_number(kind: MessageKind) -> i32 {
    match kind {
        MessageKind::Text => 0,
        MessageKind::Media(media_type) => media_type_number(media_type),
        MessageKind::System => 4,
    }
}
