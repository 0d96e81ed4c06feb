//! The `Errands` port. An errand that is handed out stays where it is, with its lease as the moment when it is due.

use async_trait::async_trait;
use parlance_domain::model::{Subject, Timestamp, UserId};
use parlance_domain::ports::{Errand, Errands, StorageResult, TakenErrand};
use sea_orm::FromQueryResult;

use crate::error::{BadRow, Failed};
use crate::rows::{sql_number, user_id};
use crate::statement::Sql;
use crate::{SqlStorage, commit};

/// An errand that was handed out.
#[derive(Debug, FromQueryResult)]
struct TakenRow {
    user_id: String,
    subject: String,
    attempts: i64,
}

impl TakenRow {
    fn of(self, channel: &str) -> Result<TakenErrand, BadRow> {
        let Self { user_id: user, subject, attempts } = self;
        let subject = subject.parse().map_err(|_| BadRow("subject"))?;
        let attempts = u32::try_from(attempts).map_err(|_| BadRow("number of attempts"))?;
        Ok(TakenErrand { errand: Errand { channel: channel.to_owned(), user_id: user_id(&user)?, subject }, attempts })
    }
}

#[async_trait]
impl Errands for SqlStorage {
    async fn put_errands(&self, channel: &str, whom: &[(UserId, Subject)], due: Timestamp) -> StorageResult<()> {
        self.again(|| self.put_all(channel, whom, due)).await
    }

    async fn take_errands(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StorageResult<Vec<TakenErrand>> {
        self.again(|| self.take(channel, now, until, limit)).await
    }

    async fn finish_errand(&self, errand: &Errand) -> StorageResult<()> {
        self.again(|| self.finish(errand)).await
    }

    async fn postpone_errand(&self, errand: &Errand, due: Timestamp) -> StorageResult<()> {
        const POSTPONE: &str = "UPDATE errands SET due_at = ?4 WHERE channel = ?1 AND user_id = ?2 AND subject = ?3";
        let postpone = || async {
            let transaction = self.pools.begin().await?;
            of(POSTPONE, errand).bind(due.millis()).run(&transaction).await?;
            commit(transaction).await
        };
        self.again(postpone).await
    }
}

/// A statement about one errand.
fn of(text: &'static str, errand: &Errand) -> Sql {
    let Errand { channel, user_id, subject } = errand;
    Sql::new(text).bind(channel.as_str()).bind(user_id.as_str()).bind(subject.to_string())
}

impl SqlStorage {
    async fn put_all(&self, channel: &str, whom: &[(UserId, Subject)], due: Timestamp) -> Result<(), Failed> {
        let whom: Vec<(&str, String)> = whom.iter().map(|(user, what)| (user.as_str(), what.to_string())).collect();
        let transaction = self.pools.begin().await?;
        // In the order of the key, so that two nodes do not wait for each other.
        Sql::new(
            "INSERT INTO errands AS e (channel, user_id, subject, due_at) \
             SELECT ?1, w.user_id, w.subject, ?2 \
             FROM (SELECT DISTINCT value ->> 0 AS user_id, value ->> 1 AS subject FROM json_each(?3)) w \
             WHERE true ORDER BY 2, 3 \
             ON CONFLICT (channel, user_id, subject) DO UPDATE SET again_at = excluded.due_at WHERE e.attempts > 0",
        )
        .bind(channel)
        .bind(due.millis())
        .bind_json(&whom)?
        .run(&transaction)
        .await?;
        commit(transaction).await
    }

    async fn take(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TakenErrand>, Failed> {
        // Nearly always there is nothing, and then nobody is kept from writing.
        let due = Sql::new("SELECT CAST(1 AS BIGINT) FROM errands WHERE channel = ? AND due_at <= ? LIMIT 1");
        let due: Option<i64> = due.bind(channel).bind(now.millis()).scalar(self.pools.reader()).await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let transaction = self.pools.begin().await?;
        let rows: Vec<TakenRow> = Sql::either(
            "UPDATE errands SET due_at = ?3, attempts = attempts + 1 \
             WHERE channel = ?1 AND (user_id, subject) IN ( \
                 SELECT user_id, subject FROM errands WHERE channel = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?4) \
             RETURNING user_id, subject, attempts",
            "UPDATE errands SET due_at = ?3, attempts = attempts + 1 \
             WHERE channel = ?1 AND (user_id, subject) IN ( \
                 SELECT user_id, subject FROM errands WHERE channel = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?4 \
                 FOR UPDATE SKIP LOCKED) \
             RETURNING user_id, subject, attempts",
        )
        .bind(channel)
        .bind(now.millis())
        .bind(until.millis())
        .bind(sql_number(limit))
        .rows(&transaction)
        .await?;
        commit(transaction).await?;
        Ok(rows.into_iter().map(|row| row.of(channel)).collect::<Result<_, _>>()?)
    }

    async fn finish(&self, errand: &Errand) -> Result<(), Failed> {
        const REMOVE: &str =
            "DELETE FROM errands WHERE channel = ? AND user_id = ? AND subject = ? AND again_at IS NULL";
        const AGAIN: &str = "UPDATE errands SET due_at = again_at, attempts = 0, again_at = NULL \
                             WHERE channel = ? AND user_id = ? AND subject = ? AND again_at IS NOT NULL";
        let transaction = self.pools.begin().await?;
        if of(REMOVE, errand).run(&transaction).await? == 0 {
            of(AGAIN, errand).run(&transaction).await?;
        }
        commit(transaction).await
    }
}
