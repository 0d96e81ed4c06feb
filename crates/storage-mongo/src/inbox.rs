//! A user's inbox: how many notifications they have, and how marking and removing change that. Whatever changes a
//! notification writes the inbox too, so changes of one user's notifications always meet.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{ConversationId, Notification, NotificationBody, NotificationId, Preferences, UserId};
use parlance_domain::ports::Counted;
use serde::Deserialize;

use crate::change::{Change, Unit};
use crate::command::{Command, Delete, Update};
use crate::documents::{count, object_id};
use crate::error::Failed;
use crate::notifications::{NotificationDocument, find, stand};
use crate::reader::{Query, Reader};
use crate::schema::{INBOXES, NOTIFICATIONS};

/// An inbox. Who has none has no notifications, and wants everything.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the fields, as the preferences name them")]
pub(crate) struct InboxDocument {
    #[serde(rename = "_id")]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) total: i64,
    #[serde(default)]
    pub(crate) unread: i64,
    #[serde(default = "wanted")]
    email: bool,
    #[serde(default = "wanted")]
    push: bool,
    #[serde(default = "wanted")]
    chat: bool,
    #[serde(default = "wanted")]
    job_match: bool,
}

fn wanted() -> bool {
    true
}

impl InboxDocument {
    /// The inbox of somebody who has none.
    pub(crate) fn empty(user: &UserId) -> Self {
        let Preferences { email, push, chat, job_match } = Preferences::default();
        Self { user: user.as_str().to_owned(), total: 0, unread: 0, email, push, chat, job_match }
    }

    /// What the user wants.
    pub(crate) fn preferences(&self) -> Preferences {
        let Self { user: _, total: _, unread: _, email, push, chat, job_match } = *self;
        Preferences { email, push, chat, job_match }
    }

    /// Writes the counts.
    pub(crate) fn update_counts(&self) -> Update {
        let counts = doc! { "total": self.total, "unread": self.unread };
        Update::or_insert(doc! { "_id": &self.user }, doc! { "$set": counts })
    }
}

/// The lock of an inbox with its notifications.
pub(crate) fn lock(user: &UserId) -> String {
    format!("inbox/{user}")
}

/// The user's inbox.
pub(crate) async fn find_inbox(reader: &mut Reader<'_>, user: &UserId) -> Result<InboxDocument, Failed> {
    let found = reader.one(Query::by_id(INBOXES, user.as_str())).await?;
    Ok(found.unwrap_or_else(|| InboxDocument::empty(user)))
}

/// One of a user's notifications.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    /// This one.
    One(NotificationId),
    /// The unread one of a conversation.
    Standing(ConversationId),
}

impl Which {
    /// What finds it.
    pub(crate) fn filter(self, user: &UserId) -> Document {
        match self {
            Self::One(id) => doc! { "_id": object_id(id.bytes()), "user": user.as_str() },
            Self::Standing(id) => {
                doc! { "user": user.as_str(), "conversation": object_id(id.bytes()), "standing": true }
            }
        }
    }
}

/// A notification that is read.
pub(crate) struct MarkRead<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) which: Which,
}

#[async_trait]
impl Change for MarkRead<'_> {
    type Done = Option<Counted<(Notification, bool)>>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.user)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let mut reader = unit.reader();
        let Some(mut notification) = find(&mut reader, self.user, self.which.filter(self.user)).await? else {
            return Ok(None);
        };
        let mut inbox = find_inbox(&mut reader, self.user).await?;
        if notification.read {
            return Ok(Some(Counted { value: (notification, false), unread: count(inbox.unread)? }));
        }
        inbox.unread -= 1;
        unit.write(Command::update(NOTIFICATIONS, vec![freeze(&notification)]));
        unit.write(Command::update(INBOXES, vec![inbox.update_counts()]));
        notification.read = true;
        Ok(Some(Counted { value: (notification, true), unread: count(inbox.unread)? }))
    }
}

/// Everything is read.
pub(crate) struct MarkAllRead<'a> {
    pub(crate) user: &'a UserId,
}

#[async_trait]
impl Change for MarkAllRead<'_> {
    type Done = Counted<u64>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.user)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let mut reader = unit.reader();
        let mut inbox = find_inbox(&mut reader, self.user).await?;
        let marked = count(inbox.unread)?;
        if marked == 0 {
            return Ok(Counted { value: 0, unread: 0 });
        }
        // What chat notifications stand for differs; the others need one statement together.
        let chats = Query::new(NOTIFICATIONS, doc! { "user": self.user.as_str(), "unread": true, "standing": true });
        let chats: Vec<NotificationDocument> = reader.all(chats).await?;
        let chats = stand(&mut reader, self.user, chats).await?;
        let mut updates: Vec<Update> = chats.iter().map(freeze).collect();
        let rest = doc! { "user": self.user.as_str(), "unread": true };
        updates.push(Update::all(rest, doc! { "$set": { "unread": false } }));
        inbox.unread = 0;
        unit.write(Command::update(NOTIFICATIONS, updates));
        unit.write(Command::update(INBOXES, vec![inbox.update_counts()]));
        Ok(Counted { value: marked, unread: 0 })
    }
}

/// What a notification stands for now it stands for from now on.
fn freeze(notification: &Notification) -> Update {
    let mut set = doc! { "unread": false };
    if let NotificationBody::Chat { message_id, .. } = notification.body {
        set.insert("message", object_id(message_id.bytes()));
    }
    let change = doc! { "$set": set, "$unset": { "standing": "" } };
    Update::one(doc! { "_id": object_id(notification.id.bytes()), "user": notification.user_id.as_str() }, change)
}

/// A notification that goes.
pub(crate) struct Remove<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) id: NotificationId,
}

#[async_trait]
impl Change for Remove<'_> {
    type Done = Option<Counted<bool>>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.user)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let which = Which::One(self.id).filter(self.user);
        let mut reader = unit.reader();
        let found: Option<NotificationDocument> = reader.one(Query::new(NOTIFICATIONS, which.clone())).await?;
        let Some(NotificationDocument { unread, .. }) = found else { return Ok(None) };
        let mut inbox = find_inbox(&mut reader, self.user).await?;
        inbox.total -= 1;
        inbox.unread -= i64::from(unread);
        unit.write(Command::delete(NOTIFICATIONS, vec![Delete::one(which)]));
        unit.write(Command::update(INBOXES, vec![inbox.update_counts()]));
        Ok(Some(Counted { value: unread, unread: count(inbox.unread)? }))
    }
}
