//! The `Blocks` port. A block is one document with the pair as its key.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, doc};
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::ports::{Blocks, StorageResult};
use parlance_domain::rules::blocking::Blocking;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Unit};
use crate::command::Command;
use crate::conversations::{direct_key, find_direct_id};
use crate::documents::{date, object_id, user_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{BLOCKS, CONVERSATIONS};
use crate::{MongoStorage, messages};

/// Somebody blocks somebody.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BlockDocument {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) blocker: String,
    pub(crate) blocked: String,
    pub(crate) created_at: DateTime,
    /// Orders those of one moment by when they came.
    pub(crate) place: ObjectId,
}

impl BlockDocument {
    /// A block that comes now, with its moment.
    pub(crate) fn new(blocker: &UserId, blocked: &UserId, since: Timestamp) -> Self {
        Self {
            id: block_id(blocker.as_str(), blocked.as_str()),
            blocker: blocker.as_str().to_owned(),
            blocked: blocked.as_str().to_owned(),
            created_at: date(since),
            place: ObjectId::new(),
        }
    }
}

/// The key of a block. User ids have no control characters.
pub(crate) fn block_id(blocker: &str, blocked: &str) -> String {
    format!("{blocker}\n{blocked}")
}

/// A block that is to be there.
struct Block<'a> {
    blocker: &'a UserId,
    blocked: &'a UserId,
    now: Timestamp,
}

#[async_trait]
impl Change for Block<'_> {
    type Done = bool;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let id = block_id(self.blocker.as_str(), self.blocked.as_str());
        let direct = find_direct_id(reader, &direct_key(self.blocker, self.blocked)).await?;
        Ok(direct.map(messages::lock).into_iter().chain([format!("block/{id}")]).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<bool, Failed> {
        let Self { blocker, blocked, now } = self;
        let block = BlockDocument::new(blocker, blocked, *now);
        let mut reader = unit.reader();
        if reader.one::<BlockDocument>(Query::by_id(BLOCKS, block.id.as_str())).await?.is_some() {
            return Ok(false);
        }
        // An append that has looked for blocks writes its conversation, so of the two one comes first.
        if let Some(direct) = find_direct_id(&mut reader, &direct_key(blocker, blocked)).await? {
            unit.require(&messages::lock(direct))?;
            unit.hold(CONVERSATIONS, [object_id(direct.bytes())]);
        }
        unit.write(Command::insert(BLOCKS, &[block])?);
        Ok(true)
    }
}

#[async_trait]
impl Blocks for MongoStorage {
    async fn insert_block(&self, blocker: &UserId, blocked: &UserId, now: Timestamp) -> StorageResult<bool> {
        Ok(self.make(&Block { blocker, blocked, now }).await?)
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
