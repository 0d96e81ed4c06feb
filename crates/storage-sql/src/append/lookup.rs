//! One statement that finds all that the decisions about a batch need, a row for each send.

use parlance_domain::model::{ClientMessageId, NewMessage};
use sea_orm::{DatabaseTransaction, FromQueryResult};

use crate::error::Failed;
use crate::search::PLACE_BITS;
use crate::statement::Sql;

/// What was found for the send at `ordinal`. Columns of a conversation are empty if there is none, those of a
/// participant if the sender is not in it.
#[derive(Debug, FromQueryResult)]
pub(crate) struct FoundRow {
    pub(crate) ordinal: i64,
    pub(crate) last_seq: Option<i64>,
    pub(crate) rev: Option<i64>,
    pub(crate) active_at: Option<i64>,
    pub(crate) floor_seq: Option<i64>,
    pub(crate) read_position: Option<i64>,
    pub(crate) ahead: Option<String>,
    pub(crate) dead_count: Option<i64>,
    /// The message with the same `clientMessageId`.
    pub(crate) first_id: Option<Vec<u8>>,
    /// Whether the message that it answers is in the conversation.
    pub(crate) has_original: bool,
    /// The sender blocks the other person of a direct conversation.
    pub(crate) by_sender: bool,
    /// The other person blocks the sender.
    pub(crate) by_peer: bool,
    /// The highest `place` of the same millisecond, where messages have one.
    pub(crate) last_place: Option<i64>,
}

/// Finds it, in the order of the batch.
pub(super) async fn look_up(transaction: &DatabaseTransaction, batch: &[NewMessage]) -> Result<Vec<FoundRow>, Failed> {
    let sends: Vec<_> = batch
        .iter()
        .map(|new| {
            (
                new.conversation_id.to_string(),
                new.sender_id.as_str(),
                new.client_message_id.as_ref().map(ClientMessageId::as_str),
                new.reply_to.map(|id| id.to_string()),
                new.created_at.millis(),
            )
        })
        .collect();
    let found: Vec<FoundRow> =
        Sql::either(SQLITE, POSTGRES).bind_json(&sends)?.bind(1_i64 << PLACE_BITS).rows(transaction).await?;
    Ok(found)
}

/// The batch as one JSON list.
macro_rules! listed {
    () => {
        "sends AS MATERIALIZED (
                SELECT key AS ordinal, unhex(value ->> 0) AS conversation_id, value ->> 1 AS sender_id,
                    value ->> 2 AS client_message_id, unhex(value ->> 3) AS reply_to,
                    CAST(value ->> 4 AS BIGINT) AS created_at
                FROM json_each(?1)
            )"
    };
}

/// A single send, column by column.
macro_rules! single {
    () => {
        "sends (ordinal, conversation_id, sender_id, client_message_id, reply_to, created_at) AS (
                SELECT ?1, ?3, ?4, ?5, ?6, ?7
            )"
    };
}

/// Kind 0 is a direct conversation. Its other person is looked for from the block's side: a person has few blocks.
macro_rules! look_up {
    ($sends:ident, $own:literal, $participants:literal, $last_place:literal) => {
        concat!(
            "WITH ",
            $sends!(),
            $own,
            "
            SELECT sends.ordinal, c.last_seq, c.rev, c.active_at, p.floor_seq, p.read_position, p.ahead, p.dead_count,
                first.id AS first_id,
                replied.id IS NOT NULL AS has_original,
                coalesce(c.kind = 0 AND EXISTS (
                    SELECT 1 FROM blocks b JOIN participants o ON o.conversation_id = c.id AND o.user_id = b.blocked
                    WHERE b.blocker = sends.sender_id), false) AS by_sender,
                coalesce(c.kind = 0 AND EXISTS (
                    SELECT 1 FROM blocks b JOIN participants o ON o.conversation_id = c.id AND o.user_id = b.blocker
                    WHERE b.blocked = sends.sender_id), false) AS by_peer,
                ",
            $last_place,
            " AS last_place
            FROM sends
            LEFT JOIN conversations c ON c.id = sends.conversation_id
            LEFT JOIN ",
            $participants,
            " p ON p.conversation_id = sends.conversation_id AND p.user_id = sends.sender_id
            LEFT JOIN messages first ON first.conversation_id = sends.conversation_id
                AND first.sender_id = sends.sender_id AND first.client_message_id = sends.client_message_id
            LEFT JOIN messages replied
                ON replied.id = sends.reply_to AND replied.conversation_id = sends.conversation_id
            ORDER BY sends.ordinal",
        )
    };
}

/// Messages of SQLite have places.
macro_rules! look_up_sqlite {
    ($sends:ident) => {
        look_up!(
            $sends,
            "",
            "participants",
            "(SELECT max(place) FROM messages
                WHERE place >= sends.created_at * ?2 AND place < (sends.created_at + 1) * ?2)"
        )
    };
}

const SQLITE: &str = look_up_sqlite!(listed);

/// The same of one send. Bound are its place in the batch, the places that a millisecond has, and its columns.
pub(crate) const LOOK_UP_ONE: &str = look_up_sqlite!(single);

/// The senders' positions are locked, and are those of after the lock: a mark at the same moment is over, or waits.
const POSTGRES: &str = look_up!(
    listed,
    ", own AS MATERIALIZED (
        SELECT conversation_id, user_id, floor_seq, read_position, ahead, dead_count FROM participants
        WHERE (conversation_id, user_id) IN (SELECT conversation_id, sender_id FROM sends) FOR NO KEY UPDATE
    )",
    "own",
    "CAST(NULL AS BIGINT)"
);
