//! Moving a user's delivered position to the end everywhere, when one of their devices comes online, and naming the
//! messages whose status that changes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{ConversationId, ConversationKind, MessageStatus, Seq, SeqRange, UserId, Watermarks};
use parlance_domain::ports::DeliveredNow;
use parlance_domain::rules::ranges::{NEWEST, keep_newest};
use serde::Deserialize;

use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::{PlaceDocument, PositionDocument, count, kind_number, number, object_id, position_id, user_id};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::receipts::list_ends;
use crate::schema::{CONVERSATIONS, POSITIONS};
use crate::watermarks::list_watermarks;
use crate::{blocks, messages};

/// Whether there may be something that has not reached the user. What they have read cannot turn from sent to
/// delivered any more.
pub(crate) async fn has_missed(reader: &mut Reader<'_>, user: &UserId) -> Result<bool, Failed> {
    let missed = |(position, last_seq): &(PositionDocument, Seq)| number(*last_seq) > position.read;
    Ok(list_behind(reader, user).await?.iter().any(missed))
}

/// The user's positions where the delivered one is not at the end, and where that is; not across a block.
async fn list_behind(reader: &mut Reader<'_>, user: &UserId) -> Result<Vec<(PositionDocument, Seq)>, Failed> {
    let own = Query::new(POSITIONS, doc! { "user": user.as_str(), "present": true });
    let own: Vec<PositionDocument> = reader.all(own).await?;
    let ends = list_ends(reader, &own).await?;
    let mut behind = Vec::new();
    for position in own {
        let last_seq = ends.get(&position.conversation).copied().unwrap_or(0);
        if position.delivered < last_seq {
            behind.push((position, count(last_seq)?));
        }
    }
    let ids: Vec<ObjectId> = behind.iter().map(|(position, _)| position.conversation).collect();
    let blocked = list_across_blocks(reader, user, &ids).await?;
    behind.retain(|(position, _)| !blocked.contains(&position.conversation));
    Ok(behind)
}

/// Those of `ids` that are direct conversations across a block. Nobody goes from those, so both are among their people.
async fn list_across_blocks(
    reader: &mut Reader<'_>,
    user: &UserId,
    ids: &[ObjectId],
) -> Result<HashSet<ObjectId>, Failed> {
    #[derive(Deserialize)]
    struct PairDocument {
        #[serde(rename = "_id")]
        id: ObjectId,
        people: Vec<PersonDocument>,
    }
    #[derive(Deserialize)]
    struct PersonDocument {
        user: String,
    }
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let direct = kind_number(ConversationKind::Direct);
    let pairs = Query::new(CONVERSATIONS, doc! { "_id": { "$in": ids }, "kind": direct });
    let pairs: Vec<PairDocument> = reader.all(pairs.fields(doc! { "people.user": 1 })).await?;
    let mut others: Vec<(ObjectId, UserId)> = Vec::with_capacity(pairs.len());
    for PairDocument { id, people } in pairs {
        for person in people.iter().filter(|person| person.user != user.as_str()) {
            others.push((id, user_id(&person.user)?));
        }
    }
    let blocked = blocks::list_either_way(reader, user, others.iter().map(|(_, other)| other)).await?;
    Ok(others.into_iter().filter(|(_, other)| blocked.contains(other)).map(|(id, _)| id).collect())
}

/// A device of this user has come online.
pub(crate) struct Deliver<'a> {
    pub(crate) user: &'a UserId,
}

#[async_trait]
impl Change for Deliver<'_> {
    type Done = Vec<DeliveredNow>;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let behind = list_behind(reader, self.user).await?;
        Ok(behind.iter().map(|(position, _)| messages::lock(position.conversation_id())).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let mut behind = list_behind(&mut unit.reader(), self.user).await?;
        // What has come since the locks were chosen counts as sent after this.
        behind.retain(|(position, _)| unit.holds(&messages::lock(position.conversation_id())));
        let ids: Vec<ConversationId> = behind.iter().map(|(position, _)| position.conversation_id()).collect();
        let mut reader = unit.reader();
        let marks = list_watermarks(&mut reader, &ids).await?;
        let ends: HashMap<ConversationId, Seq> =
            behind.iter().map(|(position, last_seq)| (position.conversation_id(), *last_seq)).collect();
        let reached = list_reached(&mut reader, self.user, &ends, &marks).await?;
        // Two who come online at once must not both name a message.
        unit.hold(CONVERSATIONS, reached.iter().map(|now| object_id(now.conversation_id.bytes())));
        let moved = behind.iter().map(|(position, last_seq)| {
            let id = position_id(position.conversation_id(), self.user);
            Update::one(doc! { "_id": id }, doc! { "$set": { "delivered": number(*last_seq) } })
        });
        unit.write(Command::update(POSITIONS, moved.collect()));
        Ok(reached)
    }
}

/// The messages that had reached nobody, the newest of each conversation. They are looked for from the end of each
/// conversation in steps that grow, in all conversations with one query: most have a few of them at their end.
async fn list_reached(
    reader: &mut Reader<'_>,
    user: &UserId,
    ends: &HashMap<ConversationId, Seq>,
    marks: &HashMap<ConversationId, Watermarks>,
) -> Result<Vec<DeliveredNow>, Failed> {
    let mut open: BTreeMap<ConversationId, SeqRange> = BTreeMap::new();
    for (id, last) in ends {
        let floor = marks.get(id).map_or(0, floor);
        if floor < *last {
            open.insert(*id, SeqRange { first: floor + 1, last: *last });
        }
    }
    let mut found: BTreeMap<ConversationId, Vec<PlaceDocument>> = BTreeMap::new();
    let mut step = NEWEST;
    while !open.is_empty() {
        let window = |range: &SeqRange| SeqRange {
            first: range.first.max(range.last.saturating_sub(step - 1)),
            last: range.last,
        };
        let windows: Vec<(ConversationId, SeqRange)> = open.iter().map(|(id, range)| (*id, window(range))).collect();
        for place in messages::list_places(reader, windows.iter().copied()).await? {
            let (sender, seq) = (place.sender_id()?, count(place.seq)?);
            let sent = |marks: &Watermarks| marks.status(&sender, seq) == MessageStatus::Sent;
            let id = place.conversation_id();
            if sender != *user && !place.is_tombstone() && marks.get(&id).is_some_and(sent) {
                found.entry(id).or_default().push(place);
            }
        }
        for (id, window) in windows {
            let enough = found.get(&id).is_some_and(|places| places.len() as u64 >= NEWEST);
            match open.get_mut(&id) {
                Some(range) if !enough && window.first > range.first => range.last = window.first - 1,
                _ => drop(open.remove(&id)),
            }
        }
        step = step.saturating_mul(4);
    }
    let mut reached = Vec::new();
    for (conversation_id, mut places) in found {
        places.sort_unstable_by_key(|place| place.seq);
        keep_newest(&mut places);
        let first = reached.len();
        for place in places {
            let (sender_id, id) = (place.sender_id()?, place.id());
            match reached[first..].iter_mut().find(|now: &&mut DeliveredNow| now.sender_id == sender_id) {
                Some(now) => now.message_ids.push(id),
                None => reached.push(DeliveredNow { conversation_id, sender_id, message_ids: vec![id] }),
            }
        }
    }
    Ok(reached)
}

/// Up to here every message has reached somebody, whoever sent it.
fn floor(marks: &Watermarks) -> Seq {
    let mut leaders: Vec<&(UserId, Seq)> = marks.read.iter().chain(&marks.delivered).collect();
    leaders.sort_by_key(|(_, mark)| Reverse(*mark));
    let first = leaders.first().map(|(user, _)| user);
    leaders.iter().find(|(user, _)| Some(user) != first).map_or(0, |(_, mark)| *mark)
}
