//! Collections, indexes, and the version of both. `docs/mongodb.md` says what each index is for and how to shard.
//! A step of the schema can be repeated, so it does not matter at which point one was interrupted.

use std::time::Duration;

use mongodb::Database;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};

use crate::connect::ConnectError;
use crate::error::{Failed, one_line};
use crate::locks::Locks;

pub(crate) const USERS: &str = "users";
pub(crate) const CONVERSATIONS: &str = "conversations";
/// Which conversation two people have.
pub(crate) const DIRECTS: &str = "directs";
/// How far somebody is in a conversation.
pub(crate) const POSITIONS: &str = "positions";
pub(crate) const MESSAGES: &str = "messages";
pub(crate) const BLOCKS: &str = "blocks";
/// How many notifications somebody has, and what they want to be told.
pub(crate) const INBOXES: &str = "inboxes";
pub(crate) const NOTIFICATIONS: &str = "notifications";
pub(crate) const MEDIA: &str = "media";
/// Where people are reached who are not there.
pub(crate) const ADDRESSES: &str = "addresses";
/// What they are still to be told.
pub(crate) const ERRANDS: &str = "errands";
/// Events of webhooks that wait.
pub(crate) const OUTBOX: &str = "outbox";
/// The lanes in which they wait.
pub(crate) const LANES: &str = "outbox_lanes";
/// Those that were given up.
pub(crate) const DEAD_LETTERS: &str = "dead_letters";
/// The copy into this database that has not been finished.
pub(crate) const COPIES: &str = "copies";
/// Who changes what, where there are no transactions.
pub(crate) const LOCKS: &str = "locks";
/// Which processes begin transactions, and in which sessions.
pub(crate) const WRITERS: &str = "writers";
const SCHEMA: &str = "schema";

/// The index of messages in the order in which they were sent, for queries that no other may serve.
pub(crate) const BY_TIME: &str = "by_time";

/// The schema that this release writes.
const VERSION: i32 = 2;

/// The one document of the collection `schema`, and the lock of whoever changes it.
const THE_SCHEMA: &str = "schema";

/// There is one already.
const NAMESPACE_EXISTS: i32 = 48;

/// Refuses a database that a newer release has migrated; says which version is there.
pub(crate) async fn refuse_newer(database: &Database) -> Result<i32, ConnectError> {
    let found = version(database).await.map_err(failed)?;
    if found > VERSION { Err(ConnectError::Newer { found, known: VERSION }) } else { Ok(found) }
}

/// Refuses a database whose schema is not the one of this release.
pub(crate) async fn refuse_older(database: &Database) -> Result<(), ConnectError> {
    let found = refuse_newer(database).await?;
    if found < VERSION { Err(ConnectError::Older { found, known: VERSION }) } else { Ok(()) }
}

/// Brings the schema up to date. Of several who try at once one does it, the others wait for it.
pub(crate) async fn migrate(database: &Database, lease: Duration) -> Result<(), ConnectError> {
    if refuse_newer(database).await? == VERSION {
        return Ok(());
    }
    let locks = Locks::take(database, lease, vec![THE_SCHEMA.to_owned()]).await.map_err(failed)?;
    let found = refuse_newer(database).await?;
    if found < VERSION {
        make(database).await.map_err(|error| failed(error.into()))?;
        let set = doc! { "$set": { "version": VERSION } };
        let schema = database.collection::<Document>(SCHEMA);
        schema.update_one(doc! { "_id": THE_SCHEMA }, set).upsert(true).await.map_err(|error| failed(error.into()))?;
    }
    locks.release().await.map_err(failed)
}

fn failed(error: Failed) -> ConnectError {
    ConnectError::Migrate { reason: one_line(&error), source: Box::new(error) }
}

async fn version(database: &Database) -> Result<i32, Failed> {
    let schema = database.collection::<Document>(SCHEMA).find_one(doc! { "_id": THE_SCHEMA }).await?;
    Ok(schema.and_then(|schema| schema.get_i32("version").ok()).unwrap_or(0))
}

/// Makes what is missing.
async fn make(database: &Database) -> Result<(), Error> {
    for (collection, indexes) in indexes() {
        if indexes.is_empty() {
            // Made by name, since a transaction may not make it on the way on every server.
            match database.create_collection(collection).await {
                Err(error) if !is_there(&error) => return Err(error),
                _ => {}
            }
        } else {
            database.run_command(doc! { "createIndexes": collection, "indexes": indexes }).await?;
        }
    }
    Ok(())
}

fn is_there(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(error) if error.code == NAMESPACE_EXISTS)
}

/// Every collection with its indexes beside `_id`. Unique ones begin with the field by which `docs/mongodb.md`
/// shards the collection.
fn indexes() -> Vec<(&'static str, Vec<Document>)> {
    vec![
        (USERS, vec![]),
        (DIRECTS, vec![]),
        (INBOXES, vec![]),
        (COPIES, vec![]),
        (LOCKS, vec![]),
        (WRITERS, vec![]),
        (DEAD_LETTERS, vec![]),
        (OUTBOX, vec![unique(index("by_lane", doc! { "lane": 1, "place": 1 }))]),
        (LANES, vec![index("due", doc! { "due_at": 1 })]),
        (CONVERSATIONS, vec![index("by_user", doc! { "people.user": 1 })]),
        (
            POSITIONS,
            vec![
                index("by_conversation", doc! { "conversation": 1 }),
                index("by_user", doc! { "user": 1, "present": 1 }),
            ],
        ),
        (
            MESSAGES,
            vec![
                unique(index("by_seq", doc! { "conversation": 1, "seq": 1 })),
                unique(index("by_rev", doc! { "conversation": 1, "rev": 1 })),
                only(
                    unique(index("by_mark", doc! { "conversation": 1, "mark": 1 })),
                    doc! { "mark": { "$exists": true } },
                ),
                index(BY_TIME, doc! { "conversation": 1, "created_at": -1, "_id": -1 }),
                index("by_word", doc! { "conversation": 1, "words": 1 }),
                only(
                    index("deleted", doc! { "conversation": 1, "seq": 1 }),
                    doc! { "deleted_at": { "$exists": true } },
                ),
            ],
        ),
        (BLOCKS, vec![index("by_blocker", doc! { "blocker": 1, "created_at": -1, "place": -1 })]),
        (
            NOTIFICATIONS,
            vec![
                index("by_user", doc! { "user": 1, "created_at": -1, "_id": -1 }),
                only(
                    index("unread", doc! { "user": 1, "unread": 1, "created_at": -1, "_id": -1 }),
                    doc! { "unread": true },
                ),
                only(unique(index("standing", doc! { "user": 1, "conversation": 1 })), doc! { "standing": true }),
            ],
        ),
        (
            ADDRESSES,
            vec![
                index("by_user", doc! { "user": 1, "channel": 1, "put_at": -1, "_id": 1 }),
                index("by_target", doc! { "channel": 1, "target": 1 }),
            ],
        ),
        (ERRANDS, vec![index("by_due", doc! { "channel": 1, "due_at": 1 })]),
        (MEDIA, vec![only(index("unused", doc! { "uses": 1, "uploaded_at": 1, "_id": 1 }), doc! { "uses": 0 })]),
    ]
}

fn index(name: &str, key: Document) -> Document {
    doc! { "name": name, "key": key }
}

fn unique(mut index: Document) -> Document {
    index.insert("unique", true);
    index
}

fn only(mut index: Document, filter: Document) -> Document {
    index.insert("partialFilterExpression", filter);
    index
}
