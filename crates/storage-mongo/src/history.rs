//! Reading a conversation's messages back: pages of history, and what changed since a `rev`. The conversation is read
//! before its messages: up to the `seq` and `rev` that it has then, nothing is missing. `seq` has no gaps, so a page
//! is a range of it.

use mongodb::bson::doc;
use parlance_domain::model::{ConversationId, Message, MessageId, Page, Rev, Seq};
use parlance_domain::ports::Changes;
use serde::Deserialize;

use crate::documents::{MessageDocument, PlaceDocument, all, count, number, object_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES};

/// `seq` and `rev` of a conversation, if it exists.
pub(crate) async fn find_head(reader: &mut Reader<'_>, id: ConversationId) -> Result<Option<(Seq, Rev)>, Failed> {
    #[derive(Deserialize)]
    struct CountsDocument {
        last_seq: i64,
        rev: i64,
    }
    let counts = Query::by_id(CONVERSATIONS, object_id(id.bytes())).fields(doc! { "last_seq": 1, "rev": 1 });
    let Some(CountsDocument { last_seq, rev }) = reader.one(counts).await? else { return Ok(None) };
    Ok(Some((count(last_seq)?, count(rev)?)))
}

/// The newest page before a message, oldest first.
pub(crate) async fn list_history(
    reader: &mut Reader<'_>,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Option<Page<Message, MessageId>>, Failed> {
    let end = match before {
        None => find_head(reader, conversation).await?.map_or(0, |(last_seq, _)| last_seq) + 1,
        Some(before) => {
            let place = Query::by_id(MESSAGES, object_id(before.bytes())).fields(PlaceDocument::fields());
            match reader.one::<PlaceDocument>(place).await? {
                Some(place) if place.conversation_id() == conversation => count(place.seq)?,
                _ => return Ok(None),
            }
        }
    };
    let first = end.saturating_sub(u64::try_from(limit).unwrap_or(u64::MAX)).max(1);
    let range = doc! { "$gte": number(first), "$lt": number(end) };
    let filter = doc! { "conversation": object_id(conversation.bytes()), "seq": range };
    let page = Query::new(MESSAGES, filter).fields(MessageDocument::fields()).sort(doc! { "seq": 1 });
    let items: Vec<Message> = if first < end { all(reader.all::<MessageDocument>(page).await?)? } else { Vec::new() };
    let next = items.first().filter(|oldest| oldest.seq > 1).map(|oldest| oldest.id);
    Ok(Some(Page { items, next }))
}

/// What has a higher `rev` than `since`. Messages that change while this is read have a `rev` beyond the
/// conversation's as it was read, and are left to the next call.
pub(crate) async fn list_changes(
    reader: &mut Reader<'_>,
    conversation: ConversationId,
    since: Rev,
    limit: usize,
) -> Result<Option<Changes>, Failed> {
    let Some((_, rev)) = find_head(reader, conversation).await? else { return Ok(None) };
    if since >= rev {
        return Ok(Some(Changes { messages: Vec::new(), rev, has_more: false }));
    }
    let range = doc! { "$gt": number(since), "$lte": number(rev) };
    let filter = doc! { "conversation": object_id(conversation.bytes()), "rev": range };
    let changed = Query::new(MESSAGES, filter).fields(MessageDocument::fields()).sort(doc! { "rev": 1 });
    let changed: Vec<MessageDocument> = reader.all(changed.limit(limit.saturating_add(1))).await?;
    let page = Page::cut(all(changed)?, limit, |last: &Message| last.rev);
    Ok(Some(Changes { messages: page.items, rev: page.next.unwrap_or(rev), has_more: page.next.is_some() }))
}
