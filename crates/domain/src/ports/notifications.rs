//! Notifications and preferences, remembered.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{
    ConversationId, MessageId, Notification, NotificationId, NotificationKind, Preferences, PreferencesChange,
    Timestamp, UserId,
};

/// A notification that a product sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Identity.
    pub id: NotificationId,
    /// Whose it will be.
    pub user_id: UserId,
    /// Its type; never `chat_message`.
    pub kind: NotificationKind,
    /// What it is about.
    pub title: String,
    /// What it says.
    pub message: String,
    /// Where a click leads.
    pub link: Option<String>,
    /// JSON for the product's clients.
    pub data: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// A message that some participants are not looking at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatNote {
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// Who is to be told, each with an identity for the notification; those that are not needed are thrown away.
    pub users: Vec<(UserId, NotificationId)>,
    /// When.
    pub created_at: Timestamp,
}

/// A page of somebody's notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationPage {
    /// Newest first, those of one moment by descending id.
    pub items: Vec<Notification>,
    /// How many there are on all pages.
    pub total: u64,
    /// How many of the user's are unread, whatever was asked for.
    pub unread: u64,
}

/// How much is unread, and what a change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// What it came to.
    pub value: T,
    /// The user's unread notifications after it.
    pub unread: u64,
}

/// What became of a chat note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Notifications that were made, each with its user's unread count after it.
    pub made: Vec<Counted<Notification>>,
    /// Who had an unread one of this conversation already, which now stands for the new message.
    pub standing: Vec<UserId>,
}

/// Storage of notifications. Counts cost the same however many notifications there are.
///
/// An unread chat notification stands for its conversation's newest message. Somebody who is no longer in the
/// conversation is not told on of it: theirs stands for the message that it was made for.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Notifications: Send + Sync {
    /// Stores notifications, in one transaction with a number of statements that does not depend on how many; those
    /// whose user does not exist, or does not want their type, are left out. Answers with those that were stored, in
    /// order, each with its user's unread count after all.
    async fn insert_notifications(&self, new: Vec<NewNotification>) -> StorageResult<Vec<Counted<Notification>>>;

    /// Makes a chat notification for each of `note.users` who has no unread one of this conversation, wants such
    /// notifications, is still in the conversation and has not read the message meanwhile; for nobody who sent it or
    /// came in after it, and for nobody at all if it is not in the conversation. Of two notes at once for one
    /// conversation and user, one makes it. The number of statements does not depend on the number of users.
    async fn note_message(&self, note: ChatNote) -> StorageResult<Noted>;

    /// The page of `user`'s notifications after `offset` newer ones, at most `limit`; only unread ones if asked, also
    /// in the total. Page and counts are of one moment: a client adds to them what happens from then on. (Where a storage
    /// has no snapshots, a page that holds all is, and any other is but for changes that come thick and fast.)
    async fn list_notifications(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> StorageResult<NotificationPage>;

    /// One of `user`'s notifications, as it stands; `None` if it is not theirs, or has been removed.
    async fn find_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Notification>>;

    /// How many of `user`'s notifications are unread.
    async fn count_unread_notifications(&self, user: &UserId) -> StorageResult<u64>;

    /// Marks one as read; what it stands for at this moment it stands for from now on. `None` if it is not `user`'s;
    /// the flag says whether it was unread. Idempotent.
    async fn mark_notification_read(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> StorageResult<Option<Counted<(Notification, bool)>>>;

    /// Marks all as read, likewise; says how many were not. Idempotent.
    async fn mark_all_notifications_read(&self, user: &UserId) -> StorageResult<Counted<u64>>;

    /// Marks `user`'s notification of a conversation as read, likewise; `None` if there is no unread one, which is
    /// found out without waiting for writers. Idempotent.
    async fn mark_conversation_notification_read(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> StorageResult<Option<Counted<NotificationId>>>;

    /// Those of `places` in which the user has an unread notification of the conversation; all of them where that cannot
    /// be found out with one statement, without waiting for writers.
    async fn list_standing_notifications(
        &self,
        places: &[(UserId, ConversationId)],
    ) -> StorageResult<Vec<(UserId, ConversationId)>> {
        Ok(places.to_vec())
    }

    /// Removes one; says whether it was unread, `None` if it is not `user`'s.
    async fn remove_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Counted<bool>>>;

    /// What `user` wants to be told; the defaults if they never said.
    async fn find_preferences(&self, user: &UserId) -> StorageResult<Preferences>;

    /// Changes what `user`, who must exist, wants to be told, and returns it. What they were told before stays.
    async fn update_preferences(&self, user: &UserId, change: PreferencesChange) -> StorageResult<Preferences>;
}
