//! Finding messages by the beginnings of their words. A word is a run of letters and digits; case and
//! accents are folded away on both sides. Looks at every message, which is all that a reference needs.

use std::cmp::Reverse;

use parlance_domain::model::{Message, MessageKind, Page, SearchCursor, TimeCursor};
use parlance_domain::ports::SearchQuery;
use parlance_domain::rules::search::fold;

use crate::room::Room;
use crate::state::State;

impl State {
    pub(crate) fn search(&self, query: &SearchQuery) -> Page<Message, SearchCursor> {
        let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
        let words: Vec<String> = words.iter().map(|word| fold(word)).collect();
        let place = |message: &Message| (message.created_at, message.id);
        let in_scope = |room: &&Room| conversation_id.is_none_or(|id| room.conversation.id == id);
        let mut found: Vec<&Message> = self
            .rooms_of(user_id)
            .filter(in_scope)
            .flat_map(|room| &room.messages)
            .filter(|message| message.kind != MessageKind::System && !message.is_tombstone())
            .filter(|message| cursor.is_none_or(|cursor| place(message) < (cursor.at, cursor.id)))
            .filter(|message| message.text.as_deref().is_some_and(|text| matches(text, &words)))
            .collect();
        found.sort_by_key(|message| Reverse(place(message)));
        found.truncate(limit.saturating_add(1));
        Page::cut(found.into_iter().cloned().collect(), *limit, |last| TimeCursor { at: last.created_at, id: last.id })
    }
}

fn matches(text: &str, words: &[String]) -> bool {
    let text = fold(text);
    let said: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    words.iter().all(|word| said.iter().any(|other| other.starts_with(word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_begins_a_word_of_the_text() {
        let finds =
            |text: &str, words: &[&str]| matches(text, &words.iter().map(|word| fold(word)).collect::<Vec<_>>());
        assert!(finds("Le Café de la gare", &["CAFE", "gar"]));
        assert!(finds("cafe\u{301}", &["café"]));
        assert!(!finds("Le Café de la gare", &["afe"]));
        assert!(!finds("Le Café de la gare", &["cafe", "bar"]));
    }
}
