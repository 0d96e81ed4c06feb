//! Fills messages and conversations in with what clients are shown beside them: people, the message
//! that is answered, how far each has come. A page costs a fixed number of storage calls.

use std::collections::HashMap;
use std::sync::Arc;

use super::directory::Directory;
use crate::error::{Error, Result};
use crate::model::{
    ConversationView, Message, MessageId, MessageStatus, MessageView, ReplyView, User, UserId, Watermarks,
};
use crate::ports::{ConversationEntry, Messages, Receipts};

/// Makes views.
#[derive(Clone)]
pub(super) struct Views {
    messages: Arc<dyn Messages>,
    receipts: Arc<dyn Receipts>,
    directory: Directory,
}

impl Views {
    pub(super) fn new(messages: Arc<dyn Messages>, receipts: Arc<dyn Receipts>, directory: Directory) -> Self {
        Self { messages, receipts, directory }
    }

    /// Views of stored messages, in the same order.
    pub(super) async fn messages(&self, messages: Vec<Message>) -> Result<Vec<MessageView>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let reply_ids = distinct(messages.iter().filter_map(|message| message.reply_to));
        let originals = if reply_ids.is_empty() { Vec::new() } else { self.messages.list_messages(&reply_ids).await? };
        let originals: HashMap<MessageId, Message> =
            originals.into_iter().map(|message| (message.id, message)).collect();
        let people = distinct(messages.iter().chain(originals.values()).map(|message| message.sender_id.clone()));
        let users = self.directory.find_all(&people).await?;
        let conversations = distinct(messages.iter().map(|message| message.conversation_id));
        let marks: HashMap<_, Watermarks> = self.receipts.list_watermarks(&conversations).await?.into_iter().collect();
        let view = |message: Message| {
            let status = marks
                .get(&message.conversation_id)
                .map_or(MessageStatus::Sent, |marks| marks.status(&message.sender_id, message.seq));
            let original = message.reply_to.and_then(|id| originals.get(&id));
            MessageView {
                sender: person(&users, &message.sender_id),
                reply_to: original.map(|original| reply(original, person(&users, &original.sender_id))),
                status,
                message,
            }
        };
        Ok(messages.into_iter().map(view).collect())
    }

    /// The view of one stored message.
    pub(super) async fn message(&self, message: Message) -> Result<MessageView> {
        self.messages(vec![message]).await?.pop().ok_or(Error::MessageNotFound)
    }

    /// The view of a message that has just been stored. What cannot be looked up now is shown by id: the message is
    /// stored, and its delivery does not wait for a name.
    pub(super) async fn fresh(
        &self,
        message: Message,
        sender: User,
        original: Option<Message>,
        status: MessageStatus,
    ) -> MessageView {
        let reply_to = match original {
            None => None,
            Some(original) => {
                let author = self.directory.find(&original.sender_id).await;
                let author = author.unwrap_or_else(|_| User::nameless(original.sender_id.clone()));
                Some(reply(&original, author))
            }
        };
        MessageView { message, sender, reply_to, status }
    }

    /// Views of conversations, in the same order.
    pub(super) async fn conversations(&self, entries: Vec<ConversationEntry>) -> Result<Vec<ConversationView>> {
        let people = distinct(entries.iter().flat_map(|entry| entry.participants.iter().map(|p| p.user_id.clone())));
        let users = self.directory.find_all(&people).await?;
        let last: Vec<Message> = entries.iter().filter_map(|entry| entry.last_message.clone()).collect();
        let mut last = self.messages(last).await?.into_iter();
        let view = |entry: ConversationEntry| ConversationView {
            participants: entry.participants.iter().map(|p| (person(&users, &p.user_id), p.role)).collect(),
            last_message: entry.last_message.as_ref().and_then(|_| last.next()),
            unread: entry.unread,
            conversation: entry.conversation,
        };
        Ok(entries.into_iter().map(view).collect())
    }

    /// The view of one conversation.
    pub(super) async fn conversation(&self, entry: ConversationEntry) -> Result<ConversationView> {
        self.conversations(vec![entry]).await?.pop().ok_or(Error::ConversationNotFound)
    }
}

fn reply(original: &Message, sender: User) -> ReplyView {
    ReplyView { id: original.id, text: original.text.clone(), sender }
}

fn person(users: &HashMap<UserId, User>, id: &UserId) -> User {
    users.get(id).cloned().unwrap_or_else(|| User::nameless(id.clone()))
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}
