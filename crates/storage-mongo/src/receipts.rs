//! The `Receipts` port: moving read positions, and counting what lies beyond them. A count is a subtraction on the
//! reader's positions; messages are looked at only to name the newest that were read. Delivery is in `delivery`.

use std::collections::HashMap;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use parlance_domain::error::{Attempt, Error, Result as Verdict};
use parlance_domain::model::{ConversationId, MessageId, Seq, SeqRange, UserId, Watermarks};
use parlance_domain::ports::{DeliveredNow, ReadMarked, ReadMessage, ReadTarget, Receipts, StorageResult};
use parlance_domain::rules::ranges::{keep_newest, newest};
use parlance_domain::rules::reading::Mark;
use serde::Deserialize;

use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::delivery::Deliver;
use crate::documents::{PlaceDocument, PositionDocument, count, number, object_id, position_id, ranges_to_stored};
use crate::error::Failed;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES, POSITIONS};
use crate::watermarks::list_watermarks;
use crate::{MongoStorage, delivery, history, messages};

#[async_trait]
impl Receipts for MongoStorage {
    async fn mark_read(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> StorageResult<Verdict<ReadMarked>> {
        // Clients mark again and again what is read already: that must not wait for anybody.
        match self.within(decide(&mut self.reader(), conversation, reader, target)).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(mark) if mark.before == mark.after => {
                return Ok(Ok(ReadMarked { newly_read: Vec::new(), unread: mark.unread(mark.dead) }));
            }
            Ok(_) => {}
        }
        Ok(self.make(&MarkRead { conversation, reader, target }).await?)
    }

    async fn mark_delivered(&self, user: &UserId) -> StorageResult<Vec<DeliveredNow>> {
        // Most who come online have missed nothing.
        if !self.within(delivery::has_missed(&mut self.reader(), user)).await? {
            return Ok(Vec::new());
        }
        Ok(self.make(&Deliver { user }).await?)
    }

    async fn list_unread(&self, user: &UserId) -> StorageResult<Vec<(ConversationId, u64)>> {
        Ok(self.within(unread_by_conversation(&mut self.reader(), user)).await?)
    }

    async fn list_unread_of(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> StorageResult<Vec<(UserId, u64)>> {
        Ok(self.within(unread_by_user(&mut self.reader(), conversation, users)).await?)
    }

    async fn list_watermarks(
        &self,
        conversations: &[ConversationId],
    ) -> StorageResult<Vec<(ConversationId, Watermarks)>> {
        Ok(self.within(list_watermarks(&mut self.reader(), conversations)).await?.into_iter().collect())
    }
}

/// Messages that somebody has read.
struct MarkRead<'a> {
    conversation: ConversationId,
    reader: &'a UserId,
    target: &'a ReadTarget,
}

#[async_trait]
impl Change for MarkRead<'_> {
    type Done = Verdict<ReadMarked>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![messages::lock(self.conversation)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let Self { conversation, reader: user, target } = self;
        let mut reader = unit.reader();
        let mark = match decide(&mut reader, *conversation, user, target).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(mark) => mark,
        };
        let read = mark.read();
        let newly_read = list_read(&mut reader, *conversation, user, &newest(&read, mark.dead)).await?;
        let dead = match mark.dead {
            0 => 0,
            dead => dead.saturating_sub(count_dead(&mut reader, *conversation, &read).await?),
        };
        let set = doc! {
            "read": number(mark.after.position()),
            "ahead": ranges_to_stored(mark.after.ahead()),
            "ahead_count": number(mark.ahead_count()),
            "dead": number(dead),
        };
        let update = Update::one(doc! { "_id": position_id(*conversation, user) }, doc! { "$set": set });
        unit.write(Command::update(POSITIONS, vec![update]));
        Ok(Ok(ReadMarked { newly_read, unread: mark.unread(dead) }))
    }
}

/// Works out what marking `target` comes to, without writing.
async fn decide(
    reader: &mut Reader<'_>,
    conversation: ConversationId,
    user: &UserId,
    target: &ReadTarget,
) -> Result<Verdict<Mark>, Failed> {
    let Some((last_seq, _)) = history::find_head(reader, conversation).await? else {
        return Ok(Err(Error::ConversationNotFound));
    };
    let position = reader.one::<PositionDocument>(Query::by_id(POSITIONS, position_id(conversation, user))).await?;
    let Some(position) = position.filter(|position| position.present) else {
        return Ok(Err(Error::NotParticipant(Attempt::Access)));
    };
    let before = position.read_state()?;
    let mut after = before.clone();
    match target {
        ReadTarget::All => {
            after.advance_to(last_seq);
        }
        ReadTarget::UpTo(id) => match list_seqs(reader, conversation, &[*id]).await?.as_slice() {
            [seq, ..] => {
                after.advance_to(*seq);
            }
            [] => return Ok(Err(Error::MessageNotFound)),
        },
        ReadTarget::Messages(ids) => {
            for seq in list_seqs(reader, conversation, ids).await? {
                after.mark(seq);
            }
        }
    }
    // A send that came in between has moved the end.
    let last_seq = last_seq.max(after.position()).max(after.ahead().last().map_or(0, |range| range.last));
    Ok(Ok(Mark { before, after, last_seq, floor: count(position.floor)?, dead: count(position.dead)? }))
}

/// The places of those of `ids` that are in the conversation, rising.
async fn list_seqs(reader: &mut Reader<'_>, id: ConversationId, ids: &[MessageId]) -> Result<Vec<Seq>, Failed> {
    let named: Vec<ObjectId> = ids.iter().map(|id| object_id(id.bytes())).collect();
    let named = Query::new(MESSAGES, doc! { "_id": { "$in": named } }).fields(PlaceDocument::fields());
    let named: Vec<PlaceDocument> = reader.all(named).await?;
    let here = named.into_iter().filter(|place| place.conversation_id() == id);
    let mut seqs = here.map(|place| count(place.seq)).collect::<Result<Vec<_>, _>>()?;
    seqs.sort_unstable();
    Ok(seqs)
}

/// Others' messages in `ranges`, without tombstones, oldest first, the newest that an answer names.
async fn list_read(
    reader: &mut Reader<'_>,
    conversation: ConversationId,
    user: &UserId,
    ranges: &[SeqRange],
) -> Result<Vec<ReadMessage>, Failed> {
    let mut places = messages::list_places(reader, ranges.iter().map(|range| (conversation, *range))).await?;
    places.sort_unstable_by_key(|place| place.seq);
    let mut read = Vec::with_capacity(places.len());
    for place in places.into_iter().filter(|place| !place.is_tombstone() && lies_in(place, ranges)) {
        let sender_id = place.sender_id()?;
        if sender_id != *user {
            read.push(ReadMessage { id: place.id(), sender_id });
        }
    }
    keep_newest(&mut read);
    Ok(read)
}

/// The number of tombstones in `ranges`, which rise.
async fn count_dead(reader: &mut Reader<'_>, id: ConversationId, ranges: &[SeqRange]) -> Result<u64, Failed> {
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { return Ok(0) };
    let filter = doc! {
        "conversation": object_id(id.bytes()),
        "seq": { "$gte": number(first.first), "$lte": number(last.last) },
        "deleted_at": { "$exists": true },
    };
    let dead: Vec<PlaceDocument> = reader.all(Query::new(MESSAGES, filter).fields(PlaceDocument::fields())).await?;
    Ok(dead.iter().filter(|place| lies_in(place, ranges)).count() as u64)
}

/// Whether a message lies in one of `ranges`, which rise.
fn lies_in(place: &PlaceDocument, ranges: &[SeqRange]) -> bool {
    let seq = u64::try_from(place.seq).unwrap_or(0);
    let after = ranges.partition_point(|range| range.last < seq);
    ranges.get(after).is_some_and(|range| range.first <= seq)
}

async fn unread_by_conversation(reader: &mut Reader<'_>, user: &UserId) -> Result<Vec<(ConversationId, u64)>, Failed> {
    let own = Query::new(POSITIONS, doc! { "user": user.as_str(), "present": true });
    let own: Vec<PositionDocument> = reader.all(own).await?;
    let ends = list_ends(reader, &own).await?;
    let unread = own.iter().filter_map(|position| {
        let last_seq = ends.get(&position.conversation)?;
        Some((position.conversation_id(), position.unread(*last_seq)))
    });
    Ok(unread.filter(|(_, unread)| *unread > 0).collect())
}

async fn unread_by_user(
    reader: &mut Reader<'_>,
    conversation: ConversationId,
    users: &[UserId],
) -> Result<Vec<(UserId, u64)>, Failed> {
    let ids: Vec<String> = users.iter().map(|user| position_id(conversation, user)).collect();
    let positions: Vec<PositionDocument> = reader.all(Query::new(POSITIONS, doc! { "_id": { "$in": ids } })).await?;
    let ends = list_ends(reader, &positions).await?;
    let mut unread = Vec::with_capacity(positions.len());
    for position in positions.iter().filter(|position| position.present) {
        let last_seq = ends.get(&position.conversation).copied().unwrap_or(0);
        unread.push((position.user_id()?, position.unread(last_seq)));
    }
    Ok(unread)
}

/// The newest `seq` of each of the conversations of `positions`.
pub(crate) async fn list_ends(
    reader: &mut Reader<'_>,
    positions: &[PositionDocument],
) -> Result<HashMap<ObjectId, i64>, Failed> {
    #[derive(Deserialize)]
    struct EndDocument {
        #[serde(rename = "_id")]
        id: ObjectId,
        last_seq: i64,
    }
    let mut ids: Vec<ObjectId> = positions.iter().map(|position| position.conversation).collect();
    ids.sort_unstable();
    ids.dedup();
    let ends = Query::new(CONVERSATIONS, doc! { "_id": { "$in": ids } }).fields(doc! { "last_seq": 1 });
    let ends: Vec<EndDocument> = reader.all(ends).await?;
    Ok(ends.into_iter().map(|EndDocument { id, last_seq }| (id, last_seq)).collect())
}
