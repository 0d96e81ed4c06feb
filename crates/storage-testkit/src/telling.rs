//! What people are told in a world, and what they upload. Methods insist on an answer, and where they hand back
//! one user's notifications, on counts that agree with them.

use parlance_domain::model::{
    ConversationId, MediaLink, MediaType, Medium, MediumId, Message, MessageId, MessageKind, NewMessage, Notification,
    NotificationBody, NotificationId, NotificationKind, PreferencesChange, ProfileChange, Timestamp, User, UserId,
};
use parlance_domain::ports::{ChatNote, Counted, NewNotification, Noted};

use crate::World;

impl World {
    /// Something that a product says, of this type.
    pub fn notice_of(&self, kind: &str, user: &UserId) -> NewNotification {
        NewNotification {
            id: self.id(),
            user_id: user.clone(),
            kind: NotificationKind::new(kind).expect("a valid type"),
            title: "Title".to_owned(),
            message: "What it says".to_owned(),
            link: None,
            data: None,
            created_at: self.now(),
        }
    }

    /// Stores notices.
    pub async fn tell(&self, notices: Vec<NewNotification>) -> Vec<Counted<Notification>> {
        self.storage().insert_notifications(notices).await.expect("the storage answers")
    }

    /// Tells somebody something; they want it.
    pub async fn tell_one(&self, user: &UserId) -> Notification {
        let mut told = self.tell(vec![self.notice_of("system", user)]).await;
        assert_eq!(told.len(), 1, "a notice for somebody who exists is stored");
        told.remove(0).value
    }

    /// Tells people of a message.
    pub async fn note(&self, message: &Message, users: &[&UserId]) -> Noted {
        self.note_as(message.conversation_id, message.id, users).await
    }

    /// Tells people of a message by its id.
    pub async fn note_as(&self, conversation_id: ConversationId, message_id: MessageId, users: &[&UserId]) -> Noted {
        let users = users.iter().map(|user| ((*user).clone(), self.id())).collect();
        let note = ChatNote { conversation_id, message_id, users, created_at: self.now() };
        self.storage().note_message(note).await.expect("the storage answers")
    }

    /// Tells one person of a message, who is to be told.
    pub async fn note_one(&self, message: &Message, user: &UserId) -> Notification {
        let mut noted = self.note(message, &[user]).await;
        assert_eq!((noted.made.len(), noted.standing.len()), (1, 0), "somebody who is away is told");
        noted.made.remove(0).value
    }

    /// Everything that somebody was told and did not remove, newest first.
    pub async fn told(&self, user: &UserId) -> Vec<Notification> {
        let page = self.storage().list_notifications(user, false, 0, 100_000).await.expect("the storage answers");
        assert_eq!(page.total, page.items.len() as u64, "the total is the number of notifications");
        let unread = self.storage().list_notifications(user, true, 0, 100_000).await.expect("the storage answers");
        let expected: Vec<_> = page.items.iter().filter(|notification| !notification.read).cloned().collect();
        assert_eq!(unread.items, expected, "the unread ones are those that are not read, in the same order");
        assert_eq!(unread.total, expected.len() as u64, "their total is their number");
        assert_eq!(self.untold(user).await, unread.total, "and so is the count");
        page.items
    }

    /// How many of somebody's notifications are unread.
    pub async fn untold(&self, user: &UserId) -> u64 {
        self.storage().count_unread_notifications(user).await.expect("the storage answers")
    }

    /// Marks a notification as read.
    pub async fn mark_told(&self, user: &UserId, id: NotificationId) -> Option<Counted<(Notification, bool)>> {
        self.storage().mark_notification_read(user, id).await.expect("the storage answers")
    }

    /// Marks all as read.
    pub async fn mark_all_told(&self, user: &UserId) -> Counted<u64> {
        self.storage().mark_all_notifications_read(user).await.expect("the storage answers")
    }

    /// Marks the notification of a conversation as read.
    pub async fn mark_noted(&self, user: &UserId, id: ConversationId) -> Option<Counted<NotificationId>> {
        self.storage().mark_conversation_notification_read(user, id).await.expect("the storage answers")
    }

    /// One of somebody's notifications.
    pub async fn find_told(&self, user: &UserId, id: NotificationId) -> Option<Notification> {
        self.storage().find_notification(user, id).await.expect("the storage answers")
    }

    /// Removes a notification.
    pub async fn forget_told(&self, user: &UserId, id: NotificationId) -> Option<Counted<bool>> {
        self.storage().remove_notification(user, id).await.expect("the storage answers")
    }

    /// Somebody does, or does not, want to be told of messages.
    pub async fn want_chat(&self, user: &UserId, chat: bool) {
        let change = PreferencesChange { chat: Some(chat), ..PreferencesChange::default() };
        let wanted = self.storage().update_preferences(user, change).await.expect("the storage answers");
        assert_eq!(wanted.chat, chat, "a change of preferences answers with what is wanted now");
    }

    /// A picture of somebody's, without a thumbnail, on its way into storage.
    pub fn medium(&self, uploader: &UserId) -> Medium {
        self.medium_of(uploader, self.now())
    }

    /// The same at some moment.
    pub fn medium_of(&self, uploader: &UserId, uploaded_at: Timestamp) -> Medium {
        Medium {
            id: self.id(),
            uploader: uploader.clone(),
            media_type: MediaType::Image,
            format: "png".to_owned(),
            content_type: "image/png".to_owned(),
            filename: "a b.png".to_owned(),
            bytes: 70,
            digest: "ab".repeat(32),
            dimensions: None,
            thumbnail: None,
            uploaded_at,
        }
    }

    /// Somebody uploads a picture.
    pub async fn upload(&self, uploader: &UserId) -> Medium {
        let medium = self.medium(uploader);
        self.storage().insert_medium(&medium).await.expect("the storage answers");
        medium
    }

    /// A message with this medium on its way into storage.
    pub fn showing(&self, conversation: ConversationId, sender: &UserId, medium: &Medium) -> NewMessage {
        self.linking(conversation, sender, &medium.url("/media/"))
    }

    /// A message with this link on its way into storage.
    pub fn linking(&self, conversation: ConversationId, sender: &UserId, url: &str) -> NewMessage {
        let link = MediaLink {
            url: url.to_owned(),
            media_type: MediaType::Image,
            filename: None,
            size: None,
            thumbnail_url: None,
        };
        let kind = MessageKind::Media(MediaType::Image);
        NewMessage { media: vec![link], kind, ..self.draft(conversation, sender, "look") }
    }

    /// The medium with this id.
    pub async fn found_medium(&self, id: MediumId) -> Option<Medium> {
        self.storage().find_medium(id).await.expect("the storage answers")
    }

    /// All media that nothing uses.
    pub async fn unused(&self) -> Vec<MediumId> {
        let far = Timestamp::from_millis(i64::MAX / 4);
        self.storage().list_unused_media(far, 10_000).await.expect("the storage answers")
    }

    /// Removes a medium if nothing uses it.
    pub async fn remove_medium(&self, id: MediumId) -> bool {
        self.storage().remove_medium(id).await.expect("the storage answers")
    }

    /// Somebody takes another picture of themselves, or none.
    pub async fn picture(&self, user: &UserId, picture: Option<&str>) -> User {
        let change = ProfileChange { name: None, picture: Some(picture.map(str::to_owned)) };
        let user = self.storage().update_profile(user, &change).await.expect("the storage answers");
        user.expect("somebody who exists has a profile")
    }
}

/// The message that a chat notification stands for.
pub(crate) fn stands_for(notification: &Notification) -> MessageId {
    let message = match notification.body {
        NotificationBody::Chat { message_id, .. } => Some(message_id),
        NotificationBody::Text { .. } => None,
    };
    message.expect("a chat notification points at a message")
}
