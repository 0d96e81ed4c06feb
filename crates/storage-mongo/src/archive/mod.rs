//! The `Archive` port: what was begun and how far it has come. A page of each kind of record is in `list`, of
//! messages in `messages`, intake in `intake` and `rooms`, the end in `finish`.

mod finish;
mod intake;
mod list;
mod messages;
mod rooms;

use async_trait::async_trait;
use futures::TryFutureExt;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{ContentHash, Place, Record, RecordCounts};
use parlance_domain::ports::{Archive, Begun, StorageResult, UnfinishedCopy};
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::Command;
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::{BLOCKS, CONVERSATIONS, COPIES, MEDIA, MESSAGES, NOTIFICATIONS, POSITIONS, USERS};

/// The one document of the collection `copies`, and the lock of whoever changes it.
const THE_COPY: &str = "copy";

/// A copy that has begun.
#[derive(Debug, Serialize, Deserialize)]
struct CopyDocument {
    #[serde(rename = "_id")]
    id: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reached: Option<String>,
}

impl TryFrom<CopyDocument> for UnfinishedCopy {
    type Error = BadDocument;

    fn try_from(document: CopyDocument) -> Result<Self, BadDocument> {
        let CopyDocument { id: _, source, reached } = document;
        let source = source.parse().map_err(|_| BadDocument("source of a copy"))?;
        let reached = reached.map(|place| place.parse().map_err(|_| BadDocument("place of a copy"))).transpose()?;
        Ok(Self { source, reached })
    }
}

#[async_trait]
impl Archive for MongoStorage {
    async fn count_records(&self) -> StorageResult<RecordCounts> {
        let count = |collection: &'static str| {
            let collection = self.deployment.database.collection::<Document>(collection);
            async move { self.within(collection.count_documents(doc! {}).into_future().map_err(Failed::from)).await }
        };
        Ok(RecordCounts {
            users: count(USERS).await?,
            media: count(MEDIA).await?,
            conversations: count(CONVERSATIONS).await?,
            messages: count(MESSAGES).await?,
            participants: count(POSITIONS).await?,
            blocks: count(BLOCKS).await?,
            notifications: count(NOTIFICATIONS).await?,
        })
    }

    async fn list_records(&self, after: &Place, limit: usize) -> StorageResult<Vec<Record>> {
        Ok(self.within(list::list(&mut self.reader(), after, limit)).await?)
    }

    async fn find_copy(&self) -> StorageResult<Option<UnfinishedCopy>> {
        Ok(self.within(find(&mut self.reader())).await?)
    }

    async fn begin_copy(&self, source: ContentHash) -> StorageResult<Begun> {
        Ok(self.make(&Begin { source }).await?)
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        Ok(intake::take_in(self, records).await?)
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        Ok(finish::finish(self).await?)
    }
}

async fn find(reader: &mut Reader<'_>) -> Result<Option<UnfinishedCopy>, Failed> {
    let found: Option<CopyDocument> = reader.one(Query::by_id(COPIES, THE_COPY)).await?;
    Ok(found.map(UnfinishedCopy::try_from).transpose()?)
}

/// A copy that is to begin.
struct Begin {
    source: ContentHash,
}

#[async_trait]
impl Change for Begin {
    type Done = Begun;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![THE_COPY.to_owned()])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Begun, Failed> {
        let mut reader = unit.reader();
        if let Some(UnfinishedCopy { source, reached }) = find(&mut reader).await? {
            return Ok(if source == self.source { Begun::Unfinished(reached) } else { Begun::Foreign });
        }
        // Everything but a block needs a user or a conversation.
        for collection in [USERS, CONVERSATIONS, MESSAGES, BLOCKS] {
            let any = Query::new(collection, doc! {}).fields(doc! { "_id": 1 });
            if reader.one::<Document>(any).await?.is_some() {
                return Ok(Begun::Occupied);
            }
        }
        let copy = CopyDocument { id: THE_COPY.to_owned(), source: self.source.to_string(), reached: None };
        unit.write(Command::insert(COPIES, &[copy])?);
        Ok(Begun::Fresh)
    }
}
