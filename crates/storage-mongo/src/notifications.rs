//! The `Notifications` port: listing, marking and removing. Making them is in `notify`, what users want to be told in
//! `preferences`. Counts are fields of the user's inbox and change with the notifications; what changes nothing is
//! found out without a change.

use std::collections::HashMap;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{
    ConversationId, MessageId, Notification, NotificationBody, NotificationId, NotificationKind, Preferences,
    PreferencesChange, UserId,
};
use parlance_domain::ports::{
    ChatNote, Counted, NewNotification, Noted, NotificationPage, Notifications, StorageResult,
};
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::documents::{PlaceDocument, count, date, moment, object_id, user_id};
use crate::error::{BadDocument, Failed};
use crate::inbox::{self, find_inbox};
use crate::preferences::UpdatePreferences;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES, NOTIFICATIONS};
use crate::{messages, notify};

/// A notification. A chat notification has a conversation and no words; `message` is the one that it was made for,
/// and from when it is read the one that it stood for then. In between it stands for the conversation's newest of
/// somebody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NotificationDocument {
    #[serde(rename = "_id")]
    pub(crate) id: ObjectId,
    user: String,
    kind: String,
    pub(crate) unread: bool,
    /// An unread chat notification: one for each user and conversation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    standing: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation: Option<ObjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<ObjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    created_at: DateTime,
}

impl NotificationDocument {
    /// Where it is among all, oldest first.
    pub(crate) fn key(&self) -> (&str, DateTime, ObjectId) {
        (&self.user, self.created_at, self.id)
    }
}

impl From<&Notification> for NotificationDocument {
    fn from(notification: &Notification) -> Self {
        let Notification { id, user_id, kind, body, read, created_at } = notification.clone();
        let empty = Self {
            id: object_id(id.bytes()),
            user: user_id.as_str().to_owned(),
            kind: kind.as_str().to_owned(),
            unread: !read,
            standing: false,
            conversation: None,
            message: None,
            title: None,
            text: None,
            link: None,
            data: None,
            created_at: date(created_at),
        };
        match body {
            NotificationBody::Chat { conversation_id, message_id } => Self {
                standing: !read,
                conversation: Some(object_id(conversation_id.bytes())),
                message: Some(object_id(message_id.bytes())),
                ..empty
            },
            NotificationBody::Text { title, message, link, data } => {
                Self { title: Some(title), text: Some(message), link, data, ..empty }
            }
        }
    }
}

impl TryFrom<NotificationDocument> for Notification {
    type Error = BadDocument;

    fn try_from(document: NotificationDocument) -> Result<Self, BadDocument> {
        let NotificationDocument {
            id,
            user,
            kind,
            unread,
            standing: _,
            conversation,
            message,
            title,
            text,
            link,
            data,
            created_at,
        } = document;
        let body = match (conversation, message, title, text) {
            (Some(conversation), Some(message), None, None) => NotificationBody::Chat {
                conversation_id: ConversationId::from_bytes(conversation.bytes()),
                message_id: MessageId::from_bytes(message.bytes()),
            },
            (None, None, Some(title), Some(message)) => NotificationBody::Text { title, message, link, data },
            _ => return Err(BadDocument("notification")),
        };
        Ok(Self {
            id: NotificationId::from_bytes(id.bytes()),
            user_id: user_id(&user)?,
            kind: NotificationKind::from_stored(kind),
            body,
            read: !unread,
            created_at: moment(created_at),
        })
    }
}

#[async_trait]
impl Notifications for MongoStorage {
    async fn insert_notifications(&self, new: Vec<NewNotification>) -> StorageResult<Vec<Counted<Notification>>> {
        Ok(self.make(&notify::Insert { new: &new, wanted: &self.wanted }).await?)
    }

    async fn note_message(&self, note: ChatNote) -> StorageResult<Noted> {
        // While people are away, their notification stands already: that must not wait for anybody.
        let found = self.within(notify::look_up(&mut self.reader(), &note)).await?;
        if found.due.is_empty() {
            return Ok(Noted { made: Vec::new(), standing: found.standing });
        }
        Ok(self.make(&notify::Note { note: &note, wanted: &self.wanted }).await?)
    }

    async fn list_notifications(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> StorageResult<NotificationPage> {
        Ok(self.within(list(&mut self.reader(), user, unread_only, offset, limit)).await?)
    }

    async fn find_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Notification>> {
        Ok(self.within(find(&mut self.reader(), user, inbox::Which::One(id).filter(user))).await?)
    }

    async fn count_unread_notifications(&self, user: &UserId) -> StorageResult<u64> {
        let inbox = self.within(find_inbox(&mut self.reader(), user)).await?;
        Ok(count(inbox.unread).map_err(Failed::from)?)
    }

    async fn mark_notification_read(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> StorageResult<Option<Counted<(Notification, bool)>>> {
        let which = inbox::Which::One(id);
        match self.within(find(&mut self.reader(), user, which.filter(user))).await? {
            None => Ok(None),
            Some(notification) if notification.read => {
                let unread = self.count_unread_notifications(user).await?;
                Ok(Some(Counted { value: (notification, false), unread }))
            }
            Some(_) => Ok(self.make(&inbox::MarkRead { user, which }).await?),
        }
    }

    async fn mark_all_notifications_read(&self, user: &UserId) -> StorageResult<Counted<u64>> {
        if self.count_unread_notifications(user).await? == 0 {
            return Ok(Counted { value: 0, unread: 0 });
        }
        Ok(self.make(&inbox::MarkAllRead { user }).await?)
    }

    async fn mark_conversation_notification_read(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> StorageResult<Option<Counted<NotificationId>>> {
        // Most of what is read has no notification.
        let which = inbox::Which::Standing(conversation);
        if self.within(find(&mut self.reader(), user, which.filter(user))).await?.is_none() {
            return Ok(None);
        }
        let marked = self.make(&inbox::MarkRead { user, which }).await?;
        Ok(marked.map(|Counted { value: (notification, _), unread }| Counted { value: notification.id, unread }))
    }

    async fn remove_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Counted<bool>>> {
        Ok(self.make(&inbox::Remove { user, id }).await?)
    }

    async fn find_preferences(&self, user: &UserId) -> StorageResult<Preferences> {
        Ok(self.within(find_inbox(&mut self.reader(), user)).await?.preferences())
    }

    async fn update_preferences(&self, user: &UserId, change: PreferencesChange) -> StorageResult<Preferences> {
        Ok(self.make(&UpdatePreferences { user, change }).await?)
    }
}

/// How often a page is read while its counts change.
const LOOKS: u32 = 3;

async fn list(
    reader: &mut Reader<'_>,
    user: &UserId,
    unread_only: bool,
    offset: u64,
    limit: usize,
) -> Result<NotificationPage, Failed> {
    let mut filter = doc! { "user": user.as_str() };
    if unread_only {
        filter.insert("unread", true);
    }
    let mut inbox = find_inbox(reader, user).await?;
    let mut looks = 0;
    loop {
        let unread = count(inbox.unread)?;
        let total = if unread_only { unread } else { count(inbox.total)? };
        if offset >= total || limit == 0 {
            return Ok(NotificationPage { items: Vec::new(), total, unread });
        }
        let page = Query::new(NOTIFICATIONS, filter.clone()).sort(doc! { "created_at": -1, "_id": -1 });
        let page: Vec<NotificationDocument> = reader.all(page.skip(offset).limit(limit)).await?;
        let items = stand(reader, user, page).await?;
        if offset == 0 && items.len() < limit {
            // They are all there are, so they say themselves how many.
            let total = items.len() as u64;
            let unread = items.iter().filter(|notification| !notification.read).count() as u64;
            return Ok(NotificationPage { items, total, unread });
        }
        let now = find_inbox(reader, user).await?;
        looks += 1;
        if looks == LOOKS || (now.total, now.unread) == (inbox.total, inbox.unread) {
            return Ok(NotificationPage { items, total, unread });
        }
        inbox = now;
    }
}

/// The user's notification that matches, as it stands.
pub(crate) async fn find(
    reader: &mut Reader<'_>,
    user: &UserId,
    filter: Document,
) -> Result<Option<Notification>, Failed> {
    let found: Option<NotificationDocument> = reader.one(Query::new(NOTIFICATIONS, filter)).await?;
    Ok(stand(reader, user, found.into_iter().collect()).await?.pop())
}

/// One user's notifications with the messages that they stand for at this moment.
pub(crate) async fn stand(
    reader: &mut Reader<'_>,
    user: &UserId,
    documents: Vec<NotificationDocument>,
) -> Result<Vec<Notification>, Failed> {
    #[derive(Deserialize)]
    struct NewestDocument {
        #[serde(rename = "_id")]
        id: ObjectId,
        #[serde(default)]
        last_message: Option<ObjectId>,
    }
    let mut standing: Vec<ObjectId> =
        documents.iter().filter(|document| document.standing).filter_map(|document| document.conversation).collect();
    standing.sort_unstable();
    standing.dedup();
    let mut newest: HashMap<ObjectId, ObjectId> = HashMap::with_capacity(standing.len());
    if !standing.is_empty() {
        // Whoever is no longer in a conversation is not told on of it.
        let filter = doc! { "_id": { "$in": standing }, "people.user": user.as_str() };
        let found = Query::new(CONVERSATIONS, filter).fields(doc! { "last_message": 1 });
        for NewestDocument { id, last_message } in reader.all(found).await? {
            newest.extend(last_message.map(|message| (id, message)));
        }
        // What they wrote themselves they are not told of. It is rare: an answer reads the notification.
        let messages: Vec<ObjectId> = newest.values().copied().collect();
        let own = Query::new(MESSAGES, doc! { "_id": { "$in": messages }, "sender": user.as_str() });
        let own: Vec<PlaceDocument> = reader.all(own.fields(PlaceDocument::fields())).await?;
        for conversation in own.iter().map(PlaceDocument::conversation_id) {
            newest.remove(&object_id(conversation.bytes()));
            let theirs = messages::find_newest(reader, conversation, Some(user)).await?;
            newest.extend(theirs.map(|place| (object_id(conversation.bytes()), object_id(place.id().bytes()))));
        }
    }
    let mut notifications = Vec::with_capacity(documents.len());
    for mut document in documents {
        if document.standing {
            let stands_for = document.conversation.and_then(|id| newest.get(&id)).copied();
            document.message = stands_for.or(document.message);
        }
        notifications.push(document.try_into()?);
    }
    Ok(notifications)
}
