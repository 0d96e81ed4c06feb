//! The `Archive` port: what was begun and how far it has come. A page of each kind of record is in `archive/list`,
//! intake in `archive/intake`.

mod intake;
mod list;
mod rows;

use async_trait::async_trait;
use parlance_domain::model::{ContentHash, Place, Record, RecordCounts};
use parlance_domain::ports::{Archive, Begun, StorageResult, UnfinishedCopy};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::count;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

#[async_trait]
impl Archive for SqlStorage {
    async fn count_records(&self) -> StorageResult<RecordCounts> {
        self.again(|| count_records(self.pools.reader())).await
    }

    async fn list_records(&self, after: &Place, limit: usize) -> StorageResult<Vec<Record>> {
        self.again(|| list::list(self.pools.reader(), after, limit)).await
    }

    async fn find_copy(&self) -> StorageResult<Option<UnfinishedCopy>> {
        self.again(|| find(self.pools.reader())).await
    }

    async fn begin_copy(&self, source: ContentHash) -> StorageResult<Begun> {
        self.again(|| self.begin(source)).await
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        self.again(|| intake::take_in(self, records)).await
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        self.again(|| intake::finish(self)).await
    }
}

impl SqlStorage {
    async fn begin(&self, source: ContentHash) -> Result<Begun, Failed> {
        let transaction = self.pools.begin().await?;
        // The row that is there decides between two that begin at once.
        let begun = Sql::new("INSERT INTO unfinished_copy (one, source) VALUES (1, ?) ON CONFLICT (one) DO NOTHING");
        if begun.bind(source.to_string()).run(&transaction).await? == 0 {
            let copy = find(&transaction).await?.ok_or(BadRow("copy"))?;
            return Ok(if copy.source == source { Begun::Unfinished(copy.reached) } else { Begun::Foreign });
        }
        if !is_empty(&transaction).await? {
            return Ok(Begun::Occupied);
        }
        commit(transaction).await?;
        Ok(Begun::Fresh)
    }
}

/// The copy that has begun.
async fn find<C: ConnectionTrait>(on: &C) -> Result<Option<UnfinishedCopy>, Failed> {
    #[derive(FromQueryResult)]
    struct CopyRow {
        source: String,
        reached: Option<String>,
    }
    let row: Option<CopyRow> = Sql::new("SELECT source, reached FROM unfinished_copy").row(on).await?;
    let Some(CopyRow { source, reached }) = row else { return Ok(None) };
    let source = source.parse().map_err(|_| BadRow("source of a copy"))?;
    let reached = reached.map(|place| place.parse().map_err(|_| BadRow("place of a copy"))).transpose()?;
    Ok(Some(UnfinishedCopy { source, reached }))
}

/// Whether nobody and nothing is there. Everything but a block needs a user, and notifications need theirs.
async fn is_empty<C: ConnectionTrait>(on: &C) -> Result<bool, Failed> {
    let found = Sql::new(
        "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM conversations) \
         OR EXISTS (SELECT 1 FROM messages) OR EXISTS (SELECT 1 FROM blocks)",
    );
    Ok(found.scalar::<i64, _>(on).await?.is_none())
}

async fn count_records<C: ConnectionTrait>(on: &C) -> Result<RecordCounts, Failed> {
    #[derive(FromQueryResult)]
    struct CountsRow {
        users: i64,
        media: i64,
        conversations: i64,
        messages: i64,
        participants: i64,
        former: i64,
        blocks: i64,
        notifications: i64,
    }
    let row: Option<CountsRow> = Sql::new(
        "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM media) AS media, \
             (SELECT count(*) FROM conversations) AS conversations, (SELECT count(*) FROM messages) AS messages, \
             (SELECT count(*) FROM participants) AS participants, \
             (SELECT count(*) FROM former_participants) AS former, (SELECT count(*) FROM blocks) AS blocks, \
             (SELECT count(*) FROM notifications) AS notifications",
    )
    .row(on)
    .await?;
    let CountsRow { users, media, conversations, messages, participants, former, blocks, notifications } =
        row.ok_or(BadRow("counts"))?;
    Ok(RecordCounts {
        users: count(users)?,
        media: count(media)?,
        conversations: count(conversations)?,
        messages: count(messages)?,
        participants: count(participants)? + count(former)?,
        blocks: count(blocks)?,
        notifications: count(notifications)?,
    })
}
