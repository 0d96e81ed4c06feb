//! Changes to groups: their looks, and who is in them. The rules decide on the people as they are inside the
//! change; the system message is appended in the same one.

use async_trait::async_trait;
use mongodb::bson::{Bson, doc};
use parlance_domain::error::{Attempt, Error, Result as Verdict};
use parlance_domain::model::{
    Conversation, ConversationId, ConversationKind, Message, NewMessage, Participant, Role, Roster, Timestamp, UserId,
    WebhookKind, WebhookSubject,
};
use parlance_domain::ports::{ChangeMembership, GroupChange, MembershipChanged};
use parlance_domain::rules::Limits;
use parlance_domain::rules::media::{self, Named};
use parlance_domain::rules::membership::{self, Outcome};
use parlance_domain::rules::webhooks::Wanted;

use crate::append::append_in;
use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::conversations::{find_capacity, find_document, must_know, sort};
use crate::documents::{PersonDocument, PositionDocument, date, number, object_id, position_id};
use crate::error::{BadDocument, Failed};
use crate::media_items::{self, CountedMedia};
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, POSITIONS};
use crate::{messages, outbox};

/// A group's new title or photo.
pub(crate) struct UpdateGroup<'a> {
    pub(crate) id: ConversationId,
    pub(crate) actor: &'a UserId,
    pub(crate) change: &'a GroupChange,
    pub(crate) now: Timestamp,
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for UpdateGroup<'_> {
    type Done = Verdict<Conversation>;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let mut locks = vec![messages::lock(self.id)];
        locks.extend(outbox::locks(&self.wanted.updated(self.id, self.now)));
        if let GroupChange::Image(image) = self.change {
            locks.extend(Named::by_urls(image.as_deref()).all.into_iter().map(media_items::lock));
            let before = find_capacity(reader, self.id, self.actor).await?;
            let before = before.and_then(|(conversation, _)| conversation.image_medium);
            locks.extend(before.map(media_items::lock_of));
        }
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let Self { id, actor, change, now, wanted } = self;
        let Some((document, role)) = find_capacity(&mut unit.reader(), *id, actor).await? else {
            return Ok(Err(Error::ConversationNotFound));
        };
        let Some(role) = role else { return Ok(Err(Error::NotParticipant(Attempt::Access))) };
        let used_before = document.image_medium;
        let mut conversation = Conversation::try_from(document)?;
        if conversation.kind == ConversationKind::Direct {
            return Ok(Err(Error::Conflict("A direct conversation has no title and no photo")));
        }
        if let Err(refusal) = membership::may_manage(role) {
            return Ok(Err(refusal));
        }
        let mut set = doc! { "updated_at": date(*now) };
        match change {
            GroupChange::Title(title) => {
                set.insert("title", title.as_str());
                conversation.title = Some(title.clone());
            }
            GroupChange::Image(image) => {
                let named = Named::by_urls(image.as_deref());
                let mut media = CountedMedia::of_names(unit, &named, used_before).await?;
                if !media.missing(named.required.clone()).is_empty() {
                    return Ok(Err(media::missing("url")));
                }
                let used = media.replace(used_before, &named);
                media.write(unit)?;
                set.insert("image", image.clone());
                set.insert("image_medium", used);
                conversation.image.clone_from(image);
            }
        }
        conversation.updated_at = *now;
        unit.write(update(*id, set));
        outbox::write(unit, &wanted.updated(*id, *now)).await?;
        Ok(Ok(conversation))
    }
}

fn update(id: ConversationId, mut set: mongodb::bson::Document) -> Command {
    let unset: mongodb::bson::Document = set
        .iter()
        .filter(|(_, value)| **value == Bson::Null)
        .map(|(field, _)| (field.clone(), Bson::from("")))
        .collect();
    for field in unset.keys() {
        set.remove(field);
    }
    let mut change = doc! { "$set": set };
    if !unset.is_empty() {
        change.insert("$unset", unset);
    }
    Command::update(CONVERSATIONS, vec![Update::one(doc! { "_id": object_id(id.bytes()) }, change)])
}

/// A change of who is in a group, or in which role.
pub(crate) struct Membership<'a> {
    pub(crate) change: &'a ChangeMembership,
    pub(crate) limits: &'a Limits,
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for Membership<'_> {
    type Done = Verdict<MembershipChanged>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let id = self.change.conversation_id;
        let mut locks = vec![messages::lock(id)];
        if self.wanted.contains(WebhookKind::MessageCreated) || self.wanted.contains(WebhookKind::ConversationUpdated) {
            locks.push(outbox::lock(&WebhookSubject::Conversation(id).lane()));
        }
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let ChangeMembership { conversation_id: id, actor, change, now, .. } = self.change;
        let Some(document) = find_document(&mut unit.reader(), *id).await? else {
            return Ok(Err(Error::ConversationNotFound));
        };
        let mut people = document.participants()?;
        let mut conversation = Conversation::try_from(document)?;
        let outcome = match membership::plan(conversation.kind, &people, actor, change, self.limits) {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut message = None;
        if !outcome.is_empty() {
            must_know(&mut unit.reader(), &outcome.added).await?;
            if let Some(new) = self.change.system_message(&outcome) {
                // Appended first: one who leaves is still there to send the message that says so.
                let told = append_system(unit, new).await?;
                conversation.rev = told.rev;
                conversation.active_at = conversation.active_at.max(*now);
                message = Some(told);
            }
            write_positions(unit, &conversation, &outcome).await?;
            conversation.last_seq = message.as_ref().map_or(conversation.last_seq, |message| message.seq);
            conversation.updated_at = *now;
            apply(&mut people, &outcome, *now);
            let stored: Vec<PersonDocument> = people.iter().map(PersonDocument::from).collect();
            let stored = mongodb::bson::serialize_to_bson(&stored).map_err(|_| BadDocument("people"))?;
            unit.write(update(*id, doc! { "people": stored, "updated_at": date(*now) }));
            let mut events = self.wanted.appended(&message);
            events.extend(self.wanted.updated(*id, *now));
            outbox::write(unit, &events).await?;
        }
        let roster = Roster::new(conversation.kind, people.into_iter().map(|person| person.user_id));
        Ok(Ok(MembershipChanged { outcome, conversation, roster, message }))
    }
}

/// The people after a change.
fn apply(people: &mut Vec<Participant>, outcome: &Outcome, now: Timestamp) {
    let Outcome { added, removed, roles } = outcome;
    people.retain(|person| !removed.contains(&person.user_id));
    for (user, role) in roles {
        people.iter_mut().filter(|person| person.user_id == *user).for_each(|person| person.role = *role);
    }
    let joined = |user: &UserId| Participant { user_id: user.clone(), role: Role::Member, joined_at: now };
    people.extend(added.iter().map(joined));
    sort(people);
}

/// For those who come in, nothing up to the conversation's newest message is unread. What those who come again had
/// read and received is theirs again; of those who go it is remembered.
async fn write_positions(unit: &mut Unit<'_>, before: &Conversation, outcome: &Outcome) -> Result<(), Failed> {
    let Outcome { added, removed, roles: _ } = outcome;
    let key = |user: &UserId| position_id(before.id, user);
    let ids: Vec<String> = added.iter().map(key).collect();
    let former = Query::new(POSITIONS, doc! { "_id": { "$in": ids } });
    let former: Vec<PositionDocument> = if added.is_empty() { Vec::new() } else { unit.reader().all(former).await? };
    let again: Vec<&str> = former.iter().map(|position| position.user.as_str()).collect();
    let new: Vec<PositionDocument> = added
        .iter()
        .filter(|user| !again.contains(&user.as_str()))
        .map(|user| PositionDocument::new(before.id, user, before.last_seq))
        .collect();
    let floor = doc! { "present": true, "floor": number(before.last_seq), "ahead_count": 0_i64, "dead": 0_i64 };
    let back = former.iter().map(|position| Update::one(doc! { "_id": &position.id }, doc! { "$set": floor.clone() }));
    let gone = removed.iter().map(|user| Update::one(doc! { "_id": key(user) }, doc! { "$set": { "present": false } }));
    let updates: Vec<Update> = back.chain(gone).collect();
    unit.write(Command::insert(POSITIONS, &new)?);
    unit.write(Command::update(POSITIONS, updates));
    Ok(())
}

async fn append_system(unit: &mut Unit<'_>, new: NewMessage) -> Result<Message, Failed> {
    let appended = append_in(unit, vec![new]).await?.pop();
    let appended = appended.and_then(Result::ok).ok_or(BadDocument("system message"))?;
    Ok(appended.message)
}
