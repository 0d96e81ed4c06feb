//! Finding messages by the beginnings of their words. It looks at every message of the searcher's conversations, which
//! is honest for thousands; a larger storage keeps an index of words. What a word is, `rules::search` says.

use std::cmp::Reverse;

use parlance_domain::model::{Message, MessageKind, Page, SearchCursor, TimeCursor};
use parlance_domain::ports::SearchQuery;
use parlance_domain::rules::search;

use crate::failure::Failed;
use crate::room::{self, message_at};
use crate::store::View;

pub(crate) fn messages(view: &impl View, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
    let Some(beginnings) = search::beginnings(words) else { return Ok(Page { items: Vec::new(), next: None }) };
    let place = |message: &Message| (message.created_at, message.id);
    let wanted = |message: &Message| {
        message.kind != MessageKind::System
            && !message.is_tombstone()
            && cursor.is_none_or(|cursor| place(message) < (cursor.at, cursor.id))
            && message.text.as_deref().is_some_and(|text| matches(text, &beginnings))
    };
    let mut rooms = room::of(view, user_id)?;
    rooms.retain(|room| conversation_id.is_none_or(|id| room.conversation.id == id));
    let mut found: Vec<Message> = Vec::new();
    for room in rooms {
        for seq in 1..=room.conversation.last_seq {
            found.extend(message_at(view, room.conversation.id, seq)?.filter(wanted));
        }
        // No more than the page is kept of what has been looked at.
        found.sort_by_key(|message| Reverse(place(message)));
        found.truncate(limit.saturating_add(1));
    }
    Ok(Page::cut(found, *limit, |last| TimeCursor { at: last.created_at, id: last.id }))
}

fn matches(text: &str, beginnings: &[String]) -> bool {
    let said = search::indexed(text);
    beginnings.iter().all(|beginning| said.iter().any(|word| word.starts_with(beginning.as_str())))
}
