//! The `Conversations` port: starting and finding them, their rosters and contacts. Lists are in `list`, changes to
//! groups in `groups`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{
    Conversation, ConversationCursor, ConversationId, ConversationKind, Page, Participant, Role, Roster, Timestamp,
    UserId, WebhookKind, WebhookSubject,
};
use parlance_domain::ports::{
    ConversationEntry, ConversationQuery, Conversations, GroupChange, Head, NewConversation, Started, StorageResult,
};
use parlance_domain::rules::webhooks::Wanted;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Unit};
use crate::command::Command;
use crate::documents::{ConversationDocument, PositionDocument, all, count, object_id, user_id};
use crate::error::{BadDocument, Failed};
use crate::groups::UpdateGroup;
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, DIRECTS, POSITIONS, USERS};
use crate::{MongoStorage, blocks, list, messages, outbox};

/// Which conversation two people have. Its key is theirs, so there is one whatever the collection is sharded by.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DirectDocument {
    #[serde(rename = "_id")]
    key: String,
    conversation: ObjectId,
}

impl DirectDocument {
    /// These two people have this conversation.
    pub(crate) fn of(one: &UserId, other: &UserId, conversation: ObjectId) -> Self {
        Self { key: direct_key(one, other), conversation }
    }
}

#[async_trait]
impl Conversations for MongoStorage {
    async fn start_conversation(&self, new: &NewConversation, now: Timestamp) -> StorageResult<Started> {
        if let NewConversation::Direct { starter, other, .. } = new {
            // Starting an existing conversation is the way clients open it: most starts write nothing.
            let found = self.within(find_direct(&mut self.reader(), &direct_key(starter, other))).await?;
            if let Some(conversation) = found {
                return Ok(Started { conversation, created: false });
            }
        }
        Ok(self.make(&Start { new, now, wanted: &self.wanted }).await?)
    }

    async fn find_conversation(&self, id: ConversationId) -> StorageResult<Option<Conversation>> {
        Ok(self.within(find(&mut self.reader(), id)).await?)
    }

    async fn list_conversations(&self, ids: &[ConversationId]) -> StorageResult<Vec<Conversation>> {
        Ok(self.within(list_by_id(&mut self.reader(), ids)).await?)
    }

    async fn find_roster(&self, id: ConversationId) -> StorageResult<Option<Roster>> {
        let found = self.within(find_document(&mut self.reader(), id)).await?;
        Ok(found.map(|document| document.roster()).transpose().map_err(Failed::from)?)
    }

    async fn find_entry(&self, id: ConversationId, viewer: &UserId) -> StorageResult<Option<ConversationEntry>> {
        Ok(self.within(list::find_entry(&mut self.reader(), id, viewer)).await?)
    }

    async fn list_entries(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> StorageResult<Page<ConversationEntry, ConversationCursor>> {
        Ok(self.within(list::list_entries(&mut self.reader(), viewer, query)).await?)
    }

    async fn update_group(
        &self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> StorageResult<Verdict<Conversation>> {
        Ok(self.make(&UpdateGroup { id, actor, change, now, wanted: &self.wanted }).await?)
    }

    async fn list_contacts(&self, user: &UserId) -> StorageResult<Vec<UserId>> {
        Ok(self.within(list_contacts(&mut self.reader(), user)).await?)
    }

    async fn list_heads(&self, users: &[UserId]) -> StorageResult<Vec<Head>> {
        Ok(self.within(list_heads(&mut self.reader(), users)).await?)
    }
}

/// A conversation that is to be there.
struct Start<'a> {
    new: &'a NewConversation,
    now: Timestamp,
    wanted: &'a Wanted,
}

#[async_trait]
impl Change for Start<'_> {
    type Done = Started;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let (id, lock) = match self.new {
            NewConversation::Direct { id, starter, other } => (id, format!("direct/{}", direct_key(starter, other))),
            NewConversation::Group { id, .. } => (id, messages::lock(*id)),
        };
        let mut locks = vec![lock];
        if self.wanted.contains(WebhookKind::ConversationCreated) {
            locks.push(outbox::lock(&WebhookSubject::Conversation(*id).lane()));
        }
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Started, Failed> {
        let (id, kind, title, people) = match self.new {
            NewConversation::Direct { id, starter, other } => {
                let key = direct_key(starter, other);
                if let Some(conversation) = find_direct(&mut unit.reader(), &key).await? {
                    return Ok(Started { conversation, created: false });
                }
                unit.write(Command::insert(DIRECTS, &[DirectDocument { key, conversation: object_id(id.bytes()) }])?);
                (*id, ConversationKind::Direct, None, vec![(starter, Role::Member), (other, Role::Member)])
            }
            NewConversation::Group { id, title, owner, members } => {
                let members = members.iter().map(|member| (member, Role::Member));
                let people = std::iter::once((owner, Role::Owner)).chain(members).collect();
                (*id, ConversationKind::Group, Some(title.clone()), people)
            }
        };
        must_know(&mut unit.reader(), people.iter().map(|(user, _)| *user)).await?;
        let conversation = Conversation {
            id,
            kind,
            title,
            image: None,
            last_seq: 0,
            rev: 0,
            created_at: self.now,
            updated_at: self.now,
            active_at: self.now,
        };
        let joined = |(user, role): (&UserId, Role)| Participant { user_id: user.clone(), role, joined_at: self.now };
        let mut people: Vec<Participant> = people.into_iter().map(joined).collect();
        sort(&mut people);
        let positions: Vec<PositionDocument> =
            people.iter().map(|person| PositionDocument::new(id, &person.user_id, 0)).collect();
        unit.write(Command::insert(POSITIONS, &positions)?);
        unit.write(Command::insert(CONVERSATIONS, &[ConversationDocument::new(&conversation, &people)])?);
        outbox::write(unit, &self.wanted.started(&conversation)).await?;
        Ok(Started { conversation, created: true })
    }
}

/// Longest-serving first, those of one moment in id order.
pub(crate) fn sort(people: &mut [Participant]) {
    people.sort_by(|one, other| (one.joined_at, &one.user_id).cmp(&(other.joined_at, &other.user_id)));
}

/// What a foreign key of another database would say. Users are never removed, so nothing has to be held for it.
pub(crate) async fn must_know<'a>(
    reader: &mut Reader<'_>,
    users: impl IntoIterator<Item = &'a UserId>,
) -> Result<(), Failed> {
    let ids: BTreeSet<&str> = users.into_iter().map(UserId::as_str).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let known = Query::new(USERS, doc! { "_id": { "$in": &ids } }).fields(doc! { "_id": 1 });
    let known: Vec<Document> = reader.all(known).await?;
    if known.len() < ids.len() { Err(BadDocument("name of a user: there is none").into()) } else { Ok(()) }
}

/// One key for two people, whoever of them is named first. User ids have no control characters.
pub(crate) fn direct_key(one: &UserId, other: &UserId) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{first}\n{second}")
}

async fn find_direct(reader: &mut Reader<'_>, key: &str) -> Result<Option<Conversation>, Failed> {
    match find_direct_id(reader, key).await? {
        Some(id) => find(reader, id).await,
        None => Ok(None),
    }
}

/// Which conversation two people have.
pub(crate) async fn find_direct_id(reader: &mut Reader<'_>, key: &str) -> Result<Option<ConversationId>, Failed> {
    let direct = reader.one::<DirectDocument>(Query::by_id(DIRECTS, key)).await?;
    Ok(direct.map(|direct| ConversationId::from_bytes(direct.conversation.bytes())))
}

/// The conversation with this id.
pub(crate) async fn find(reader: &mut Reader<'_>, id: ConversationId) -> Result<Option<Conversation>, Failed> {
    let query = Query::by_id(CONVERSATIONS, object_id(id.bytes())).fields(doc! { "people": 0 });
    Ok(reader.one::<ConversationDocument>(query).await?.map(Conversation::try_from).transpose()?)
}

/// The same with the people in it.
pub(crate) async fn find_document(
    reader: &mut Reader<'_>,
    id: ConversationId,
) -> Result<Option<ConversationDocument>, Failed> {
    reader.one(Query::by_id(CONVERSATIONS, object_id(id.bytes()))).await
}

/// The conversation, and in which role somebody is in it, if they are.
pub(crate) async fn find_capacity(
    reader: &mut Reader<'_>,
    id: ConversationId,
    user: &UserId,
) -> Result<Option<(ConversationDocument, Option<Role>)>, Failed> {
    let query = Query::by_id(CONVERSATIONS, object_id(id.bytes())).fields(with_only(user));
    let Some(document) = reader.one::<ConversationDocument>(query).await? else { return Ok(None) };
    let role = document.role(user)?;
    Ok(Some((document, role)))
}

/// All fields of a conversation, and of the people in it this one alone.
pub(crate) fn with_only(user: &UserId) -> Document {
    let mut fields = doc! { "people": { "$elemMatch": { "user": user.as_str() } } };
    for field in ConversationDocument::FIELDS {
        fields.insert(field, 1);
    }
    fields
}

async fn list_by_id(reader: &mut Reader<'_>, ids: &[ConversationId]) -> Result<Vec<Conversation>, Failed> {
    let ids: Vec<ObjectId> = ids.iter().map(|id| object_id(id.bytes())).collect();
    let query = Query::new(CONVERSATIONS, doc! { "_id": { "$in": ids } }).fields(doc! { "people": 0 });
    Ok(all(reader.all::<ConversationDocument>(query).await?)?)
}

async fn list_heads(reader: &mut Reader<'_>, users: &[UserId]) -> Result<Vec<Head>, Failed> {
    #[derive(Deserialize)]
    struct StandDocument {
        #[serde(rename = "_id")]
        id: ObjectId,
        last_seq: i64,
        rev: i64,
        people: Vec<NameDocument>,
    }
    #[derive(Deserialize)]
    struct NameDocument {
        user: String,
    }
    let asked: BTreeSet<&str> = users.iter().map(UserId::as_str).collect();
    let names: Vec<&str> = asked.iter().copied().collect();
    let query = Query::new(CONVERSATIONS, doc! { "people.user": { "$in": names } });
    let query = query.fields(doc! { "last_seq": 1, "rev": 1, "people.user": 1 });
    let mut heads = Vec::new();
    for StandDocument { id, last_seq, rev, people } in reader.all::<StandDocument>(query).await? {
        for person in people.iter().filter(|person| asked.contains(person.user.as_str())) {
            heads.push(Head {
                user_id: user_id(&person.user)?,
                conversation_id: ConversationId::from_bytes(id.bytes()),
                last_seq: count(last_seq)?,
                rev: count(rev)?,
            });
        }
    }
    Ok(heads)
}

async fn list_contacts(reader: &mut Reader<'_>, user: &UserId) -> Result<Vec<UserId>, Failed> {
    #[derive(Deserialize)]
    struct PeopleDocument {
        people: Vec<NameDocument>,
    }
    #[derive(Deserialize)]
    struct NameDocument {
        user: String,
    }
    let shared = Query::new(CONVERSATIONS, doc! { "people.user": user.as_str() }).fields(doc! { "people.user": 1 });
    let shared: Vec<PeopleDocument> = reader.all(shared).await?;
    let met: BTreeSet<String> = shared.into_iter().flat_map(|shared| shared.people).map(|person| person.user).collect();
    let mut contacts = BTreeSet::new();
    for id in met.iter().filter(|id| *id != user.as_str()) {
        contacts.insert(user_id(id)?);
    }
    for blocked in blocks::list_either_way(reader, user, &contacts).await? {
        contacts.remove(&blocked);
    }
    Ok(contacts.into_iter().collect())
}
