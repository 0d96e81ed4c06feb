//! Full-text search with FTS5. The index holds each message's conversation as a word, and a search asks for
//! (one of the user's conversations) AND (all words): it walks only what the user may see. Matches come
//! in the order of `messages.place`, newest first, so a page costs what it holds and not what matches.

use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;

use crate::SqlStorage;
use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns, sql_number};
use crate::statement::Sql;

/// How many places one millisecond has in `messages.place`, as a power of two.
pub(crate) const PLACE_BITS: u32 = 20;

/// `place` orders by the millisecond only, the page by millisecond and id. So the first step finds how far
/// down the page reaches, and the second sorts what lies above, with the whole of the last millisecond.
macro_rules! search_statement {
    ($conversations:literal) => {
        concat!(
            "WITH wanted (query) AS MATERIALIZED (
                SELECT 'conversation : (' || ",
            $conversations,
            " || ') AND text : (' || ?1 || ')'
            ),
            reached (place) AS MATERIALIZED (
                SELECT s.rowid FROM message_search s CROSS JOIN messages m ON m.place = s.rowid
                WHERE s.message_search MATCH (SELECT query FROM wanted) AND s.rowid < ?2
                  AND (m.created_at, m.id) < (?3, ?4)
                ORDER BY s.rowid DESC LIMIT ?5
            )
            SELECT ",
            message_columns!(),
            " FROM message_search s CROSS JOIN messages m ON m.place = s.rowid
            WHERE s.message_search MATCH (SELECT query FROM wanted) AND s.rowid < ?2
              AND s.rowid >= (SELECT min(place) >> 20 << 20 FROM reached)
              AND (m.created_at, m.id) < (?3, ?4)
            ORDER BY m.created_at DESC, m.id DESC LIMIT ?5",
        )
    };
}

/// In every conversation that the user is in.
pub(crate) const EVERYWHERE: &str = search_statement!(
    "(SELECT group_concat(lower(hex(conversation_id)), ' OR ') FROM participants WHERE user_id = ?6)"
);

/// In one of them.
pub(crate) const IN_ONE: &str = search_statement!(
    "(SELECT lower(hex(conversation_id)) FROM participants WHERE user_id = ?6 AND conversation_id = ?7)"
);

/// Messages that match, newest first.
pub(crate) async fn search(storage: &SqlStorage, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
    let Some(expression) = expression(words) else { return Ok(Page { items: Vec::new(), next: None }) };
    let (created_at, id) = match cursor {
        Some(SearchCursor { at, id }) => (at.millis(), id.bytes().to_vec()),
        None => (i64::MAX, Vec::new()),
    };
    let below = created_at.checked_add(1).and_then(|millis| millis.checked_mul(1 << PLACE_BITS)).unwrap_or(i64::MAX);
    let statement = Sql::new(if conversation_id.is_some() { IN_ONE } else { EVERYWHERE });
    let rows: Vec<MessageRow> = statement
        .bind(expression)
        .bind(below)
        .bind(created_at)
        .bind(id)
        .bind(sql_number(limit.saturating_add(1)))
        .bind(user_id.as_str())
        .bind(conversation_id.map(|id| id.bytes().to_vec()))
        .rows(storage.pools.reader())
        .await?;
    let cursor_of = |last: &Message| SearchCursor { at: last.created_at, id: last.id };
    Ok(Page::cut(rows::all(rows)?, *limit, cursor_of))
}

/// The words as an FTS5 expression: each a quoted prefix, whatever it holds. `None` if nothing in them can match:
/// FTS5 passes over a word without letters and digits, which must not make the others match more.
fn expression(words: &[String]) -> Option<String> {
    let mut expression = String::new();
    for word in words {
        if !word.chars().any(char::is_alphanumeric) {
            return None;
        }
        if !expression.is_empty() {
            expression.push_str(" AND ");
        }
        // Inside quotes only a quote has a meaning, and a NUL would end the text.
        expression.push('"');
        for c in word.chars().filter(|c| *c != '\0') {
            if c == '"' {
                expression.push('"');
            }
            expression.push(c);
        }
        expression.push_str("\" *");
    }
    (!expression.is_empty()).then_some(expression)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_word_is_quoted_whatever_it_holds() {
        let expression =
            |words: &[&str]| super::expression(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(expression(&["ab", "c\"d"]).as_deref(), Some("\"ab\" * AND \"c\"\"d\" *"));
        assert_eq!(expression(&["a\0b"]).as_deref(), Some("\"ab\" *"));
        assert_eq!(expression(&["-"]), None);
        assert_eq!(expression(&[]), None);
    }
}
