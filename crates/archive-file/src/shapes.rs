//! How records look in a file. Each is taken apart field by field, so that a new field is either written or refused
//! by the compiler; a field that is not known is refused when a file is read. Messages are in `message`, participants,
//! blocks and notifications in `people`.

use parlance_domain::model::{
    ClaimedProfile, ContentHash, Conversation, ConversationId, ConversationKind, ConversationRecord, Dimensions,
    Medium, MediumId, Preferences, Record, RecordCounts, Thumbnail, Title, User, UserId, UserRecord,
};
use serde::{Deserialize, Serialize};

use crate::fields::{Millis, Ruled, Text};
use crate::message::{MediaTypeShape, MessageShape};
use crate::people::{BlocksShape, NotificationShape, ParticipantShape};

/// What a line holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Body {
    Archive(Head),
    User(Box<UserShape>),
    Medium(Box<MediumShape>),
    Conversation(Box<ConversationShape>),
    Message(Box<MessageShape>),
    Participant(Box<ParticipantShape>),
    Blocks(Box<BlocksShape>),
    Notification(Box<NotificationShape>),
    End(Foot),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) source: Text<ContentHash>,
    pub(crate) counts: CountsShape,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Foot {
    pub(crate) counts: CountsShape,
    pub(crate) contents: Text<ContentHash>,
}

/// How many records of each kind there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CountsShape {
    users: u64,
    media: u64,
    conversations: u64,
    messages: u64,
    participants: u64,
    blocks: u64,
    notifications: u64,
}

impl From<RecordCounts> for CountsShape {
    fn from(counts: RecordCounts) -> Self {
        let RecordCounts { users, media, conversations, messages, participants, blocks, notifications } = counts;
        Self { users, media, conversations, messages, participants, blocks, notifications }
    }
}

impl From<CountsShape> for RecordCounts {
    fn from(counts: CountsShape) -> Self {
        let CountsShape { users, media, conversations, messages, participants, blocks, notifications } = counts;
        Self { users, media, conversations, messages, participants, blocks, notifications }
    }
}

impl From<&Record> for Body {
    fn from(record: &Record) -> Self {
        match record.clone() {
            Record::User(record) => Self::User(Box::new(record.into())),
            Record::Medium(medium) => Self::Medium(Box::new(medium.into())),
            Record::Conversation(record) => Self::Conversation(Box::new(record.into())),
            Record::Message(message) => Self::Message(Box::new(message.into())),
            Record::Participant(record) => Self::Participant(Box::new(record.into())),
            Record::Blocks(record) => Self::Blocks(Box::new(record.into())),
            Record::Notification(notification) => Self::Notification(Box::new(notification.into())),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserShape {
    id: Text<UserId>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_picture: Option<String>,
    preferences: PreferencesShape,
    created_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_before: Option<Millis>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches, as the domain has them")]
struct PreferencesShape {
    email: bool,
    push: bool,
    chat: bool,
    job_match: bool,
}

impl From<UserRecord> for UserShape {
    fn from(record: UserRecord) -> Self {
        let UserRecord { user, claimed, preferences, created_at, revoked_before } = record;
        let User { id, name, picture } = user;
        let ClaimedProfile { name: claimed_name, picture: claimed_picture } = claimed;
        let Preferences { email, push, chat, job_match } = preferences;
        Self {
            id: Text(id),
            name,
            picture,
            claimed_name,
            claimed_picture,
            preferences: PreferencesShape { email, push, chat, job_match },
            created_at: created_at.into(),
            revoked_before: revoked_before.map(Into::into),
        }
    }
}

impl From<UserShape> for UserRecord {
    fn from(shape: UserShape) -> Self {
        let UserShape { id, name, picture, claimed_name, claimed_picture, preferences, created_at, revoked_before } =
            shape;
        let PreferencesShape { email, push, chat, job_match } = preferences;
        Self {
            user: User { id: id.0, name, picture },
            claimed: ClaimedProfile { name: claimed_name, picture: claimed_picture },
            preferences: Preferences { email, push, chat, job_match },
            created_at: created_at.into(),
            revoked_before: revoked_before.map(Into::into),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MediumShape {
    id: Text<MediumId>,
    uploader: Text<UserId>,
    media_type: MediaTypeShape,
    format: String,
    content_type: String,
    filename: String,
    bytes: u64,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<[u32; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<ThumbnailShape>,
    uploaded_at: Millis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ThumbnailShape {
    content_type: String,
    bytes: u64,
    size: [u32; 2],
}

impl From<Medium> for MediumShape {
    fn from(medium: Medium) -> Self {
        let Medium {
            id,
            uploader,
            media_type,
            format,
            content_type,
            filename,
            bytes,
            digest,
            dimensions,
            thumbnail,
            uploaded_at,
        } = medium;
        Self {
            id: Text(id),
            uploader: Text(uploader),
            media_type: media_type.into(),
            format,
            content_type,
            filename,
            bytes,
            digest,
            size: dimensions.map(|Dimensions { width, height }| [width, height]),
            thumbnail: thumbnail.map(|Thumbnail { content_type, bytes, dimensions: Dimensions { width, height } }| {
                ThumbnailShape { content_type, bytes, size: [width, height] }
            }),
            uploaded_at: uploaded_at.into(),
        }
    }
}

impl From<MediumShape> for Medium {
    fn from(shape: MediumShape) -> Self {
        let MediumShape {
            id,
            uploader,
            media_type,
            format,
            content_type,
            filename,
            bytes,
            digest,
            size,
            thumbnail,
            uploaded_at,
        } = shape;
        let dimensions = |[width, height]: [u32; 2]| Dimensions { width, height };
        Self {
            id: id.0,
            uploader: uploader.0,
            media_type: media_type.into(),
            format,
            content_type,
            filename,
            bytes,
            digest,
            dimensions: size.map(dimensions),
            thumbnail: thumbnail.map(|ThumbnailShape { content_type, bytes, size }| Thumbnail {
                content_type,
                bytes,
                dimensions: dimensions(size),
            }),
            uploaded_at: uploaded_at.into(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConversationShape {
    id: Text<ConversationId>,
    kind: KindShape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair: Option<(Text<UserId>, Text<UserId>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<Ruled<Title>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    last_seq: u64,
    rev: u64,
    created_at: Millis,
    updated_at: Millis,
    active_at: Millis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KindShape {
    Direct,
    Group,
}

impl From<ConversationRecord> for ConversationShape {
    fn from(record: ConversationRecord) -> Self {
        let ConversationRecord { conversation, pair } = record;
        let Conversation { id, kind, title, image, last_seq, rev, created_at, updated_at, active_at } = conversation;
        Self {
            id: Text(id),
            kind: match kind {
                ConversationKind::Direct => KindShape::Direct,
                ConversationKind::Group => KindShape::Group,
            },
            pair: pair.map(|(one, other)| (Text(one), Text(other))),
            title: title.map(Ruled),
            image,
            last_seq,
            rev,
            created_at: created_at.into(),
            updated_at: updated_at.into(),
            active_at: active_at.into(),
        }
    }
}

impl From<ConversationShape> for ConversationRecord {
    fn from(shape: ConversationShape) -> Self {
        let ConversationShape { id, kind, pair, title, image, last_seq, rev, created_at, updated_at, active_at } =
            shape;
        let conversation = Conversation {
            id: id.0,
            kind: match kind {
                KindShape::Direct => ConversationKind::Direct,
                KindShape::Group => ConversationKind::Group,
            },
            title: title.map(|title| title.0),
            image,
            last_seq,
            rev,
            created_at: created_at.into(),
            updated_at: updated_at.into(),
            active_at: active_at.into(),
        };
        Self { conversation, pair: pair.map(|(one, other)| (one.0, other.0)) }
    }
}
