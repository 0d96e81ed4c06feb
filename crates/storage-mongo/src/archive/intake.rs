//! Takes records in: a batch is one change, with a command for each collection. What is there stays, and what follows
//! from records is worked out from what is new alone, so that a repeated batch adds nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, doc};
use parlance_domain::model::{BlocksRecord, Notification, Preferences, Record, RecordsByKind, UserId, UserRecord};
use parlance_domain::rules::media::Named;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{THE_COPY, find, rooms};
use crate::MongoStorage;
use crate::append::{JOURNAL_BYTES, bytes_of_message};
use crate::blocks::BlockDocument;
use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::object_id;
use crate::error::{BadDocument, Failed};
use crate::inbox::InboxDocument;
use crate::media_items::{self, MediumDocument};
use crate::notifications::NotificationDocument;
use crate::reader::{Query, Reader};
use crate::schema::{BLOCKS, COPIES, INBOXES, MEDIA, NOTIFICATIONS, USERS};
use crate::users::UserDocument;

/// Takes a batch in, in parts that each fit into a journal.
pub(super) async fn take_in(storage: &MongoStorage, records: &[Record]) -> Result<(), Failed> {
    let mut rest = records;
    loop {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += bytes_of(record);
            bytes <= JOURNAL_BYTES
        };
        let (part, others) = rest.split_at(rest.iter().take_while(fits).count().max(1).min(rest.len()));
        storage.make(&TakeIn { records: part }).await?;
        if others.is_empty() {
            return Ok(());
        }
        rest = others;
    }
}

fn bytes_of(record: &Record) -> usize {
    match record {
        Record::Message(message) => bytes_of_message(message.text.as_deref(), &message.media),
        Record::Blocks(BlocksRecord { blocked, .. }) => 512 * blocked.len(),
        _ => 4 * 1024,
    }
}

/// A part of a batch.
struct TakeIn<'a> {
    records: &'a [Record],
}

#[async_trait]
impl Change for TakeIn<'_> {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let named = |record: &Record| match record {
            Record::Message(message) => Named::by_links(&message.media).all,
            Record::Conversation(record) => Named::by_urls(record.conversation.image.as_deref()).all,
            _ => BTreeSet::new(),
        };
        let media: BTreeSet<_> = self.records.iter().flat_map(named).collect();
        Ok(media.into_iter().map(media_items::lock).chain([THE_COPY.to_owned()]).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        if find(&mut unit.reader()).await?.is_none() {
            return Err(BadDocument("batch: no copy has begun").into());
        }
        let Some(last) = self.records.last() else { return Ok(()) };
        let RecordsByKind { users, media, conversations, messages, participants, blocks, notifications } =
            RecordsByKind::of(self.records);
        write_users(unit, &users).await?;
        let there = there::<ObjectId>(unit, MEDIA, media.iter().map(|medium| object_id(medium.id.bytes()))).await?;
        let new: Vec<MediumDocument> =
            media.iter().copied().map(MediumDocument::from).filter(|medium| !there.contains(&medium.id)).collect();
        unit.write(Command::insert(MEDIA, &new)?);
        let arrived = new.iter().map(|medium| medium.id).collect();
        rooms::write(unit, arrived, &conversations, &messages, &participants).await?;
        write_blocks(unit, &blocks).await?;
        write_notifications(unit, &notifications).await?;
        let reached = doc! { "$set": { "reached": last.place().to_string() } };
        unit.write(Command::update(COPIES, vec![Update::one(doc! { "_id": THE_COPY }, reached)]));
        Ok(())
    }
}

/// Those of `ids` that are there.
pub(super) async fn there<Id>(
    unit: &mut Unit<'_>,
    collection: &'static str,
    ids: impl Iterator<Item = Id>,
) -> Result<HashSet<Id>, Failed>
where
    Id: Into<Bson> + DeserializeOwned + Hash + Eq + Send + Sync,
{
    #[derive(Deserialize)]
    struct IdDocument<Id> {
        #[serde(rename = "_id")]
        id: Id,
    }
    let ids: Vec<Bson> = ids.map(Into::into).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found = Query::new(collection, doc! { "_id": { "$in": ids } }).fields(doc! { "_id": 1 });
    let found: Vec<IdDocument<Id>> = unit.reader().all(found).await?;
    Ok(found.into_iter().map(|document| document.id).collect())
}

async fn write_users(unit: &mut Unit<'_>, records: &[&UserRecord]) -> Result<(), Failed> {
    let there = there::<String>(unit, USERS, records.iter().map(|record| record.user.id.as_str().to_owned())).await?;
    let new: Vec<&UserRecord> =
        records.iter().copied().filter(|record| !there.contains(record.user.id.as_str())).collect();
    let documents: Vec<UserDocument> = new.iter().copied().map(UserDocument::from).collect();
    unit.write(Command::insert(USERS, &documents)?);
    // Who wants everything needs no inbox yet.
    let wishes = new.iter().filter(|record| record.preferences != Preferences::default()).map(|record| {
        let Preferences { email, push, chat, job_match } = record.preferences;
        let set = doc! { "email": email, "push": push, "chat": chat, "job_match": job_match };
        Update::or_insert(doc! { "_id": record.user.id.as_str() }, doc! { "$set": set })
    });
    unit.write(Command::update(INBOXES, wishes.collect()));
    Ok(())
}

async fn write_blocks(unit: &mut Unit<'_>, records: &[&BlocksRecord]) -> Result<(), Failed> {
    let blocks = records.iter().flat_map(|record| {
        record.blocked.iter().map(|(blocked, since)| BlockDocument::new(&record.blocker, blocked, *since))
    });
    let blocks: Vec<BlockDocument> = blocks.collect();
    let there = there::<String>(unit, BLOCKS, blocks.iter().map(|block| block.id.clone())).await?;
    let new: Vec<BlockDocument> = blocks.into_iter().filter(|block| !there.contains(&block.id)).collect();
    unit.write(Command::insert(BLOCKS, &new)?);
    Ok(())
}

async fn write_notifications(unit: &mut Unit<'_>, records: &[&Notification]) -> Result<(), Failed> {
    let there = there::<ObjectId>(unit, NOTIFICATIONS, records.iter().map(|one| object_id(one.id.bytes()))).await?;
    let new: Vec<&Notification> =
        records.iter().copied().filter(|one| !there.contains(&object_id(one.id.bytes()))).collect();
    if new.is_empty() {
        return Ok(());
    }
    let documents: Vec<NotificationDocument> = new.iter().copied().map(NotificationDocument::from).collect();
    unit.write(Command::insert(NOTIFICATIONS, &documents)?);
    let users: BTreeSet<&UserId> = new.iter().map(|notification| &notification.user_id).collect();
    let ids: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let known: Vec<InboxDocument> = unit.reader().all(Query::new(INBOXES, doc! { "_id": { "$in": ids } })).await?;
    let mut inboxes: BTreeMap<String, InboxDocument> =
        users.into_iter().map(|user| (user.as_str().to_owned(), InboxDocument::empty(user))).collect();
    inboxes.extend(known.into_iter().map(|inbox| (inbox.user.clone(), inbox)));
    for notification in new {
        if let Some(inbox) = inboxes.get_mut(notification.user_id.as_str()) {
            inbox.total += 1;
            inbox.unread += i64::from(!notification.read);
        }
    }
    unit.write(Command::update(INBOXES, inboxes.values().map(InboxDocument::update_counts).collect()));
    Ok(())
}
