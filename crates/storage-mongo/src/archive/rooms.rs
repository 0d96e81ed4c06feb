//! Conversations, messages and people of a batch: what one document says of another is written with both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{Attendance, ConversationRecord, Message, Participant, ParticipantRecord};
use parlance_domain::rules::media::Named;
use parlance_domain::rules::ranges::{above, total};

use super::intake::there;
use crate::change::Unit;
use crate::command::{Command, Update};
use crate::conversations::{DirectDocument, sort};
use crate::documents::{
    ConversationDocument, MessageDocument, PersonDocument, PlaceDocument, PositionDocument, count, number, object_id,
    position_id, ranges_to_stored,
};
use crate::error::{BadDocument, Failed};
use crate::media_items::CountedMedia;
use crate::reader::Query;
use crate::schema::{CONVERSATIONS, DIRECTS, MESSAGES, POSITIONS};

/// A conversation in the course of a batch.
struct Room {
    document: ConversationDocument,
    is_new: bool,
    has_changed: bool,
}

/// Conversations, messages and people; the conversations last, since they say who is in them and what is the newest.
pub(super) async fn write(
    unit: &mut Unit<'_>,
    arrived: BTreeSet<ObjectId>,
    conversations: &[&ConversationRecord],
    messages: &[&Message],
    participants: &[&ParticipantRecord],
) -> Result<(), Failed> {
    let there = there::<ObjectId>(unit, MESSAGES, messages.iter().map(|one| object_id(one.id.bytes()))).await?;
    let messages: Vec<&Message> =
        messages.iter().copied().filter(|one| !there.contains(&object_id(one.id.bytes()))).collect();
    let mut rooms = load_rooms(unit, conversations, &messages, participants).await?;
    let images = conversations.iter().filter_map(|record| record.conversation.image.as_deref());
    let names = messages.iter().flat_map(|message| Named::by_links(&message.media).all);
    let names: BTreeSet<_> = names.chain(Named::by_urls(images).all).collect();
    let names: Vec<ObjectId> = names.into_iter().map(|id| object_id(id.bytes())).collect();
    let mut media = CountedMedia::of(unit, names.clone()).await?;
    for id in names.into_iter().filter(|id| arrived.contains(id)) {
        media.arrive(id);
    }

    let mut documents = Vec::with_capacity(messages.len());
    for message in &messages {
        documents.push(MessageDocument::new(message, media.begin(&Named::by_links(&message.media))));
        if let Some(room) = rooms.get_mut(&object_id(message.conversation_id.bytes()))
            && room.document.last_seq == number(message.seq)
        {
            room.document.last_message = Some(object_id(message.id.bytes()));
            room.has_changed = true;
        }
    }
    unit.write(Command::insert(MESSAGES, &documents)?);
    write_people(unit, &mut rooms, &messages, participants).await?;

    let (mut new, mut updates, mut directs) = (Vec::new(), Vec::new(), Vec::new());
    let pairs: HashMap<ObjectId, &ConversationRecord> =
        conversations.iter().map(|record| (object_id(record.conversation.id.bytes()), *record)).collect();
    for (id, Room { mut document, is_new, has_changed }) in rooms {
        if is_new {
            let record = pairs.get(&id).ok_or(BadDocument("conversation"))?;
            document.image_medium = media.begin(&Named::by_urls(record.conversation.image.as_deref())).pop();
            directs.extend(record.pair.as_ref().map(|(one, other)| DirectDocument::of(one, other, id)));
            new.push(document);
        } else if has_changed {
            let people = mongodb::bson::serialize_to_bson(&document.people).map_err(|_| BadDocument("people"))?;
            let mut set = doc! { "people": people };
            if let Some(last) = document.last_message {
                set.insert("last_message", last);
            }
            updates.push(Update::one(doc! { "_id": id }, doc! { "$set": set }));
        }
    }
    media.write(unit)?;
    unit.write(Command::insert(DIRECTS, &directs)?);
    unit.write(Command::insert(CONVERSATIONS, &new)?);
    unit.write(Command::update(CONVERSATIONS, updates));
    Ok(())
}

/// The conversations that the batch is about, those that come with it and those that are there.
async fn load_rooms(
    unit: &mut Unit<'_>,
    conversations: &[&ConversationRecord],
    messages: &[&Message],
    participants: &[&ParticipantRecord],
) -> Result<BTreeMap<ObjectId, Room>, Failed> {
    let of_messages = messages.iter().map(|message| message.conversation_id);
    let of_people = participants.iter().map(|record| record.conversation_id);
    let of_records = conversations.iter().map(|record| record.conversation.id);
    let ids: BTreeSet<ObjectId> =
        of_messages.chain(of_people).chain(of_records).map(|id| object_id(id.bytes())).collect();
    let known = Query::new(CONVERSATIONS, doc! { "_id": { "$in": ids.into_iter().collect::<Vec<_>>() } });
    let known: Vec<ConversationDocument> = unit.reader().all(known).await?;
    let room = |document, is_new| Room { document, is_new, has_changed: false };
    let mut rooms: BTreeMap<ObjectId, Room> =
        known.into_iter().map(|document| (document.id, room(document, false))).collect();
    for ConversationRecord { conversation, pair: _ } in conversations.iter().copied() {
        let document = ConversationDocument::new(conversation, &[]);
        rooms.entry(document.id).or_insert_with(|| room(document, true));
    }
    Ok(rooms)
}

/// People with their positions, and the tombstones that these do not cover.
async fn write_people(
    unit: &mut Unit<'_>,
    rooms: &mut BTreeMap<ObjectId, Room>,
    messages: &[&Message],
    records: &[&ParticipantRecord],
) -> Result<(), Failed> {
    let key = |record: &ParticipantRecord| position_id(record.conversation_id, &record.user_id);
    let there = there::<String>(unit, POSITIONS, records.iter().map(|record| key(record))).await?;
    let new: Vec<&ParticipantRecord> = records.iter().copied().filter(|record| !there.contains(&key(record))).collect();
    if new.is_empty() {
        return Ok(());
    }
    let dead = tombstones(unit, messages, &new).await?;
    let mut documents = Vec::with_capacity(new.len());
    for ParticipantRecord { conversation_id, user_id, attendance, read, delivered } in new {
        let id = object_id(conversation_id.bytes());
        let floor = attendance.map_or(0, |attendance| attendance.floor);
        let counts = |seq: &&u64| **seq > floor && !read.covers(**seq);
        let dead = dead.get(&id).map_or(0, |seqs| seqs.iter().filter(counts).count());
        documents.push(PositionDocument {
            present: attendance.is_some(),
            read: number(read.position()),
            delivered: number(*delivered),
            ahead: ranges_to_stored(read.ahead()).into_iter().map(|range| (range[0], range[1])).collect(),
            ahead_count: number(total(&above(read.ahead().to_vec(), floor))),
            dead: number(dead),
            ..PositionDocument::new(*conversation_id, user_id, floor)
        });
        let Some(Attendance { role, joined_at, floor: _ }) = attendance else { continue };
        let room = rooms.get_mut(&id).ok_or(BadDocument("conversation of a participant"))?;
        let mut people = room.document.participants()?;
        people.retain(|person| person.user_id != *user_id);
        people.push(Participant { user_id: user_id.clone(), role: *role, joined_at: *joined_at });
        sort(&mut people);
        room.document.people = people.iter().map(PersonDocument::from).collect();
        room.has_changed = true;
    }
    unit.write(Command::insert(POSITIONS, &documents)?);
    Ok(())
}

/// Where deleted messages are in the conversations of these people.
async fn tombstones(
    unit: &mut Unit<'_>,
    messages: &[&Message],
    records: &[&ParticipantRecord],
) -> Result<HashMap<ObjectId, BTreeSet<u64>>, Failed> {
    let homes: BTreeSet<ObjectId> = records.iter().map(|record| object_id(record.conversation_id.bytes())).collect();
    let homes: Vec<ObjectId> = homes.into_iter().collect();
    let stored = doc! { "conversation": { "$in": homes }, "deleted_at": { "$exists": true } };
    let stored: Vec<PlaceDocument> =
        unit.reader().all(Query::new(MESSAGES, stored).fields(PlaceDocument::fields())).await?;
    let mut dead: HashMap<ObjectId, BTreeSet<u64>> = HashMap::new();
    for place in stored {
        dead.entry(object_id(place.conversation_id().bytes())).or_default().insert(count(place.seq)?);
    }
    for message in messages.iter().filter(|message| message.is_tombstone()) {
        dead.entry(object_id(message.conversation_id.bytes())).or_default().insert(message.seq);
    }
    Ok(dead)
}
