//! One user's notifications: the documents, their indexes, and the counts beside the user, which move together.

use parlance_domain::model::{ConversationId, Notification, NotificationBody, NotificationId, UserId};

use crate::failure::Failed;
use crate::records::NotificationRecord;
use crate::room;
use crate::store::{Scan, View, Writer};
use crate::tables::{self, NOTES, NOTIFICATIONS, STANDING, UNREAD, USERS};
use crate::users::Known;

/// A notification of a user's.
pub(crate) fn find(view: &impl View, user: &UserId, id: NotificationId) -> Result<Option<Notification>, Failed> {
    let Some(key) = view.bytes(NOTES, &tables::note(user, id))? else { return Ok(None) };
    Ok(Some(view.load(&NOTIFICATIONS, &key)?.0))
}

/// The unread notification of a conversation.
pub(crate) fn standing(view: &impl View, user: &UserId, id: ConversationId) -> Result<Option<Notification>, Failed> {
    let Some(key) = view.bytes(STANDING, &tables::of_user_in(user, id))? else { return Ok(None) };
    Ok(Some(view.load(&NOTIFICATIONS, &key)?.0))
}

/// A part of the list, newest first. Only unread ones if asked.
pub(crate) fn list(
    view: &impl View,
    user: &UserId,
    unread_only: bool,
    skip: usize,
    limit: usize,
) -> Result<Vec<Notification>, Failed> {
    let index = if unread_only { UNREAD } else { NOTIFICATIONS.raw };
    let scan = Scan { backwards: true, skip, limit, ..Scan::of(&tables::of_user(user)) };
    let keys = view.entries(index, scan)?;
    keys.iter().map(|(key, _)| Ok(view.load(&NOTIFICATIONS, key)?.0)).collect()
}

/// The notification with the message that it stands for at this moment.
pub(crate) fn as_it_stands(view: &impl View, mut notification: Notification) -> Result<Notification, Failed> {
    if let NotificationBody::Chat { conversation_id, message_id } = &mut notification.body
        && !notification.read
        && let Some(room) = room::find(view, *conversation_id)?
        && room.role(&notification.user_id).is_some()
        && let Some(newest) = room::newest_of_others(view, &room, &notification.user_id)?
    {
        *message_id = newest.id;
    }
    Ok(notification)
}

impl Writer {
    /// A new one, unread.
    pub(crate) fn tell(&mut self, known: &mut Known, notification: &Notification) -> Result<(), Failed> {
        let user = &notification.user_id;
        let key = tables::in_inbox(user, notification.created_at, notification.id);
        self.put_bytes(NOTES, &tables::note(user, notification.id), &key)?;
        self.put_bytes(UNREAD, &key, &[])?;
        if let Some(conversation) = notification.conversation() {
            self.put_bytes(STANDING, &tables::of_user_in(user, conversation), &key)?;
        }
        self.put(&NOTIFICATIONS, &key, &NotificationRecord(notification.clone()))?;
        known.notifications += 1;
        known.unread += 1;
        self.put(&USERS, &tables::of_user(user), known)
    }

    /// An unread one is read, and from now on stands for what it stands for at this moment.
    pub(crate) fn read_note(&mut self, known: &mut Known, notification: Notification) -> Result<Notification, Failed> {
        if notification.read {
            return Ok(notification);
        }
        let mut notification = as_it_stands(self, notification)?;
        notification.read = true;
        let key = self.no_longer_unread(known, &notification)?;
        self.put(&NOTIFICATIONS, &key, &NotificationRecord(notification.clone()))?;
        Ok(notification)
    }

    pub(crate) fn remove_note(&mut self, known: &mut Known, notification: &Notification) -> Result<(), Failed> {
        known.notifications = known.notifications.saturating_sub(1);
        let key = if notification.read {
            self.put(&USERS, &tables::of_user(&notification.user_id), known)?;
            tables::in_inbox(&notification.user_id, notification.created_at, notification.id)
        } else {
            self.no_longer_unread(known, notification)?
        };
        self.remove(NOTES, &tables::note(&notification.user_id, notification.id))?;
        self.remove(NOTIFICATIONS.raw, &key)
    }

    fn no_longer_unread(&mut self, known: &mut Known, notification: &Notification) -> Result<Vec<u8>, Failed> {
        let user = &notification.user_id;
        let key = tables::in_inbox(user, notification.created_at, notification.id);
        self.remove(UNREAD, &key)?;
        if let Some(conversation) = notification.conversation() {
            self.remove(STANDING, &tables::of_user_in(user, conversation))?;
        }
        known.unread = known.unread.saturating_sub(1);
        self.put(&USERS, &tables::of_user(user), known)?;
        Ok(key)
    }
}
