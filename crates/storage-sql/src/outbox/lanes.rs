//! Claiming lanes, and settling what became of them. A claim is the moment until which the lane is somebody's: whoever
//! settles names it, so that a claim that has ended and was given to another does no harm.

use std::collections::{HashMap, HashSet};

use parlance_domain::model::{Timestamp, WebhookId};
use parlance_domain::ports::{Buried, ClaimedLane, OutboxClaim, SettledLane, WebhookEvent};
use sea_orm::{DatabaseTransaction, FromQueryResult};

use super::{EventRow, event_columns, place_of};
use crate::error::Failed;
use crate::rows::sql_number;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

#[derive(Debug, FromQueryResult)]
struct LaneRow {
    lane: String,
    failures: i64,
}

/// Claims lanes that are due, with their first events.
pub(super) async fn claim(storage: &SqlStorage, claim: OutboxClaim) -> Result<Vec<ClaimedLane>, Failed> {
    let OutboxClaim { now, until, lanes, events } = claim;
    // Mostly nothing is, which is found out without waiting for writers.
    let due = Sql::new("SELECT CAST(1 AS BIGINT) FROM outbox_lanes WHERE due_at <= ? LIMIT 1").bind(now.millis());
    if due.scalar::<i64, _>(storage.pools.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    let transaction = storage.pools.begin().await?;
    let claimed: Vec<LaneRow> = Sql::either(
        "UPDATE outbox_lanes SET due_at = ?1, claimed = 1 \
         WHERE lane IN (SELECT lane FROM outbox_lanes WHERE due_at <= ?2 ORDER BY due_at LIMIT ?3) \
         RETURNING lane, failures",
        "WITH due AS MATERIALIZED ( \
             SELECT lane FROM outbox_lanes WHERE due_at <= ?2 ORDER BY due_at LIMIT ?3 FOR UPDATE SKIP LOCKED) \
         UPDATE outbox_lanes AS l SET due_at = ?1, claimed = 1 FROM due WHERE l.lane = due.lane \
         RETURNING l.lane, l.failures",
    )
    .bind(until.millis())
    .bind(now.millis())
    .bind(sql_number(lanes))
    .rows(&transaction)
    .await?;
    let mut first = list_first(&transaction, &claimed, events).await?;
    commit(transaction).await?;
    let lane = |LaneRow { lane, failures }| {
        let events = first.remove(&lane).unwrap_or_default();
        ClaimedLane { lane, until, failures: u32::try_from(failures).unwrap_or(u32::MAX), events }
    };
    Ok(claimed.into_iter().map(lane).collect())
}

/// The first events of these lanes.
async fn list_first(
    transaction: &DatabaseTransaction,
    lanes: &[LaneRow],
    limit: usize,
) -> Result<HashMap<String, Vec<WebhookEvent>>, Failed> {
    let names: Vec<&str> = lanes.iter().map(|row| row.lane.as_str()).collect();
    let rows: Vec<EventRow> = Sql::either(
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM json_each(?1) d CROSS JOIN outbox o \
              WHERE o.place IN (SELECT e.place FROM outbox e WHERE e.lane = d.atom ORDER BY e.place LIMIT ?2) \
              ORDER BY o.place",
        ),
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM json_each(?1) d CROSS JOIN LATERAL ( \
                  SELECT * FROM outbox e WHERE e.lane = d.atom ORDER BY e.place LIMIT ?2) o \
              ORDER BY o.place",
        ),
    )
    .bind_json(&names)?
    .bind(sql_number(limit))
    .rows(transaction)
    .await?;
    let mut first: HashMap<String, Vec<WebhookEvent>> = HashMap::with_capacity(lanes.len());
    for row in rows {
        let (lane, event) = row.read()?;
        first.entry(lane).or_default().push(event);
    }
    Ok(first)
}

/// Settles those of these lanes that are still claimed so.
pub(super) async fn settle(storage: &SqlStorage, settled: &[SettledLane]) -> Result<(), Failed> {
    let transaction = storage.pools.begin().await?;
    let held = hold(&transaction, settled).await?;
    let held: Vec<&SettledLane> = settled.iter().filter(|settled| held.contains(&settled.lane)).collect();
    if held.is_empty() {
        return Ok(());
    }
    bury(&transaction, held.iter().flat_map(|settled| &settled.buried)).await?;
    let gone = held.iter().flat_map(|SettledLane { delivered, buried, .. }| {
        delivered.iter().copied().chain(buried.iter().map(|buried| buried.id))
    });
    let gone: Vec<i64> = gone.map(|id: WebhookId| place_of(id).0).collect();
    Sql::new("DELETE FROM outbox WHERE place IN (SELECT CAST(atom AS BIGINT) FROM json_each(?))")
        .bind_json(&gone)?
        .run(&transaction)
        .await?;
    let rests: Vec<_> =
        held.iter().map(|settled| (settled.lane.as_str(), settled.due.millis(), settled.failures)).collect();
    Sql::new(
        "UPDATE outbox_lanes SET due_at = d.due_at, failures = d.failures, claimed = 0 \
         FROM (SELECT value ->> 0 AS lane, CAST(value ->> 1 AS BIGINT) AS due_at, \
                   CAST(value ->> 2 AS BIGINT) AS failures FROM json_each(?)) AS d \
         WHERE outbox_lanes.lane = d.lane",
    )
    .bind_json(&rests)?
    .run(&transaction)
    .await?;
    let lanes: Vec<&str> = held.iter().map(|settled| settled.lane.as_str()).collect();
    Sql::new(
        "DELETE FROM outbox_lanes WHERE lane IN (SELECT atom FROM json_each(?)) \
           AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.lane = outbox_lanes.lane)",
    )
    .bind_json(&lanes)?
    .run(&transaction)
    .await?;
    commit(transaction).await
}

/// Which of these are still claimed so. No event comes into them from here on.
async fn hold(transaction: &DatabaseTransaction, settled: &[SettledLane]) -> Result<HashSet<String>, Failed> {
    let claims: Vec<_> = settled.iter().map(|settled| (settled.lane.as_str(), settled.until.millis())).collect();
    let held: Vec<String> = Sql::either(
        "SELECT l.lane FROM json_each(?) d CROSS JOIN outbox_lanes l \
         WHERE l.lane = d.value ->> 0 AND l.claimed = 1 AND l.due_at = CAST(d.value ->> 1 AS BIGINT)",
        "SELECT l.lane FROM json_each(?) d JOIN outbox_lanes l ON l.lane = d.value ->> 0 \
         WHERE l.claimed = 1 AND l.due_at = CAST(d.value ->> 1 AS BIGINT) ORDER BY l.lane FOR UPDATE OF l",
    )
    .bind_json(&claims)?
    .scalars(transaction)
    .await?;
    Ok(held.into_iter().collect())
}

/// Makes dead letters.
async fn bury(transaction: &DatabaseTransaction, buried: impl Iterator<Item = &Buried>) -> Result<(), Failed> {
    let row =
        |Buried { id, at, failures, problem }: &Buried| (place_of(*id).0, at.millis(), *failures, problem.clone());
    let rows: Vec<_> = buried.map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    Sql::new(concat!(
        "INSERT INTO dead_letters \
             (place, lane, kind, subject, happened_at, give_up_at, buried_at, failures, problem) \
         SELECT ",
        event_columns!(),
        ", CAST(d.value ->> 1 AS BIGINT), CAST(d.value ->> 2 AS BIGINT), d.value ->> 3 \
         FROM json_each(?) d CROSS JOIN outbox o WHERE o.place = CAST(d.value ->> 0 AS BIGINT)",
    ))
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    Ok(())
}

/// Makes lanes due that rest; whoever changes one at this moment is not waited for.
pub(super) async fn wake(storage: &SqlStorage, now: Timestamp, claimed: bool) -> Result<(), Failed> {
    let transaction = storage.pools.begin().await?;
    Sql::either(
        "UPDATE outbox_lanes SET due_at = ?1, claimed = 0 WHERE due_at > ?1 AND claimed <= ?2",
        "WITH rests AS MATERIALIZED ( \
             SELECT lane FROM outbox_lanes WHERE due_at > ?1 AND claimed <= ?2 FOR UPDATE SKIP LOCKED) \
         UPDATE outbox_lanes AS l SET due_at = ?1, claimed = 0 FROM rests WHERE l.lane = rests.lane",
    )
    .bind(now.millis())
    .bind(i64::from(claimed))
    .run(&transaction)
    .await?;
    commit(transaction).await
}
