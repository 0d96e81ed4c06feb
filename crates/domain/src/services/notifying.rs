//! Notifications: made for those who are not looking, read on one device and so on all, counted. Whatever changes
//! them queues for one worker, the [`Notifier`], behind the commit of what it is about: sends do not wait for it, and
//! devices hear of changes in the order in which they were stored, so no badge stays at the count before the last.

mod notifier;
mod standing;

use std::sync::Arc;

use notifier::Change;
pub use notifier::Notifier;
use standing::Standing;

use super::cluster::Lookers;
use super::notification_views::NotificationViews;
use super::publisher::Publisher;
use super::queue::QueueIn;
use super::reaching::Reaching;
use super::rosters::Rosters;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{
    ConversationId, MessageId, NotificationId, NotificationKind, NotificationView, Preferences, PreferencesChange,
    UserId,
};
use crate::ports::{Clock, IdSource, NewNotification, NotificationPage, Notifications};

/// The most changes that wait to be noted; beyond that the writer waits, and senders with it.
const CAPACITY: usize = 8_192;
/// The most people who are told with one transaction.
const CHUNK: usize = 500;

/// What a product tells its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its type, not `chat_message`.
    pub kind: NotificationKind,
    /// 1 to 200 characters.
    pub title: String,
    /// At most 2,000 characters.
    pub message: String,
    /// Where a click leads: a path of the product, or http(s); at most 2,048 bytes.
    pub link: Option<String>,
    /// JSON for the product's clients, at most 8 KiB.
    pub data: Option<String>,
}

/// A page of somebody's notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationsPage {
    /// Newest first.
    pub notifications: Vec<NotificationView>,
    /// How many there are on all pages.
    pub total: u64,
    /// How many are unread.
    pub unread: u64,
}

/// Everybody's notifications.
#[derive(Clone)]
pub struct Notifying {
    notifications: Arc<dyn Notifications>,
    views: NotificationViews,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    standing: Standing,
    queue: QueueIn<Change>,
}

pub(super) struct Needs {
    pub(super) notifications: Arc<dyn Notifications>,
    pub(super) views: NotificationViews,
    pub(super) publisher: Publisher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) rosters: Rosters,
    pub(super) lookers: Lookers,
    pub(super) reaching: Reaching,
}

impl Notifying {
    /// The most pages that can be turned.
    pub const MAX_PAGE: u64 = 100_000;

    pub(super) fn new(needs: Needs) -> (Self, Notifier) {
        let (queue, queued) = super::queue::queue(CAPACITY);
        let standing = Standing::default();
        let Needs { notifications, views, clock, ids, .. } = &needs;
        let notifying = Self {
            notifications: notifications.clone(),
            views: views.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            standing: standing.clone(),
            queue,
        };
        (notifying, Notifier::new(queued, standing, needs))
    }

    /// Something happened on another node: what is remembered here of unread notifications may not hold any more.
    pub(super) fn heard(&self, event: &Event) {
        match event {
            // Which conversation a notification is of is not said.
            Event::NotificationRead { .. } | Event::NotificationsReadAll { .. } | Event::NotificationRemoved { .. } => {
                self.standing.forget_all();
            }
            _ => {}
        }
    }

    /// A page of `user`'s notifications; `page` counts from 1.
    ///
    /// # Errors
    /// `Validation` of `page` for one beyond 100,000.
    pub async fn list(&self, user: &UserId, unread_only: bool, page: u64, limit: usize) -> Result<NotificationsPage> {
        if !(1..=Self::MAX_PAGE).contains(&page) {
            return Err(Error::validation("page", format!("must be from 1 to {}", Self::MAX_PAGE)));
        }
        let offset = (page - 1) * limit as u64;
        let found = self.notifications.list_notifications(user, unread_only, offset, limit).await?;
        let NotificationPage { items, total, unread } = found;
        Ok(NotificationsPage { notifications: self.views.of(items).await?, total, unread })
    }

    /// How many of `user`'s notifications are unread.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn unread(&self, user: &UserId) -> Result<u64> {
        Ok(self.notifications.count_unread_notifications(user).await?)
    }

    /// Marks one as read.
    ///
    /// # Errors
    /// `NotFound` if it is not theirs.
    pub async fn mark_read(&self, user: &UserId, id: NotificationId) -> Result<NotificationView> {
        let marked = self.queue.carry_out(|answer| Change::MarkRead(user.clone(), id, answer)).await?;
        self.views.of(vec![marked]).await?.pop().ok_or(NOT_FOUND)
    }

    /// Marks all as read; says how many were not.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn mark_all_read(&self, user: &UserId) -> Result<u64> {
        self.queue.carry_out(|answer| Change::MarkAllRead(user.clone(), answer)).await
    }

    /// Removes one.
    ///
    /// # Errors
    /// `NotFound` if it is not theirs.
    pub async fn remove(&self, user: &UserId, id: NotificationId) -> Result<()> {
        self.queue.carry_out(|answer| Change::Remove(user.clone(), id, answer)).await
    }

    /// What `user` wants to be told.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn preferences(&self, user: &UserId) -> Result<Preferences> {
        Ok(self.notifications.find_preferences(user).await?)
    }

    /// Changes what `user` wants to be told.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn prefer(&self, user: &UserId, change: PreferencesChange) -> Result<Preferences> {
        Ok(self.notifications.update_preferences(user, change).await?)
    }

    /// Tells many users something; says how many notifications were made. Users who do not exist or do not want the
    /// type are left out. Memory does not grow with the number of users: they are taken 500 at a time.
    ///
    /// # Errors
    /// `Validation` of the notice's fields; after a failure those before it have been told.
    pub async fn notify(&self, users: impl IntoIterator<Item = UserId>, notice: &Notice) -> Result<u64> {
        check(notice)?;
        let mut users = users.into_iter();
        let mut made = 0;
        loop {
            let new: Vec<NewNotification> =
                users.by_ref().take(CHUNK).map(|user| self.notification(user, notice)).collect();
            if new.is_empty() {
                return Ok(made);
            }
            made += self.queue.carry_out(|answer| Change::Insert(new, answer)).await?;
        }
    }

    /// A message was stored: those who are not looking are told, soon.
    pub(super) async fn message_stored(&self, conversation_id: ConversationId, message_id: MessageId, sender: UserId) {
        self.put(Change::Message { conversation_id, message_id, sender }).await;
    }

    /// Somebody has read all of a conversation: its notification is read with it, soon.
    pub(super) async fn conversation_read(&self, conversation_id: ConversationId, reader: UserId) {
        self.put(Change::Read { conversation_id, reader }).await;
    }

    /// Nothing happens any more.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    async fn put(&self, change: Change) {
        if self.queue.put(change).await.is_err() {
            tracing::debug!("not noted: the node is going down");
        }
    }

    fn notification(&self, user_id: UserId, notice: &Notice) -> NewNotification {
        NewNotification {
            id: self.ids.next_id().into(),
            user_id,
            kind: notice.kind.clone(),
            title: notice.title.trim().to_owned(),
            message: notice.message.clone(),
            link: notice.link.clone(),
            data: notice.data.clone(),
            created_at: self.clock.now(),
        }
    }
}

const NOT_FOUND: Error = Error::NotFound("Notification not found");

fn check(notice: &Notice) -> Result<()> {
    const MAX_LINK_BYTES: usize = 2_048;
    const MAX_DATA_BYTES: usize = 8_192;
    if notice.kind == NotificationKind::chat_message() {
        return Err(Error::validation("type", "must not be chat_message, which only messages make"));
    }
    if notice.title.trim().is_empty() || notice.title.chars().count() > 200 {
        return Err(Error::validation("title", "must have 1 to 200 characters"));
    }
    if notice.message.chars().count() > 2_000 {
        return Err(Error::validation("message", "must have at most 2000 characters"));
    }
    for (field, text) in [("title", &notice.title), ("message", &notice.message)] {
        if text.contains('\0') {
            return Err(Error::validation(field, "must not contain NUL"));
        }
    }
    let safe = |link: &String| {
        let leads = ["/", "https://", "http://"].iter().any(|start| link.starts_with(start));
        leads && link.len() <= MAX_LINK_BYTES && !link.chars().any(char::is_control)
    };
    if !notice.link.as_ref().is_none_or(safe) {
        return Err(Error::validation("link", "must be a path or an http(s) link of at most 2048 bytes"));
    }
    if notice.data.as_ref().is_some_and(|data| data.len() > MAX_DATA_BYTES) {
        return Err(Error::validation("data", "must have at most 8 KiB as JSON"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
