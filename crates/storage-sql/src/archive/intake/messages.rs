//! Messages.

use std::collections::BTreeSet;

use parlance_domain::model::{ClientMessageId, Message, Timestamp};
use parlance_domain::rules::media::Named;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult};
use serde::Serialize;

use crate::append::Places;
use crate::error::{BadRow, Failed};
use crate::media_items::{Use, insert_uses};
use crate::rows::{media_to_json, message_kind_number, object_id, reactions_to_json};
use crate::search::{self, PLACE_BITS};
use crate::statement::Sql;

/// The text of the statement that stores messages. Only SQLite's have a place in the full-text index.
macro_rules! insert_messages {
    ($column:literal, $value:literal) => {
        concat!(
            "INSERT INTO messages (id, conversation_id, seq, rev, sender_id, kind, text, media, reply_to, \
                 client_message_id, reactions, created_at, updated_at, edited_at, deleted_at",
            $column,
            ") SELECT unhex(value -> 0 ->> 0), unhex(value -> 0 ->> 1), CAST(value -> 0 ->> 2 AS BIGINT), \
                 CAST(value -> 0 ->> 3 AS BIGINT), value -> 0 ->> 4, CAST(value -> 0 ->> 5 AS BIGINT), \
                 value -> 1 ->> 0, value -> 1 ->> 1, unhex(value -> 1 ->> 2), value -> 2 ->> 0, value -> 2 ->> 1, \
                 CAST(value -> 3 ->> 0 AS BIGINT), CAST(value -> 3 ->> 1 AS BIGINT), \
                 CAST(value -> 3 ->> 2 AS BIGINT), CAST(value -> 3 ->> 3 AS BIGINT)",
            $value,
            " FROM json_each(?)",
        )
    };
}

/// Messages, with what search finds of them and the media that they use.
pub(super) async fn insert(transaction: &DatabaseTransaction, messages: &[&Message]) -> Result<(), Failed> {
    let there = there(transaction, messages).await?;
    let new: Vec<&Message> = messages.iter().filter(|message| !there.contains(&message.id.bytes())).copied().collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut new = placed(transaction, &new).await?;
    // In rising order: the index puts what comes out of order aside, piece by piece.
    new.sort_unstable_by_key(|(place, _)| *place);
    let rows = new.iter().map(|(place, message)| row(*place, message)).collect::<Result<Vec<_>, _>>()?;
    Sql::either(insert_messages!(", place", ", value ->> 4"), insert_messages!("", ""))
        .bind_json(&rows)?
        .run(transaction)
        .await?;
    search::index(transaction, &new).await?;
    let uses = new.iter().map(|(_, message)| (Use::Message(message.id), Named::by_links(&message.media)));
    insert_uses(transaction, uses).await
}

fn row(place: i64, message: &Message) -> Result<impl Serialize, BadRow> {
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
    let millis = |moment: &Option<Timestamp>| moment.map(Timestamp::millis);
    Ok((
        (id.to_string(), conversation_id.to_string(), *seq, *rev, sender_id.as_str(), message_kind_number(*kind)),
        (text, media_to_json(media)?, reply_to.map(|id| id.to_string())),
        (client_message_id.as_ref().map(ClientMessageId::as_str), reactions_to_json(reactions)?),
        (created_at.millis(), updated_at.millis(), millis(edited_at), millis(deleted_at)),
        place,
    ))
}

/// Those of these messages that came in before.
async fn there(transaction: &DatabaseTransaction, messages: &[&Message]) -> Result<BTreeSet<[u8; 12]>, Failed> {
    if messages.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<String> = messages.iter().map(|message| message.id.to_string()).collect();
    let found: Vec<Vec<u8>> =
        Sql::new("SELECT m.id FROM json_each(?) d CROSS JOIN messages m WHERE m.id = unhex(d.atom)")
            .bind_json(&ids)?
            .scalars(transaction)
            .await?;
    Ok(found.iter().map(|id| object_id(id).map(|id| id.bytes())).collect::<Result<_, _>>()?)
}

/// The messages with their places, which follow those that are taken in their milliseconds. Nothing is asked where
/// messages have none.
async fn placed(transaction: &DatabaseTransaction, new: &[&Message]) -> Result<Vec<(i64, Message)>, Failed> {
    #[derive(FromQueryResult)]
    struct TakenRow {
        created_at: i64,
        last_place: Option<i64>,
    }
    let moments: BTreeSet<i64> = new.iter().map(|message| message.created_at.millis()).collect();
    let taken: Vec<TakenRow> = match transaction.get_database_backend() {
        DbBackend::Sqlite => {
            let taken = Sql::new(
                "SELECT atom AS created_at, (SELECT max(place) FROM messages \
                     WHERE place >= atom * ?2 AND place < (atom + 1) * ?2) AS last_place FROM json_each(?1)",
            );
            taken.bind_json(&moments)?.bind(1_i64 << PLACE_BITS).rows(transaction).await?
        }
        _ => Vec::new(),
    };
    let last = |TakenRow { created_at, last_place }| (Timestamp::from_millis(created_at), last_place);
    Places::after(taken.into_iter().map(last)).allot(new.iter().map(|message| (*message).clone()).collect())
}
