//! Pages of messages for moving, conversation by conversation.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{ConversationId, Message, Record, Seq};
use serde::Deserialize;

use crate::documents::{MessageDocument, all, number, object_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES};

/// How many conversations are looked up at a time. The server merges a walk of each as long as they are no more than 200.
const HEADS: usize = 200;

/// Where a conversation ends.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "_id")]
    id: ObjectId,
    last_seq: i64,
}

/// The rest of a conversation, then those that follow. `seq` has no gaps, so a page is made of ranges that hold as many
/// messages as it has room for.
pub(super) async fn list(
    reader: &mut Reader<'_>,
    after: Option<(ConversationId, Seq)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let mut begun = after.map(|(id, seq)| (object_id(id.bytes()), number(seq)));
    let mut page: Vec<MessageDocument> = Vec::new();
    loop {
        let filter = begun.map_or_else(Document::new, |(id, _)| doc! { "_id": { "$gte": id } });
        let heads = Query::new(CONVERSATIONS, filter).fields(doc! { "last_seq": 1 }).sort(doc! { "_id": 1 });
        let heads: Vec<Head> = reader.all(heads.limit(HEADS)).await?;
        for range in ranges(&heads, begun, limit - page.len()) {
            let query = Query::new(MESSAGES, range).sort(doc! { "conversation": 1, "seq": 1 });
            page.extend(reader.all(query.fields(MessageDocument::fields())).await?);
        }
        // What has been said in the meantime comes later.
        page.truncate(limit);
        match heads.last() {
            Some(head) if heads.len() == HEADS && page.len() < limit => begun = Some((head.id, head.last_seq)),
            _ => return Ok(all::<_, Message>(page)?.into_iter().map(Record::Message).collect()),
        }
    }
}

/// What to ask for to get `room` messages of these conversations, of the one that has begun those after a `seq`: at
/// most the rest of that one, whole ones, and the beginning of the last.
fn ranges(heads: &[Head], begun: Option<(ObjectId, i64)>, room: usize) -> Vec<Document> {
    let mut room = i64::try_from(room).unwrap_or(i64::MAX);
    let mut whole = Vec::new();
    let (mut rest, mut beginning) = (None, None);
    for Head { id, last_seq } in heads {
        let seen = begun.filter(|(begun, _)| begun == id).map_or(0, |(_, seq)| seq);
        let last = (*last_seq).min(seen.saturating_add(room));
        if last <= seen {
            continue;
        }
        room -= last - seen;
        let range = || doc! { "conversation": *id, "seq": { "$gt": seen, "$lte": last } };
        match (seen, last) {
            (0, last) if last == *last_seq => whole.push(*id),
            (0, _) => beginning = Some(range()),
            _ => rest = Some(range()),
        }
    }
    let whole = (!whole.is_empty()).then(|| doc! { "conversation": { "$in": whole } });
    rest.into_iter().chain(whole).chain(beginning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u8, last_seq: i64) -> Head {
        Head { id: ObjectId::from_bytes([number; 12]), last_seq }
    }

    #[test]
    fn a_page_is_the_rest_of_one_conversation_whole_ones_and_the_beginning_of_another() {
        let heads = [head(1, 90), head(2, 0), head(3, 5), head(4, 6), head(5, 100), head(6, 1)];
        let range = |number: u8, after: i64, last: i64| {
            doc! { "conversation": head(number, 0).id, "seq": { "$gt": after, "$lte": last } }
        };
        let whole = doc! { "conversation": { "$in": [head(3, 0).id, head(4, 0).id] } };
        let asked = ranges(&heads, Some((head(1, 0).id, 80)), 30);
        assert_eq!(asked, [range(1, 80, 90), whole, range(5, 0, 9)]);
        assert_eq!(ranges(&heads[..1], Some((head(1, 0).id, 80)), 4), [range(1, 80, 84)]);
        assert_eq!(ranges(&heads[..1], Some((head(1, 0).id, 90)), 4), [], "nothing is left");
        assert_eq!(ranges(&heads[4..], None, 3), [range(5, 0, 3)]);
    }
}
