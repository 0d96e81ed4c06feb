//! Messages.

use std::collections::BTreeSet;

use parlance_domain::model::{ClientMessageId, Message, MessageKind, Timestamp};
use parlance_domain::rules::media::Named;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use crate::error::{BadRow, Failed};
use crate::media_items::{Use, insert_uses};
use crate::rows::{media_to_json, message_kind_number, object_id, reactions_to_json};
use crate::search::PLACE_BITS;
use crate::statement::Sql;
use crate::words;

/// Messages, with what search finds of them and the media that they use.
pub(super) async fn insert(transaction: &DatabaseTransaction, messages: &[&Message]) -> Result<(), Failed> {
    let there = there(transaction, messages).await?;
    let new: Vec<&Message> = messages.iter().filter(|message| !there.contains(&message.id.bytes())).copied().collect();
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|message| row(message)).collect::<Result<Vec<_>, _>>()?;
    Sql::new(INSERT_MESSAGES).bind_json(&rows)?.bind(1_i64 << PLACE_BITS).run(transaction).await?;
    let words: Vec<(String, String)> = new.iter().filter_map(|message| searchable(message)).collect();
    if !words.is_empty() {
        // In rising order: the index puts what comes out of order aside, piece by piece.
        Sql::new(
            "INSERT INTO message_search (rowid, words) \
             SELECT m.place, d.value ->> 1 FROM json_each(?) d CROSS JOIN messages m ON m.id = unhex(d.value ->> 0) \
             ORDER BY m.place",
        )
        .bind_json(&words)?
        .run(transaction)
        .await?;
    }
    let uses = new.iter().map(|message| (Use::Message(message.id), Named::by_links(&message.media)));
    insert_uses(transaction, uses).await
}

fn row(message: &Message) -> Result<impl Serialize, BadRow> {
    let Message {
        id,
        conversation_id,
        seq,
        rev,
        sender_id,
        kind,
        text,
        media,
        reply_to,
        client_message_id,
        reactions,
        created_at,
        edited_at,
        deleted_at,
        updated_at,
    } = message;
    Ok((
        (id.to_string(), conversation_id.to_string(), *seq, *rev, sender_id.as_str(), message_kind_number(*kind)),
        (text, media_to_json(media)?, reply_to.map(|id| id.to_string())),
        (client_message_id.as_ref().map(ClientMessageId::as_str), reactions_to_json(reactions)?),
        (created_at.millis(), updated_at.millis(), edited_at.map(Timestamp::millis)),
        deleted_at.map(Timestamp::millis),
    ))
}

/// The places of one millisecond follow the highest that was taken before the batch.
const INSERT_MESSAGES: &str = "
    INSERT INTO messages (place, id, conversation_id, seq, rev, sender_id, kind, text, media, reply_to,
        client_message_id, reactions, created_at, updated_at, edited_at, deleted_at)
    WITH new AS MATERIALIZED (
        SELECT unhex(value -> 0 ->> 0) AS id, unhex(value -> 0 ->> 1) AS conversation_id, value -> 0 ->> 2 AS seq,
            value -> 0 ->> 3 AS rev, value -> 0 ->> 4 AS sender_id, value -> 0 ->> 5 AS kind, value -> 1 ->> 0 AS text,
            value -> 1 ->> 1 AS media, unhex(value -> 1 ->> 2) AS reply_to, value -> 2 ->> 0 AS client_message_id,
            value -> 2 ->> 1 AS reactions, value -> 3 ->> 0 AS created_at, value -> 3 ->> 1 AS updated_at,
            value -> 3 ->> 2 AS edited_at, value ->> 4 AS deleted_at
        FROM json_each(?1)
    ),
    taken AS MATERIALIZED (
        SELECT created_at, coalesce((SELECT max(place) + 1 FROM messages
            WHERE place >= moment.created_at * ?2 AND place < (moment.created_at + 1) * ?2), created_at * ?2) AS free
        FROM (SELECT DISTINCT created_at FROM new) AS moment
    )
    SELECT taken.free + row_number() OVER (PARTITION BY new.created_at ORDER BY new.id) - 1, new.id,
        new.conversation_id, new.seq, new.rev, new.sender_id, new.kind, new.text, new.media, new.reply_to,
        new.client_message_id, new.reactions, new.created_at, new.updated_at, new.edited_at, new.deleted_at
    FROM new JOIN taken ON taken.created_at = new.created_at";

/// Those of these messages that came in before.
async fn there(transaction: &DatabaseTransaction, messages: &[&Message]) -> Result<BTreeSet<[u8; 12]>, Failed> {
    if messages.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<String> = messages.iter().map(|message| message.id.to_string()).collect();
    let found: Vec<Vec<u8>> =
        Sql::new("SELECT m.id FROM json_each(?) d CROSS JOIN messages m ON m.id = unhex(d.value)")
            .bind_json(&ids)?
            .scalars(transaction)
            .await?;
    Ok(found.iter().map(|id| object_id(id).map(|id| id.bytes())).collect::<Result<_, _>>()?)
}

/// What the index holds of a message: nothing of those that search never finds.
fn searchable(message: &Message) -> Option<(String, String)> {
    let text = message.text.as_deref().filter(|_| message.kind != MessageKind::System)?;
    Some((message.id.to_string(), words::indexed(message.conversation_id, text)))
}
