//! One user's notifications and what they want to be told. Every unread chat notification is in `standing`
//! under its conversation, and `unread` counts the unread ones, so that asking for either costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use parlance_domain::model::{
    ConversationId, MessageId, Notification, NotificationBody, NotificationId, Preferences, Timestamp,
};

/// Where a notification is in its user's list, which is walked from the end.
type Place = (Timestamp, NotificationId);

/// What somebody was told.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) preferences: Preferences,
    notifications: BTreeMap<Place, Notification>,
    places: HashMap<NotificationId, Place>,
    standing: HashMap<ConversationId, NotificationId>,
    unread: u64,
}

impl Inbox {
    pub(crate) fn total(&self) -> u64 {
        self.notifications.len() as u64
    }

    pub(crate) fn unread(&self) -> u64 {
        self.unread
    }

    /// Newest first, those of one moment by descending id.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Notification> {
        self.notifications.values().rev()
    }

    /// As they are stored, oldest first, those of one moment in id order.
    pub(crate) fn oldest_first_after(&self, after: Option<Place>) -> impl Iterator<Item = &Notification> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.notifications.range((after, Bound::Unbounded)).map(|(_, notification)| notification)
    }

    pub(crate) fn find(&self, id: NotificationId) -> Option<&Notification> {
        self.notifications.get(self.places.get(&id)?)
    }

    /// The unread notification of a conversation.
    pub(crate) fn standing(&self, conversation: ConversationId) -> Option<NotificationId> {
        self.standing.get(&conversation).copied()
    }

    /// The unread ones, in no order.
    pub(crate) fn unread_ids(&self) -> Vec<NotificationId> {
        self.notifications.values().filter(|notification| !notification.read).map(|unread| unread.id).collect()
    }

    pub(crate) fn insert(&mut self, notification: Notification) {
        if !notification.read {
            self.unread += 1;
            if let Some(conversation) = notification.conversation() {
                self.standing.insert(conversation, notification.id);
            }
        }
        let place = (notification.created_at, notification.id);
        self.places.insert(notification.id, place);
        self.notifications.insert(place, notification);
    }

    /// Marks an unread one as read, which stands for `message` from now on if it is of a conversation.
    pub(crate) fn read(&mut self, id: NotificationId, message: Option<MessageId>) -> Option<&Notification> {
        let notification = self.notifications.get_mut(self.places.get(&id)?).filter(|one| !one.read)?;
        notification.read = true;
        self.unread -= 1;
        if let NotificationBody::Chat { conversation_id, message_id } = &mut notification.body {
            self.standing.remove(conversation_id);
            *message_id = message.unwrap_or(*message_id);
        }
        Some(notification)
    }

    pub(crate) fn remove(&mut self, id: NotificationId) -> Option<Notification> {
        let removed = self.notifications.remove(&self.places.remove(&id)?)?;
        if !removed.read {
            self.unread -= 1;
            if let Some(conversation) = removed.conversation() {
                self.standing.remove(&conversation);
            }
        }
        Some(removed)
    }
}
