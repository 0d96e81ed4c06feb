//! Finding messages by the beginnings of their words. Each message holds its words, folded by the domain; one index
//! holds each with its conversation before it, so a search walks only what its user may see. For a word that everybody
//! uses that is much, and in no order of time; therefore the newest messages are looked through first. Where that fills
//! the page, or was everything, it is the answer. A word is compared as a value: nothing that a person wrote is a
//! pattern.

use std::cmp::Reverse;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;
use parlance_domain::rules::search::beginnings;
use serde::Deserialize;

use crate::documents::{MessageDocument, all, date, object_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{BY_TIME, CONVERSATIONS, MESSAGES};

/// How many conversations are looked through at most, those in which something was said last. The server merges a scan
/// of each as long as they are no more than 200.
const CONVERSATIONS_WALKED: usize = 128;

/// How many messages are looked through at most.
const MESSAGES_WALKED: u64 = 1_024;

/// A conversation of the user's.
#[derive(Debug, Deserialize)]
struct InScope {
    #[serde(rename = "_id")]
    id: ObjectId,
    /// Nothing was said in it later.
    active_at: DateTime,
}

/// When a message was sent.
#[derive(Debug, Deserialize)]
struct Moment {
    created_at: DateTime,
}

/// Messages that match, newest first.
pub(crate) async fn search(
    reader: &mut Reader<'_>,
    query: &SearchQuery,
) -> Result<Page<Message, SearchCursor>, Failed> {
    let nothing = Page { items: Vec::new(), next: None };
    let Some(words) = beginnings(&query.words) else { return Ok(nothing) };
    let scope = scope(reader, query).await?;
    if scope.is_empty() {
        return Ok(nothing);
    }
    let words = matching(words);
    let found = if let Some(found) = walk(reader, &scope, &words, query).await? {
        found
    } else {
        let mut filter = messages(&scope, None, query.cursor);
        filter.insert("words", words);
        reader.all(page(filter, query.limit)).await?
    };
    Ok(Page::cut(all(found)?, query.limit, |last: &Message| SearchCursor { at: last.created_at, id: last.id }))
}

/// The conversations that the user may search, those in which something was said last before the others.
async fn scope(reader: &mut Reader<'_>, query: &SearchQuery) -> Result<Vec<InScope>, Failed> {
    let mut filter = doc! { "people.user": query.user_id.as_str() };
    if let Some(id) = query.conversation_id {
        filter.insert("_id", object_id(id.bytes()));
    }
    let fields = doc! { "_id": 1, "active_at": 1 };
    let mut scope: Vec<InScope> = reader.all(Query::new(CONVERSATIONS, filter).fields(fields)).await?;
    scope.sort_by_key(|conversation| Reverse(conversation.active_at));
    Ok(scope)
}

/// Looks through the newest messages. What matches and is newer than the horizon, the newest message that was not looked
/// at, is found; without a horizon that is everything. `None` where it does not fill the page and is not everything.
async fn walk(
    reader: &mut Reader<'_>,
    scope: &[InScope],
    words: &Document,
    query: &SearchQuery,
) -> Result<Option<Vec<MessageDocument>>, Failed> {
    let (walked, others) = scope.split_at(scope.len().min(CONVERSATIONS_WALKED));
    let beyond = Query::new(MESSAGES, messages(walked, None, query.cursor)).fields(doc! { "_id": 0, "created_at": 1 });
    let beyond: Option<Moment> = reader.one(beyond.sort(newest()).skip(MESSAGES_WALKED).hint(BY_TIME)).await?;
    let horizon = beyond.map(|beyond| beyond.created_at).max(others.first().map(|other| other.active_at));
    let mut filter = messages(walked, horizon, query.cursor);
    filter.insert("words", words);
    let found: Vec<MessageDocument> = reader.all(page(filter, query.limit).hint(BY_TIME)).await?;
    Ok((horizon.is_none() || found.len() > query.limit).then_some(found))
}

/// The page of those that match, and one more.
fn page(filter: Document, limit: usize) -> Query {
    Query::new(MESSAGES, filter).fields(MessageDocument::fields()).sort(newest()).limit(limit.saturating_add(1))
}

fn newest() -> Document {
    doc! { "created_at": -1, "_id": -1 }
}

/// Messages of these conversations after a moment and before a page's last.
fn messages(scope: &[InScope], after: Option<DateTime>, before: Option<SearchCursor>) -> Document {
    let scope: Vec<ObjectId> = scope.iter().map(|conversation| conversation.id).collect();
    let mut filter = doc! { "conversation": { "$in": scope } };
    let mut moments = Document::new();
    if let Some(after) = after {
        moments.insert("$gt", after);
    }
    if let Some(SearchCursor { at, id }) = before {
        let (at, id) = (date(at), object_id(id.bytes()));
        moments.insert("$lte", at);
        filter.insert("$or", [doc! { "created_at": { "$lt": at } }, doc! { "_id": { "$lt": id } }].to_vec());
    }
    if !moments.is_empty() {
        filter.insert("created_at", moments);
    }
    filter
}

/// What an array of words must have: for each of these a word that begins with it.
fn matching(mut words: Vec<String>) -> Document {
    // The longest word is the rarest as a rule; the server takes the first for its bounds where it cannot know.
    words.sort_by_key(|word| Reverse(word.len()));
    let begins = |word: String| {
        let end = format!("{word}{}", char::MAX);
        doc! { "$elemMatch": { "$gte": word, "$lt": end } }
    };
    doc! { "$all": words.into_iter().map(begins).collect::<Vec<_>>() }
}
