//! How messages look in a file.

use parlance_domain::model::{
    ClientMessageId, ConversationId, Emoji, MediaLink, MediaType, Message, MessageId, MessageKind, Reaction, UserId,
};
use serde::{Deserialize, Serialize};

use crate::fields::{Millis, Ruled, Text};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MessageShape {
    id: Text<MessageId>,
    conversation_id: Text<ConversationId>,
    seq: u64,
    rev: u64,
    sender_id: Text<UserId>,
    kind: KindShape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    media: Vec<LinkShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<Text<MessageId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_message_id: Option<Ruled<ClientMessageId>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionShape>,
    created_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Millis>,
    updated_at: Millis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KindShape {
    Text,
    Image,
    Video,
    File,
    System,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MediaTypeShape {
    Image,
    Video,
    File,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LinkShape {
    url: String,
    media_type: MediaTypeShape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReactionShape {
    emoji: Ruled<Emoji>,
    users: Vec<Text<UserId>>,
}

impl From<Message> for MessageShape {
    fn from(message: Message) -> Self {
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
        let reaction = |Reaction { emoji, users }| ReactionShape {
            emoji: Ruled(emoji),
            users: users.into_iter().map(Text).collect(),
        };
        Self {
            id: Text(id),
            conversation_id: Text(conversation_id),
            seq,
            rev,
            sender_id: Text(sender_id),
            kind: match kind {
                MessageKind::Text => KindShape::Text,
                MessageKind::Media(MediaType::Image) => KindShape::Image,
                MessageKind::Media(MediaType::Video) => KindShape::Video,
                MessageKind::Media(MediaType::File) => KindShape::File,
                MessageKind::System => KindShape::System,
            },
            text,
            media: media.into_iter().map(LinkShape::from).collect(),
            reply_to: reply_to.map(Text),
            client_message_id: client_message_id.map(Ruled),
            reactions: reactions.into_iter().map(reaction).collect(),
            created_at: created_at.into(),
            edited_at: edited_at.map(Millis::from),
            deleted_at: deleted_at.map(Millis::from),
            updated_at: updated_at.into(),
        }
    }
}

impl From<MessageShape> for Message {
    fn from(shape: MessageShape) -> Self {
        let MessageShape {
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
        } = shape;
        let reaction = |ReactionShape { emoji, users }| Reaction {
            emoji: emoji.0,
            users: users.into_iter().map(|user| user.0).collect(),
        };
        Self {
            id: id.0,
            conversation_id: conversation_id.0,
            seq,
            rev,
            sender_id: sender_id.0,
            kind: match kind {
                KindShape::Text => MessageKind::Text,
                KindShape::Image => MessageKind::Media(MediaType::Image),
                KindShape::Video => MessageKind::Media(MediaType::Video),
                KindShape::File => MessageKind::Media(MediaType::File),
                KindShape::System => MessageKind::System,
            },
            text,
            media: media.into_iter().map(MediaLink::from).collect(),
            reply_to: reply_to.map(|id| id.0),
            client_message_id: client_message_id.map(|mark| mark.0),
            reactions: reactions.into_iter().map(reaction).collect(),
            created_at: created_at.into(),
            edited_at: edited_at.map(Into::into),
            deleted_at: deleted_at.map(Into::into),
            updated_at: updated_at.into(),
        }
    }
}

impl From<MediaLink> for LinkShape {
    fn from(link: MediaLink) -> Self {
        let MediaLink { url, media_type, filename, size, thumbnail_url } = link;
        Self { url, media_type: media_type.into(), filename, size, thumbnail_url }
    }
}

impl From<LinkShape> for MediaLink {
    fn from(shape: LinkShape) -> Self {
        let LinkShape { url, media_type, filename, size, thumbnail_url } = shape;
        Self { url, media_type: media_type.into(), filename, size, thumbnail_url }
    }
}

impl From<MediaType> for MediaTypeShape {
    fn from(media_type: MediaType) -> Self {
        match media_type {
            MediaType::Image => Self::Image,
            MediaType::Video => Self::Video,
            MediaType::File => Self::File,
        }
    }
}

impl From<MediaTypeShape> for MediaType {
    fn from(shape: MediaTypeShape) -> Self {
        match shape {
            MediaTypeShape::Image => Self::Image,
            MediaTypeShape::Video => Self::Video,
            MediaTypeShape::File => Self::File,
        }
    }
}
