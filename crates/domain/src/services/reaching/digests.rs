//! Works out what somebody who is away is told, from what is unread at this moment.

use std::sync::Arc;

use crate::error::Result;
use crate::model::{Address, ConversationId, Message, Notification, Subject, User, UserId};
use crate::ports::{Digest, Messages, Notifications, Receipts, Words};
use crate::services::directory::Directory;
use crate::services::notification_views::{NotificationViews, preview};

/// How many unread notifications are looked through at a time for the one that is meant, and how often. Whoever has
/// more, and newer ones, is told of those.
const PAGE: usize = 100;
const PAGES: u64 = 5;
/// How far back a conversation is looked through for what others wrote: their own messages lie between.
const HISTORY: usize = 50;

/// Makes digests.
pub(super) struct Digests {
    pub(super) notifications: Arc<dyn Notifications>,
    pub(super) messages: Arc<dyn Messages>,
    pub(super) receipts: Arc<dyn Receipts>,
    pub(super) views: NotificationViews,
    pub(super) directory: Directory,
}

impl Digests {
    /// What `user` is told of a subject; `None` if there is nothing unread of it any more, or they have left.
    pub(super) async fn of(&self, user: &UserId, subject: Subject, addresses: Vec<Address>) -> Result<Option<Digest>> {
        let Some(notification) = self.find(user, subject).await? else { return Ok(None) };
        let (unread, words) = match subject {
            Subject::Notification(_) => (1, Vec::new()),
            Subject::Conversation(id) => match self.waiting(user, id).await? {
                Some(waiting) => waiting,
                None => return Ok(None),
            },
        };
        let user = self.directory.find(user).await?;
        let Some(notification) = self.views.of(vec![notification]).await?.pop() else { return Ok(None) };
        Ok(Some(Digest { user, addresses, notification, unread, words }))
    }

    /// The unread notification of a subject.
    async fn find(&self, user: &UserId, subject: Subject) -> Result<Option<Notification>> {
        let is_meant = |one: &Notification| match subject {
            Subject::Conversation(id) => one.conversation() == Some(id),
            Subject::Notification(id) => one.id == id,
        };
        for page in 0..PAGES {
            let page = self.notifications.list_notifications(user, true, page * PAGE as u64, PAGE).await?;
            let last = page.items.len() < PAGE;
            let found = page.items.into_iter().find(is_meant);
            if found.is_some() || last {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// How much is unread in a conversation, and the newest of it; `None` if nothing is, or they are not in it.
    async fn waiting(&self, user: &UserId, id: ConversationId) -> Result<Option<(u64, Vec<Words>)>> {
        let unread = self.receipts.list_unread_of(id, std::slice::from_ref(user)).await?;
        let Some((_, unread)) = unread.into_iter().find(|(_, unread)| *unread > 0) else { return Ok(None) };
        let Some(history) = self.messages.list_history(id, None, HISTORY).await? else { return Ok(None) };
        let most = usize::try_from(unread).map_or(Digest::MAX_WORDS, |unread| unread.min(Digest::MAX_WORDS));
        let others = history.items.into_iter().rev();
        let others = others.filter(|message| message.sender_id != *user && !message.is_tombstone());
        let mut newest: Vec<Message> = others.take(most).collect();
        newest.reverse();
        let senders: Vec<UserId> = newest.iter().map(|message| message.sender_id.clone()).collect();
        let senders = self.directory.find_all(&senders).await?;
        let from = |id: &UserId| senders.get(id).cloned().unwrap_or_else(|| User::nameless(id.clone())).name;
        let words = newest.iter().map(|message| Words { from: from(&message.sender_id), text: preview(message) });
        Ok(Some((unread, words.collect())))
    }
}
