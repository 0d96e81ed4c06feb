//! Notifications on the wire.

use parlance_domain::model::{ConversationId, NotificationId, NotificationKind, NotificationView, Timestamp};
use serde::{Deserialize, Serialize};

use super::message::Id;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireNotification {
    id: Id,
    kind: String,
    title: String,
    message: String,
    link: Option<String>,
    conversation_id: Option<Id>,
    data: Option<String>,
    read: bool,
    created_at: i64,
}

impl From<&NotificationView> for WireNotification {
    fn from(view: &NotificationView) -> Self {
        let NotificationView { id, kind, title, message, link, conversation_id, data, read, created_at } = view;
        Self {
            id: id.bytes(),
            kind: kind.as_str().to_owned(),
            title: title.clone(),
            message: message.clone(),
            link: link.clone(),
            conversation_id: conversation_id.map(|id| id.bytes()),
            data: data.clone(),
            read: *read,
            created_at: created_at.millis(),
        }
    }
}

impl WireNotification {
    pub(super) fn read(self) -> NotificationView {
        let Self { id, kind, title, message, link, conversation_id, data, read, created_at } = self;
        NotificationView {
            id: NotificationId::from_bytes(id),
            kind: NotificationKind::from_stored(kind),
            title,
            message,
            link,
            conversation_id: conversation_id.map(ConversationId::from_bytes),
            data,
            read,
            created_at: Timestamp::from_millis(created_at),
        }
    }
}
