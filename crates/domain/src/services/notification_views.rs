//! Fills notifications in with what they say. A chat notification takes its words from the message that it
//! stands for, so an edit shows and a deletion leaves nothing. Who is no longer in the group is shown none of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::directory::Directory;
use super::rosters::Rosters;
use crate::error::Result;
use crate::model::{
    Conversation, ConversationId, ConversationKind, MediaType, Message, MessageId, MessageKind, Notification,
    NotificationBody, NotificationId, NotificationView, User, UserId,
};
use crate::ports::{Conversations, Messages};

/// The most characters of a message that a notification repeats.
const PREVIEW_CHARS: usize = 200;

/// Makes views of notifications.
#[derive(Clone)]
pub(super) struct NotificationViews {
    conversations: Arc<dyn Conversations>,
    messages: Arc<dyn Messages>,
    directory: Directory,
    rosters: Rosters,
}

impl NotificationViews {
    pub(super) fn new(
        conversations: Arc<dyn Conversations>,
        messages: Arc<dyn Messages>,
        directory: Directory,
        rosters: Rosters,
    ) -> Self {
        Self { conversations, messages, directory, rosters }
    }

    /// Views of notifications, in the same order, for a fixed number of storage calls, and one for each group whose
    /// members are not known here at the moment.
    pub(super) async fn of(&self, notifications: Vec<Notification>) -> Result<Vec<NotificationView>> {
        let chats = || {
            notifications.iter().filter_map(|notification| match notification.body {
                NotificationBody::Chat { conversation_id, message_id } => Some((conversation_id, message_id)),
                NotificationBody::Text { .. } => None,
            })
        };
        let message_ids: Vec<MessageId> = chats().map(|(_, id)| id).collect();
        if message_ids.is_empty() {
            return Ok(notifications.into_iter().map(|notification| view(notification, &Said::default())).collect());
        }
        let conversation_ids: Vec<ConversationId> = chats().map(|(id, _)| id).collect();
        let messages = self.messages.list_messages(&message_ids).await?;
        let conversations = self.conversations.list_conversations(&conversation_ids).await?;
        let senders: Vec<UserId> = messages.iter().map(|message| message.sender_id.clone()).collect();
        let elsewhere = self.elsewhere(&notifications, &conversations).await?;
        let said = Said {
            messages: messages.into_iter().map(|message| (message.id, message)).collect(),
            conversations: conversations.into_iter().map(|conversation| (conversation.id, conversation)).collect(),
            senders: self.directory.find_all(&senders).await?,
            elsewhere,
        };
        Ok(notifications.into_iter().map(|notification| view(notification, &said)).collect())
    }

    /// Those of the notifications whose owner is not in their group any more. Nobody leaves a direct conversation.
    async fn elsewhere(
        &self,
        notifications: &[Notification],
        conversations: &[Conversation],
    ) -> Result<HashSet<NotificationId>> {
        let mut elsewhere = HashSet::new();
        for group in conversations.iter().filter(|conversation| conversation.kind == ConversationKind::Group) {
            let roster = self.rosters.load(group.id).await?;
            let of_group = notifications.iter().filter(|notification| notification.conversation() == Some(group.id));
            elsewhere.extend(of_group.filter(|one| !roster.contains(&one.user_id)).map(|one| one.id));
        }
        Ok(elsewhere)
    }
}

/// What chat notifications of a page stand for.
#[derive(Default)]
struct Said {
    messages: HashMap<MessageId, Message>,
    conversations: HashMap<ConversationId, Conversation>,
    senders: HashMap<UserId, User>,
    /// Notifications of people who have left.
    elsewhere: HashSet<NotificationId>,
}

fn view(notification: Notification, said: &Said) -> NotificationView {
    let Notification { id, user_id: _, kind, body, read, created_at } = notification;
    match body {
        NotificationBody::Text { title, message, link, data } => {
            NotificationView { id, kind, title, message, link, conversation_id: None, data, read, created_at }
        }
        NotificationBody::Chat { conversation_id, .. } if said.elsewhere.contains(&id) => NotificationView {
            id,
            kind,
            title: "Group".to_owned(),
            message: "You are no longer in this group".to_owned(),
            link: None,
            conversation_id: Some(conversation_id),
            data: Some(format!(r#"{{"conversationId":"{conversation_id}"}}"#)),
            read,
            created_at,
        },
        NotificationBody::Chat { conversation_id, message_id } => {
            let message = said.messages.get(&message_id);
            let sender = message.and_then(|message| said.senders.get(&message.sender_id));
            let name = sender.map_or("Somebody", |sender| sender.name.as_str());
            let conversation = said.conversations.get(&conversation_id);
            let group = conversation.filter(|conversation| conversation.kind == ConversationKind::Group);
            let preview = message.map_or_else(String::new, preview);
            let (title, text) = match group.and_then(|group| group.title.as_ref()) {
                Some(title) => (title.as_str().to_owned(), format!("{name}: {preview}")),
                None => (name.to_owned(), preview),
            };
            NotificationView {
                id,
                kind,
                title,
                message: text,
                link: None,
                conversation_id: Some(conversation_id),
                data: Some(format!(r#"{{"conversationId":"{conversation_id}","messageId":"{message_id}"}}"#)),
                read,
                created_at,
            }
        }
    }
}

/// The beginning of a message, or what was sent instead of words.
pub(super) fn preview(message: &Message) -> String {
    let said = match (&message.text, message.kind) {
        _ if message.is_tombstone() => "This message was deleted",
        (Some(text), _) => text.as_str(),
        (None, MessageKind::Media(MediaType::Image)) => "Sent a photo",
        (None, MessageKind::Media(MediaType::Video)) => "Sent a video",
        (None, _) => "Sent a file",
    };
    let mut preview: String = said.chars().take(PREVIEW_CHARS).collect();
    if preview.len() < said.len() {
        preview.push('…');
    }
    preview
}
