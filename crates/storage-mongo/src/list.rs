//! Conversations as one participant sees them: a page of the list, or one. Three queries for any page (a search asks
//! two more before): the conversations with everybody in them, the viewer's positions, the newest messages. The
//! viewer's own conversations are sorted by activity; messages are never sorted or counted.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{Conversation, ConversationCursor, ConversationId, Message, Page, UserId};
use parlance_domain::ports::{ConversationEntry, ConversationQuery};
use serde::Deserialize;

use crate::conversations::find_document;
use crate::documents::{ConversationDocument, MessageDocument, PositionDocument, all, date, object_id, position_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES, POSITIONS, USERS};
use crate::users::containing;

/// The conversation as `viewer` sees it.
pub(crate) async fn find_entry(
    reader: &mut Reader<'_>,
    id: ConversationId,
    viewer: &UserId,
) -> Result<Option<ConversationEntry>, Failed> {
    let found = find_document(reader, id).await?;
    let found: Vec<ConversationDocument> = found.into_iter().collect();
    Ok(complete(reader, viewer, found).await?.pop())
}

/// A page of the conversations that `viewer` is in, latest activity first.
pub(crate) async fn list_entries(
    reader: &mut Reader<'_>,
    viewer: &UserId,
    query: &ConversationQuery,
) -> Result<Page<ConversationEntry, ConversationCursor>, Failed> {
    let ConversationQuery { search, cursor, limit } = query;
    let documents = if let Some(text) = search {
        search_page(reader, viewer, &text.to_lowercase(), *cursor, *limit).await?
    } else {
        let mut filter = doc! { "people.user": viewer.as_str() };
        if let Some(cursor) = cursor {
            filter.extend(after(*cursor));
        }
        let page = Query::new(CONVERSATIONS, filter).sort(doc! { "active_at": -1, "_id": -1 });
        reader.all(page.limit(limit.saturating_add(1))).await?
    };
    let mut page = Page::cut(documents, *limit, |last: &ConversationDocument| ConversationCursor {
        at: last.active_at(),
        id: last.conversation_id(),
    });
    let items = complete(reader, viewer, std::mem::take(&mut page.items)).await?;
    Ok(Page { items, next: page.next })
}

fn after(cursor: ConversationCursor) -> Document {
    let (at, id) = (date(cursor.at), object_id(cursor.id.bytes()));
    doc! { "$or": [{ "active_at": { "$lt": at } }, { "active_at": at, "_id": { "$lt": id } }] }
}

/// One more than a page of those whose title, or another participant's name, contains `text` (in lower case).
async fn search_page(
    reader: &mut Reader<'_>,
    viewer: &UserId,
    text: &str,
    cursor: Option<ConversationCursor>,
    limit: usize,
) -> Result<Vec<ConversationDocument>, Failed> {
    #[derive(Deserialize)]
    struct NameDocument {
        #[serde(rename = "_id")]
        id: String,
    }
    let own = Query::new(CONVERSATIONS, doc! { "people.user": viewer.as_str() });
    let mut own: Vec<ConversationDocument> = reader.all(own).await?;
    let others: BTreeSet<&str> = own.iter().flat_map(|one| &one.people).map(|person| person.user.as_str()).collect();
    let others: Vec<&str> = others.into_iter().filter(|other| *other != viewer.as_str()).collect();
    let filter = doc! { "_id": { "$in": others }, "name_key": containing(text) };
    let named: Vec<NameDocument> = reader.all(Query::new(USERS, filter).fields(doc! { "_id": 1 })).await?;
    let named: HashSet<String> = named.into_iter().map(|user| user.id).collect();
    let place = |one: &ConversationDocument| (one.active_at(), one.conversation_id());
    own.retain(|one| one.is_titled(text) || one.people.iter().any(|person| named.contains(&person.user)));
    own.retain(|one| cursor.is_none_or(|cursor| place(one) < (cursor.at, cursor.id)));
    own.sort_unstable_by_key(|one| Reverse(place(one)));
    own.truncate(limit.saturating_add(1));
    Ok(own)
}

/// Adds unread counts and newest messages to conversations; those that the viewer is not in are left out.
async fn complete(
    reader: &mut Reader<'_>,
    viewer: &UserId,
    documents: Vec<ConversationDocument>,
) -> Result<Vec<ConversationEntry>, Failed> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<String> = documents.iter().map(|document| position_id(document.conversation_id(), viewer)).collect();
    let positions: Vec<PositionDocument> = reader.all(Query::new(POSITIONS, doc! { "_id": { "$in": keys } })).await?;
    let positions: HashMap<ConversationId, PositionDocument> =
        positions.into_iter().map(|position| (position.conversation_id(), position)).collect();
    let mut newest = list_newest(reader, &documents).await?;
    let mut entries = Vec::with_capacity(documents.len());
    for document in documents {
        let position = positions.get(&document.conversation_id()).filter(|position| position.present);
        let Some(position) = position else { continue };
        let unread = position.unread(document.last_seq);
        let participants = document.participants()?;
        let conversation = Conversation::try_from(document)?;
        let last_message = newest.remove(&conversation.id);
        entries.push(ConversationEntry { conversation, participants, last_message, unread });
    }
    Ok(entries)
}

async fn list_newest(
    reader: &mut Reader<'_>,
    documents: &[ConversationDocument],
) -> Result<HashMap<ConversationId, Message>, Failed> {
    let ids: Vec<ObjectId> = documents.iter().filter_map(|document| document.last_message).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let newest = Query::new(MESSAGES, doc! { "_id": { "$in": ids } }).fields(MessageDocument::fields());
    let newest: Vec<Message> = all(reader.all::<MessageDocument>(newest).await?)?;
    Ok(newest.into_iter().map(|message| (message.conversation_id, message)).collect())
}
