//! Finding messages by the beginnings of their words. Each message holds its words, folded by the domain; the index
//! holds each with its conversation before it, so a search walks only what its user may see, and only the messages
//! that have the longest of its words. A word is compared as a value: nothing that a person wrote is a pattern.

use std::cmp::Reverse;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{Message, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;
use parlance_domain::rules::search::beginnings;

use crate::documents::{MessageDocument, all, date, object_id};
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES};

/// Messages that match, newest first.
pub(crate) async fn search(
    reader: &mut Reader<'_>,
    query: &SearchQuery,
) -> Result<Page<Message, SearchCursor>, Failed> {
    let SearchQuery { user_id, words, conversation_id, cursor, limit } = query;
    let nothing = Page { items: Vec::new(), next: None };
    let Some(words) = beginnings(words) else { return Ok(nothing) };
    let mut scope = doc! { "people.user": user_id.as_str() };
    if let Some(id) = conversation_id {
        scope.insert("_id", object_id(id.bytes()));
    }
    let scope: Vec<Document> = reader.all(Query::new(CONVERSATIONS, scope).fields(doc! { "_id": 1 })).await?;
    let scope = scope.iter().map(|conversation| conversation.get_object_id("_id"));
    let scope = scope.collect::<Result<Vec<ObjectId>, _>>().map_err(|_| BadDocument("id"))?;
    if scope.is_empty() {
        return Ok(nothing);
    }
    let found = Query::new(MESSAGES, filter(scope, words, *cursor)).fields(MessageDocument::fields());
    let found = found.sort(doc! { "created_at": -1, "_id": -1 }).limit(limit.saturating_add(1));
    let found: Vec<MessageDocument> = reader.all(found).await?;
    Ok(Page::cut(all(found)?, *limit, |last: &Message| SearchCursor { at: last.created_at, id: last.id }))
}

fn filter(scope: Vec<ObjectId>, mut words: Vec<String>, cursor: Option<SearchCursor>) -> Document {
    // The longest word is the rarest as a rule; the server takes the first for its bounds where it cannot know.
    words.sort_by_key(|word| Reverse(word.len()));
    let begins = |word: String| {
        let end = format!("{word}{}", char::MAX);
        doc! { "$elemMatch": { "$gte": word, "$lt": end } }
    };
    let words: Vec<Document> = words.into_iter().map(begins).collect();
    let mut filter = doc! { "conversation": { "$in": scope }, "words": { "$all": words } };
    if let Some(SearchCursor { at, id }) = cursor {
        let (at, id) = (date(at), object_id(id.bytes()));
        filter.insert("created_at", doc! { "$lte": at });
        filter.insert("$or", [doc! { "created_at": { "$lt": at } }, doc! { "_id": { "$lt": id } }].to_vec());
    }
    filter
}
