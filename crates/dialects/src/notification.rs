//! Notifications on the wire, in the two shapes that there are: `talentbridge`'s, which `ulearn` and `nextchat` show
//! too, and `marketplace`'s, which is also `gateway`'s. What marks them read is in the extension vocabulary.

use parlance_domain::model::{ConversationId, NotificationId, NotificationView};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::shapes::{Id, Moment, passed_on};

/// A notification in `talentbridge`, `ulearn` and `nextchat`.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification<'a> {
    #[serde(rename = "_id")]
    id: Id<NotificationId>,
    r#type: &'a str,
    title: &'a str,
    message: &'a str,
    link: Option<&'a str>,
    conversation_id: Option<Id<ConversationId>>,
    data: Option<&'a RawValue>,
    read: bool,
    created_at: Moment,
}

impl<'a> From<&'a NotificationView> for Notification<'a> {
    fn from(view: &'a NotificationView) -> Self {
        Self {
            id: Id(view.id),
            r#type: view.kind.as_str(),
            title: &view.title,
            message: &view.message,
            link: view.link.as_deref(),
            conversation_id: view.conversation_id.map(Id),
            data: passed_on(view.data.as_deref()),
            read: view.read,
            created_at: Moment(view.created_at),
        }
    }
}

/// A notification in `gateway` and `marketplace`.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefNotification<'a> {
    id: Id<NotificationId>,
    r#type: &'a str,
    title: &'a str,
    message: &'a str,
    link: Option<&'a str>,
    data: Option<&'a RawValue>,
    is_read: bool,
    created_at: Moment,
}

impl<'a> From<&'a NotificationView> for BriefNotification<'a> {
    fn from(view: &'a NotificationView) -> Self {
        Self {
            id: Id(view.id),
            r#type: view.kind.as_str(),
            title: &view.title,
            message: &view.message,
            link: view.link.as_deref(),
            data: passed_on(view.data.as_deref()),
            is_read: view.read,
            created_at: Moment(view.created_at),
        }
    }
}
