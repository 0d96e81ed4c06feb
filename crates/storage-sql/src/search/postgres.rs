//! Full-text search with `tsvector` and GIN. As in SQLite, a token is a word with its conversation before it, so that
//! a search walks only what the user may see. GIN hands over all its matches in no order, which is dear for a word
//! that occurs everywhere; therefore the newest messages of the user's liveliest conversations are looked through
//! first, in the order of time. Where that fills the page, or was everything, it is the answer.

use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;
use sea_orm::FromQueryResult;

use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, words};

/// Rows are (words, place, message, conversation, moment).
pub(super) const INSERT: &str = "INSERT INTO message_search (words, message_id, conversation_id, created_at) \
     SELECT CAST(value ->> 0 AS tsvector), unhex(value ->> 2), unhex(value ->> 3), CAST(value ->> 4 AS BIGINT) \
     FROM json_each(?)";

/// Values are the message, its conversation, its moment and, where they go in, its words.
pub(super) const REMOVE: &str =
    "DELETE FROM message_search WHERE message_id = ?1 AND conversation_id = ?2 AND created_at = ?3";
pub(super) const INSERT_ONE: &str = "INSERT INTO message_search (message_id, conversation_id, created_at, words) VALUES (?1, ?2, ?3, CAST(?4 AS tsvector))";

/// How many conversations are looked through, and how many messages of each. The walk reads at most their product.
const CONVERSATIONS: i64 = 32;
const MESSAGES: i64 = 64;

/// Looks through the newest messages. Everything that matches and is newer than the horizon, the newest message that
/// was not looked at, is found; without a horizon that is everything.
macro_rules! walk {
    ($conversations:literal) => {
        concat!(
            "WITH liveliest AS MATERIALIZED (
                SELECT p.conversation_id, newest.created_at
                FROM participants p CROSS JOIN LATERAL (
                    SELECT s.created_at FROM message_search s
                    WHERE s.conversation_id = p.conversation_id AND (s.created_at, s.message_id) < (?2, ?3)
                    ORDER BY s.created_at DESC, s.message_id DESC LIMIT 1) AS newest
                WHERE p.user_id = ?5",
            $conversations,
            "
                ORDER BY newest.created_at DESC LIMIT ?7 + 1
            ),
            walked AS MATERIALIZED (
                SELECT m.message_id, m.created_at, m.matches, m.place
                FROM (SELECT conversation_id FROM liveliest ORDER BY created_at DESC LIMIT ?7) AS c
                CROSS JOIN LATERAL (
                    SELECT s.message_id, s.created_at,
                        s.words @@ CAST(replace(?1, chr(1), encode(c.conversation_id, 'hex')) AS tsquery) AS matches,
                        row_number() OVER (ORDER BY s.created_at DESC, s.message_id DESC) AS place
                    FROM message_search s
                    WHERE s.conversation_id = c.conversation_id AND (s.created_at, s.message_id) < (?2, ?3)
                    ORDER BY s.created_at DESC, s.message_id DESC LIMIT ?8) AS m
            ),
            horizon AS MATERIALIZED (
                SELECT max(created_at) AS created_at FROM (
                    (SELECT created_at FROM liveliest ORDER BY created_at DESC OFFSET ?7)
                    UNION ALL SELECT created_at FROM walked WHERE place = ?8) AS beyond
            ),
            found AS MATERIALIZED (
                SELECT w.message_id FROM walked w CROSS JOIN horizon h
                WHERE w.matches AND (h.created_at IS NULL OR w.created_at > h.created_at)
                ORDER BY w.created_at DESC, w.message_id DESC LIMIT ?4
            )
            SELECT h.created_at AS horizon, ",
            message_columns!(),
            " FROM horizon h LEFT JOIN (found f JOIN messages m ON m.id = f.message_id) ON true
            ORDER BY m.created_at DESC, m.id DESC",
        )
    };
}

/// Asks the index for each of the user's conversations.
macro_rules! ask {
    ($conversations:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            " FROM (
                SELECT s.message_id, s.created_at
                FROM participants p CROSS JOIN LATERAL (
                    SELECT s.message_id, s.created_at FROM message_search s
                    WHERE s.words @@ CAST(replace(?1, chr(1), encode(p.conversation_id, 'hex')) AS tsquery)
                      AND (s.created_at, s.message_id) < (?2, ?3)
                    ORDER BY s.created_at DESC, s.message_id DESC LIMIT ?4) AS s
                WHERE p.user_id = ?5",
            $conversations,
            "
                ORDER BY s.created_at DESC, s.message_id DESC LIMIT ?4) AS f
            JOIN messages m ON m.id = f.message_id
            ORDER BY m.created_at DESC, m.id DESC",
        )
    };
}

/// Statements for all of a user's conversations and for one of them.
const WALK: [&str; 2] = [walk!(""), walk!(" AND p.conversation_id = ?6")];
const ASK: [&str; 2] = [ask!(""), ask!(" AND p.conversation_id = ?6")];

/// A message that was found, and the horizon; one row without a message if none was.
#[derive(Debug, FromQueryResult)]
struct WalkedRow {
    horizon: Option<i64>,
    #[sea_orm(nested)]
    message: Option<MessageRow>,
}

pub(super) async fn search(storage: &SqlStorage, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    let Some(template) = words::template(&query.words, &words::Syntax::TSQUERY) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let SearchQuery { user_id, words: _, conversation_id, cursor, limit } = query;
    let which = usize::from(conversation_id.is_some());
    let bind = |text: &'static str| {
        Sql::new(text)
            .bind(template.as_str())
            .bind(cursor.map_or(i64::MAX, |cursor| cursor.at.millis()))
            .bind(cursor.map_or(Vec::new(), |cursor| cursor.id.bytes().to_vec()))
            .bind(sql_number(limit.saturating_add(1)))
            .bind(user_id.as_str())
            .bind(conversation_id.map(|id| id.bytes().to_vec()))
    };
    let walk = bind(WALK[which]).bind(CONVERSATIONS).bind(MESSAGES);
    let walked: Vec<WalkedRow> = walk.rows(storage.pools.reader()).await?;
    let everything = walked.iter().all(|row| row.horizon.is_none());
    let walked: Vec<MessageRow> = walked.into_iter().filter_map(|row| row.message).collect();
    let found = if everything || walked.len() > *limit {
        walked
    } else {
        bind(ASK[which]).rows(storage.pools.reader()).await?
    };
    Ok(Page::cut(rows::all(found)?, *limit, |last: &Message| SearchCursor { at: last.created_at, id: last.id }))
}
