//! Reading a conversation back: pages of its history, and what has changed since a `rev`.

use parlance_domain::model::{ConversationId, Message, MessageId, Page, Rev};
use parlance_domain::ports::Changes;

use crate::state::State;

impl State {
    pub(crate) fn history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Option<Page<Message, MessageId>> {
        let messages = self.rooms.get(&conversation).map_or(&[][..], |room| &room.messages);
        let end = match before {
            Some(id) => messages.binary_search_by_key(&self.seq_in(conversation, id)?, |message| message.seq).ok()?,
            None => messages.len(),
        };
        let items = messages[end.saturating_sub(limit)..end].to_vec();
        let next = items.first().filter(|oldest| oldest.seq > 1).map(|oldest| oldest.id);
        Some(Page { items, next })
    }

    pub(crate) fn changes(&self, conversation: ConversationId, since: Rev, limit: usize) -> Option<Changes> {
        let room = self.rooms.get(&conversation)?;
        let mut changed: Vec<&Message> = room.messages.iter().filter(|message| message.rev > since).collect();
        changed.sort_by_key(|message| message.rev);
        let has_more = changed.len() > limit;
        changed.truncate(limit);
        let last = changed.last().filter(|_| has_more).map_or(room.conversation.rev, |message| message.rev);
        Some(Changes { messages: changed.into_iter().cloned().collect(), rev: last, has_more })
    }
}
