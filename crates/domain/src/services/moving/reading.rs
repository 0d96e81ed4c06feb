//! Reads a storage in the order of [`Place`]. Storages list one kind of records at a time; here each conversation is
//! joined by its messages and people, so that a reader of the sequence has a conversation whole before the next one.
//! At most a page of each kind is held.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{ConversationId, Place, Record, Seq};
use crate::ports::{Archive, RecordReader, StorageError, StorageResult};

/// Records in a page that a storage is asked for, and in a batch that is handed on.
const PAGE: usize = 1_000;

/// Reads a storage from some place on.
pub(super) struct ArchiveReader {
    archive: Arc<dyn Archive>,
    part: Part,
    users: Feed,
    media: Feed,
    conversations: Feed,
    messages: Feed,
    participants: Feed,
    blocks: Feed,
    notifications: Feed,
    /// The conversation whose messages and people come now.
    current: Option<ConversationId>,
}

/// Which kind comes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Users,
    Media,
    Conversations,
    Blocks,
    Notifications,
    End,
}

impl ArchiveReader {
    /// Reads what comes after this record, or all.
    pub(super) fn new(archive: Arc<dyn Archive>, after: Option<&Place>) -> Self {
        let mut reader = Self {
            archive,
            part: Part::Users,
            users: Feed::new(Place::Users(None)),
            media: Feed::new(Place::Media(None)),
            conversations: Feed::new(Place::Conversations(None)),
            messages: Feed::new(Place::Messages(None)),
            participants: Feed::new(Place::Participants(None)),
            blocks: Feed::new(Place::Blocks(None)),
            notifications: Feed::new(Place::Notifications(None)),
            current: None,
        };
        if let Some(place) = after {
            reader.go_to(place.clone());
        }
        reader
    }

    fn go_to(&mut self, place: Place) {
        match &place {
            Place::Users(_) => (self.part, self.users) = (Part::Users, Feed::new(place)),
            Place::Media(_) => (self.part, self.media) = (Part::Media, Feed::new(place)),
            Place::Conversations(id) => self.go_into(*id, id.map(|id| (id, 0))),
            Place::Messages(key) => self.go_into(key.map(|(id, _)| id), *key),
            Place::Participants(key) => {
                let id = key.as_ref().map(|(id, _)| *id);
                self.go_into(id, id.map(|id| (id, Seq::MAX)));
                self.participants = Feed::new(place);
            }
            Place::Blocks(_) => (self.part, self.blocks) = (Part::Blocks, Feed::new(place)),
            Place::Notifications(_) => (self.part, self.notifications) = (Part::Notifications, Feed::new(place)),
        }
    }

    /// Goes on within a conversation, after this message of it.
    fn go_into(&mut self, conversation: Option<ConversationId>, message: Option<(ConversationId, Seq)>) {
        self.part = Part::Conversations;
        self.current = conversation;
        self.conversations = Feed::new(Place::Conversations(conversation));
        self.messages = Feed::new(Place::Messages(message));
        self.participants = Feed::new(Place::Participants(conversation.map(|id| (id, None))));
    }

    async fn next(&mut self) -> StorageResult<Option<Record>> {
        loop {
            let (next, following) = match self.part {
                Part::Users => (self.users.take(&*self.archive).await?, Part::Media),
                Part::Media => (self.media.take(&*self.archive).await?, Part::Conversations),
                Part::Conversations => (self.next_of_conversations().await?, Part::Blocks),
                Part::Blocks => (self.blocks.take(&*self.archive).await?, Part::Notifications),
                Part::Notifications => (self.notifications.take(&*self.archive).await?, Part::End),
                Part::End => return Ok(None),
            };
            if next.is_some() {
                return Ok(next);
            }
            self.part = following;
        }
    }

    async fn next_of_conversations(&mut self) -> StorageResult<Option<Record>> {
        for feed in [&mut self.messages, &mut self.participants] {
            let home = feed.peek(&*self.archive).await?.and_then(conversation_of);
            if home.is_some() && home == self.current {
                return feed.take(&*self.archive).await;
            }
        }
        let next = self.conversations.take(&*self.archive).await?;
        let id = next.as_ref().and_then(conversation_of);
        // What belongs to no conversation would silently be left behind.
        for feed in [&mut self.messages, &mut self.participants] {
            if let Some(home) = feed.peek(&*self.archive).await?.and_then(conversation_of)
                && id.is_none_or(|id| home < id)
            {
                let what = format!("there is a message or participant of a conversation {home} that is not there");
                return Err(StorageError::Corrupt { source: what.into() });
            }
        }
        self.current = id;
        Ok(next)
    }
}

#[async_trait]
impl RecordReader for ArchiveReader {
    async fn next_records(&mut self) -> StorageResult<Vec<Record>> {
        let mut batch = Vec::with_capacity(PAGE);
        while batch.len() < PAGE
            && let Some(record) = self.next().await?
        {
            batch.push(record);
        }
        Ok(batch)
    }
}

/// The records of one kind, a page at a time.
struct Feed {
    after: Place,
    page: VecDeque<Record>,
    at_end: bool,
}

impl Feed {
    fn new(after: Place) -> Self {
        Self { after, page: VecDeque::new(), at_end: false }
    }

    async fn peek(&mut self, archive: &dyn Archive) -> StorageResult<Option<&Record>> {
        if self.page.is_empty() && !self.at_end {
            self.page = archive.list_records(&self.after, PAGE).await?.into();
            self.at_end = self.page.len() < PAGE;
            if let Some(last) = self.page.back() {
                self.after = last.place();
            }
        }
        Ok(self.page.front())
    }

    async fn take(&mut self, archive: &dyn Archive) -> StorageResult<Option<Record>> {
        self.peek(archive).await?;
        Ok(self.page.pop_front())
    }
}

fn conversation_of(record: &Record) -> Option<ConversationId> {
    match record {
        Record::Conversation(record) => Some(record.conversation.id),
        Record::Message(message) => Some(message.conversation_id),
        Record::Participant(record) => Some(record.conversation_id),
        Record::User(_) | Record::Medium(_) | Record::Blocks(_) | Record::Notification(_) => None,
    }
}
