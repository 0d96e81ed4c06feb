//! Full-text search with FTS5. The index holds each word with its conversation before it (see `words`), and a
//! search asks for the words in each of the user's conversations: it walks only what the user may see. Matches
//! come in the order of `messages.place`, newest first, so a page costs what it holds.

use std::cmp::Reverse;
use std::ops::Range;

use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;

use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, words};

/// Rows are (words, place, …).
pub(super) const INSERT: &str = "INSERT INTO message_search (rowid, words) \
                                 SELECT value ->> 1, value ->> 0 FROM json_each(?)";

/// Values are place and words.
pub(crate) const INSERT_ROW: &str = "INSERT INTO message_search (rowid, words) VALUES (?1, ?2)";

/// Values are the message, its conversation, its moment and, where they go in, its words.
pub(super) const REMOVE: &str = "DELETE FROM message_search WHERE rowid = (SELECT place FROM messages WHERE id = ?1)";
pub(super) const INSERT_ONE: &str =
    "INSERT INTO message_search (rowid, words) SELECT place, ?4 FROM messages WHERE id = ?1";

/// How many places one millisecond has in `messages.place`, as a power of two.
pub(crate) const PLACE_BITS: u32 = 20;

/// Asks the index. Its parser copies what it has of an OR for each further part, so parts come in buckets: with
/// 20,000 conversations that is the difference between a second and nothing.
macro_rules! search_statement {
    ($conversations:literal, $order:literal) => {
        concat!(
            "WITH asked AS (
                SELECT replace(?1, char(1), lower(hex(conversation_id))) AS part, row_number() OVER () / 128 AS bucket
                FROM participants WHERE ",
            $conversations,
            "
            ),
            buckets AS (SELECT '(' || group_concat(part, ' OR ') || ')' AS parts FROM asked GROUP BY bucket),
            wanted (query) AS MATERIALIZED (SELECT coalesce(group_concat(parts, ' OR '), '\"\"') FROM buckets)
            SELECT ",
            message_columns!(),
            " FROM message_search s CROSS JOIN messages m ON m.place = s.rowid
            WHERE s.message_search MATCH (SELECT query FROM wanted) AND s.rowid >= ?2 AND s.rowid < ?3
              AND (m.created_at, m.id) < (?4, ?5)
            ORDER BY ",
            $order,
            " LIMIT ?6",
        )
    };
}

/// Statements for all of a user's conversations and for one of them, in the order of the index.
const NEWEST: [&str; 2] = [
    search_statement!("user_id = ?7", "s.rowid DESC"),
    search_statement!("user_id = ?7 AND conversation_id = ?8", "s.rowid DESC"),
];

/// The same within one millisecond, in the order of the ids.
const OF_ONE_MOMENT: [&str; 2] = [
    search_statement!("user_id = ?7", "m.id DESC"),
    search_statement!("user_id = ?7 AND conversation_id = ?8", "m.id DESC"),
];

/// Messages that match, newest first.
pub(super) async fn search(storage: &SqlStorage, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let Some(template) = words::template(&query.words, &words::Syntax::FTS5) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let limit = query.limit;
    let end = query.cursor.map_or(i64::MAX, |cursor| first_place(cursor.at.millis().saturating_add(1)));
    let mut found = ask(storage, NEWEST, &template, query, i64::MIN..end).await?;
    // `place` orders by the millisecond alone. If the page ends inside one, its last messages by id may lie further down.
    let torn = match found.get(limit.saturating_sub(1)..) {
        Some([last, beyond, ..]) if last.created_at == beyond.created_at => Some(last.created_at),
        _ => None,
    };
    if let Some(moment) = torn {
        found.retain(|message| message.created_at != moment);
        let places = first_place(moment.millis())..first_place(moment.millis().saturating_add(1));
        found.extend(ask(storage, OF_ONE_MOMENT, &template, query, places).await?);
    }
    found.sort_unstable_by_key(|message| Reverse((message.created_at, message.id)));
    Ok(Page::cut(found, limit, |last| SearchCursor { at: last.created_at, id: last.id }))
}

/// One more message than a page takes, if there are as many.
async fn ask(
    storage: &SqlStorage,
    [everywhere, in_one]: [&'static str; 2],
    template: &str,
    query: &SearchQuery,
    places: Range<i64>,
) -> Result<Vec<Message>, Failed> {
    let SearchQuery { user_id, words: _, conversation_id, cursor, limit } = query;
    let rows: Vec<MessageRow> = Sql::new(if conversation_id.is_some() { in_one } else { everywhere })
        .bind(template)
        .bind(places.start)
        .bind(places.end)
        .bind(cursor.map_or(i64::MAX, |cursor| cursor.at.millis()))
        .bind(cursor.map_or(Vec::new(), |cursor| cursor.id.bytes().to_vec()))
        .bind(sql_number(limit.saturating_add(1)))
        .bind(user_id.as_str())
        .bind(conversation_id.map(|id| id.bytes().to_vec()))
        .rows(storage.pools.reader())
        .await?;
    Ok(rows::all(rows)?)
}

/// The lowest place of a millisecond.
fn first_place(millis: i64) -> i64 {
    millis.saturating_mul(1 << PLACE_BITS)
}
