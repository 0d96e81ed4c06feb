//! Rows as the driver hands them over, and what they mean. Each is taken apart field by field, so that a
//! new column is either used or refused by the compiler. Nothing here runs a statement.

use std::str::FromStr;

use parlance_domain::model::{
    ClientMessageId, Conversation, ConversationKind, Emoji, MediaLink, MediaType, Message, MessageKind, Participant,
    Reaction, ReadState, Role, SeqRange, Timestamp, Title, User, UserId,
};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use crate::error::BadRow;

/// The columns of [`MessageRow`], from a table or alias `m`.
macro_rules! message_columns {
    () => {
        "m.id, m.conversation_id, m.seq, m.rev, m.sender_id, m.kind, m.text, m.media, m.reply_to, \
         m.client_message_id, m.reactions, m.created_at, m.updated_at, m.edited_at, m.deleted_at"
    };
}
pub(crate) use message_columns;

/// The columns of [`ConversationRow`], from a table or alias `c`.
macro_rules! conversation_columns {
    () => {
        "c.id, c.kind, c.title, c.image, c.last_seq, c.rev, c.created_at, c.updated_at, c.active_at"
    };
}
pub(crate) use conversation_columns;

/// The larger of two numbers. The engines have functions of different names for that.
macro_rules! larger {
    ($one:literal, $other:literal) => {
        concat!("CASE WHEN ", $one, " < ", $other, " THEN ", $other, " ELSE ", $one, " END")
    };
}
pub(crate) use larger;

/// What a participant `p` of the conversation `c` has not read; the schema says why.
macro_rules! unread {
    () => {
        concat!("c.last_seq - ", larger!("p.read_position", "p.floor_seq"), " - p.ahead_count - p.dead_count")
    };
}
pub(crate) use unread;

/// A message.
#[derive(Debug, FromQueryResult)]
pub(crate) struct MessageRow {
    pub(crate) id: Vec<u8>,
    pub(crate) conversation_id: Vec<u8>,
    pub(crate) seq: i64,
    pub(crate) rev: i64,
    pub(crate) sender_id: String,
    pub(crate) kind: i64,
    pub(crate) text: Option<String>,
    pub(crate) media: Option<String>,
    pub(crate) reply_to: Option<Vec<u8>>,
    pub(crate) client_message_id: Option<String>,
    pub(crate) reactions: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) edited_at: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
}

impl TryFrom<MessageRow> for Message {
    type Error = BadRow;

    fn try_from(row: MessageRow) -> Result<Self, BadRow> {
        let MessageRow {
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
            updated_at,
            edited_at,
            deleted_at,
        } = row;
        Ok(Self {
            id: object_id(&id)?.into(),
            conversation_id: object_id(&conversation_id)?.into(),
            seq: count(seq)?,
            rev: count(rev)?,
            sender_id: user_id(&sender_id)?,
            kind: message_kind(kind)?,
            text,
            media: media.as_deref().map_or(Ok(Vec::new()), media_from_json)?,
            reply_to: reply_to.as_deref().map(object_id).transpose()?.map(Into::into),
            client_message_id: client_message_id.map(ClientMessageId::from_stored),
            reactions: reactions.as_deref().map_or(Ok(Vec::new()), reactions_from_json)?,
            created_at: Timestamp::from_millis(created_at),
            edited_at: edited_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
            updated_at: Timestamp::from_millis(updated_at),
        })
    }
}

/// A conversation.
#[derive(Debug, FromQueryResult)]
pub(crate) struct ConversationRow {
    id: Vec<u8>,
    kind: i64,
    title: Option<String>,
    image: Option<String>,
    last_seq: i64,
    rev: i64,
    created_at: i64,
    updated_at: i64,
    active_at: i64,
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = BadRow;

    fn try_from(row: ConversationRow) -> Result<Self, BadRow> {
        let ConversationRow { id, kind, title, image, last_seq, rev, created_at, updated_at, active_at } = row;
        Ok(Self {
            id: object_id(&id)?.into(),
            kind: conversation_kind(kind)?,
            title: title.map(Title::from_stored),
            image,
            last_seq: count(last_seq)?,
            rev: count(rev)?,
            created_at: Timestamp::from_millis(created_at),
            updated_at: Timestamp::from_millis(updated_at),
            active_at: Timestamp::from_millis(active_at),
        })
    }
}

/// Somebody in a conversation.
#[derive(Debug, FromQueryResult)]
pub(crate) struct ParticipantRow {
    user_id: String,
    role: i64,
    joined_at: i64,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = BadRow;

    fn try_from(row: ParticipantRow) -> Result<Self, BadRow> {
        let ParticipantRow { user_id: id, role: number, joined_at } = row;
        Ok(Self { user_id: user_id(&id)?, role: role(number)?, joined_at: Timestamp::from_millis(joined_at) })
    }
}

/// A user.
#[derive(Debug, FromQueryResult)]
pub(crate) struct UserRow {
    id: String,
    name: String,
    picture: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = BadRow;

    fn try_from(row: UserRow) -> Result<Self, BadRow> {
        let UserRow { id, name, picture } = row;
        Ok(Self { id: user_id(&id)?, name, picture })
    }
}

/// Turns every row into what it means.
pub(crate) fn all<R, T: TryFrom<R, Error = BadRow>>(rows: Vec<R>) -> Result<Vec<T>, BadRow> {
    rows.into_iter().map(T::try_from).collect()
}

/// An id from its blob.
pub(crate) fn object_id(blob: &[u8]) -> Result<parlance_domain::model::ObjectId, BadRow> {
    blob.try_into().map(parlance_domain::model::ObjectId::from_bytes).map_err(|_| BadRow("id"))
}

/// A user's id from its text.
pub(crate) fn user_id(text: &str) -> Result<UserId, BadRow> {
    UserId::from_str(text).map_err(|_| BadRow("user id"))
}

/// A `seq`, `rev` or count; SQL integers have a sign, these do not.
pub(crate) fn count(number: i64) -> Result<u64, BadRow> {
    u64::try_from(number).map_err(|_| BadRow("number"))
}

/// A number for SQL. What is beyond its range is beyond every stored number as well.
pub(crate) fn sql_number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A role from its column.
pub(crate) fn role(number: i64) -> Result<Role, BadRow> {
    match number {
        0 => Ok(Role::Member),
        1 => Ok(Role::Admin),
        2 => Ok(Role::Owner),
        _ => Err(BadRow("role")),
    }
}

/// The column of a role.
pub(crate) fn role_number(role: Role) -> i64 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}

/// A conversation's kind from its column.
pub(crate) fn conversation_kind(number: i64) -> Result<ConversationKind, BadRow> {
    match number {
        0 => Ok(ConversationKind::Direct),
        1 => Ok(ConversationKind::Group),
        _ => Err(BadRow("kind of a conversation")),
    }
}

/// The column of a conversation's kind.
pub(crate) fn conversation_kind_number(kind: ConversationKind) -> i64 {
    match kind {
        ConversationKind::Direct => 0,
        ConversationKind::Group => 1,
    }
}

fn message_kind(number: i64) -> Result<MessageKind, BadRow> {
    match number {
        0 => Ok(MessageKind::Text),
        4 => Ok(MessageKind::System),
        _ => u8::try_from(number).ok().and_then(media_type).map(MessageKind::Media).ok_or(BadRow("kind of a message")),
    }
}

/// The column of a message's kind.
pub(crate) fn message_kind_number(kind: MessageKind) -> i64 {
    match kind {
        MessageKind::Text => 0,
        MessageKind::Media(media_type) => i64::from(media_type_number(media_type)),
        MessageKind::System => 4,
    }
}

/// A type of media from its number.
pub(crate) fn media_type(number: u8) -> Option<MediaType> {
    match number {
        1 => Some(MediaType::Image),
        2 => Some(MediaType::Video),
        3 => Some(MediaType::File),
        _ => None,
    }
}

/// The number of a type of media.
pub(crate) fn media_type_number(media_type: MediaType) -> u8 {
    match media_type {
        MediaType::Image => 1,
        MediaType::Video => 2,
        MediaType::File => 3,
    }
}

/// A link to a medium inside the `media` column.
#[derive(Serialize, Deserialize)]
struct StoredMedia {
    url: String,
    #[serde(rename = "type")]
    media_type: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

fn media_from_json(json: &str) -> Result<Vec<MediaLink>, BadRow> {
    let stored: Vec<StoredMedia> = serde_json::from_str(json).map_err(|_| BadRow("media"))?;
    let link = |StoredMedia { url, media_type: number, filename, size, thumbnail }| {
        let media_type = media_type(number).ok_or(BadRow("type of a medium"))?;
        Ok(MediaLink { url, media_type, filename, size, thumbnail_url: thumbnail })
    };
    stored.into_iter().map(link).collect()
}

/// The `media` column; `None` for messages without media.
pub(crate) fn media_to_json(media: &[MediaLink]) -> Result<Option<String>, BadRow> {
    if media.is_empty() {
        return Ok(None);
    }
    let stored = |link: &MediaLink| {
        let MediaLink { url, media_type, filename, size, thumbnail_url } = link.clone();
        StoredMedia { url, media_type: media_type_number(media_type), filename, size, thumbnail: thumbnail_url }
    };
    let stored: Vec<StoredMedia> = media.iter().map(stored).collect();
    serde_json::to_string(&stored).map(Some).map_err(|_| BadRow("media"))
}

fn reactions_from_json(json: &str) -> Result<Vec<Reaction>, BadRow> {
    let stored: Vec<(String, Vec<String>)> = serde_json::from_str(json).map_err(|_| BadRow("reactions"))?;
    let reaction = |(emoji, users): (String, Vec<String>)| {
        let users = users.iter().map(|user| user_id(user)).collect::<Result<_, _>>()?;
        Ok(Reaction { emoji: Emoji::from_stored(emoji), users })
    };
    stored.into_iter().map(reaction).collect()
}

/// The `reactions` column, `[[emoji, [user, …]], …]`; `None` for messages without reactions.
pub(crate) fn reactions_to_json(reactions: &[Reaction]) -> Result<Option<String>, BadRow> {
    if reactions.is_empty() {
        return Ok(None);
    }
    let stored = |Reaction { emoji, users }: &Reaction| {
        (emoji.as_str().to_owned(), users.iter().map(|user| user.as_str().to_owned()).collect())
    };
    let stored: Vec<(String, Vec<String>)> = reactions.iter().map(stored).collect();
    serde_json::to_string(&stored).map(Some).map_err(|_| BadRow("reactions"))
}

/// A read state from its columns.
pub(crate) fn read_state(position: i64, ahead: Option<&str>) -> Result<ReadState, BadRow> {
    Ok(ReadState::from_stored(count(position)?, ahead.map_or(Ok(Vec::new()), ranges_from_json)?))
}

/// Ranges from the `ahead` column.
pub(crate) fn ranges_from_json(json: &str) -> Result<Vec<SeqRange>, BadRow> {
    let stored: Vec<(u64, u64)> = serde_json::from_str(json).map_err(|_| BadRow("read state"))?;
    Ok(stored.into_iter().map(|(first, last)| SeqRange { first, last }).collect())
}

/// The `ahead` column; `None` where nothing is read beyond the position.
pub(crate) fn ranges_to_json(ranges: &[SeqRange]) -> Result<Option<String>, BadRow> {
    if ranges.is_empty() {
        return Ok(None);
    }
    let stored: Vec<(u64, u64)> = ranges.iter().map(|range| (range.first, range.last)).collect();
    serde_json::to_string(&stored).map(Some).map_err(|_| BadRow("read state"))
}
