//! A conversation with the people in it: a list that is bounded by `MAX_GROUP_SIZE`, and that every decision about
//! the conversation reads together with it.

use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{
    Conversation, ConversationId, ConversationKind, Participant, Role, Roster, Timestamp, Title, UserId,
};
use parlance_domain::rules::appending::Head;
use serde::{Deserialize, Serialize};

use super::{count, date, moment, number, object_id, user_id};
use crate::error::BadDocument;

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ConversationDocument {
    #[serde(rename = "_id")]
    pub(crate) id: ObjectId,
    kind: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// The photo, if it is a medium that counts this use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_medium: Option<ObjectId>,
    pub(crate) last_seq: i64,
    pub(crate) rev: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_message: Option<ObjectId>,
    created_at: DateTime,
    updated_at: DateTime,
    active_at: DateTime,
    /// Longest-serving first.
    #[serde(default)]
    pub(crate) people: Vec<PersonDocument>,
}

/// Somebody in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PersonDocument {
    pub(crate) user: String,
    role: i32,
    joined_at: DateTime,
}

/// As much of a conversation as a send needs.
#[derive(Debug, Deserialize)]
pub(crate) struct HeadDocument {
    #[serde(rename = "_id")]
    pub(crate) id: ObjectId,
    kind: i32,
    last_seq: i64,
    rev: i64,
    active_at: DateTime,
    /// The first two: both of a direct conversation.
    people: Vec<PersonDocument>,
}

impl HeadDocument {
    /// Where the conversation stands.
    pub(crate) fn head(&self) -> Result<Head, BadDocument> {
        let Self { last_seq, rev, active_at, .. } = self;
        Ok(Head { last_seq: count(*last_seq)?, rev: count(*rev)?, active_at: moment(*active_at) })
    }

    /// The other person of a direct conversation.
    pub(crate) fn peer(&self, user: &UserId) -> Option<&str> {
        let direct = self.kind == kind_number(ConversationKind::Direct);
        let mut people = self.people.iter().map(|person| person.user.as_str()).filter(|_| direct);
        people.find(|other| *other != user.as_str())
    }
}

impl ConversationDocument {
    /// Every field but the people.
    pub(crate) const FIELDS: [&str; 10] = [
        "kind",
        "title",
        "image",
        "image_medium",
        "last_seq",
        "rev",
        "last_message",
        "created_at",
        "updated_at",
        "active_at",
    ];

    /// A conversation that is new, with these people, longest-serving first.
    pub(crate) fn new(conversation: &Conversation, people: &[Participant]) -> Self {
        let Conversation { id, kind, title, image, last_seq, rev, created_at, updated_at, active_at } = conversation;
        Self {
            id: object_id(id.bytes()),
            kind: kind_number(*kind),
            title: title.as_ref().map(|title| title.as_str().to_owned()),
            image: image.clone(),
            image_medium: None,
            last_seq: number(*last_seq),
            rev: number(*rev),
            last_message: None,
            created_at: date(*created_at),
            updated_at: date(*updated_at),
            active_at: date(*active_at),
            people: people.iter().map(PersonDocument::from).collect(),
        }
    }

    pub(crate) fn conversation_id(&self) -> ConversationId {
        ConversationId::from_bytes(self.id.bytes())
    }

    /// Everybody in it, longest-serving first.
    pub(crate) fn participants(&self) -> Result<Vec<Participant>, BadDocument> {
        self.people.iter().map(Participant::try_from).collect()
    }

    /// Who is in it.
    pub(crate) fn roster(&self) -> Result<Roster, BadDocument> {
        let users = self.people.iter().map(|person| user_id(&person.user)).collect::<Result<Vec<_>, _>>()?;
        Ok(Roster::new(kind(self.kind)?, users))
    }

    /// The role of somebody who is in it.
    pub(crate) fn role(&self, user: &UserId) -> Result<Option<Role>, BadDocument> {
        self.people.iter().find(|person| person.user == user.as_str()).map(|person| role(person.role)).transpose()
    }

    /// When something was last written.
    pub(crate) fn active_at(&self) -> Timestamp {
        moment(self.active_at)
    }

    /// Whether the title contains `text`, which is in lower case.
    pub(crate) fn is_titled(&self, text: &str) -> bool {
        self.title.as_ref().is_some_and(|title| title.to_lowercase().contains(text))
    }
}

impl TryFrom<ConversationDocument> for Conversation {
    type Error = BadDocument;

    fn try_from(document: ConversationDocument) -> Result<Self, BadDocument> {
        let ConversationDocument {
            id,
            kind: number,
            title,
            image,
            image_medium: _,
            last_seq,
            rev,
            last_message: _,
            created_at,
            updated_at,
            active_at,
            people: _,
        } = document;
        Ok(Self {
            id: ConversationId::from_bytes(id.bytes()),
            kind: kind(number)?,
            title: title.map(Title::from_stored),
            image,
            last_seq: count(last_seq)?,
            rev: count(rev)?,
            created_at: moment(created_at),
            updated_at: moment(updated_at),
            active_at: moment(active_at),
        })
    }
}

impl From<&Participant> for PersonDocument {
    fn from(participant: &Participant) -> Self {
        let Participant { user_id, role, joined_at } = participant;
        Self { user: user_id.as_str().to_owned(), role: role_number(*role), joined_at: date(*joined_at) }
    }
}

impl TryFrom<&PersonDocument> for Participant {
    type Error = BadDocument;

    fn try_from(person: &PersonDocument) -> Result<Self, BadDocument> {
        let PersonDocument { user, role: number, joined_at } = person;
        Ok(Self { user_id: user_id(user)?, role: role(*number)?, joined_at: moment(*joined_at) })
    }
}

fn kind(number: i32) -> Result<ConversationKind, BadDocument> {
    match number {
        0 => Ok(ConversationKind::Direct),
        1 => Ok(ConversationKind::Group),
        _ => Err(BadDocument("kind of a conversation")),
    }
}

pub(crate) fn kind_number(kind: ConversationKind) -> i32 {
    match kind {
        ConversationKind::Direct => 0,
        ConversationKind::Group => 1,
    }
}

fn role(number: i32) -> Result<Role, BadDocument> {
    match number {
        0 => Ok(Role::Member),
        1 => Ok(Role::Admin),
        2 => Ok(Role::Owner),
        _ => Err(BadDocument("role")),
    }
}

fn role_number(role: Role) -> i32 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}
