//! Full-text search with FTS5. The index holds each word with its conversation before it (see `words`), and a
//! search asks for the words in each of the user's conversations: it walks only what the user may see. Matches
//! come in the order of `messages.place`, newest first, so a page costs what it holds.

use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;

use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, words};

/// How many places one millisecond has in `messages.place`, as a power of two.
pub(crate) const PLACE_BITS: u32 = 20;

/// `place` orders by the millisecond only, the page by millisecond and id. So the first step finds how far
/// down the page reaches, and the second sorts what lies above, with the whole of the last millisecond.
macro_rules! search_statement {
    ($conversations:literal) => {
        concat!(
            "WITH wanted (query) AS MATERIALIZED (
                SELECT coalesce(group_concat(replace(?1, char(1), lower(hex(conversation_id))), ' OR '), '\"\"')
                FROM participants WHERE ",
            $conversations,
            "
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
const EVERYWHERE: &str = search_statement!("user_id = ?6");

/// In one of them.
const IN_ONE: &str = search_statement!("user_id = ?6 AND conversation_id = ?7");

/// Messages that match, newest first.
pub(crate) async fn search(storage: &SqlStorage, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
    let Some(template) = words::template(words) else { return Ok(Page { items: Vec::new(), next: None }) };
    let (created_at, id) = match cursor {
        Some(SearchCursor { at, id }) => (at.millis(), id.bytes().to_vec()),
        None => (i64::MAX, Vec::new()),
    };
    let below = created_at.checked_add(1).and_then(|millis| millis.checked_mul(1 << PLACE_BITS)).unwrap_or(i64::MAX);
    let statement = Sql::new(if conversation_id.is_some() { IN_ONE } else { EVERYWHERE });
    let rows: Vec<MessageRow> = statement
        .bind(template)
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
