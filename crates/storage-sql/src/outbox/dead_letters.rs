//! Events that were given up. One that is put back has its old place, and with it its old id.

use parlance_domain::model::{Timestamp, WebhookId};
use parlance_domain::ports::DeadLetter;
use parlance_domain::rules::retrying::give_up_at;
use sea_orm::FromQueryResult;

use super::{EventRow, event_columns, place_of};
use crate::error::Failed;
use crate::rows::sql_number;
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks};

#[derive(Debug, FromQueryResult)]
struct LetterRow {
    #[sea_orm(nested)]
    event: EventRow,
    buried_at: i64,
    failures: i64,
    problem: String,
}

/// Those of the ids in `?1` that are dead letters, as `o`.
macro_rules! named {
    () => {
        " FROM json_each(?1) d CROSS JOIN dead_letters o \
          WHERE o.place = CAST(d.value ->> 0 AS BIGINT) AND o.happened_at = CAST(d.value ->> 1 AS BIGINT)"
    };
}

/// A page of them.
pub(super) async fn list(
    storage: &SqlStorage,
    after: Option<WebhookId>,
    limit: usize,
) -> Result<Vec<DeadLetter>, Failed> {
    let rows: Vec<LetterRow> = Sql::new(concat!(
        "SELECT ",
        event_columns!(),
        ", o.buried_at, o.failures, o.problem FROM dead_letters o WHERE o.place > ? ORDER BY o.place LIMIT ?",
    ))
    .bind(after.map_or(-1, |after| place_of(after).0))
    .bind(sql_number(limit))
    .rows(storage.pools.reader())
    .await?;
    let letter = |LetterRow { event, buried_at, failures, problem }| {
        let (_, event) = event.read()?;
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        Ok(DeadLetter { event, buried_at: Timestamp::from_millis(buried_at), failures, problem })
    };
    rows.into_iter().map(letter).collect()
}

/// Puts them back.
pub(super) async fn retry(storage: &SqlStorage, ids: &[WebhookId], now: Timestamp) -> Result<u64, Failed> {
    let places: Vec<_> = ids.iter().map(|id| place_of(*id)).collect();
    let transaction = storage.pools.begin().await?;
    locks::dead_letters(&transaction, places.iter().map(|(place, _)| *place)).await?;
    let put_back = Sql::new(concat!(
        "INSERT INTO outbox (place, lane, kind, subject, happened_at, give_up_at) \
         SELECT DISTINCT o.place, o.lane, o.kind, o.subject, o.happened_at, CAST(?2 AS BIGINT)",
        named!()
    ))
    .bind_json(&places)?
    .bind(give_up_at(now).millis())
    .run(&transaction)
    .await?;
    Sql::new(concat!(
        "INSERT INTO outbox_lanes (lane, due_at) SELECT o.lane, CAST(?2 AS BIGINT)",
        named!(),
        " GROUP BY o.lane ORDER BY o.lane \
          ON CONFLICT (lane) DO UPDATE SET \
              due_at = CASE WHEN outbox_lanes.claimed = 0 AND outbox_lanes.due_at > excluded.due_at \
                  THEN excluded.due_at ELSE outbox_lanes.due_at END, \
              failures = CASE WHEN outbox_lanes.claimed = 0 THEN 0 ELSE outbox_lanes.failures END",
    ))
    .bind_json(&places)?
    .bind(now.millis())
    .run(&transaction)
    .await?;
    remove(&transaction, &places).await?;
    commit(transaction).await?;
    Ok(put_back)
}

/// Removes them.
pub(super) async fn drop(storage: &SqlStorage, ids: &[WebhookId]) -> Result<u64, Failed> {
    let places: Vec<_> = ids.iter().map(|id| place_of(*id)).collect();
    let transaction = storage.pools.begin().await?;
    let removed = remove(&transaction, &places).await?;
    commit(transaction).await?;
    Ok(removed)
}

async fn remove(transaction: &sea_orm::DatabaseTransaction, places: &[(i64, i64)]) -> Result<u64, Failed> {
    let remove = Sql::new(concat!("DELETE FROM dead_letters WHERE place IN (SELECT o.place", named!(), ")"));
    Ok(remove.bind_json(&places)?.run(transaction).await?)
}
