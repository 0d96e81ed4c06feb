//! What was found in SQLite, a prepared statement at a time, in the words of the rows that sea-orm would give.

use std::collections::{HashMap, HashSet};

use parlance_domain::model::{ClientMessageId, Message, MessageId, NewMessage};
use rusqlite::{Row, params};

use super::Statements;
use crate::append::{FoundRow, LOOK_UP_ONE};
use crate::error::Failed;
use crate::rows::{MessageRow, message_columns};
use crate::search::PLACE_BITS;

/// What the decisions about a batch need, in the order of the batch.
pub(super) fn look_up(statements: &Statements<'_>, batch: &[NewMessage]) -> Result<Vec<FoundRow>, Failed> {
    statements.run(LOOK_UP_ONE, |statement| {
        let mut found = Vec::with_capacity(batch.len());
        for (ordinal, new) in (0_i64..).zip(batch) {
            let one = params![
                ordinal,
                1_i64 << PLACE_BITS,
                new.conversation_id.bytes(),
                new.sender_id.as_str(),
                new.client_message_id.as_ref().map(ClientMessageId::as_str),
                new.reply_to.map(|id| id.bytes()),
                new.created_at.millis(),
            ];
            found.push(statement.query_row(one, found_row)?);
        }
        Ok(found)
    })
}

fn found_row(row: &Row<'_>) -> rusqlite::Result<FoundRow> {
    Ok(FoundRow {
        ordinal: row.get(0)?,
        last_seq: row.get(1)?,
        rev: row.get(2)?,
        active_at: row.get(3)?,
        floor_seq: row.get(4)?,
        read_position: row.get(5)?,
        ahead: row.get(6)?,
        dead_count: row.get(7)?,
        first_id: row.get(8)?,
        has_original: row.get(9)?,
        by_sender: row.get(10)?,
        by_peer: row.get(11)?,
        last_place: row.get(12)?,
    })
}

/// The messages of these ids, and those that they answer.
pub(super) fn load_named(
    statements: &Statements<'_>,
    named: &HashSet<MessageId>,
) -> Result<HashMap<MessageId, Message>, Failed> {
    const FIND: &str = concat!("SELECT ", message_columns!(), " FROM messages m WHERE m.id = ?");
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    statements.run(FIND, |statement| {
        let mut loaded = HashMap::with_capacity(named.len());
        let mut next: Vec<MessageId> = named.iter().copied().collect();
        // First those that are named, then what they answer, which is as far as an answer shows.
        for _ in 0..2 {
            let mut answered = Vec::new();
            for id in next {
                let mut rows = statement.query([id.bytes()])?;
                if let Some(row) = rows.next()? {
                    let message = Message::try_from(message_row(row)?)?;
                    answered.extend(message.reply_to);
                    loaded.insert(id, message);
                }
            }
            next = answered;
        }
        Ok(loaded)
    })
}

fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        seq: row.get(2)?,
        rev: row.get(3)?,
        sender_id: row.get(4)?,
        kind: row.get(5)?,
        text: row.get(6)?,
        media: row.get(7)?,
        reply_to: row.get(8)?,
        client_message_id: row.get(9)?,
        reactions: row.get(10)?,
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
        edited_at: row.get(13)?,
        deleted_at: row.get(14)?,
    })
}
