//! Users and whom they block.

use parlance_domain::model::{BlocksRecord, Preferences, Timestamp, UserRecord};
use sea_orm::DatabaseTransaction;

use crate::error::Failed;
use crate::statement::Sql;

/// People, and what they want to be told.
pub(super) async fn insert(transaction: &DatabaseTransaction, records: &[&UserRecord]) -> Result<(), Failed> {
    if records.is_empty() {
        return Ok(());
    }
    let row = |record: &&UserRecord| {
        let UserRecord { user, claimed, preferences: _, created_at, revoked_before } = *record;
        let id = user.id.as_str().to_owned();
        (
            id,
            user.name.clone(),
            user.picture.clone(),
            claimed.name.clone(),
            claimed.picture.clone(),
            created_at.millis(),
            revoked_before.map(Timestamp::millis),
        )
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    Sql::new(
        "INSERT INTO users (id, name, picture, claimed_name, claimed_picture, created_at, revoked_before) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, CAST(value ->> 5 AS BIGINT), \
             CAST(value ->> 6 AS BIGINT) \
         FROM json_each(?) \
         WHERE true ON CONFLICT (id) DO NOTHING",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    // Who wants everything needs no inbox yet.
    let wishes = records.iter().filter(|record| record.preferences != Preferences::default()).map(|record| {
        let Preferences { email, push, chat, job_match } = record.preferences;
        (record.user.id.as_str(), u8::from(email), u8::from(push), u8::from(chat), u8::from(job_match))
    });
    let wishes: Vec<_> = wishes.collect();
    if !wishes.is_empty() {
        Sql::new(
            "INSERT INTO inboxes (user_id, email, push, chat, job_match) \
             SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), \
                 CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT) FROM json_each(?) \
             WHERE true ON CONFLICT (user_id) DO NOTHING",
        )
        .bind_json(&wishes)?
        .run(transaction)
        .await?;
    }
    Ok(())
}

/// In the order of their records, which orders blocks of one moment.
pub(super) async fn insert_blocks(transaction: &DatabaseTransaction, records: &[&BlocksRecord]) -> Result<(), Failed> {
    let blocks = records.iter().flat_map(|BlocksRecord { blocker, blocked }| {
        blocked.iter().map(move |(user, since)| (blocker.as_str(), user.as_str(), since.millis()))
    });
    let blocks: Vec<_> = blocks.collect();
    if blocks.is_empty() {
        return Ok(());
    }
    Sql::new(
        "INSERT INTO blocks (blocker, blocked, created_at) \
         SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each(?) WHERE true ORDER BY key \
         ON CONFLICT (blocker, blocked) DO NOTHING",
    )
    .bind_json(&blocks)?
    .run(transaction)
    .await?;
    Ok(())
}
