//! The `Addresses` port.

use async_trait::async_trait;
use parlance_domain::model::{Address, UserId};
use parlance_domain::ports::{Addresses, NewAddress, StorageResult};
use sea_orm::FromQueryResult;

use crate::error::Failed;
use crate::rows::sql_number;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

/// An address.
#[derive(Debug, FromQueryResult)]
struct AddressRow {
    target: String,
    extra: String,
}

impl From<AddressRow> for Address {
    fn from(AddressRow { target, extra }: AddressRow) -> Self {
        Self { target, extra }
    }
}

#[async_trait]
impl Addresses for SqlStorage {
    async fn put_address(&self, new: NewAddress) -> StorageResult<()> {
        self.again(|| self.put(&new)).await
    }

    async fn list_addresses(&self, user: &UserId, channel: &str) -> StorageResult<Vec<Address>> {
        const LIST: &str = "SELECT target, extra FROM addresses WHERE user_id = ? AND channel = ? \
                            ORDER BY put_at DESC, target";
        let list = || async {
            let rows = Sql::new(LIST).bind(user.as_str()).bind(channel).rows::<AddressRow, _>(self.pools.reader());
            Ok(rows.await?.into_iter().map(Address::from).collect())
        };
        self.again(list).await
    }

    async fn remove_address(&self, user: &UserId, channel: &str, target: &str) -> StorageResult<bool> {
        const REMOVE: &str = "DELETE FROM addresses WHERE user_id = ? AND channel = ? AND target = ?";
        let remove = || async {
            let transaction = self.pools.begin().await?;
            let removed = Sql::new(REMOVE).bind(user.as_str()).bind(channel).bind(target).run(&transaction).await? > 0;
            commit(transaction).await?;
            Ok(removed)
        };
        self.again(remove).await
    }
}

impl SqlStorage {
    async fn put(&self, new: &NewAddress) -> Result<(), Failed> {
        let NewAddress { user_id, channel, address: Address { target, extra }, at_most, alone, at } = new;
        let transaction = self.pools.begin().await?;
        if *alone {
            Sql::new("DELETE FROM addresses WHERE channel = ? AND target = ? AND user_id <> ?")
                .bind(channel.as_str())
                .bind(target.as_str())
                .bind(user_id.as_str())
                .run(&transaction)
                .await?;
        }
        Sql::new(
            "INSERT INTO addresses (user_id, channel, target, extra, put_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (user_id, channel, target) DO UPDATE SET extra = excluded.extra, put_at = excluded.put_at",
        )
        .bind(user_id.as_str())
        .bind(channel.as_str())
        .bind(target.as_str())
        .bind(extra.as_str())
        .bind(at.millis())
        .run(&transaction)
        .await?;
        // The one that was just put stays, whatever the moments of the others.
        Sql::new(
            "DELETE FROM addresses WHERE user_id = ?1 AND channel = ?2 AND target <> ?3 AND target NOT IN ( \
                 SELECT target FROM addresses WHERE user_id = ?1 AND channel = ?2 AND target <> ?3 \
                 ORDER BY put_at DESC, target LIMIT ?4)",
        )
        .bind(user_id.as_str())
        .bind(channel.as_str())
        .bind(target.as_str())
        .bind(sql_number(at_most.saturating_sub(1)))
        .run(&transaction)
        .await?;
        commit(transaction).await
    }
}
