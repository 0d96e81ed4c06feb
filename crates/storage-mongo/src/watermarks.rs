//! The leading positions of conversations, from which a message's status follows. People who have left still count:
//! a message's status never goes back.

use std::collections::HashMap;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{ConversationId, Seq, SeqRange, UserId, Watermarks};

use crate::documents::{PositionDocument, count, object_id};
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, POSITIONS};

/// Somebody's read and delivered position, and their single reads.
type Positions = (UserId, Seq, Seq, Vec<SeqRange>);

/// The watermarks of those of `conversations` that exist.
pub(crate) async fn list_watermarks(
    reader: &mut Reader<'_>,
    conversations: &[ConversationId],
) -> Result<HashMap<ConversationId, Watermarks>, Failed> {
    let ids: Vec<ObjectId> = conversations.iter().map(|id| object_id(id.bytes())).collect();
    let existing = Query::new(CONVERSATIONS, doc! { "_id": { "$in": &ids } }).fields(doc! { "_id": 1 });
    let existing: Vec<Document> = reader.all(existing).await?;
    let mut people: HashMap<ConversationId, Vec<Positions>> = HashMap::with_capacity(existing.len());
    for document in existing {
        let id = document.get_object_id("_id").map_err(|_| BadDocument("id"))?;
        people.insert(ConversationId::from_bytes(id.bytes()), Vec::new());
    }
    let positions: Vec<PositionDocument> =
        reader.all(Query::new(POSITIONS, doc! { "conversation": { "$in": ids } })).await?;
    for position in positions {
        if let Some(people) = people.get_mut(&position.conversation_id()) {
            let state = position.read_state()?;
            let ahead = state.ahead().to_vec();
            people.push((position.user_id()?, state.position(), count(position.delivered)?, ahead));
        }
    }
    Ok(people.into_iter().map(|(id, people)| (id, Watermarks::of(people))).collect())
}
