//! Pages of records, each kind in the order of an index or of its `_id`.

use std::collections::{BTreeSet, HashMap};

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::model::{
    Attendance, BlocksRecord, Conversation, ConversationId, ConversationKind, ConversationRecord, MediumId,
    Notification, NotificationId, Participant, ParticipantRecord, Place, Preferences, Record, Timestamp, UserId,
};

use super::messages;
use crate::blocks::BlockDocument;
use crate::documents::{ConversationDocument, PositionDocument, all, count, date, object_id, position_id, user_id};
use crate::error::{BadDocument, Failed};
use crate::inbox::InboxDocument;
use crate::media_items::MediumDocument;
use crate::notifications::NotificationDocument;
use crate::reader::{Query, Reader};
use crate::schema::{BLOCKS, CONVERSATIONS, INBOXES, MEDIA, NOTIFICATIONS, POSITIONS, USERS};
use crate::users::UserDocument;

/// A page of one kind of records after a place.
pub(super) async fn list(reader: &mut Reader<'_>, after: &Place, limit: usize) -> Result<Vec<Record>, Failed> {
    match after {
        Place::Users(after) => users(reader, after.as_ref(), limit).await,
        Place::Media(after) => media(reader, *after, limit).await,
        Place::Conversations(after) => conversations(reader, *after, limit).await,
        Place::Messages(after) => messages::list(reader, *after, limit).await,
        Place::Participants(after) => participants(reader, after.as_ref(), limit).await,
        Place::Blocks(after) => blocks(reader, after.as_ref(), limit).await,
        Place::Notifications(after) => notifications(reader, after.as_ref(), limit).await,
    }
}

/// Documents of a collection after an `_id`, in its order.
fn by_id(collection: &'static str, after: Option<impl Into<mongodb::bson::Bson>>, limit: usize) -> Query {
    let filter = after.map_or_else(Document::new, |id| doc! { "_id": { "$gt": id.into() } });
    Query::new(collection, filter).sort(doc! { "_id": 1 }).limit(limit)
}

async fn users(reader: &mut Reader<'_>, after: Option<&UserId>, limit: usize) -> Result<Vec<Record>, Failed> {
    let users: Vec<UserDocument> = reader.all(by_id(USERS, after.map(UserId::as_str), limit)).await?;
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let inboxes: Vec<InboxDocument> = reader.all(Query::new(INBOXES, doc! { "_id": { "$in": ids } })).await?;
    let wishes: HashMap<&str, Preferences> =
        inboxes.iter().map(|inbox| (inbox.user.as_str(), inbox.preferences())).collect();
    let mut records = Vec::with_capacity(users.len());
    for user in users {
        let preferences = wishes.get(user.id.as_str()).copied().unwrap_or_default();
        records.push(Record::User(user.into_record(preferences)?));
    }
    Ok(records)
}

async fn media(reader: &mut Reader<'_>, after: Option<MediumId>, limit: usize) -> Result<Vec<Record>, Failed> {
    let media: Vec<MediumDocument> = reader.all(by_id(MEDIA, after.map(|id| object_id(id.bytes())), limit)).await?;
    Ok(all(media)?.into_iter().map(Record::Medium).collect())
}

async fn conversations(
    reader: &mut Reader<'_>,
    after: Option<ConversationId>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let page = by_id(CONVERSATIONS, after.map(|id| object_id(id.bytes())), limit);
    // The first two are both of a direct conversation.
    let page: Vec<ConversationDocument> = reader.all(page.fields(doc! { "people": { "$slice": 2 } })).await?;
    let mut records = Vec::with_capacity(page.len());
    for document in page {
        let roster = document.roster()?;
        let conversation = Conversation::try_from(document)?;
        let pair = match (conversation.kind, &roster.users()[..]) {
            (ConversationKind::Direct, [one, other]) => Some((one.clone(), other.clone())),
            (ConversationKind::Direct, _) => return Err(BadDocument("pair of a conversation").into()),
            (ConversationKind::Group, _) => None,
        };
        records.push(Record::Conversation(ConversationRecord { conversation, pair }));
    }
    Ok(records)
}

/// Positions, with what the conversations know of those who are in them.
async fn participants(
    reader: &mut Reader<'_>,
    after: Option<&(ConversationId, Option<UserId>)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let after = after.map(|(id, user)| match user {
        Some(user) => position_id(*id, user),
        None => format!("{id}/"),
    });
    let positions: Vec<PositionDocument> = reader.all(by_id(POSITIONS, after, limit)).await?;
    let homes: BTreeSet<ObjectId> =
        positions.iter().filter(|position| position.present).map(|position| position.conversation).collect();
    let homes = Query::new(CONVERSATIONS, doc! { "_id": { "$in": homes.into_iter().collect::<Vec<_>>() } });
    let homes: Vec<ConversationDocument> = reader.all(homes).await?;
    let mut people: HashMap<(ConversationId, UserId), Participant> = HashMap::new();
    for home in &homes {
        let id = home.conversation_id();
        people.extend(home.participants()?.into_iter().map(|person| ((id, person.user_id.clone()), person)));
    }
    let mut records = Vec::with_capacity(positions.len());
    for position in positions {
        let (conversation_id, user_id) = (position.conversation_id(), position.user_id()?);
        let attendance = if position.present {
            let known = people.remove(&(conversation_id, user_id.clone())).ok_or(BadDocument("participant"))?;
            let Participant { user_id: _, role, joined_at } = known;
            Some(Attendance { role, joined_at, floor: count(position.floor)? })
        } else {
            None
        };
        let (read, delivered) = (position.read_state()?, count(position.delivered)?);
        records.push(Record::Participant(ParticipantRecord { conversation_id, user_id, attendance, read, delivered }));
    }
    Ok(records)
}

/// One record is all blocks of somebody, so a page may need several looks, and the last blocker of a look another one.
async fn blocks(reader: &mut Reader<'_>, after: Option<&UserId>, limit: usize) -> Result<Vec<Record>, Failed> {
    const LOOK: usize = 5_000;
    let order = doc! { "blocker": 1, "created_at": -1, "place": -1 };
    let (mut records, mut after) = (Vec::new(), after.cloned());
    while records.len() < limit {
        let filter = after.as_ref().map_or_else(Document::new, |user| doc! { "blocker": { "$gt": user.as_str() } });
        let mut found: Vec<BlockDocument> =
            reader.all(Query::new(BLOCKS, filter).sort(order.clone()).limit(LOOK)).await?;
        let at_end = found.len() < LOOK;
        if let Some(last) = found.last().map(|last| last.blocker.clone()).filter(|_| !at_end) {
            // Not all of the last one's may be among them.
            found.retain(|block| block.blocker != last);
            if found.is_empty() {
                let whole = Query::new(BLOCKS, doc! { "blocker": last }).sort(order.clone());
                found = reader.all(whole).await?;
            }
        }
        for block in found {
            let BlockDocument { id: _, blocker, blocked, created_at, place: _ } = block;
            let (blocker, blocked) = (user_id(&blocker)?, user_id(&blocked)?);
            let since = crate::documents::moment(created_at);
            match records.last_mut() {
                Some(BlocksRecord { blocker: same, blocked: all }) if *same == blocker => all.push((blocked, since)),
                _ => records.push(BlocksRecord { blocker, blocked: vec![(blocked, since)] }),
            }
        }
        after = records.last().map(|record| record.blocker.clone());
        if at_end {
            break;
        }
    }
    records.truncate(limit);
    // The index has the newest block first.
    for record in &mut records {
        record.blocked.reverse();
    }
    Ok(records.into_iter().map(Record::Blocks).collect())
}

/// User by user, since the index has each one's newest first. Inboxes say who has how many.
async fn notifications(
    reader: &mut Reader<'_>,
    after: Option<&(UserId, Timestamp, NotificationId)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let mut page: Vec<NotificationDocument> = Vec::new();
    let mut last: Option<String> = None;
    if let Some((user, at, id)) = after {
        let later = doc! { "$or": [
            { "created_at": { "$gt": date(*at) } },
            { "created_at": date(*at), "_id": { "$gt": object_id(id.bytes()) } },
        ] };
        let mut filter = doc! { "user": user.as_str() };
        filter.extend(later);
        page = reader.all(of_one(filter, limit)).await?;
        last = Some(user.as_str().to_owned());
    }
    while page.len() < limit {
        let mut filter = doc! { "total": { "$gt": 0_i64 } };
        if let Some(last) = &last {
            filter.insert("_id", doc! { "$gt": last.as_str() });
        }
        let room = limit - page.len();
        let inboxes: Vec<InboxDocument> =
            reader.all(Query::new(INBOXES, filter).sort(doc! { "_id": 1 }).limit(room)).await?;
        let Some(first) = inboxes.first() else { break };
        let (mut users, mut total) = (Vec::new(), 0);
        for inbox in &inboxes {
            total += usize::try_from(inbox.total).unwrap_or(usize::MAX);
            if total > room {
                break;
            }
            users.push(inbox.user.clone());
        }
        last = Some(users.last().unwrap_or(&first.user).clone());
        if users.is_empty() {
            page.extend(reader.all::<NotificationDocument>(of_one(doc! { "user": &first.user }, room)).await?);
        } else {
            let of_all = Query::new(NOTIFICATIONS, doc! { "user": { "$in": users } });
            let mut of_all: Vec<NotificationDocument> = reader.all(of_all).await?;
            of_all.sort_by(|one, other| one.key().cmp(&other.key()));
            page.extend(of_all);
        }
    }
    page.truncate(limit);
    Ok(all::<_, Notification>(page)?.into_iter().map(Record::Notification).collect())
}

/// Oldest first: the index from its other end.
fn of_one(filter: Document, limit: usize) -> Query {
    Query::new(NOTIFICATIONS, filter).sort(doc! { "created_at": 1, "_id": 1 }).limit(limit)
}
