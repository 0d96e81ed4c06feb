//! The `Conversations` port.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use parlance_domain::error::{Attempt, Error, Result};
use parlance_domain::model::{
    Conversation, ConversationCursor, ConversationId, ConversationKind, Page, Role, Roster, TimeCursor, Timestamp,
    Title, UserId,
};
use parlance_domain::ports::{
    ConversationEntry, ConversationQuery, Conversations, GroupChange, NewConversation, Started, StorageResult,
};
use parlance_domain::rules::media::{self, Named};
use parlance_domain::rules::membership::may_manage;

use crate::failure::{Failed, Stop, answered};
use crate::media_items::Use;
use crate::room::{self, Room};
use crate::store::{View, Writer};
use crate::tables::{self, DIRECTS, ROOMS_OF};
use crate::users::{self, contains};
use crate::{EmbeddedStorage, blocks};

#[async_trait]
impl Conversations for EmbeddedStorage {
    async fn start_conversation(&self, new: &NewConversation, now: Timestamp) -> StorageResult<Started> {
        let new = new.clone();
        self.write(move |writer| writer.start(new, now)).await
    }

    async fn find_conversation(&self, id: ConversationId) -> StorageResult<Option<Conversation>> {
        self.read(move |view| Ok(room::find(view, id)?.map(|room| room.conversation))).await
    }

    async fn list_conversations(&self, ids: &[ConversationId]) -> StorageResult<Vec<Conversation>> {
        let ids: BTreeSet<ConversationId> = ids.iter().copied().collect();
        self.read(move |view| {
            let rooms = ids.into_iter().map(|id| room::find(view, id)).collect::<Result<Vec<_>, _>>()?;
            Ok(rooms.into_iter().flatten().map(|room| room.conversation).collect())
        })
        .await
    }

    async fn find_roster(&self, id: ConversationId) -> StorageResult<Option<Roster>> {
        self.read(move |view| Ok(room::find(view, id)?.map(|room| room.roster()))).await
    }

    async fn find_entry(&self, id: ConversationId, viewer: &UserId) -> StorageResult<Option<ConversationEntry>> {
        let viewer = viewer.clone();
        self.read(move |view| match room::find(view, id)? {
            Some(room) => room::entry(view, &room, &viewer),
            None => Ok(None),
        })
        .await
    }

    async fn list_entries(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> StorageResult<Page<ConversationEntry, ConversationCursor>> {
        let (viewer, query) = (viewer.clone(), query.clone());
        self.read(move |view| list(view, &viewer, &query)).await
    }

    async fn update_group(
        &self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> StorageResult<Result<Conversation>> {
        let (actor, change) = (actor.clone(), change.clone());
        self.write(move |writer| answered(writer.update_group(id, &actor, change, now))).await
    }

    async fn list_contacts(&self, user: &UserId) -> StorageResult<Vec<UserId>> {
        let user = user.clone();
        self.read(move |view| {
            let rooms = room::of(view, &user)?;
            let met: BTreeSet<&UserId> = rooms.iter().flat_map(Room::users).filter(|other| **other != user).collect();
            let mut contacts = Vec::new();
            for other in met {
                if !blocks::between(view, &user, other)?.any() {
                    contacts.push(other.clone());
                }
            }
            Ok(contacts)
        })
        .await
    }
}

impl Writer {
    fn start(&mut self, new: NewConversation, now: Timestamp) -> Result<Started, Failed> {
        match new {
            NewConversation::Direct { id, starter, other } => {
                users::must_know(self, [&starter, &other])?;
                let pair = tables::pair(&starter, &other);
                if let Some(known) = self.bytes(DIRECTS, &pair)? {
                    let room = room::find(self, ConversationId::from_bytes(tables::last_id(&known)))?;
                    let room = room.ok_or_else(|| Failed::Broken("a direct conversation is missing".to_owned()))?;
                    return Ok(Started { conversation: room.conversation, created: false });
                }
                self.put_bytes(DIRECTS, &pair, &id.bytes())?;
                let people = [(starter, Role::Member), (other, Role::Member)];
                self.open(empty(id, ConversationKind::Direct, None, now), people)
            }
            NewConversation::Group { id, title, owner, members } => {
                users::must_know(self, std::iter::once(&owner).chain(&members))?;
                let people = members.into_iter().map(|member| (member, Role::Member));
                let conversation = empty(id, ConversationKind::Group, Some(title), now);
                self.open(conversation, people.chain([(owner, Role::Owner)]))
            }
        }
    }

    fn open(
        &mut self,
        conversation: Conversation,
        people: impl IntoIterator<Item = (UserId, Role)>,
    ) -> Result<Started, Failed> {
        let mut room = Room::new(conversation.clone());
        for (user, role) in people {
            room.enter(&user, role, conversation.created_at);
            self.put_bytes(ROOMS_OF, &tables::of_user_in(&user, conversation.id), &[])?;
        }
        self.put_room(&room)?;
        Ok(Started { conversation, created: true })
    }

    fn update_group(
        &mut self,
        id: ConversationId,
        actor: &UserId,
        change: GroupChange,
        now: Timestamp,
    ) -> Result<Conversation, Stop> {
        let mut room = room::find(self, id)?.ok_or(Error::ConversationNotFound)?;
        let role = room.role_for(actor, Attempt::Access)?;
        if room.conversation.kind == ConversationKind::Direct {
            return Err(Error::Conflict("A direct conversation has neither title nor photo").into());
        }
        may_manage(role)?;
        match change {
            GroupChange::Title(title) => room.conversation.title = Some(title),
            GroupChange::Image(image) => {
                let named = Named::by_urls(image.as_deref());
                if !self.has_media(&named)? {
                    return Err(media::missing("url").into());
                }
                let before = Named::by_urls(room.conversation.image.as_deref());
                self.use_media(&Use::Group(id), &before, &named)?;
                room.conversation.image = image;
            }
        }
        room.conversation.updated_at = now;
        self.put_room(&room)?;
        Ok(room.conversation)
    }
}

fn list(
    view: &impl View,
    viewer: &UserId,
    query: &ConversationQuery,
) -> Result<Page<ConversationEntry, ConversationCursor>, Failed> {
    let place = |room: &Room| (room.conversation.active_at, room.conversation.id);
    let mut rooms = room::of(view, viewer)?;
    rooms.retain(|room| query.cursor.is_none_or(|cursor| place(room) < (cursor.at, cursor.id)));
    rooms.sort_by_key(|room| Reverse(place(room)));
    let mut entries = Vec::new();
    for room in &rooms {
        // One more than the limit says whether there is a next page.
        if entries.len() > query.limit {
            break;
        }
        if let Some(text) = &query.search
            && !shows(view, room, viewer, text)?
        {
            continue;
        }
        entries.extend(room::entry(view, room, viewer)?);
    }
    Ok(Page::cut(entries, query.limit, |last| TimeCursor { at: last.conversation.active_at, id: last.conversation.id }))
}

/// Whether the title or another participant's name contains `text`.
fn shows(view: &impl View, room: &Room, viewer: &UserId, text: &str) -> Result<bool, Failed> {
    if room.conversation.title.as_ref().is_some_and(|title| contains(title.as_str(), text)) {
        return Ok(true);
    }
    for other in room.users().filter(|user| *user != viewer) {
        if users::find(view, other)?.is_some_and(|known| contains(&known.user.name, text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn empty(id: ConversationId, kind: ConversationKind, title: Option<Title>, now: Timestamp) -> Conversation {
    Conversation { id, kind, title, image: None, last_seq: 0, rev: 0, created_at: now, updated_at: now, active_at: now }
}
