//! Notifications: made for those who are not looking, read on one device and so on all, counted. Who is
//! told of a message is worked out by one worker behind the commit, in the order of what happened, so that sends
//! do not wait for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::closing::{Closing, Switch, closing};
use super::fresh_cache::FreshCache;
use super::notification_views::NotificationViews;
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::turns::Turns;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{
    ConversationId, MessageId, Notification, NotificationId, NotificationKind, NotificationView, Preferences,
    PreferencesChange, UserId,
};
use crate::ports::{ChatNote, Clock, Counted, IdSource, NewNotification, Notifications, Rooms};

/// The most things that wait to be noted; beyond that the writer waits, and senders with it.
const QUEUE: usize = 8_192;
/// The most things that are looked at together.
const BATCH: usize = 1_024;
/// The most notifications that are stored in one transaction.
const CHUNK: usize = 500;
/// Who is known to have an unread notification of a conversation; for them nothing is asked of the storage.
const STANDING: u64 = 200_000;
const STANDING_TTL: Duration = Duration::from_mins(1);
/// The most unread notifications and pages that an offset may pass over.
const MAX_PAGE: u64 = 100_000;

type Standing = FreshCache<(ConversationId, UserId), ()>;

enum Happened {
    Message { conversation_id: ConversationId, message_id: MessageId, sender: UserId },
    Read { conversation_id: ConversationId, reader: UserId },
}

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
pub struct Notifying(Arc<Shared>);

pub(super) struct Needs {
    pub(super) notifications: Arc<dyn Notifications>,
    pub(super) views: NotificationViews,
    pub(super) publisher: Publisher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) rosters: Rosters,
    pub(super) rooms: Arc<dyn Rooms>,
}

struct Shared {
    notifications: Arc<dyn Notifications>,
    views: NotificationViews,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    standing: Standing,
    turns: Turns,
    happened: mpsc::Sender<Happened>,
    switch: Switch,
}

/// Notes what happened.
pub struct Notifier {
    shared: Arc<Shared>,
    happened: mpsc::Receiver<Happened>,
    closing: Closing,
    rosters: Rosters,
    rooms: Arc<dyn Rooms>,
}

impl Notifying {
    pub(super) fn new(needs: Needs) -> (Self, Notifier) {
        let Needs { notifications, views, publisher, clock, ids, rosters, rooms } = needs;
        let (queue, happened) = mpsc::channel(QUEUE);
        let (switch, closing) = closing();
        let standing = FreshCache::new(STANDING, STANDING_TTL);
        let turns = Turns::new();
        let shared =
            Arc::new(Shared { notifications, views, publisher, clock, ids, standing, turns, happened: queue, switch });
        (Self(shared.clone()), Notifier { shared, happened, closing, rosters, rooms })
    }

    /// A page of `user`'s notifications; `page` counts from 1.
    ///
    /// # Errors
    /// `Validation` of `page` for one beyond 100,000.
    pub async fn list(&self, user: &UserId, unread_only: bool, page: u64, limit: usize) -> Result<NotificationsPage> {
        if !(1..=MAX_PAGE).contains(&page) {
            return Err(Error::validation("page", format!("must be from 1 to {MAX_PAGE}")));
        }
        let offset = (page - 1) * limit as u64;
        let found = self.0.notifications.list_notifications(user, unread_only, offset, limit).await?;
        let unread = self.unread(user).await?;
        Ok(NotificationsPage { notifications: self.0.views.of(found.items).await?, total: found.total, unread })
    }

    /// How many of `user`'s notifications are unread.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn unread(&self, user: &UserId) -> Result<u64> {
        Ok(self.0.notifications.count_unread_notifications(user).await?)
    }

    /// Marks one as read.
    ///
    /// # Errors
    /// `NotFound` if it is not theirs.
    pub async fn mark_read(&self, user: &UserId, id: NotificationId) -> Result<NotificationView> {
        let turn = self.0.turns.of([user]).await;
        let marked = self.0.notifications.mark_notification_read(user, id).await?;
        let Counted { value: (notification, changed), unread } = marked.ok_or(NOT_FOUND)?;
        if changed {
            self.0.read(user, notification.conversation(), id, unread).await;
        }
        drop(turn);
        self.0.views.of(vec![notification]).await?.pop().ok_or(NOT_FOUND)
    }

    /// Marks all as read; says how many were not.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn mark_all_read(&self, user: &UserId) -> Result<u64> {
        let _turn = self.0.turns.of([user]).await;
        let marked = self.0.notifications.mark_all_notifications_read(user).await?;
        self.0.standing.forget_all();
        if marked.value > 0 {
            self.0.publisher.publish(Event::NotificationsReadAll { user_id: user.clone() }).await;
        }
        Ok(marked.value)
    }

    /// Removes one.
    ///
    /// # Errors
    /// `NotFound` if it is not theirs.
    pub async fn remove(&self, user: &UserId, id: NotificationId) -> Result<()> {
        let _turn = self.0.turns.of([user]).await;
        let removed = self.0.notifications.remove_notification(user, id).await?.ok_or(NOT_FOUND)?;
        self.0.standing.forget_all();
        if removed.value {
            let event = Event::NotificationRemoved { user_id: user.clone(), id, unread: removed.unread };
            self.0.publisher.publish(event).await;
        }
        Ok(())
    }

    /// What `user` wants to be told.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn preferences(&self, user: &UserId) -> Result<Preferences> {
        Ok(self.0.notifications.find_preferences(user).await?)
    }

    /// Changes what `user` wants to be told.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn prefer(&self, user: &UserId, change: PreferencesChange) -> Result<Preferences> {
        Ok(self.0.notifications.update_preferences(user, change).await?)
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
                users.by_ref().take(CHUNK).map(|user| self.0.notification(user, notice)).collect();
            if new.is_empty() {
                return Ok(made);
            }
            let _turn = self.0.turns.of(new.iter().map(|new| &new.user_id)).await;
            let stored = self.0.notifications.insert_notifications(new).await?;
            made += stored.len() as u64;
            self.0.announce(stored).await;
        }
    }

    /// A message was stored: those who are not looking are told, soon.
    pub(super) async fn message_stored(&self, conversation_id: ConversationId, message_id: MessageId, sender: UserId) {
        // Fails only when the node goes down.
        let _ = self.0.happened.send(Happened::Message { conversation_id, message_id, sender }).await;
    }

    /// Somebody has read all of a conversation: its notification is read with it, soon.
    pub(super) async fn conversation_read(&self, conversation_id: ConversationId, reader: UserId) {
        let _ = self.0.happened.send(Happened::Read { conversation_id, reader }).await;
    }

    /// Nothing happens any more.
    pub(super) fn close(&self) {
        self.0.switch.close();
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

impl Shared {
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

    async fn announce(&self, stored: Vec<Counted<Notification>>) {
        for Counted { value, unread } in stored {
            let user_id = value.user_id.clone();
            match self.views.of(vec![value]).await {
                Ok(mut views) => {
                    if let Some(view) = views.pop() {
                        let notification = Box::new(view);
                        self.publisher.publish(Event::NotificationNew { user_id, notification, unread }).await;
                    }
                }
                Err(error) => tracing::warn!(user = %user_id, %error, "a notification is stored and not announced"),
            }
        }
    }

    async fn read(&self, user: &UserId, conversation: Option<ConversationId>, id: NotificationId, unread: u64) {
        if let Some(conversation) = conversation {
            self.standing.forget(&(conversation, user.clone()));
        }
        self.publisher.publish(Event::NotificationRead { user_id: user.clone(), id, unread }).await;
    }
}

impl Notifier {
    /// Notes until the writer has ended and everything is noted.
    pub async fn run(mut self) {
        let mut happened = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = self.happened.recv_many(&mut happened, BATCH) => {
                    if count == 0 {
                        return;
                    }
                }
                () = self.closing.closed(), if !self.happened.is_closed() => self.happened.close(),
            }
            for thing in coalesced(happened.drain(..)) {
                let noted = match thing {
                    Happened::Message { conversation_id, message_id, sender } => {
                        self.message(conversation_id, message_id, &sender).await
                    }
                    Happened::Read { conversation_id, reader } => {
                        self.conversation_read(conversation_id, &reader).await
                    }
                };
                if let Err(error) = noted {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a notification is not kept up");
                }
            }
        }
    }

    async fn message(&self, conversation_id: ConversationId, message_id: MessageId, sender: &UserId) -> Result<()> {
        let shared = &*self.shared;
        let roster = self.rosters.load(conversation_id).await?;
        let looking = self.rooms.present(conversation_id);
        let known = |user: &UserId| shared.standing.get(&(conversation_id, user.clone())).is_some();
        let away = roster.others(sender).filter(|user| !looking.contains(*user) && !known(user));
        let away: Vec<UserId> = away.cloned().collect();
        for users in away.chunks(CHUNK) {
            let seen = shared.standing.seen();
            let _turn = shared.turns.of(users).await;
            let users = users.iter().map(|user| (user.clone(), shared.ids.next_id().into())).collect();
            let note = ChatNote { conversation_id, message_id, users, created_at: shared.clock.now() };
            let noted = shared.notifications.note_message(note).await?;
            let made = noted.made.iter().map(|made| made.value.user_id.clone());
            for user in made.chain(noted.standing) {
                shared.standing.keep(seen, (conversation_id, user), ());
            }
            shared.announce(noted.made).await;
        }
        Ok(())
    }

    async fn conversation_read(&self, conversation_id: ConversationId, reader: &UserId) -> Result<()> {
        let shared = &*self.shared;
        shared.standing.forget(&(conversation_id, reader.clone()));
        let _turn = shared.turns.of([reader]).await;
        if let Some(read) = shared.notifications.mark_conversation_notification_read(reader, conversation_id).await? {
            shared.read(reader, Some(conversation_id), read.value, read.unread).await;
        }
        Ok(())
    }
}

/// Of several messages of a conversation with no reading between them, only the newest needs to be noted: a sender
/// has read what came before.
fn coalesced(happened: impl Iterator<Item = Happened>) -> Vec<Happened> {
    let mut kept: Vec<Happened> = Vec::new();
    let mut newest: HashMap<ConversationId, usize> = HashMap::new();
    for thing in happened {
        match &thing {
            Happened::Message { conversation_id, .. } => {
                if let Some(at) = newest.get(conversation_id) {
                    kept[*at] = thing;
                    continue;
                }
                newest.insert(*conversation_id, kept.len());
            }
            Happened::Read { conversation_id, .. } => {
                newest.remove(conversation_id);
            }
        }
        kept.push(thing);
    }
    kept
}

#[cfg(test)]
mod tests;
