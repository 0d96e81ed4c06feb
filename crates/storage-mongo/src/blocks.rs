//! The `Blocks` port. A block is one document with the pair as its key.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, doc};
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::ports::{Blocks, StorageResult};
use parlance_domain::rules::blocking::Blocking;
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::documents::{date, user_id};
use crate::error::{Failed, is_duplicate};
use crate::reader::{Query, Reader};
use crate::schema::BLOCKS;

/// Somebody blocks somebody.
#[derive(Debug, Serialize, Deserialize)]
struct BlockDocument {
    #[serde(rename = "_id")]
    id: String,
    blocker: String,
    blocked: String,
    created_at: DateTime,
    /// Orders those of one moment by when they came.
    place: ObjectId,
}

/// The key of a block. User ids have no control characters.
pub(crate) fn block_id(blocker: &str, blocked: &str) -> String {
    format!("{blocker}\n{blocked}")
}

#[async_trait]
impl Blocks for MongoStorage {
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, now: Timestamp) -> StorageResult<bool> {
        let block = BlockDocument {
            id: block_id(blocker.as_str(), blocked.as_str()),
            blocker: blocker.as_str().to_owned(),
            blocked: blocked.as_str().to_owned(),
            created_at: date(now),
            place: ObjectId::new(),
        };
        let blocks = self.deployment.database.collection::<BlockDocument>(BLOCKS);
        match self.within_write(blocks.insert_one(&block).into_future()).await {
            Ok(_) => Ok(true),
            Err(Failed::Command(error)) if is_duplicate(&error) => Ok(false),
            Err(failed) => Err(failed.into()),
        }
    }

    async fn remove_block(&self, blocker: &UserId, blocked: &UserId) -> StorageResult<bool> {
        let id = block_id(blocker.as_str(), blocked.as_str());
        let blocks = self.deployment.database.collection::<BlockDocument>(BLOCKS);
        let removed = self.within_write(blocks.delete_one(doc! { "_id": id }).into_future()).await?;
        Ok(removed.deleted_count > 0)
    }

    async fn list_blocked(&self, blocker: &UserId, limit: usize) -> StorageResult<Vec<UserId>> {
        let blocks = Query::new(BLOCKS, doc! { "blocker": blocker.as_str() });
        let blocks = blocks.sort(doc! { "created_at": -1, "place": -1 }).limit(limit);
        let blocks: Vec<BlockDocument> = self.within(self.reader().all(blocks)).await?;
        let blocked = blocks.iter().take(limit).map(|block| user_id(&block.blocked));
        Ok(blocked.collect::<Result<_, _>>().map_err(Failed::from)?)
    }

    async fn find_blocking(&self, viewer: &UserId, other: &UserId) -> StorageResult<Blocking> {
        let (by_viewer, by_other) =
            (block_id(viewer.as_str(), other.as_str()), block_id(other.as_str(), viewer.as_str()));
        let blocks = Query::new(BLOCKS, doc! { "_id": { "$in": [&by_viewer, &by_other] } });
        let blocks: Vec<BlockDocument> = self.within(self.reader().all(blocks)).await?;
        let has = |id: &str| blocks.iter().any(|block| block.id == id);
        Ok(Blocking { by_viewer: has(&by_viewer), by_other: has(&by_other) })
    }

    async fn list_blocked_either_way(&self, viewer: &UserId, others: &[UserId]) -> StorageResult<Vec<UserId>> {
        Ok(self.within(list_either_way(&mut self.reader(), viewer, others)).await?)
    }
}

/// Those of `others` who block `user` or whom they block, each once.
pub(crate) async fn list_either_way(
    reader: &mut Reader<'_>,
    user: &UserId,
    others: impl IntoIterator<Item = &UserId>,
) -> Result<Vec<UserId>, Failed> {
    let both = |other: &UserId| [block_id(user.as_str(), other.as_str()), block_id(other.as_str(), user.as_str())];
    let ids: BTreeSet<String> = others.into_iter().flat_map(both).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = ids.into_iter().collect();
    let blocks: Vec<BlockDocument> = reader.all(Query::new(BLOCKS, doc! { "_id": { "$in": ids } })).await?;
    let mut users = BTreeSet::new();
    for BlockDocument { blocker, blocked, .. } in blocks {
        users.insert(user_id(if blocker == user.as_str() { &blocked } else { &blocker })?);
    }
    Ok(users.into_iter().collect())
}
