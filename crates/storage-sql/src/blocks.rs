//! The `Blocks` port.

use async_trait::async_trait;
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::ports::{Blocks, StorageResult};
use parlance_domain::rules::blocking::Blocking;

use crate::conversations::direct_key;
use crate::error::Failed;
use crate::rows::{sql_number, user_id};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks};

#[async_trait]
impl Blocks for SqlStorage {
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, now: Timestamp) -> StorageResult<bool> {
        const INSERT: &str = "INSERT INTO blocks (blocker, blocked, created_at) VALUES (?, ?, ?) \
                              ON CONFLICT (blocker, blocked) DO NOTHING";
        let insert = || Sql::new(INSERT).bind(blocker.as_str()).bind(blocked.as_str()).bind(now.millis());
        let block = || async {
            let transaction = self.pools.begin().await?;
            // Appends that have looked for blocks hold the conversation until they are stored; others look again.
            locks::direct(&transaction, &direct_key(blocker, blocked)).await?;
            let new = insert().run(&transaction).await? > 0;
            commit(transaction).await?;
            Ok(new)
        };
        self.again(block).await
    }

    async fn remove_block(&self, blocker: &UserId, blocked: &UserId) -> StorageResult<bool> {
        let remove = || Sql::new("DELETE FROM blocks WHERE blocker = ? AND blocked = ?");
        let unblock = || async {
            let transaction = self.pools.begin().await?;
            let removed = remove().bind(blocker.as_str()).bind(blocked.as_str()).run(&transaction).await? > 0;
            commit(transaction).await?;
            Ok(removed)
        };
        self.again(unblock).await
    }

    async fn list_blocked(&self, blocker: &UserId, limit: usize) -> StorageResult<Vec<UserId>> {
        const LIST: &str = "SELECT blocked FROM blocks WHERE blocker = ? ORDER BY created_at DESC, place DESC LIMIT ?";
        self.again(|| self.read_users(Sql::new(LIST).bind(blocker.as_str()).bind(sql_number(limit)))).await
    }

    async fn find_blocking(&self, viewer: &UserId, other: &UserId) -> StorageResult<Blocking> {
        const FIND: &str = "SELECT blocker FROM blocks WHERE blocker = ?1 AND blocked = ?2 \
                            UNION ALL SELECT blocker FROM blocks WHERE blocker = ?2 AND blocked = ?1";
        let find = || self.read_users(Sql::new(FIND).bind(viewer.as_str()).bind(other.as_str()));
        let blockers = self.again(find).await?;
        Ok(Blocking { by_viewer: blockers.contains(viewer), by_other: blockers.contains(other) })
    }

    async fn list_blocked_either_way(&self, viewer: &UserId, others: &[UserId]) -> StorageResult<Vec<UserId>> {
        let others: Vec<&str> = others.iter().map(UserId::as_str).collect();
        self.again(|| self.blocked_either_way(viewer, &others)).await
    }
}

impl SqlStorage {
    async fn read_users(&self, sql: Sql) -> Result<Vec<UserId>, Failed> {
        let ids: Vec<String> = sql.scalars(self.pools.reader()).await?;
        Ok(ids.iter().map(|id| user_id(id)).collect::<Result<_, _>>()?)
    }

    async fn blocked_either_way(&self, viewer: &UserId, others: &[&str]) -> Result<Vec<UserId>, Failed> {
        let sql = Sql::new(
            "SELECT DISTINCT o.atom FROM json_each(?1) o \
             WHERE EXISTS (SELECT 1 FROM blocks WHERE blocker = ?2 AND blocked = o.atom) \
                OR EXISTS (SELECT 1 FROM blocks WHERE blocker = o.atom AND blocked = ?2)",
        );
        self.read_users(sql.bind_json(&others)?.bind(viewer.as_str())).await
    }
}
