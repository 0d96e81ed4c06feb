//! Asking the database: outside of transactions for what a majority of the members has, inside of one for its
//! snapshot. Filters are built from literals of this crate and from values; no text that a person wrote becomes an
//! operator, since it only ever stands where a value is expected.

use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::{FindOptions, Hint};
use mongodb::{ClientSession, Database};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::error::Failed;
use crate::spans;

/// Answers for which no limit was given come in portions of this many documents.
const PORTION: u32 = 5_000;

/// Where to ask.
pub(crate) struct Reader<'a> {
    database: &'a Database,
    session: Option<&'a mut ClientSession>,
}

/// What to ask.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    collection: &'static str,
    filter: Document,
    options: FindOptions,
}

impl Query {
    /// Documents of a collection that match.
    pub(crate) fn new(collection: &'static str, filter: Document) -> Self {
        Self { collection, filter, options: FindOptions::builder().batch_size(PORTION).build() }
    }

    /// One document, by its `_id`.
    pub(crate) fn by_id(collection: &'static str, id: impl Into<mongodb::bson::Bson>) -> Self {
        Self::new(collection, doc! { "_id": id.into() }).limit(1)
    }

    /// Only these fields.
    pub(crate) fn fields(mut self, fields: Document) -> Self {
        self.options.projection = Some(fields);
        self
    }

    /// In this order.
    pub(crate) fn sort(mut self, order: Document) -> Self {
        self.options.sort = Some(order);
        self
    }

    /// After passing over as many.
    pub(crate) fn skip(mut self, count: u64) -> Self {
        self.options.skip = Some(count);
        self
    }

    /// By this index, whatever the server would choose.
    pub(crate) fn hint(mut self, index: &str) -> Self {
        self.options.hint = Some(Hint::Name(index.to_owned()));
        self
    }

    /// At most as many; at least 1.
    pub(crate) fn limit(mut self, count: usize) -> Self {
        let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        self.options.limit = Some(count);
        self
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(database: &'a Database, session: Option<&'a mut ClientSession>) -> Self {
        Self { database, session }
    }

    /// Everything that a query finds.
    pub(crate) async fn all<T: DeserializeOwned + Send + Sync>(&mut self, query: Query) -> Result<Vec<T>, Failed> {
        let Query { collection, filter, options } = query;
        let span = spans::command("find", collection);
        let collection = self.database.collection::<T>(collection);
        let find = collection.find(filter).with_options(options);
        let found = async {
            Ok(match &mut self.session {
                None => find.await?.try_collect().await?,
                Some(session) => {
                    let mut cursor = find.session(&mut **session).await?;
                    cursor.stream(session).try_collect().await?
                }
            })
        };
        found.instrument(span).await
    }

    /// The first that a query finds.
    pub(crate) async fn one<T: DeserializeOwned + Send + Sync>(&mut self, query: Query) -> Result<Option<T>, Failed> {
        Ok(self.all(query.limit(1)).await?.into_iter().next())
    }
}

/// What matches one of `filters`, if there are any. One alone is asked for as it is, since not every server finds
/// the index behind an `$or`.
pub(crate) fn any(mut filters: Vec<Document>) -> Option<Document> {
    match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(doc! { "$or": filters }),
    }
}
