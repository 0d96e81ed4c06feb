//! What a change writes, as commands of the server: one for each collection, with as many statements as there are
//! documents, so that the number of round trips does not grow with a batch. A transaction runs them as they are; a
//! journal keeps them, and they may be run again: they set values and name documents by `_id`, and never add.

use mongodb::bson::{Bson, Document, doc};
use mongodb::{ClientSession, Database};
use serde::Serialize;
use tracing::Instrument;

use crate::connect::write_concern;
use crate::error::{BadDocument, DUPLICATE_KEY, Failed};
use crate::spans;

/// Documents to insert, to update or to remove in one collection.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    name: &'static str,
    collection: &'static str,
    statements: Vec<Document>,
}

/// One document to update.
#[derive(Debug)]
pub(crate) struct Update(Document);

impl Update {
    /// Changes the document that `filter` names.
    pub(crate) fn one(filter: Document, change: Document) -> Self {
        Self(doc! { "q": filter, "u": change })
    }

    /// Changes every document that `filter` names.
    pub(crate) fn all(filter: Document, change: Document) -> Self {
        Self(doc! { "q": filter, "u": change, "multi": true })
    }

    /// Changes the document that `filter` names; it is made if it is not there.
    pub(crate) fn or_insert(filter: Document, change: Document) -> Self {
        Self(doc! { "q": filter, "u": change, "upsert": true })
    }
}

/// Documents to remove.
#[derive(Debug)]
pub(crate) struct Delete(Document);

impl Delete {
    /// The document that `filter` names.
    pub(crate) fn one(filter: Document) -> Self {
        Self(doc! { "q": filter, "limit": 1 })
    }

    /// Every document that `filter` names.
    pub(crate) fn all(filter: Document) -> Self {
        Self(doc! { "q": filter, "limit": 0 })
    }
}

impl Command {
    /// Inserts these.
    pub(crate) fn insert<T: Serialize>(collection: &'static str, documents: &[T]) -> Result<Self, BadDocument> {
        let document = |value| mongodb::bson::serialize_to_document(value).map_err(|_| BadDocument("document"));
        let statements = documents.iter().map(document).collect::<Result<_, _>>()?;
        Ok(Self { name: "insert", collection, statements })
    }

    /// Updates these.
    pub(crate) fn update(collection: &'static str, updates: Vec<Update>) -> Self {
        Self { name: "update", collection, statements: updates.into_iter().map(|update| update.0).collect() }
    }

    /// Removes these.
    pub(crate) fn delete(collection: &'static str, deletes: Vec<Delete>) -> Self {
        Self { name: "delete", collection, statements: deletes.into_iter().map(|delete| delete.0).collect() }
    }

    /// How many documents it concerns.
    pub(crate) fn len(&self) -> usize {
        self.statements.len()
    }

    /// As the server takes it.
    pub(crate) fn into_document(self) -> Document {
        let list = match self.name {
            "insert" => "documents",
            "update" => "updates",
            _ => "deletes",
        };
        doc! { self.name: self.collection, list: self.statements }
    }
}

/// Runs a command inside a transaction.
pub(crate) async fn run(database: &Database, session: &mut ClientSession, command: Command) -> Result<(), Failed> {
    let span = spans::command(command.name, command.collection);
    let running = database.run_command(command.into_document()).session(session).into_future();
    match refusals(&running.instrument(span).await?).into_iter().next() {
        Some((code, message)) => Err(Failed::Write { code, message }),
        None => Ok(()),
    }
}

/// Runs a command outside of transactions, perhaps not for the first time: what is inserted already is inserted.
pub(crate) async fn repeat(database: &Database, mut command: Document) -> Result<(), Failed> {
    // Each statement stands for itself, save that a removal of locks must keep its order.
    command.insert("ordered", command.contains_key("delete"));
    let concern = mongodb::bson::serialize_to_bson(&write_concern()).map_err(|_| BadDocument("write concern"))?;
    command.insert("writeConcern", concern);
    let (name, collection) = command.iter().next().map(|(name, on)| (name.as_str(), on.as_str())).unwrap_or_default();
    let span = spans::command(name, collection.unwrap_or_default());
    let answer = database.run_command(command).into_future().instrument(span).await?;
    match refusals(&answer).into_iter().find(|(code, _)| *code != DUPLICATE_KEY) {
        Some((code, message)) => Err(Failed::Write { code, message }),
        None => Ok(()),
    }
}

/// Code and text of each statement that was refused, and of a write that the majority does not have.
fn refusals(answer: &Document) -> Vec<(i32, String)> {
    let errors = answer.get_array("writeErrors").into_iter().flatten().filter_map(Bson::as_document);
    let concern = answer.get_document("writeConcernError").ok();
    let refusal = |error: &Document| {
        let code = error.get_i32("code").unwrap_or_default();
        (code, error.get_str("errmsg").unwrap_or_default().to_owned())
    };
    errors.chain(concern).map(refusal).collect()
}
