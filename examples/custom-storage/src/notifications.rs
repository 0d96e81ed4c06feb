//! The `Notifications` port. How one user's are kept and counted is in `inbox`.

use async_trait::async_trait;
use parlance_domain::model::{
    ConversationId, Notification, NotificationBody, NotificationId, NotificationKind, Preferences, PreferencesChange,
    UserId,
};
use parlance_domain::ports::{
    ChatNote, Counted, NewNotification, Noted, NotificationPage, Notifications, StorageResult,
};

use crate::EmbeddedStorage;
use crate::failure::Failed;
use crate::inbox::{self, as_it_stands};
use crate::room;
use crate::store::{View, Writer};
use crate::tables::{self, USERS};
use crate::users;

#[async_trait]
impl Notifications for EmbeddedStorage {
    async fn insert_notifications(&self, new: Vec<NewNotification>) -> StorageResult<Vec<Counted<Notification>>> {
        self.write(move |writer| {
            let mut made = Vec::with_capacity(new.len());
            for NewNotification { id, user_id, kind, title, message, link, data, created_at } in new {
                let Some(mut known) = users::find(writer, &user_id)? else { continue };
                if known.preferences.want(&kind) {
                    let body = NotificationBody::Text { title, message, link, data };
                    let notification = Notification { id, user_id, kind, body, read: false, created_at };
                    writer.tell(&mut known, &notification)?;
                    made.push(notification);
                }
            }
            counted(writer, made)
        })
        .await
    }

    async fn note_message(&self, note: ChatNote) -> StorageResult<Noted> {
        self.write(move |writer| writer.note(note)).await
    }

    async fn list_notifications(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> StorageResult<NotificationPage> {
        let user = user.clone();
        self.read(move |view| {
            let Some(known) = users::find(view, &user)? else {
                return Ok(NotificationPage { items: Vec::new(), total: 0, unread: 0 });
            };
            let found = inbox::list(view, &user, unread_only, usize::try_from(offset).unwrap_or(usize::MAX), limit)?;
            let items = found.into_iter().map(|notification| as_it_stands(view, notification));
            let total = if unread_only { known.unread } else { known.notifications };
            Ok(NotificationPage { items: items.collect::<Result<_, _>>()?, total, unread: known.unread })
        })
        .await
    }

    async fn find_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Notification>> {
        let user = user.clone();
        self.read(move |view| {
            let found = inbox::find(view, &user, id)?;
            found.map(|notification| as_it_stands(view, notification)).transpose()
        })
        .await
    }

    async fn count_unread_notifications(&self, user: &UserId) -> StorageResult<u64> {
        let user = user.clone();
        self.read(move |view| Ok(users::find(view, &user)?.map_or(0, |known| known.unread))).await
    }

    async fn mark_notification_read(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> StorageResult<Option<Counted<(Notification, bool)>>> {
        let user = user.clone();
        self.write(move |writer| {
            let Some(found) = inbox::find(writer, &user, id)? else { return Ok(None) };
            let mut known = writer.load(&USERS, &tables::of_user(&user))?;
            let changed = !found.read;
            let notification = writer.read_note(&mut known, found)?;
            Ok(Some(Counted { value: (notification, changed), unread: known.unread }))
        })
        .await
    }

    async fn mark_all_notifications_read(&self, user: &UserId) -> StorageResult<Counted<u64>> {
        let user = user.clone();
        self.write(move |writer| {
            let Some(mut known) = users::find(writer, &user)? else { return Ok(Counted { value: 0, unread: 0 }) };
            let unread = inbox::list(writer, &user, true, 0, usize::MAX)?;
            let marked = unread.len() as u64;
            for notification in unread {
                writer.read_note(&mut known, notification)?;
            }
            Ok(Counted { value: marked, unread: known.unread })
        })
        .await
    }

    async fn mark_conversation_notification_read(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> StorageResult<Option<Counted<NotificationId>>> {
        let asked = user.clone();
        if self.read(move |view| inbox::standing(view, &asked, conversation)).await?.is_none() {
            return Ok(None);
        }
        let user = user.clone();
        self.write(move |writer| {
            let Some(found) = inbox::standing(writer, &user, conversation)? else { return Ok(None) };
            let mut known = writer.load(&USERS, &tables::of_user(&user))?;
            let notification = writer.read_note(&mut known, found)?;
            Ok(Some(Counted { value: notification.id, unread: known.unread }))
        })
        .await
    }

    async fn remove_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Counted<bool>>> {
        let user = user.clone();
        self.write(move |writer| {
            let Some(found) = inbox::find(writer, &user, id)? else { return Ok(None) };
            let mut known = writer.load(&USERS, &tables::of_user(&user))?;
            writer.remove_note(&mut known, &found)?;
            Ok(Some(Counted { value: !found.read, unread: known.unread }))
        })
        .await
    }

    async fn find_preferences(&self, user: &UserId) -> StorageResult<Preferences> {
        let user = user.clone();
        self.read(
            move |view| Ok(users::find(view, &user)?.map_or_else(Preferences::default, |known| known.preferences)),
        )
        .await
    }

    async fn update_preferences(&self, user: &UserId, change: PreferencesChange) -> StorageResult<Preferences> {
        let user = user.clone();
        self.write(move |writer| {
            let mut known = writer.load(&USERS, &tables::of_user(&user))?;
            known.preferences = known.preferences.with(change);
            writer.put(&USERS, &tables::of_user(&user), &known)?;
            Ok(known.preferences)
        })
        .await
    }
}

impl Writer {
    fn note(&mut self, note: ChatNote) -> Result<Noted, Failed> {
        let ChatNote { conversation_id, message_id, users, created_at } = note;
        let kind = NotificationKind::chat_message();
        let message = room::message(self, message_id)?.filter(|message| message.conversation_id == conversation_id);
        let room = room::find(self, conversation_id)?;
        let (mut made, mut standing) = (Vec::<Notification>::new(), Vec::new());
        for (user_id, id) in users {
            let Some(mut known) = users::find(self, &user_id)? else { continue };
            if inbox::standing(self, &user_id, conversation_id)?.is_some() {
                // Somebody named twice is told once.
                if made.iter().all(|notification| notification.user_id != user_id) {
                    standing.push(user_id);
                }
                continue;
            }
            let (Some(room), Some(message)) = (&room, &message) else { continue };
            if known.preferences.want(&kind) && room.is_ahead_of(&user_id, message) {
                let body = NotificationBody::Chat { conversation_id, message_id };
                let notification = Notification { id, user_id, kind: kind.clone(), body, read: false, created_at };
                self.tell(&mut known, &notification)?;
                made.push(as_it_stands(self, notification)?);
            }
        }
        Ok(Noted { made: counted(self, made)?, standing })
    }
}

/// Each with its user's unread count after all.
fn counted(view: &impl View, made: Vec<Notification>) -> Result<Vec<Counted<Notification>>, Failed> {
    let mut counted = Vec::with_capacity(made.len());
    for value in made {
        let unread = users::find(view, &value.user_id)?.map_or(0, |known| known.unread);
        counted.push(Counted { value, unread });
    }
    Ok(counted)
}
