//! What a decision about a batch is made on, found with a number of queries that does not grow with the batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{ConversationId, Message, MessageId, NewMessage, UserId};
use parlance_domain::rules::appending::{Found, Place};
use parlance_domain::rules::blocking::Blocking;
use serde::Deserialize;

use super::required;
use crate::blocks::block_id;
use crate::change::Unit;
use crate::documents::{HeadDocument, MessageDocument, PositionDocument, all, mark, object_id, position_id};
use crate::error::Failed;
use crate::media_items::CountedMedia;
use crate::messages;
use crate::reader::{Query, Reader, any};
use crate::schema::{BLOCKS, CONVERSATIONS, MESSAGES, POSITIONS};

/// What was found.
pub(super) struct Looked {
    pub(super) found: Found,
    /// Messages that answers may need: first sends, and what is answered.
    pub(super) known: HashMap<MessageId, Message>,
    /// The positions of senders and recipients, by their keys.
    pub(super) positions: HashMap<String, PositionDocument>,
    /// The media that the batch names, as far as they are there.
    pub(super) media: CountedMedia,
}

/// Finds it.
pub(super) async fn look_up(unit: &mut Unit<'_>, batch: &[NewMessage]) -> Result<Looked, Failed> {
    let media = CountedMedia::of_links(unit, batch.iter().flat_map(|new| &new.media)).await?;
    let mut reader = unit.reader();
    let heads = list_heads(&mut reader, batch).await?;
    let positions = list_positions(&mut reader, batch).await?;
    let mut found = Found { missing: media.missing(required(batch)), ..Found::default() };
    let mut known = HashMap::new();
    for message in list_first(&mut reader, batch).await? {
        if let Some(mark) = message.client_message_id.clone() {
            found.marked.insert((message.conversation_id, message.sender_id.clone(), mark), message.id);
        }
        known.insert(message.id, message);
    }
    let answered: BTreeSet<MessageId> = batch.iter().filter_map(|new| new.reply_to).collect();
    if !answered.is_empty() {
        let answered: Vec<MessageId> = answered.into_iter().collect();
        for message in messages::list(&mut reader, &answered).await? {
            found.originals.insert(message.id, message.conversation_id);
            known.insert(message.id, message);
        }
    }
    found.blockings = list_blockings(&mut reader, batch, &heads).await?;
    for new in batch {
        let place: Place = (new.conversation_id, new.sender_id.clone());
        let position = positions.get(&position_id(new.conversation_id, &new.sender_id));
        if let Some(position) = position.filter(|position| position.present) {
            found.standings.insert(place, position.standing()?);
        }
    }
    for (id, head) in heads {
        found.heads.insert(ConversationId::from_bytes(id.bytes()), head.head()?);
    }
    Ok(Looked { found, known, positions, media })
}

async fn list_heads(reader: &mut Reader<'_>, batch: &[NewMessage]) -> Result<HashMap<ObjectId, HeadDocument>, Failed> {
    let ids: BTreeSet<ObjectId> = batch.iter().map(|new| object_id(new.conversation_id.bytes())).collect();
    let ids: Vec<ObjectId> = ids.into_iter().collect();
    let fields = doc! { "kind": 1, "last_seq": 1, "rev": 1, "active_at": 1, "people": { "$slice": 2 } };
    let heads = Query::new(CONVERSATIONS, doc! { "_id": { "$in": ids } }).fields(fields);
    let heads: Vec<HeadDocument> = reader.all(heads).await?;
    Ok(heads.into_iter().map(|head| (head.id, head)).collect())
}

async fn list_positions(
    reader: &mut Reader<'_>,
    batch: &[NewMessage],
) -> Result<HashMap<String, PositionDocument>, Failed> {
    let people = |new: &NewMessage| {
        let recipient = new.delivered_to.as_ref().map(|user| position_id(new.conversation_id, user));
        [Some(position_id(new.conversation_id, &new.sender_id)), recipient]
    };
    let ids: BTreeSet<String> = batch.iter().flat_map(people).flatten().collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let positions: Vec<PositionDocument> = reader.all(Query::new(POSITIONS, doc! { "_id": { "$in": ids } })).await?;
    Ok(positions.into_iter().map(|position| (position.id.clone(), position)).collect())
}

/// The messages that sends of the batch repeat. The index is asked conversation by conversation for its marks.
async fn list_first(reader: &mut Reader<'_>, batch: &[NewMessage]) -> Result<Vec<Message>, Failed> {
    let mut marks: HashMap<ConversationId, Vec<String>> = HashMap::new();
    for new in batch {
        if let Some(id) = &new.client_message_id {
            marks.entry(new.conversation_id).or_default().push(mark(&new.sender_id, id));
        }
    }
    let of_one = |(id, marks)| doc! { "conversation": conversation(id), "mark": { "$in": marks } };
    let Some(filter) = any(marks.into_iter().map(of_one).collect()) else { return Ok(Vec::new()) };
    let first: Vec<MessageDocument> =
        reader.all(Query::new(MESSAGES, filter).fields(MessageDocument::fields())).await?;
    Ok(all(first)?)
}

/// The blocks between the people of the batch's direct conversations, as their senders see them.
async fn list_blockings(
    reader: &mut Reader<'_>,
    batch: &[NewMessage],
    heads: &HashMap<ObjectId, HeadDocument>,
) -> Result<HashMap<Place, Blocking>, Failed> {
    #[derive(Deserialize)]
    struct BlockDocument {
        #[serde(rename = "_id")]
        id: String,
    }
    let mut pairs: HashMap<Place, (String, String)> = HashMap::new();
    for new in batch {
        let head = heads.get(&conversation(new.conversation_id));
        if let Some(peer) = head.and_then(|head| head.peer(&new.sender_id)) {
            let sender: &UserId = &new.sender_id;
            let both = (block_id(sender.as_str(), peer), block_id(peer, sender.as_str()));
            pairs.insert((new.conversation_id, sender.clone()), both);
        }
    }
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<&String> = pairs.values().flat_map(|(by_sender, by_peer)| [by_sender, by_peer]).collect();
    let blocks = Query::new(BLOCKS, doc! { "_id": { "$in": ids } }).fields(doc! { "_id": 1 });
    let blocks: HashSet<String> =
        reader.all::<BlockDocument>(blocks).await?.into_iter().map(|block| block.id).collect();
    let blocking = |(place, (by_sender, by_peer)): (Place, (String, String))| {
        (place, Blocking { by_viewer: blocks.contains(&by_sender), by_other: blocks.contains(&by_peer) })
    };
    Ok(pairs.into_iter().map(blocking).collect())
}

fn conversation(id: ConversationId) -> ObjectId {
    object_id(id.bytes())
}
