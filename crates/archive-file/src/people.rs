//! How participants, blocks and notifications look in a file.

use parlance_domain::model::{
    Attendance, BlocksRecord, ConversationId, MessageId, Notification, NotificationBody, NotificationId,
    NotificationKind, ParticipantRecord, ReadState, Role, SeqRange, UserId,
};
use serde::{Deserialize, Serialize};

use crate::fields::{Millis, Ruled, Text};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ParticipantShape {
    conversation_id: Text<ConversationId>,
    user_id: Text<UserId>,
    /// Not of those who have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    present: Option<AttendanceShape>,
    read: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    read_ahead: Vec<(u64, u64)>,
    delivered: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttendanceShape {
    role: RoleShape,
    joined_at: Millis,
    floor: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RoleShape {
    Member,
    Admin,
    Owner,
}

impl From<ParticipantRecord> for ParticipantShape {
    fn from(record: ParticipantRecord) -> Self {
        let ParticipantRecord { conversation_id, user_id, attendance, read, delivered } = record;
        Self {
            conversation_id: Text(conversation_id),
            user_id: Text(user_id),
            present: attendance.map(|Attendance { role, joined_at, floor }| AttendanceShape {
                role: match role {
                    Role::Member => RoleShape::Member,
                    Role::Admin => RoleShape::Admin,
                    Role::Owner => RoleShape::Owner,
                },
                joined_at: joined_at.into(),
                floor,
            }),
            read: read.position(),
            read_ahead: read.ahead().iter().map(|SeqRange { first, last }| (*first, *last)).collect(),
            delivered,
        }
    }
}

impl From<ParticipantShape> for ParticipantRecord {
    fn from(shape: ParticipantShape) -> Self {
        let ParticipantShape { conversation_id, user_id, present, read, read_ahead, delivered } = shape;
        let ahead = read_ahead.into_iter().map(|(first, last)| SeqRange { first, last }).collect();
        Self {
            conversation_id: conversation_id.0,
            user_id: user_id.0,
            attendance: present.map(|AttendanceShape { role, joined_at, floor }| Attendance {
                role: match role {
                    RoleShape::Member => Role::Member,
                    RoleShape::Admin => Role::Admin,
                    RoleShape::Owner => Role::Owner,
                },
                joined_at: joined_at.into(),
                floor,
            }),
            read: ReadState::from_stored(read, ahead),
            delivered,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BlocksShape {
    blocker: Text<UserId>,
    /// Oldest block first.
    blocked: Vec<(Text<UserId>, Millis)>,
}

impl From<BlocksRecord> for BlocksShape {
    fn from(record: BlocksRecord) -> Self {
        let BlocksRecord { blocker, blocked } = record;
        let blocked = blocked.into_iter().map(|(user, since)| (Text(user), since.into())).collect();
        Self { blocker: Text(blocker), blocked }
    }
}

impl From<BlocksShape> for BlocksRecord {
    fn from(shape: BlocksShape) -> Self {
        let BlocksShape { blocker, blocked } = shape;
        let blocked = blocked.into_iter().map(|(user, since)| (user.0, since.into())).collect();
        Self { blocker: blocker.0, blocked }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NotificationShape {
    id: Text<NotificationId>,
    user_id: Text<UserId>,
    kind: Ruled<NotificationKind>,
    body: NotificationBodyShape,
    read: bool,
    created_at: Millis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum NotificationBodyShape {
    Chat {
        conversation_id: Text<ConversationId>,
        message_id: Text<MessageId>,
    },
    Text {
        title: String,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
}

impl From<Notification> for NotificationShape {
    fn from(notification: Notification) -> Self {
        let Notification { id, user_id, kind, body, read, created_at } = notification;
        let body = match body {
            NotificationBody::Chat { conversation_id, message_id } => {
                NotificationBodyShape::Chat { conversation_id: Text(conversation_id), message_id: Text(message_id) }
            }
            NotificationBody::Text { title, message, link, data } => {
                NotificationBodyShape::Text { title, message, link, data }
            }
        };
        Self { id: Text(id), user_id: Text(user_id), kind: Ruled(kind), body, read, created_at: created_at.into() }
    }
}

impl From<NotificationShape> for Notification {
    fn from(shape: NotificationShape) -> Self {
        let NotificationShape { id, user_id, kind, body, read, created_at } = shape;
        let body = match body {
            NotificationBodyShape::Chat { conversation_id, message_id } => {
                NotificationBody::Chat { conversation_id: conversation_id.0, message_id: message_id.0 }
            }
            NotificationBodyShape::Text { title, message, link, data } => {
                NotificationBody::Text { title, message, link, data }
            }
        };
        Self { id: id.0, user_id: user_id.0, kind: kind.0, body, read, created_at: created_at.into() }
    }
}
