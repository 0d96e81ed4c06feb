//! Storing a batch of sends in one transaction: look everything up, decide in memory, write everything down.
//! Ten statements at most, whatever the size of the batch, two of them for media, and two more for locks in PostgreSQL;
//! and those of the `outbox` where webhooks are wanted.
//! The transaction holds the conversations, so what is looked up still holds when it is written, and `seq` and `rev` are
//! allotted without gaps. What one send decides (`seq`, positions, repetitions) holds for the next.
//! Plain sends go into SQLite a row at a time (`prepared`), with the same decisions and answers.

mod found;
mod lookup;

use std::collections::HashMap;

use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{Message, MessageId, NewMessage, SeqRange};
use parlance_domain::ports::{Appended, ReadMessage};
use parlance_domain::rules::appending::{self, Answer, Plan, Reading};
use parlance_domain::rules::media::Named;
use parlance_domain::rules::ranges::keep_newest;
use parlance_domain::rules::webhooks::Wanted;
use sea_orm::{DatabaseTransaction, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::media_items::Use;
use crate::rows::{self, larger, media_to_json, message_kind_number};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks, media_items, outbox, search};

pub(crate) use found::{Places, gather};
pub(crate) use lookup::{FoundRow, LOOK_UP_ONE};

/// Whether a batch has something to store, and no media.
pub(crate) fn is_plain(batch: &[NewMessage]) -> bool {
    !batch.is_empty() && batch.iter().all(|new| new.media.is_empty())
}

/// Stores a batch; the answers are in its order.
pub(crate) async fn append(storage: &SqlStorage, batch: &[NewMessage]) -> Result<Vec<Verdict<Appended>>, Failed> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let transaction = storage.pools.begin().await?;
    let answers = append_in(&transaction, batch, &storage.wanted).await?;
    commit(transaction).await?;
    Ok(answers)
}

/// Stores a batch inside somebody else's transaction.
pub(crate) async fn append_in(
    transaction: &DatabaseTransaction,
    batch: &[NewMessage],
    wanted: &Wanted,
) -> Result<Vec<Verdict<Appended>>, Failed> {
    locks::conversations(transaction, batch.iter().map(|new| new.conversation_id)).await?;
    let found = lookup::look_up(transaction, batch).await?;
    let Named { all, required } = named(batch);
    locks::media(transaction, all).await?;
    let missing = media_items::list_missing(transaction, &required).await?;
    let (found, places) = found::gather(batch, found, missing)?;
    let mut plan = appending::decide(batch.to_vec(), found);
    let before = load_named(transaction, &plan).await?;
    let stored = places.allot(std::mem::take(&mut plan.stored))?;
    write(transaction, &plan, &stored).await?;
    let newly_read = newly_read(list_newly_read(transaction, &plan.reads).await?)?;
    outbox::insert(transaction, &wanted.appended(stored.iter().map(|(_, message)| message))).await?;
    let stored = stored.into_iter().map(|(_, message)| (message.id, message));
    answer(plan.answers, &before.into_iter().chain(stored).collect(), newly_read)
}

/// The media that the batch names.
fn named(batch: &[NewMessage]) -> Named {
    let mut named = Named::default();
    for Named { all, required } in batch.iter().map(|new| Named::by_links(&new.media)) {
        named.all.extend(all);
        named.required.extend(required);
    }
    named
}

/// The messages that were stored before and are part of an answer: first sends, and what is replied to.
async fn load_named(transaction: &DatabaseTransaction, plan: &Plan) -> Result<HashMap<MessageId, Message>, Failed> {
    if plan.named.is_empty() {
        return Ok(HashMap::new());
    }
    let named: Vec<String> = plan.named.iter().map(ToString::to_string).collect();
    let rows = Sql::new(concat!(
        "WITH named (id) AS MATERIALIZED (SELECT unhex(atom) FROM json_each(?)) \
         SELECT ",
        rows::message_columns!(),
        " FROM messages m WHERE m.id IN ( \
             SELECT id FROM named \
             UNION SELECT first.reply_to FROM named JOIN messages first ON first.id = named.id)",
    ));
    let found = rows::all::<rows::MessageRow, Message>(rows.bind_json(&named)?.rows(transaction).await?)?;
    Ok(found.into_iter().map(|message| (message.id, message)).collect())
}

/// The text of the statement that stores messages. Only SQLite's have a place in the full-text index.
macro_rules! insert_messages {
    ($column:literal, $value:literal) => {
        concat!(
            "INSERT INTO messages (id, conversation_id, seq, rev, sender_id, kind, text, media, reply_to, \
                 client_message_id, created_at, updated_at",
            $column,
            ") SELECT unhex(value ->> 0), unhex(value ->> 1), CAST(value ->> 2 AS BIGINT), \
                 CAST(value ->> 3 AS BIGINT), value ->> 4, CAST(value ->> 5 AS BIGINT), value ->> 6, value ->> 7, \
                 unhex(value ->> 8), value ->> 9, CAST(value ->> 10 AS BIGINT), CAST(value ->> 10 AS BIGINT)",
            $value,
            " FROM json_each(?)",
        )
    };
}

/// Messages, their words and media, conversations, positions: a statement each.
async fn write(transaction: &DatabaseTransaction, plan: &Plan, stored: &[(i64, Message)]) -> Result<(), Failed> {
    if stored.is_empty() {
        return Ok(());
    }
    let row = |(place, message): &(i64, Message)| -> Result<_, BadRow> {
        Ok((
            message.id.to_string(),
            message.conversation_id.to_string(),
            message.seq,
            message.rev,
            message.sender_id.as_str().to_owned(),
            message_kind_number(message.kind),
            message.text.clone(),
            media_to_json(&message.media)?,
            message.reply_to.map(|id| id.to_string()),
            message.client_message_id.as_ref().map(|id| id.as_str().to_owned()),
            message.created_at.millis(),
            *place,
        ))
    };
    let messages = stored.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Sql::either(insert_messages!(", place", ", value ->> 11"), insert_messages!("", ""))
        .bind_json(&messages)?
        .run(transaction)
        .await?;
    search::index(transaction, stored).await?;
    let uses = stored.iter().map(|(_, message)| (Use::Message(message.id), Named::by_links(&message.media)));
    media_items::insert_uses(transaction, uses).await?;
    let heads: Vec<_> = plan
        .heads
        .iter()
        .map(|(id, head)| (id.to_string(), head.last_seq, head.rev, head.active_at.millis()))
        .collect();
    Sql::new(
        "UPDATE conversations SET last_seq = d.last_seq, rev = d.rev, active_at = d.active_at \
         FROM (SELECT unhex(value ->> 0) AS id, CAST(value ->> 1 AS BIGINT) AS last_seq, \
                   CAST(value ->> 2 AS BIGINT) AS rev, CAST(value ->> 3 AS BIGINT) AS active_at \
               FROM json_each(?)) AS d \
         WHERE conversations.id = d.id",
    )
    .bind_json(&heads)?
    .run(transaction)
    .await?;
    let positions: Vec<_> = plan
        .positions
        .iter()
        .map(|((id, user), moved)| (id.to_string(), user.as_str(), moved.read, moved.delivered))
        .collect();
    // A sender's new position is the newest `seq`: nothing can be read, or deleted, beyond it.
    Sql::new(concat!(
        "UPDATE participants SET read_position = ",
        larger!("read_position", "coalesce(d.read, 0)"),
        ", delivered_position = ",
        larger!("delivered_position", "coalesce(d.delivered, 0)"),
        ", ahead = CASE WHEN d.read IS NULL THEN ahead END, \
             ahead_count = CASE WHEN d.read IS NULL THEN ahead_count ELSE 0 END, \
             dead_count = CASE WHEN d.read IS NULL THEN dead_count ELSE 0 END \
         FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS user_id, CAST(value ->> 2 AS BIGINT) AS read, \
                   CAST(value ->> 3 AS BIGINT) AS delivered \
               FROM json_each(?)) AS d \
         WHERE participants.conversation_id = d.id AND participants.user_id = d.user_id",
    ))
    .bind_json(&positions)?
    .run(transaction)
    .await?;
    Ok(())
}

/// A message that the send at `ordinal` has read.
#[derive(Debug, FromQueryResult)]
pub(crate) struct NewlyReadRow {
    pub(crate) ordinal: i64,
    pub(crate) id: Vec<u8>,
    pub(crate) sender_id: String,
}

async fn list_newly_read(transaction: &DatabaseTransaction, reads: &[Reading]) -> Result<Vec<NewlyReadRow>, Failed> {
    if reads.is_empty() {
        return Ok(Vec::new());
    }
    let row = |read: &Reading| {
        let Reading { ordinal, conversation_id, reader, range: SeqRange { first, last } } = read;
        (*ordinal, conversation_id.to_string(), reader.as_str().to_owned(), *first, *last)
    };
    let reads: Vec<_> = reads.iter().map(row).collect();
    let rows = Sql::new(
        "SELECT CAST(d.value ->> 0 AS BIGINT) AS ordinal, m.id, m.sender_id \
         FROM json_each(?) d CROSS JOIN messages m \
         WHERE m.conversation_id = unhex(d.value ->> 1) \
           AND m.seq BETWEEN CAST(d.value ->> 3 AS BIGINT) AND CAST(d.value ->> 4 AS BIGINT) \
           AND m.sender_id <> d.value ->> 2 AND m.deleted_at IS NULL \
         ORDER BY ordinal, m.seq",
    )
    .bind_json(&reads)?
    .rows(transaction)
    .await?;
    Ok(rows)
}

/// What each send has read, by its place in the batch; rows are in the order of `seq`.
pub(crate) fn newly_read(rows: Vec<NewlyReadRow>) -> Result<HashMap<usize, Vec<ReadMessage>>, Failed> {
    let mut newly_read: HashMap<usize, Vec<ReadMessage>> = HashMap::new();
    for NewlyReadRow { ordinal, id, sender_id } in rows {
        let ordinal = usize::try_from(ordinal).map_err(|_| BadRow("ordinal"))?;
        let read = ReadMessage { id: rows::object_id(&id)?.into(), sender_id: rows::user_id(&sender_id)? };
        newly_read.entry(ordinal).or_default().push(read);
    }
    for read in newly_read.values_mut() {
        keep_newest(read);
    }
    Ok(newly_read)
}

/// The answers in the order of the batch, out of all messages that they are about.
pub(crate) fn answer(
    answers: Vec<Answer>,
    messages: &HashMap<MessageId, Message>,
    mut newly_read: HashMap<usize, Vec<ReadMessage>>,
) -> Result<Vec<Verdict<Appended>>, Failed> {
    let mut complete = |(ordinal, answer): (usize, Answer)| {
        let (id, duplicate) = match answer {
            Answer::Refused(error) => return Ok(Err(error)),
            Answer::Stored(id) => (id, false),
            Answer::Repeated(id) => (id, true),
        };
        let message = messages.get(&id).cloned().ok_or(BadRow("message"))?;
        let reply_to = message.reply_to.and_then(|original| messages.get(&original).cloned());
        let newly_read = newly_read.remove(&ordinal).unwrap_or_default();
        Ok(Ok(Appended { message, duplicate, reply_to, newly_read }))
    };
    answers.into_iter().enumerate().map(&mut complete).collect()
}
