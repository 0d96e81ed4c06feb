//! Storing a batch of sends in SQLite: what `append` does, with a statement for each row instead of one for a list.
//! Decisions, what is looked up for them, and answers are the same. Sends with media go the other way.

use std::collections::BTreeSet;

use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{ClientMessageId, Message, NewMessage, NewWebhook, SeqRange};
use parlance_domain::ports::Appended;
use parlance_domain::rules::appending::{self, Plan, Reading};
use parlance_domain::rules::retrying::give_up_at;
use parlance_domain::rules::webhooks::Wanted;
use rusqlite::{Row, params};

use super::{Prepared, Statements, lookup};
use crate::append::{NewlyReadRow, answer, gather, newly_read};
use crate::error::Failed;
use crate::rows::{larger, message_kind_number, sql_number};
use crate::{outbox, search};

impl Prepared {
    /// Stores a batch without media; the answers are in its order.
    pub(crate) async fn append(
        &self,
        batch: Vec<NewMessage>,
        wanted: Wanted,
    ) -> Result<Vec<Verdict<Appended>>, Failed> {
        self.write(move |statements| append(statements, batch, &wanted)).await
    }
}

fn append(
    statements: &Statements<'_>,
    batch: Vec<NewMessage>,
    wanted: &Wanted,
) -> Result<Vec<Verdict<Appended>>, Failed> {
    let found = lookup::look_up(statements, &batch)?;
    let (found, places) = gather(&batch, found, BTreeSet::new())?;
    let mut plan = appending::decide(batch, found);
    let before = lookup::load_named(statements, &plan.named)?;
    let stored = places.allot(std::mem::take(&mut plan.stored))?;
    write(statements, &plan, &stored)?;
    let newly_read = newly_read(list_newly_read(statements, &plan.reads)?)?;
    write_events(statements, &wanted.appended(stored.iter().map(|(_, message)| message)))?;
    let stored = stored.into_iter().map(|(_, message)| (message.id, message));
    answer(plan.answers, &before.into_iter().chain(stored).collect(), newly_read)
}

/// Messages, their words, conversations, positions.
fn write(statements: &Statements<'_>, plan: &Plan, stored: &[(i64, Message)]) -> Result<(), Failed> {
    const MESSAGE: &str = "INSERT INTO messages (id, conversation_id, seq, rev, sender_id, kind, text, reply_to, \
                               client_message_id, created_at, updated_at, place) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11)";
    const HEAD: &str = "UPDATE conversations SET last_seq = ?2, rev = ?3, active_at = ?4 WHERE id = ?1";
    const POSITION: &str = concat!(
        "UPDATE participants SET read_position = ",
        larger!("read_position", "coalesce(?3, 0)"),
        ", delivered_position = ",
        larger!("delivered_position", "coalesce(?4, 0)"),
        ", ahead = CASE WHEN ?3 IS NULL THEN ahead END, \
             ahead_count = CASE WHEN ?3 IS NULL THEN ahead_count ELSE 0 END, \
             dead_count = CASE WHEN ?3 IS NULL THEN dead_count ELSE 0 END \
         WHERE conversation_id = ?1 AND user_id = ?2",
    );
    if stored.is_empty() {
        return Ok(());
    }
    statements.run(MESSAGE, |statement| {
        for (place, message) in stored {
            statement.execute(params![
                message.id.bytes(),
                message.conversation_id.bytes(),
                sql_number(message.seq),
                sql_number(message.rev),
                message.sender_id.as_str(),
                message_kind_number(message.kind),
                message.text.as_deref(),
                message.reply_to.map(|id| id.bytes()),
                message.client_message_id.as_ref().map(ClientMessageId::as_str),
                message.created_at.millis(),
                place,
            ])?;
        }
        Ok(())
    })?;
    let words = |(place, message): &(i64, Message)| Some((*place, search::words_of(message)?));
    let words: Vec<(i64, String)> = stored.iter().filter_map(words).collect();
    if !words.is_empty() {
        statements.run(search::INSERT_ROW, |statement| {
            for (place, words) in words {
                statement.execute(params![place, words])?;
            }
            Ok(())
        })?;
    }
    statements.run(HEAD, |statement| {
        for (id, head) in &plan.heads {
            let (last_seq, rev) = (sql_number(head.last_seq), sql_number(head.rev));
            statement.execute(params![id.bytes(), last_seq, rev, head.active_at.millis()])?;
        }
        Ok(())
    })?;
    // A sender's new position is the newest `seq`: nothing can be read, or deleted, beyond it.
    statements.run(POSITION, |statement| {
        for ((id, user), moved) in &plan.positions {
            let (read, delivered) = (moved.read.map(sql_number), moved.delivered.map(sql_number));
            statement.execute(params![id.bytes(), user.as_str(), read, delivered])?;
        }
        Ok(())
    })
}

/// The events of webhooks, and their lanes.
fn write_events(statements: &Statements<'_>, events: &[NewWebhook]) -> Result<(), Failed> {
    if events.is_empty() {
        return Ok(());
    }
    statements.run(outbox::INSERT_ROW, |statement| {
        for NewWebhook { kind, subject, at } in events {
            let (lane, subject, limit) = (subject.lane(), subject.to_stored(), give_up_at(*at));
            statement.execute(params![lane, kind.name(), subject, at.millis(), limit.millis()])?;
        }
        Ok(())
    })?;
    statements.run(outbox::INSERT_LANE, |statement| {
        for NewWebhook { subject, at, .. } in events {
            statement.execute(params![subject.lane(), at.millis()])?;
        }
        Ok(())
    })
}

fn list_newly_read(statements: &Statements<'_>, reads: &[Reading]) -> Result<Vec<NewlyReadRow>, Failed> {
    const LIST: &str = "SELECT id, sender_id FROM messages \
                        WHERE conversation_id = ?1 AND seq BETWEEN ?2 AND ?3 AND sender_id <> ?4 \
                            AND deleted_at IS NULL ORDER BY seq";
    if reads.is_empty() {
        return Ok(Vec::new());
    }
    statements.run(LIST, |statement| {
        let mut listed = Vec::new();
        for Reading { ordinal, conversation_id, reader, range: SeqRange { first, last } } in reads {
            let row = |row: &Row<'_>| {
                Ok(NewlyReadRow { ordinal: sql_number(*ordinal), id: row.get(0)?, sender_id: row.get(1)? })
            };
            let range = params![conversation_id.bytes(), sql_number(*first), sql_number(*last), reader.as_str()];
            for read in statement.query_map(range, row)? {
                listed.push(read?);
            }
        }
        Ok(listed)
    })
}
