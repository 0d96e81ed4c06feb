//! The `Notifications` port. How one user's are kept and counted is in `inbox`.

use async_trait::async_trait;
use parlance_domain::model::{
    ConversationId, Message, MessageId, Notification, NotificationBody, NotificationId, NotificationKind, Preferences,
    PreferencesChange, UserId,
};
use parlance_domain::ports::{
    ChatNote, Counted, NewNotification, Noted, NotificationPage, Notifications, StorageResult,
};

use crate::MemoryStorage;
use crate::inbox::Inbox;
use crate::state::State;

#[async_trait]
impl Notifications for MemoryStorage {
    async fn insert_notifications(&self, new: Vec<NewNotification>) -> StorageResult<Vec<Counted<Notification>>> {
        let mut state = self.state();
        let mut made = Vec::with_capacity(new.len());
        for NewNotification { id, user_id, kind, title, message, link, data, created_at } in new {
            if !state.users.contains_key(&user_id) || !state.preferences(&user_id).want(&kind) {
                continue;
            }
            let body = NotificationBody::Text { title, message, link, data };
            let notification = Notification { id, user_id, kind, body, read: false, created_at };
            state.inbox(&notification.user_id).insert(notification.clone());
            made.push(notification);
        }
        let events = state.post.wanted.notified(&made);
        state.post.add(events);
        Ok(state.counted(made))
    }

    async fn note_message(&self, note: ChatNote) -> StorageResult<Noted> {
        let mut state = self.state();
        let ChatNote { conversation_id, message_id, users, created_at } = note;
        let (mut made, mut standing) = (Vec::new(), Vec::new());
        for (user_id, id) in users {
            let stands = state.inboxes.get(&user_id).is_some_and(|inbox| inbox.standing(conversation_id).is_some());
            if stands {
                standing.push(user_id);
            } else if state.is_due(&user_id, conversation_id, message_id) {
                let kind = NotificationKind::chat_message();
                let body = NotificationBody::Chat { conversation_id, message_id };
                let notification = Notification { id, user_id, kind, body, read: false, created_at };
                state.inbox(&notification.user_id).insert(notification.clone());
                made.push(notification);
            }
        }
        // Somebody named twice was told once.
        standing.retain(|user| made.iter().all(|notification| notification.user_id != *user));
        let events = state.post.wanted.notified(&made);
        state.post.add(events);
        let made = made.iter().map(|notification| state.as_it_stands(notification)).collect();
        Ok(Noted { made: state.counted(made), standing })
    }

    async fn list_notifications(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> StorageResult<NotificationPage> {
        let state = self.state();
        let Some(inbox) = state.inboxes.get(user) else {
            return Ok(NotificationPage { items: Vec::new(), total: 0, unread: 0 });
        };
        let wanted = inbox.newest_first().filter(|notification| !unread_only || !notification.read);
        let page = wanted.skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(limit);
        let items = page.map(|notification| state.as_it_stands(notification)).collect();
        let unread = inbox.unread();
        Ok(NotificationPage { items, total: if unread_only { unread } else { inbox.total() }, unread })
    }

    async fn find_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Notification>> {
        let state = self.state();
        let found = state.inboxes.get(user).and_then(|inbox| inbox.find(id));
        Ok(found.map(|notification| state.as_it_stands(notification)))
    }

    async fn count_unread_notifications(&self, user: &UserId) -> StorageResult<u64> {
        Ok(self.state().inboxes.get(user).map_or(0, Inbox::unread))
    }

    async fn mark_notification_read(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> StorageResult<Option<Counted<(Notification, bool)>>> {
        let mut state = self.state();
        let changed = state.mark(user, id);
        let Some(inbox) = state.inboxes.get(user) else { return Ok(None) };
        let unread = inbox.unread();
        Ok(inbox.find(id).map(|notification| Counted { value: (notification.clone(), changed), unread }))
    }

    async fn mark_all_notifications_read(&self, user: &UserId) -> StorageResult<Counted<u64>> {
        let mut state = self.state();
        let unread = state.inboxes.get(user).map_or_else(Vec::new, Inbox::unread_ids);
        let marked = unread.iter().filter(|id| state.mark(user, **id)).count();
        Ok(Counted { value: marked as u64, unread: 0 })
    }

    async fn mark_conversation_notification_read(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> StorageResult<Option<Counted<NotificationId>>> {
        let mut state = self.state();
        let Some(id) = state.inboxes.get(user).and_then(|inbox| inbox.standing(conversation)) else { return Ok(None) };
        state.mark(user, id);
        Ok(Some(Counted { value: id, unread: state.inbox(user).unread() }))
    }

    async fn remove_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Counted<bool>>> {
        let mut state = self.state();
        let Some(inbox) = state.inboxes.get_mut(user) else { return Ok(None) };
        Ok(inbox.remove(id).map(|removed| Counted { value: !removed.read, unread: inbox.unread() }))
    }

    async fn find_preferences(&self, user: &UserId) -> StorageResult<Preferences> {
        Ok(self.state().preferences(user))
    }

    async fn update_preferences(&self, user: &UserId, change: PreferencesChange) -> StorageResult<Preferences> {
        let mut state = self.state();
        state.must_know([user])?;
        let inbox = state.inbox(user);
        inbox.preferences = inbox.preferences.with(change);
        Ok(inbox.preferences)
    }
}

impl State {
    pub(crate) fn inbox(&mut self, user: &UserId) -> &mut Inbox {
        self.inboxes.entry(user.clone()).or_default()
    }

    pub(crate) fn preferences(&self, user: &UserId) -> Preferences {
        self.inboxes.get(user).map_or_else(Preferences::default, |inbox| inbox.preferences)
    }

    /// Whether somebody who has no unread notification of the conversation is to be told of a message.
    fn is_due(&self, user: &UserId, conversation: ConversationId, message: MessageId) -> bool {
        let Some(room) = self.rooms.get(&conversation) else { return false };
        let Some(seq) = self.seq_in(conversation, message) else { return false };
        self.preferences(user).want(&NotificationKind::chat_message()) && room.is_ahead_of(user, seq)
    }

    /// The notification with the message that it stands for at this moment.
    fn as_it_stands(&self, notification: &Notification) -> Notification {
        let mut notification = notification.clone();
        if let NotificationBody::Chat { conversation_id, message_id } = &mut notification.body {
            let room = self.rooms.get(conversation_id).filter(|_| !notification.read);
            let room = room.filter(|room| room.role(&notification.user_id).is_some());
            let others = |message: &&Message| message.sender_id != notification.user_id;
            let newest = room.and_then(|room| room.messages.iter().rev().find(others));
            *message_id = newest.map_or(*message_id, |newest| newest.id);
        }
        notification
    }

    /// Marks one as read; says whether it was unread.
    fn mark(&mut self, user: &UserId, id: NotificationId) -> bool {
        let Some(found) = self.inboxes.get(user).and_then(|inbox| inbox.find(id)) else { return false };
        let message = match self.as_it_stands(found).body {
            NotificationBody::Chat { message_id, .. } => Some(message_id),
            NotificationBody::Text { .. } => None,
        };
        self.inbox(user).read(id, message).is_some()
    }

    fn counted(&self, made: Vec<Notification>) -> Vec<Counted<Notification>> {
        let unread = |notification: &Notification| self.inboxes.get(&notification.user_id).map_or(0, Inbox::unread);
        made.into_iter().map(|value| Counted { unread: unread(&value), value }).collect()
    }
}
