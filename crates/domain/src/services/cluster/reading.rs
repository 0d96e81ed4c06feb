//! Looking into the storage for what this node was not told: what changed in one conversation, and which conversations
//! of those who are held have moved.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::following::Shared;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{ConversationId, MessageView, Rev, UserId};
use crate::ports::{Conversations, Head, Messages, Topic};
use crate::services::rosters::Rosters;
use crate::services::views::Views;

/// The most messages that are read at a time; the next ones are after that.
const PAGE: usize = 200;
/// The most people whose conversations are asked for at a time.
const PEOPLE: usize = 500;

/// What was found of one conversation.
#[derive(Debug)]
pub(super) struct Found {
    /// Messages as they are now, in `rev` order.
    pub(super) messages: Vec<MessageView>,
    /// Everybody in the conversation.
    pub(super) participants: Arc<[UserId]>,
    /// Up to here everything is found.
    pub(super) until: Rev,
}

/// Reads what was missed.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) messages: Arc<dyn Messages>,
    pub(super) conversations: Arc<dyn Conversations>,
    pub(super) rosters: Rosters,
    pub(super) views: Views,
}

impl Reader {
    /// What changed in a conversation since `since`.
    pub(super) async fn read(&self, conversation: ConversationId, since: Rev) -> Result<Found> {
        let changes = self.messages.list_changes(conversation, since, PAGE).await?;
        let changes = changes.ok_or(Error::ConversationNotFound)?;
        if changes.messages.is_empty() {
            return Ok(Found { messages: Vec::new(), participants: Arc::new([]), until: changes.rev });
        }
        let messages = self.views.messages(changes.messages).await?;
        // One of them may tell of somebody who came or went.
        self.rosters.forget(conversation);
        let roster = self.rosters.load(conversation).await?;
        Ok(Found { messages, participants: roster.users().clone(), until: changes.rev })
    }

    /// Compares what everybody who is held is in with what is followed. What moved is noted as behind; the events say
    /// who was added or removed without this node being told.
    pub(super) async fn look(&self, shared: &Shared) -> Result<Vec<Event>> {
        let people = shared.holdings.lock().people();
        let mut events = Vec::new();
        for people in people.chunks(PEOPLE) {
            let before = shared.holdings.lock().conversations_of(people);
            let heads = self.conversations.list_heads(people).await?;
            let compared = compare(shared, people, &before, &heads);
            for (user_id, conversation_id) in compared.left {
                self.rosters.forget(conversation_id);
                events.push(Event::ParticipantRemoved { conversation_id, user_id });
            }
            for (user, conversation) in compared.entered {
                events.extend(self.new_to(user, conversation).await?);
            }
        }
        Ok(events)
    }

    async fn new_to(&self, user: UserId, conversation: ConversationId) -> Result<Option<Event>> {
        self.rosters.forget(conversation);
        let Some(entry) = self.conversations.find_entry(conversation, &user).await? else { return Ok(None) };
        let mut view = self.views.conversation(entry).await?;
        view.unread = 0;
        Ok(Some(Event::ConversationNew { conversation: Box::new(view), users: [user].into() }))
    }
}

/// Who is in what, and this node was not told.
struct Compared {
    entered: Vec<(UserId, ConversationId)>,
    left: Vec<(UserId, ConversationId)>,
}

fn compare(shared: &Shared, people: &[UserId], before: &[(UserId, ConversationId)], heads: &[Head]) -> Compared {
    let now = Instant::now();
    let mut holdings = shared.holdings.lock();
    // Whoever has just connected is not told of conversations that they were in before.
    let fresh: HashSet<&UserId> = people.iter().filter(|user| !holdings.is_ready(user)).collect();
    let known: HashSet<(&UserId, ConversationId)> = before.iter().map(|(user, id)| (user, *id)).collect();
    let there: HashSet<(&UserId, ConversationId)> =
        heads.iter().map(|head| (&head.user_id, head.conversation_id)).collect();
    let mut entered = Vec::new();
    let mut topics: Vec<Topic> = Vec::new();
    for head in heads {
        let new = !known.contains(&(&head.user_id, head.conversation_id));
        let is_in = holdings.is_in(&head.user_id, head.conversation_id);
        topics.extend(holdings.compare(head, now));
        if new && !is_in && !fresh.contains(&head.user_id) {
            entered.push((head.user_id.clone(), head.conversation_id));
        }
    }
    shared.link.follow(topics);
    let left: Vec<_> = before.iter().filter(|(user, id)| !there.contains(&(user, *id))).cloned().collect();
    let gone = left.iter().filter_map(|(user, id)| holdings.leave(user, *id)).collect();
    shared.link.unfollow(gone);
    Compared { entered, left }
}

/// What a message that was read is told as: this node's sockets have heard of it before, or not. What exactly has
/// changed about it is not known, so one that was edited or reacted to is told as it is now.
pub(super) fn event_of(message: MessageView, new: bool, participants: &Arc<[UserId]>) -> Event {
    let message = Box::new(message);
    if new {
        Event::MessageNew { message, participants: Arc::clone(participants), origin: None }
    } else if message.message.is_tombstone() {
        Event::MessageDeleted { message }
    } else {
        Event::MessageEdited { message }
    }
}
