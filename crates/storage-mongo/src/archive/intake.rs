//! Takes records in: a batch is one change, with a command for each collection. What is there stays, and what follows
//! from records is worked out from what is new alone, so that a repeated batch adds nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, doc};
use parlance_domain::model::{
    Attendance, BlocksRecord, ConversationRecord, Message, Notification, Participant, ParticipantRecord, Preferences,
    Record, RecordsByKind, UserId, UserRecord,
};
use parlance_domain::rules::media::Named;
use parlance_domain::rules::ranges::{above, total};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{THE_COPY, find};
use crate::MongoStorage;
use crate::append::{JOURNAL_BYTES, bytes_of_message};
use crate::blocks::BlockDocument;
use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::conversations::{DirectDocument, sort};
use crate::documents::{
    ConversationDocument, MessageDocument, PersonDocument, PlaceDocument, PositionDocument, count, number, object_id,
    position_id, ranges_to_stored,
};
use crate::error::{BadDocument, Failed};
use crate::inbox::InboxDocument;
use crate::media_items::{self, CountedMedia, MediumDocument};
use crate::notifications::NotificationDocument;
use crate::reader::{Query, Reader};
use crate::schema::{
    BLOCKS, CONVERSATIONS, COPIES, DIRECTS, INBOXES, MEDIA, MESSAGES, NOTIFICATIONS, POSITIONS, USERS,
};
use crate::users::UserDocument;

/// Takes a batch in, in parts that each fit into a journal.
pub(super) async fn take_in(storage: &MongoStorage, records: &[Record]) -> Result<(), Failed> {
    let mut rest = records;
    loop {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += bytes_of(record);
            bytes <= JOURNAL_BYTES
        };
        let (part, others) = rest.split_at(rest.iter().take_while(fits).count().max(1).min(rest.len()));
        storage.make(&TakeIn { records: part }).await?;
        if others.is_empty() {
            return Ok(());
        }
        rest = others;
    }
}

fn bytes_of(record: &Record) -> usize {
    match record {
        Record::Message(message) => bytes_of_message(message.text.as_deref(), &message.media),
        Record::Blocks(BlocksRecord { blocked, .. }) => 512 * blocked.len(),
        _ => 4 * 1024,
    }
}

/// A part of a batch.
struct TakeIn<'a> {
    records: &'a [Record],
}

#[async_trait]
impl Change for TakeIn<'_> {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let named = |record: &Record| match record {
            Record::Message(message) => Named::by_links(&message.media).all,
            Record::Conversation(record) => Named::by_urls(record.conversation.image.as_deref()).all,
            _ => BTreeSet::new(),
        };
        let media: BTreeSet<_> = self.records.iter().flat_map(named).collect();
        Ok(media.into_iter().map(media_items::lock).chain([THE_COPY.to_owned()]).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        if find(&mut unit.reader()).await?.is_none() {
            return Err(BadDocument("batch: no copy has begun").into());
        }
        let Some(last) = self.records.last() else { return Ok(()) };
        let RecordsByKind { users, media, conversations, messages, participants, blocks, notifications } =
            RecordsByKind::of(self.records);
        write_users(unit, &users).await?;
        let there = there::<ObjectId>(unit, MEDIA, media.iter().map(|medium| object_id(medium.id.bytes()))).await?;
        let new: Vec<MediumDocument> =
            media.iter().copied().map(MediumDocument::from).filter(|medium| !there.contains(&medium.id)).collect();
        unit.write(Command::insert(MEDIA, &new)?);
        let arrived = new.iter().map(|medium| medium.id).collect();
        write_rooms(unit, arrived, &conversations, &messages, &participants).await?;
        write_blocks(unit, &blocks).await?;
        write_notifications(unit, &notifications).await?;
        let reached = doc! { "$set": { "reached": last.place().to_string() } };
        unit.write(Command::update(COPIES, vec![Update::one(doc! { "_id": THE_COPY }, reached)]));
        Ok(())
    }
}

/// Those of `ids` that are there.
async fn there<Id>(
    unit: &mut Unit<'_>,
    collection: &'static str,
    ids: impl Iterator<Item = Id>,
) -> Result<HashSet<Id>, Failed>
where
    Id: Into<Bson> + DeserializeOwned + Hash + Eq + Send + Sync,
{
    #[derive(Deserialize)]
    struct IdDocument<Id> {
        #[serde(rename = "_id")]
        id: Id,
    }
    let ids: Vec<Bson> = ids.map(Into::into).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found = Query::new(collection, doc! { "_id": { "$in": ids } }).fields(doc! { "_id": 1 });
    let found: Vec<IdDocument<Id>> = unit.reader().all(found).await?;
    Ok(found.into_iter().map(|document| document.id).collect())
}

async fn write_users(unit: &mut Unit<'_>, records: &[&UserRecord]) -> Result<(), Failed> {
    let there = there::<String>(unit, USERS, records.iter().map(|record| record.user.id.as_str().to_owned())).await?;
    let new: Vec<&UserRecord> =
        records.iter().copied().filter(|record| !there.contains(record.user.id.as_str())).collect();
    let documents: Vec<UserDocument> = new.iter().copied().map(UserDocument::from).collect();
    unit.write(Command::insert(USERS, &documents)?);
    // Who wants everything needs no inbox yet.
    let wishes = new.iter().filter(|record| record.preferences != Preferences::default()).map(|record| {
        let Preferences { email, push, chat, job_match } = record.preferences;
        let set = doc! { "email": email, "push": push, "chat": chat, "job_match": job_match };
        Update::or_insert(doc! { "_id": record.user.id.as_str() }, doc! { "$set": set })
    });
    unit.write(Command::update(INBOXES, wishes.collect()));
    Ok(())
}

/// A conversation in the course of a batch.
struct Room {
    document: ConversationDocument,
    is_new: bool,
    has_changed: bool,
}

/// Conversations, messages and people; the conversations last, since they say who is in them and what is the newest.
async fn write_rooms(
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
    names.into_iter().filter(|id| arrived.contains(id)).for_each(|id| media.arrive(id));

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

async fn write_blocks(unit: &mut Unit<'_>, records: &[&BlocksRecord]) -> Result<(), Failed> {
    let blocks = records.iter().flat_map(|record| {
        record.blocked.iter().map(|(blocked, since)| BlockDocument::new(&record.blocker, blocked, *since))
    });
    let blocks: Vec<BlockDocument> = blocks.collect();
    let there = there::<String>(unit, BLOCKS, blocks.iter().map(|block| block.id.clone())).await?;
    let new: Vec<BlockDocument> = blocks.into_iter().filter(|block| !there.contains(&block.id)).collect();
    unit.write(Command::insert(BLOCKS, &new)?);
    Ok(())
}

async fn write_notifications(unit: &mut Unit<'_>, records: &[&Notification]) -> Result<(), Failed> {
    let there = there::<ObjectId>(unit, NOTIFICATIONS, records.iter().map(|one| object_id(one.id.bytes()))).await?;
    let new: Vec<&Notification> =
        records.iter().copied().filter(|one| !there.contains(&object_id(one.id.bytes()))).collect();
    if new.is_empty() {
        return Ok(());
    }
    let documents: Vec<NotificationDocument> = new.iter().copied().map(NotificationDocument::from).collect();
    unit.write(Command::insert(NOTIFICATIONS, &documents)?);
    let users: BTreeSet<&UserId> = new.iter().map(|notification| &notification.user_id).collect();
    let ids: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let known: Vec<InboxDocument> = unit.reader().all(Query::new(INBOXES, doc! { "_id": { "$in": ids } })).await?;
    let mut inboxes: BTreeMap<String, InboxDocument> =
        users.into_iter().map(|user| (user.as_str().to_owned(), InboxDocument::empty(user))).collect();
    inboxes.extend(known.into_iter().map(|inbox| (inbox.user.clone(), inbox)));
    for notification in new {
        if let Some(inbox) = inboxes.get_mut(notification.user_id.as_str()) {
            inbox.total += 1;
            inbox.unread += i64::from(!notification.read);
        }
    }
    unit.write(Command::update(INBOXES, inboxes.values().map(InboxDocument::update_counts).collect()));
    Ok(())
}
