//! Making notifications: of a message, and what products send. A fixed number of commands for however many users; the
//! counts in their inboxes change with the notifications.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};
use parlance_domain::model::{
    Notification, NotificationBody, NotificationId, NotificationKind, UserId, WebhookKind, WebhookSubject,
};
use parlance_domain::ports::{ChatNote, Counted, NewNotification, Noted};
use parlance_domain::rules::webhooks::Wanted;
use serde::Deserialize;

use crate::change::{Change, Unit};
use crate::command::Command;
use crate::documents::{PlaceDocument, PositionDocument, count, object_id, position_id, user_id};
use crate::error::{BadDocument, Failed};
use crate::inbox::{self, InboxDocument};
use crate::notifications::NotificationDocument;
use crate::reader::{Query, Reader};
use crate::schema::{INBOXES, MESSAGES, NOTIFICATIONS, POSITIONS, USERS};
use crate::{messages, outbox};

/// What a product sends.
pub(crate) struct Insert<'a> {
    pub(crate) new: &'a [NewNotification],
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for Insert<'_> {
    type Done = Vec<Counted<Notification>>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let inboxes = self.new.iter().map(|new| inbox::lock(&new.user_id));
        Ok(inboxes.chain(lanes(self.wanted, self.new.iter().map(|new| &new.user_id))).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let users: BTreeSet<&UserId> = self.new.iter().map(|new| &new.user_id).collect();
        let mut reader = unit.reader();
        let known = list_known(&mut reader, &users).await?;
        let inboxes = list_inboxes(&mut reader, &users).await?;
        let wanted = |new: &&NewNotification| {
            let inbox = inboxes.get(new.user_id.as_str()).filter(|_| known.contains(new.user_id.as_str()));
            inbox.is_some_and(|inbox| inbox.preferences().want(&new.kind))
        };
        let made: Vec<Notification> = self.new.iter().filter(wanted).cloned().map(notification).collect();
        let events = self.wanted.notified(&made);
        let made = add(unit, made, inboxes)?;
        outbox::write(unit, &events).await?;
        Ok(made)
    }
}

/// The locks of the lanes in which these users' notifications are told.
fn lanes<'a>(wanted: &Wanted, users: impl IntoIterator<Item = &'a UserId>) -> Vec<String> {
    if !wanted.contains(WebhookKind::NotificationCreated) {
        return Vec::new();
    }
    users.into_iter().map(|user| outbox::lock(&WebhookSubject::User(user.clone()).lane())).collect()
}

fn notification(new: NewNotification) -> Notification {
    let NewNotification { id, user_id, kind, title, message, link, data, created_at } = new;
    let body = NotificationBody::Text { title, message, link, data };
    Notification { id, user_id, kind, body, read: false, created_at }
}

/// The chat notifications of a message.
pub(crate) struct Note<'a> {
    pub(crate) note: &'a ChatNote,
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for Note<'_> {
    type Done = Noted;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let due = look_up(reader, self.note).await?.due;
        let inboxes = due.iter().map(inbox::lock);
        let lanes = lanes(self.wanted, &due);
        Ok(inboxes.chain([messages::lock(self.note.conversation_id)]).chain(lanes).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Noted, Failed> {
        let ChatNote { conversation_id, message_id: _, users, created_at } = self.note;
        let Looked { due, standing, inboxes, newest } = look_up(&mut unit.reader(), self.note).await?;
        if due.is_empty() {
            return Ok(Noted { made: Vec::new(), standing });
        }
        let newest = newest.ok_or(BadDocument("conversation without its newest message"))?;
        let author = newest.sender_id()?;
        let mut others = newest.id();
        if due.contains(&author) {
            let theirs = messages::find_newest(&mut unit.reader(), *conversation_id, Some(&author)).await?;
            others = theirs.ok_or(BadDocument("conversation without the message"))?.id();
        }
        let mut ids: HashMap<&UserId, NotificationId> = HashMap::with_capacity(users.len());
        for (user, id) in users {
            ids.entry(user).or_insert(*id);
        }
        let mut made = Vec::with_capacity(due.len());
        for user_id in due {
            unit.require(&inbox::lock(&user_id))?;
            let Some(id) = ids.get(&user_id) else { continue };
            // Nobody is told of what they wrote themselves.
            let message_id = if user_id == author { others } else { newest.id() };
            let body = NotificationBody::Chat { conversation_id: *conversation_id, message_id };
            let kind = NotificationKind::chat_message();
            made.push(Notification { id: *id, user_id, kind, body, read: false, created_at: *created_at });
        }
        // Nobody of them reads the message, or goes, before they are told of it.
        let positions = made.iter().map(|made| position_id(*conversation_id, &made.user_id));
        unit.hold(POSITIONS, positions.collect::<Vec<_>>());
        let events = self.wanted.notified(&made);
        let made = add(unit, made, inboxes)?;
        outbox::write(unit, &events).await?;
        Ok(Noted { made, standing })
    }
}

/// Who is to be told of a message.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) due: Vec<UserId>,
    pub(crate) standing: Vec<UserId>,
    inboxes: HashMap<String, InboxDocument>,
    /// The newest message of the conversation.
    newest: Option<PlaceDocument>,
}

/// Finds it out.
pub(crate) async fn look_up(reader: &mut Reader<'_>, note: &ChatNote) -> Result<Looked, Failed> {
    #[derive(Deserialize)]
    struct StandingDocument {
        user: String,
    }
    let ChatNote { conversation_id, message_id, users, created_at: _ } = note;
    let users: BTreeSet<&UserId> = users.iter().map(|(user, _)| user).collect();
    let names: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    // One user is asked for as one: not every server finds the index behind a list that is not the last field.
    let whose = if let [only] = names.as_slice() { Bson::from(*only) } else { doc! { "$in": names }.into() };
    let filter = doc! {
        "user": whose,
        "conversation": object_id(conversation_id.bytes()),
        "standing": true,
    };
    let standing = Query::new(NOTIFICATIONS, filter).fields(doc! { "user": 1 });
    let standing: Vec<StandingDocument> = reader.all(standing).await?;
    let mut looked = Looked::default();
    for StandingDocument { user } in standing {
        looked.standing.push(user_id(&user)?);
    }
    let message = Query::by_id(MESSAGES, object_id(message_id.bytes())).fields(PlaceDocument::fields());
    let message: Option<PlaceDocument> = reader.one(message).await?;
    let Some(message) = message.filter(|message| message.conversation_id() == *conversation_id) else {
        return Ok(looked);
    };
    let others: BTreeSet<&UserId> = users.into_iter().filter(|user| !looked.standing.contains(user)).collect();
    if others.is_empty() {
        return Ok(looked);
    }
    let (sender, seq) = (message.sender_id()?, count(message.seq)?);
    let ids: Vec<String> = others.iter().map(|user| position_id(*conversation_id, user)).collect();
    let positions: Vec<PositionDocument> = reader.all(Query::new(POSITIONS, doc! { "_id": { "$in": ids } })).await?;
    looked.inboxes = list_inboxes(reader, &others).await?;
    for position in positions.into_iter().filter(|position| position.present) {
        let user = position.user_id()?;
        let unread = seq > count(position.floor)? && !position.read_state()?.covers(seq);
        let wants = looked.inboxes.get(user.as_str()).is_some_and(|inbox| inbox.preferences().chat);
        if unread && wants && user != sender {
            looked.due.push(user);
        }
    }
    if !looked.due.is_empty() {
        looked.newest = messages::find_newest(reader, *conversation_id, None).await?;
    }
    Ok(looked)
}

/// Writes new unread notifications and adds them to the counts; says with each how many its user has unread after all.
fn add(
    unit: &mut Unit<'_>,
    made: Vec<Notification>,
    mut inboxes: HashMap<String, InboxDocument>,
) -> Result<Vec<Counted<Notification>>, Failed> {
    let mut changed: BTreeMap<&str, InboxDocument> = BTreeMap::new();
    for notification in &made {
        let user = notification.user_id.as_str();
        if !changed.contains_key(user) {
            changed.insert(user, inboxes.remove(user).ok_or(BadDocument("inbox"))?);
        }
        if let Some(inbox) = changed.get_mut(user) {
            inbox.total += 1;
            inbox.unread += 1;
        }
    }
    let documents: Vec<NotificationDocument> = made.iter().map(NotificationDocument::from).collect();
    unit.write(Command::insert(NOTIFICATIONS, &documents)?);
    unit.write(Command::update(INBOXES, changed.values().map(InboxDocument::update_counts).collect()));
    let unread: HashMap<String, i64> =
        changed.into_iter().map(|(user, inbox)| (user.to_owned(), inbox.unread)).collect();
    let counted = |value: Notification| {
        let unread = unread.get(value.user_id.as_str()).copied().ok_or(BadDocument("inbox"))?;
        Ok(Counted { value, unread: count(unread)? })
    };
    made.into_iter().map(counted).collect()
}

/// The inboxes of these users, also of those who have none yet.
async fn list_inboxes(
    reader: &mut Reader<'_>,
    users: &BTreeSet<&UserId>,
) -> Result<HashMap<String, InboxDocument>, Failed> {
    let ids: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let found: Vec<InboxDocument> = reader.all(Query::new(INBOXES, doc! { "_id": { "$in": ids } })).await?;
    let mut inboxes: HashMap<String, InboxDocument> =
        users.iter().map(|user| (user.as_str().to_owned(), InboxDocument::empty(user))).collect();
    inboxes.extend(found.into_iter().map(|inbox| (inbox.user.clone(), inbox)));
    Ok(inboxes)
}

/// Those of `users` who exist.
async fn list_known(reader: &mut Reader<'_>, users: &BTreeSet<&UserId>) -> Result<HashSet<String>, Failed> {
    let ids: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let known = Query::new(USERS, doc! { "_id": { "$in": ids } }).fields(doc! { "_id": 1 });
    let known: Vec<Document> = reader.all(known).await?;
    let id = |user: Document| user.get_str("_id").map(str::to_owned).map_err(|_| BadDocument("user id").into());
    known.into_iter().map(id).collect()
}
