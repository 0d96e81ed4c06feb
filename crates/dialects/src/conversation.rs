//! The shape of a conversation, which is `talentbridge`'s in every dialect, people and last message included
//! (contract: "Users in payloads"). Events and REST show it.

use parlance_domain::model::{ConversationId, ConversationKind, ConversationView, Role, Title, User};
use schemars::JsonSchema;
use serde::Serialize;

use crate::shapes::{Each, Id, Moment};
use crate::talentbridge;

/// A conversation, in `talentbridge`'s shape in every dialect.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Conversation")]
pub(crate) struct ConversationShape<'a> {
    #[serde(rename = "_id")]
    object_id: Id<ConversationId>,
    id: Id<ConversationId>,
    #[schemars(extend("enum" = ["direct", "group"]))]
    r#type: &'static str,
    title: Option<&'a str>,
    group_image: Option<&'a str>,
    participants: Each<'a, (User, Role), ParticipantShape<'a>>,
    participant_users: Each<'a, (User, Role), ParticipantUser<'a>>,
    last_message: Option<talentbridge::Message<'a>>,
    unread_count: u64,
    rev: u64,
    created_at: Moment,
    updated_at: Moment,
}

impl<'a> From<&'a ConversationView> for ConversationShape<'a> {
    fn from(view: &'a ConversationView) -> Self {
        let conversation = &view.conversation;
        Self {
            object_id: Id(conversation.id),
            id: Id(conversation.id),
            r#type: match conversation.kind {
                ConversationKind::Direct => "direct",
                ConversationKind::Group => "group",
            },
            title: conversation.title.as_ref().map(Title::as_str),
            group_image: conversation.image.as_deref(),
            participants: Each::of(&view.participants),
            participant_users: Each::of(&view.participants),
            last_message: view.last_message.as_ref().map(talentbridge::Message::from),
            unread_count: view.unread,
            rev: conversation.rev,
            created_at: Moment(conversation.created_at),
            updated_at: Moment(conversation.updated_at),
        }
    }
}

impl ConversationShape<'_> {
    /// The same conversation as somebody sees it who has `unread` messages to read.
    pub(crate) fn with_unread(self, unread: u64) -> Self {
        Self { unread_count: unread, ..self }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Participant")]
struct ParticipantShape<'a> {
    user: talentbridge::User<'a>,
    #[schemars(extend("enum" = ["member", "admin", "owner"]))]
    role: &'static str,
}

impl<'a> From<&'a (User, Role)> for ParticipantShape<'a> {
    fn from((user, role): &'a (User, Role)) -> Self {
        let role = match role {
            Role::Member => "member",
            Role::Admin => "admin",
            Role::Owner => "owner",
        };
        Self { user: user.into(), role }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(transparent)]
#[schemars(inline)]
struct ParticipantUser<'a>(talentbridge::User<'a>);

impl<'a> From<&'a (User, Role)> for ParticipantUser<'a> {
    fn from((user, _): &'a (User, Role)) -> Self {
        Self(user.into())
    }
}
