//! Conversations on the wire.

use parlance_domain::model::{
    Conversation, ConversationId, ConversationKind, ConversationView, Role, Timestamp, Title,
};
use serde::{Deserialize, Serialize};

use super::Unreadable;
use super::message::{Id, WireMessageView, WireUser};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireConversationView {
    conversation: WireConversation,
    participants: Vec<(WireUser, WireRole)>,
    last_message: Option<Box<WireMessageView>>,
    unread: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireConversation {
    id: Id,
    is_group: bool,
    title: Option<String>,
    image: Option<String>,
    last_seq: u64,
    rev: u64,
    created_at: i64,
    updated_at: i64,
    active_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireRole {
    Member,
    Admin,
    Owner,
}

impl From<&ConversationView> for WireConversationView {
    fn from(view: &ConversationView) -> Self {
        let ConversationView { conversation, participants, last_message, unread } = view;
        Self {
            conversation: conversation.into(),
            participants: participants.iter().map(|(user, role)| (user.into(), (*role).into())).collect(),
            last_message: last_message.as_ref().map(|message| Box::new(message.into())),
            unread: *unread,
        }
    }
}

impl WireConversationView {
    pub(super) fn read(self) -> Result<ConversationView, Unreadable> {
        let Self { conversation, participants, last_message, unread } = self;
        let person = |(user, role): (WireUser, WireRole)| Ok((user.read()?, role.into()));
        Ok(ConversationView {
            conversation: conversation.read(),
            participants: participants.into_iter().map(person).collect::<Result<_, _>>()?,
            last_message: last_message.map(|message| message.read()).transpose()?,
            unread,
        })
    }
}

impl From<&Conversation> for WireConversation {
    fn from(conversation: &Conversation) -> Self {
        let Conversation { id, kind, title, image, last_seq, rev, created_at, updated_at, active_at } = conversation;
        Self {
            id: id.bytes(),
            is_group: match kind {
                ConversationKind::Direct => false,
                ConversationKind::Group => true,
            },
            title: title.as_ref().map(|title| title.as_str().to_owned()),
            image: image.clone(),
            last_seq: *last_seq,
            rev: *rev,
            created_at: created_at.millis(),
            updated_at: updated_at.millis(),
            active_at: active_at.millis(),
        }
    }
}

impl WireConversation {
    fn read(self) -> Conversation {
        let Self { id, is_group, title, image, last_seq, rev, created_at, updated_at, active_at } = self;
        Conversation {
            id: ConversationId::from_bytes(id),
            kind: if is_group { ConversationKind::Group } else { ConversationKind::Direct },
            title: title.map(Title::from_stored),
            image,
            last_seq,
            rev,
            created_at: Timestamp::from_millis(created_at),
            updated_at: Timestamp::from_millis(updated_at),
            active_at: Timestamp::from_millis(active_at),
        }
    }
}

impl From<Role> for WireRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<WireRole> for Role {
    fn from(role: WireRole) -> Self {
        match role {
            WireRole::Member => Self::Member,
            WireRole::Admin => Self::Admin,
            WireRole::Owner => Self::Owner,
        }
    }
}
