//! Conversations, and who is or was in them.

use parlance_domain::model::{Attendance, ConversationRecord, ParticipantRecord};
use parlance_domain::rules::media::Named;
use parlance_domain::rules::ranges::{above, total};
use sea_orm::DatabaseTransaction;

use crate::conversations::direct_key;
use crate::error::Failed;
use crate::media_items::{Use, insert_uses};
use crate::rows::{conversation_kind_number, ranges_to_json, role_number};
use crate::statement::Sql;

/// Conversations, whose messages and people are still to come.
pub(super) async fn insert(transaction: &DatabaseTransaction, records: &[&ConversationRecord]) -> Result<(), Failed> {
    if records.is_empty() {
        return Ok(());
    }
    let row = |record: &&ConversationRecord| {
        let ConversationRecord { conversation, pair } = *record;
        (
            conversation.id.to_string(),
            conversation_kind_number(conversation.kind),
            pair.as_ref().map(|(one, other)| direct_key(one, other)),
            conversation.title.as_ref().map(|title| title.as_str().to_owned()),
            conversation.image.clone(),
            conversation.last_seq,
            conversation.rev,
            conversation.created_at.millis(),
            conversation.updated_at.millis(),
            conversation.active_at.millis(),
        )
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    Sql::new(
        "INSERT INTO conversations \
             (id, kind, direct_key, title, image, last_seq, rev, created_at, updated_at, active_at) \
         SELECT unhex(value ->> 0), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4, \
             CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT), \
             CAST(value ->> 8 AS BIGINT), CAST(value ->> 9 AS BIGINT) \
         FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    let uses = records
        .iter()
        .map(|record| (Use::Group(record.conversation.id), Named::by_urls(record.conversation.image.as_deref())));
    insert_uses(transaction, uses).await
}

/// People who are or were in conversations. Tombstones that count for them are there already.
pub(super) async fn insert_participants(
    transaction: &DatabaseTransaction,
    records: &[&ParticipantRecord],
) -> Result<(), Failed> {
    let (mut present, mut former) = (Vec::new(), Vec::new());
    for ParticipantRecord { conversation_id, user_id, attendance, read, delivered } in records.iter().copied() {
        let positions = (read.position(), *delivered, ranges_to_json(read.ahead())?);
        let (id, user) = (conversation_id.to_string(), user_id.as_str());
        match attendance {
            Some(Attendance { role, joined_at, floor }) => {
                let ahead_count = total(&above(read.ahead().to_vec(), *floor));
                present.push((id, user, positions, role_number(*role), joined_at.millis(), *floor, ahead_count));
            }
            None => former.push((id, user, positions)),
        }
    }
    if !present.is_empty() {
        Sql::new(
            "INSERT INTO participants (conversation_id, user_id, read_position, delivered_position, ahead, role, \
                 joined_at, floor_seq, ahead_count, dead_count) \
             SELECT unhex(d.value ->> 0), d.value ->> 1, CAST(d.value -> 2 ->> 0 AS BIGINT), \
                 CAST(d.value -> 2 ->> 1 AS BIGINT), d.value -> 2 ->> 2, CAST(d.value ->> 3 AS BIGINT), \
                 CAST(d.value ->> 4 AS BIGINT), CAST(d.value ->> 5 AS BIGINT), CAST(d.value ->> 6 AS BIGINT), \
                 (SELECT count(*) FROM messages m WHERE m.conversation_id = unhex(d.value ->> 0) \
                  AND m.deleted_at IS NOT NULL AND m.seq > CAST(d.value -> 2 ->> 0 AS BIGINT) \
                  AND m.seq > CAST(d.value ->> 5 AS BIGINT) AND NOT EXISTS ( \
                      SELECT 1 FROM json_each(d.value -> 2 ->> 2) a \
                      WHERE m.seq BETWEEN CAST(a.value ->> 0 AS BIGINT) AND CAST(a.value ->> 1 AS BIGINT))) \
             FROM json_each(?) d WHERE true ON CONFLICT (conversation_id, user_id) DO NOTHING",
        )
        .bind_json(&present)?
        .run(transaction)
        .await?;
    }
    if !former.is_empty() {
        Sql::new(
            "INSERT INTO former_participants (conversation_id, user_id, read_position, delivered_position, ahead) \
             SELECT unhex(value ->> 0), value ->> 1, CAST(value -> 2 ->> 0 AS BIGINT), \
                 CAST(value -> 2 ->> 1 AS BIGINT), value -> 2 ->> 2 \
             FROM json_each(?) WHERE true ON CONFLICT (conversation_id, user_id) DO NOTHING",
        )
        .bind_json(&former)?
        .run(transaction)
        .await?;
    }
    Ok(())
}
