//! Finding messages by the beginnings of their words. It looks at every message of the searcher's conversations, which
//! is honest for thousands; a larger storage keeps an index of words. A word is a run of letters and digits; case and
//! accents are folded away on both sides.

use std::cmp::Reverse;

use parlance_domain::model::{Message, MessageKind, Page, SearchCursor, TimeCursor};
use parlance_domain::ports::SearchQuery;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::failure::Failed;
use crate::room::{self, message_at};
use crate::store::View;

pub(crate) fn messages(view: &impl View, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
    let words: Vec<String> = words.iter().map(|word| fold(word)).collect();
    let place = |message: &Message| (message.created_at, message.id);
    let wanted = |message: &Message| {
        message.kind != MessageKind::System
            && !message.is_tombstone()
            && cursor.is_none_or(|cursor| place(message) < (cursor.at, cursor.id))
            && message.text.as_deref().is_some_and(|text| matches(text, &words))
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

fn matches(text: &str, words: &[String]) -> bool {
    let text = fold(text);
    let said: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    words.iter().all(|word| said.iter().any(|other| other.starts_with(word.as_str())))
}

fn fold(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}
