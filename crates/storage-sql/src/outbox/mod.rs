//! The `Outbox` port, and writing events inside the transaction of the change that they tell of: one statement in
//! PostgreSQL and two in SQLite, whatever the batch. Claiming and settling lanes is in `lanes`, what was given up in
//! `dead_letters`.
//!
//! In PostgreSQL each event locks the row of its lane until the change is committed, after everything else that the
//! change locks: so places rise in the order of the commits within a lane, and a lane does not go while an event
//! comes.

mod dead_letters;
mod lanes;

use async_trait::async_trait;
use parlance_domain::model::{NewWebhook, Timestamp, WebhookId, WebhookKind, WebhookKinds, WebhookSubject};
use parlance_domain::ports::{
    ClaimedLane, DeadLetter, Outbox, OutboxClaim, OutboxCounts, SettledLane, StorageResult, WebhookEvent,
};
use parlance_domain::rules::retrying::give_up_at;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::count;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

/// Stores an event; the lane of one that is there stays as it is.
pub(crate) const INSERT_ROW: &str =
    "INSERT INTO outbox (lane, kind, subject, happened_at, give_up_at) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(crate) const INSERT_LANE: &str =
    "INSERT INTO outbox_lanes (lane, due_at) VALUES (?1, ?2) ON CONFLICT (lane) DO NOTHING";

#[async_trait]
impl Outbox for SqlStorage {
    fn want(&self, kinds: WebhookKinds) {
        self.wanted.set(kinds);
    }

    async fn add(&self, events: Vec<NewWebhook>) -> StorageResult<()> {
        self.again(|| async {
            let transaction = self.pools.begin().await?;
            insert(&transaction, &events).await?;
            commit(transaction).await
        })
        .await
    }

    async fn claim(&self, claim: OutboxClaim) -> StorageResult<Vec<ClaimedLane>> {
        self.again(|| lanes::claim(self, claim)).await
    }

    async fn settle(&self, settled: Vec<SettledLane>) -> StorageResult<()> {
        self.again(|| lanes::settle(self, &settled)).await
    }

    async fn wake(&self, now: Timestamp, claimed: bool) -> StorageResult<()> {
        self.again(|| lanes::wake(self, now, claimed)).await
    }

    async fn count_webhooks(&self) -> StorageResult<OutboxCounts> {
        self.again(|| async {
            let on = self.pools.reader();
            let waiting: Option<i64> = Sql::new("SELECT count(*) FROM outbox").scalar(on).await?;
            let dead: Option<i64> = Sql::new("SELECT count(*) FROM dead_letters").scalar(on).await?;
            Ok(OutboxCounts { waiting: count(waiting.unwrap_or(0))?, dead: count(dead.unwrap_or(0))? })
        })
        .await
    }

    async fn list_dead_letters(&self, after: Option<WebhookId>, limit: usize) -> StorageResult<Vec<DeadLetter>> {
        self.again(|| dead_letters::list(self, after, limit)).await
    }

    async fn retry_dead_letters(&self, ids: &[WebhookId], now: Timestamp) -> StorageResult<u64> {
        self.again(|| dead_letters::retry(self, ids, now)).await
    }

    async fn drop_dead_letters(&self, ids: &[WebhookId]) -> StorageResult<u64> {
        self.again(|| dead_letters::drop(self, ids)).await
    }
}

/// Writes the events of a change, as the last thing that it does.
pub(crate) async fn insert(transaction: &DatabaseTransaction, events: &[NewWebhook]) -> Result<(), Failed> {
    const EVENTS: &str = "INSERT INTO outbox (lane, kind, subject, happened_at, give_up_at) \
                          SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), \
                              CAST(value ->> 4 AS BIGINT) \
                          FROM json_each(?) ORDER BY key";
    const LANES: &str = "INSERT INTO outbox_lanes (lane, due_at) \
                         SELECT value ->> 0, min(CAST(value ->> 3 AS BIGINT)) FROM json_each(?) WHERE true \
                         GROUP BY value ->> 0 ON CONFLICT (lane) DO NOTHING";
    const BOTH: &str = "WITH events AS ( \
                            INSERT INTO outbox (lane, kind, subject, happened_at, give_up_at) \
                            SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), \
                                CAST(value ->> 4 AS BIGINT) \
                            FROM json_each(?) ORDER BY key \
                            RETURNING lane, happened_at) \
                        INSERT INTO outbox_lanes (lane, due_at) \
                        SELECT lane, min(happened_at) FROM events GROUP BY lane ORDER BY lane \
                        ON CONFLICT (lane) DO UPDATE SET due_at = outbox_lanes.due_at";
    if events.is_empty() {
        return Ok(());
    }
    let row = |event: &NewWebhook| {
        let NewWebhook { kind, subject, at } = event;
        (subject.lane(), kind.name(), subject.to_stored(), at.millis(), give_up_at(*at).millis())
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    if transaction.get_database_backend() == DbBackend::Postgres {
        Sql::new(BOTH).bind_json(&rows)?.run(transaction).await?;
    } else {
        Sql::new(EVENTS).bind_json(&rows)?.run(transaction).await?;
        Sql::new(LANES).bind_json(&rows)?.run(transaction).await?;
    }
    Ok(())
}

/// The columns of [`EventRow`], from a table or alias `o`.
macro_rules! event_columns {
    () => {
        "o.place, o.lane, o.kind, o.subject, o.happened_at, o.give_up_at"
    };
}
use event_columns;

/// An event that waits.
#[derive(Debug, FromQueryResult)]
struct EventRow {
    place: i64,
    lane: String,
    kind: String,
    subject: String,
    happened_at: i64,
    give_up_at: i64,
}

impl EventRow {
    /// The lane, and the event in it.
    fn read(self) -> Result<(String, WebhookEvent), BadRow> {
        let Self { place, lane, kind, subject, happened_at, give_up_at } = self;
        let kind: WebhookKind = kind.parse().map_err(|_| BadRow("kind of an event"))?;
        let event = WebhookEvent {
            id: event_id(place, happened_at)?,
            kind,
            subject: WebhookSubject::from_stored(kind, &subject).map_err(|_| BadRow("subject of an event"))?,
            at: Timestamp::from_millis(happened_at),
            give_up_at: Timestamp::from_millis(give_up_at),
        };
        Ok((lane, event))
    }
}

/// An event's id: its place, which no other event of the database has, and its moment, which tells it from an event of
/// another database that took this one's place. Six bytes each.
fn event_id(place: i64, happened_at: i64) -> Result<WebhookId, BadRow> {
    let mut id = [0; 12];
    for (half, number) in id.chunks_exact_mut(6).zip([place, happened_at]) {
        let [0, 0, low @ ..] = number.to_be_bytes() else { return Err(BadRow("place of an event")) };
        half.copy_from_slice(&low);
    }
    Ok(WebhookId::from_bytes(id))
}

/// Place and moment of an event, as they are bound.
fn place_of(id: WebhookId) -> (i64, i64) {
    let half = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | i64::from(*byte));
    let bytes = id.bytes();
    (half(&bytes[..6]), half(&bytes[6..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_place_and_rises_with_it() {
        let moment = 1_795_000_000_000;
        let ids = [1, 2, 255, 256, (1 << 48) - 1].map(|place| event_id(place, moment).expect("it fits"));
        assert_eq!(ids.map(|id| place_of(id).0), [1, 2, 255, 256, (1 << 48) - 1]);
        assert!(ids.is_sorted() && ids.iter().all(|id| place_of(*id).1 == moment));
        assert!(event_id(1 << 48, moment).is_err() && event_id(1, -1).is_err());
    }
}
