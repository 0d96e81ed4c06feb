//! How the domain's values look as JSON. `serde` is told of their fields one by one, so that a new field of the domain
//! does not compile here until it is placed, and none is dropped in silence. Everything that has a text of its own
//! (ids, titles, moments) is written as that.

use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, Conversation, ConversationId, ConversationKind, Dimensions, Emoji, MediaLink,
    MediaType, Medium, MediumId, Message, MessageId, MessageKind, Notification, NotificationBody, NotificationId,
    NotificationKind, Preferences, Reaction, ReadState, Role, SeqRange, Thumbnail, Timestamp, Title, User, UserId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is written as a text.
pub(crate) trait Text: Sized {
    fn to_text(&self) -> String;
    fn from_text(text: String) -> Result<Self, String>;
}

macro_rules! texts {
    (parsed: $($parsed:ty),+; kept: $($kept:ty),+) => {
        $(impl Text for $parsed {
            fn to_text(&self) -> String { self.to_string() }
            fn from_text(text: String) -> Result<Self, String> {
                text.parse().map_err(|problem| format!("{text:?} {problem}"))
            }
        })+
        $(impl Text for $kept {
            fn to_text(&self) -> String { self.as_str().to_owned() }
            fn from_text(text: String) -> Result<Self, String> { Ok(Self::from_stored(text)) }
        })+
    };
}

texts! {
    parsed: ConversationId, MediumId, MessageId, NotificationId, UserId;
    kept: ClientMessageId, Emoji, NotificationKind, Title
}

impl Text for Timestamp {
    fn to_text(&self) -> String {
        self.millis().to_string()
    }

    fn from_text(text: String) -> Result<Self, String> {
        text.parse().map(Self::from_millis).map_err(|problem| format!("{text:?}: {problem}"))
    }
}

/// A value.
pub(crate) mod text {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serializer, Text};

    pub(crate) fn serialize<S: Serializer>(value: &impl Text, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_text())
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::from_text(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A value that may be missing.
pub(crate) mod text_or_none {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serialize, Serializer, Text};

    #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<impl Text>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text::to_text).serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(from)?.map(T::from_text).transpose().map_err(D::Error::custom)
    }
}

/// A row of values.
mod text_list {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serializer, Text};

    pub(super) fn serialize<S: Serializer>(values: &[impl Text], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Text::to_text))
    }

    pub(super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.into_iter().map(T::from_text).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MessageRecord(#[serde(with = "MessageFields")] pub(crate) Message);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Message")]
struct MessageFields {
    #[serde(with = "text")]
    id: MessageId,
    #[serde(with = "text")]
    conversation_id: ConversationId,
    seq: u64,
    rev: u64,
    #[serde(with = "text")]
    sender_id: UserId,
    #[serde(with = "MessageKindFields")]
    kind: MessageKind,
    text: Option<String>,
    #[serde(with = "links")]
    media: Vec<MediaLink>,
    #[serde(with = "text_or_none")]
    reply_to: Option<MessageId>,
    #[serde(with = "text_or_none")]
    client_message_id: Option<ClientMessageId>,
    #[serde(with = "reactions")]
    reactions: Vec<Reaction>,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text_or_none")]
    edited_at: Option<Timestamp>,
    #[serde(with = "text_or_none")]
    deleted_at: Option<Timestamp>,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MessageKind", rename_all = "snake_case")]
enum MessageKindFields {
    Text,
    Media(#[serde(with = "MediaTypeFields")] MediaType),
    System,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MediaType", rename_all = "snake_case")]
enum MediaTypeFields {
    Image,
    Video,
    File,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MediaLink")]
struct MediaLinkFields {
    url: String,
    #[serde(with = "MediaTypeFields")]
    media_type: MediaType,
    filename: Option<String>,
    size: Option<u64>,
    thumbnail_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reaction")]
struct ReactionFields {
    #[serde(with = "text")]
    emoji: Emoji,
    #[serde(with = "text_list")]
    users: Vec<UserId>,
}

/// A field that is a list of values that have fields of their own.
macro_rules! list {
    ($field:ident: $value:ident by $fields:literal) => {
        mod $field {
            use super::{Deserialize, Deserializer, Serialize, Serializer, $value};

            #[derive(Serialize, Deserialize)]
            struct One(#[serde(with = $fields)] $value);

            pub(super) fn serialize<S: Serializer>(values: &[$value], to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq(values.iter().cloned().map(One))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<$value>, D::Error> {
                Ok(Vec::<One>::deserialize(from)?.into_iter().map(|one| one.0).collect())
            }
        }
    };
}

/// A field that may be missing, likewise.
macro_rules! maybe {
    ($field:ident: $value:ident by $fields:literal) => {
        mod $field {
            use super::{Deserialize, Deserializer, Serialize, Serializer, $value};

            #[derive(Serialize, Deserialize)]
            struct One(#[serde(with = $fields)] $value);

            #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
            pub(super) fn serialize<S: Serializer>(value: &Option<$value>, to: S) -> Result<S::Ok, S::Error> {
                value.clone().map(One).serialize(to)
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<$value>, D::Error> {
                Ok(Option::<One>::deserialize(from)?.map(|one| one.0))
            }
        }
    };
}

list!(links: MediaLink by "super::MediaLinkFields");
list!(reactions: Reaction by "super::ReactionFields");
maybe!(dimensions: Dimensions by "super::DimensionsFields");
maybe!(thumbnail: Thumbnail by "super::ThumbnailFields");

/// A conversation without its people.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Conversation")]
pub(crate) struct ConversationFields {
    #[serde(with = "text")]
    id: ConversationId,
    #[serde(with = "ConversationKindFields")]
    kind: ConversationKind,
    #[serde(with = "text_or_none")]
    title: Option<Title>,
    image: Option<String>,
    last_seq: u64,
    rev: u64,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
    #[serde(with = "text")]
    active_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ConversationKind", rename_all = "snake_case")]
enum ConversationKindFields {
    Direct,
    Group,
}

/// A role in a conversation.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Role", rename_all = "snake_case")]
pub(crate) enum RoleFields {
    Member,
    Admin,
    Owner,
}

/// What somebody has read: the position, and the ranges beyond it.
pub(crate) mod read_state {
    use super::{Deserialize, Deserializer, ReadState, SeqRange, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(state: &ReadState, to: S) -> Result<S::Ok, S::Error> {
        let ahead: Vec<_> = state.ahead().iter().map(|SeqRange { first, last }| (first, last)).collect();
        (state.position(), ahead).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ReadState, D::Error> {
        let (position, ahead) = <(u64, Vec<(u64, u64)>)>::deserialize(from)?;
        let ahead = ahead.into_iter().map(|(first, last)| SeqRange { first, last }).collect();
        Ok(ReadState::from_stored(position, ahead))
    }
}

/// A user as others see them.
#[derive(Serialize, Deserialize)]
#[serde(remote = "User")]
pub(crate) struct UserFields {
    #[serde(with = "text")]
    id: UserId,
    name: String,
    picture: Option<String>,
}

/// What a user's tokens last claimed.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ClaimedProfile")]
pub(crate) struct ClaimedProfileFields {
    name: Option<String>,
    picture: Option<String>,
}

/// What a user wants to be told.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Preferences")]
#[expect(clippy::struct_excessive_bools, reason = "as the domain has them")]
pub(crate) struct PreferencesFields {
    email: bool,
    push: bool,
    chat: bool,
    job_match: bool,
}

/// A notification.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NotificationRecord(#[serde(with = "NotificationFields")] pub(crate) Notification);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Notification")]
struct NotificationFields {
    #[serde(with = "text")]
    id: NotificationId,
    #[serde(with = "text")]
    user_id: UserId,
    #[serde(with = "text")]
    kind: NotificationKind,
    #[serde(with = "NotificationBodyFields")]
    body: NotificationBody,
    read: bool,
    #[serde(with = "text")]
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NotificationBody", rename_all = "snake_case")]
enum NotificationBodyFields {
    Chat {
        #[serde(with = "text")]
        conversation_id: ConversationId,
        #[serde(with = "text")]
        message_id: MessageId,
    },
    Text {
        title: String,
        message: String,
        link: Option<String>,
        data: Option<String>,
    },
}

/// A medium.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Medium")]
pub(crate) struct MediumFields {
    #[serde(with = "text")]
    id: MediumId,
    #[serde(with = "text")]
    uploader: UserId,
    #[serde(with = "MediaTypeFields")]
    media_type: MediaType,
    format: String,
    content_type: String,
    filename: String,
    bytes: u64,
    digest: String,
    #[serde(with = "dimensions")]
    dimensions: Option<Dimensions>,
    #[serde(with = "thumbnail")]
    thumbnail: Option<Thumbnail>,
    #[serde(with = "text")]
    uploaded_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Dimensions")]
struct DimensionsFields {
    width: u32,
    height: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Thumbnail")]
struct ThumbnailFields {
    content_type: String,
    bytes: u64,
    #[serde(with = "DimensionsFields")]
    dimensions: Dimensions,
}
