//! The `Conversations` port.

use std::cmp::Reverse;
use std::collections::HashSet;

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

use crate::MemoryStorage;
use crate::media_items::Use;
use crate::room::Room;
use crate::state::{State, contains};

#[async_trait]
impl Conversations for MemoryStorage {
    async fn start_conversation(&self, new: &NewConversation, now: Timestamp) -> StorageResult<Started> {
        let mut state = self.state();
        match new {
            NewConversation::Direct { id, starter, other } => {
                state.must_know([starter, other])?;
                let pair = if starter < other { (starter, other) } else { (other, starter) };
                let pair = (pair.0.clone(), pair.1.clone());
                if let Some(room) = state.directs.get(&pair).and_then(|known| state.rooms.get(known)) {
                    return Ok(Started { conversation: room.conversation.clone(), created: false });
                }
                state.directs.insert(pair, *id);
                let people = [(starter, Role::Member), (other, Role::Member)];
                Ok(state.open(empty(*id, ConversationKind::Direct, None, now), people))
            }
            NewConversation::Group { id, title, owner, members } => {
                state.must_know(std::iter::once(owner).chain(members))?;
                let people = members.iter().map(|member| (member, Role::Member));
                let conversation = empty(*id, ConversationKind::Group, Some(title.clone()), now);
                Ok(state.open(conversation, people.chain([(owner, Role::Owner)])))
            }
        }
    }

    async fn find_conversation(&self, id: ConversationId) -> StorageResult<Option<Conversation>> {
        Ok(self.state().rooms.get(&id).map(|room| room.conversation.clone()))
    }

    async fn list_conversations(&self, ids: &[ConversationId]) -> StorageResult<Vec<Conversation>> {
        let state = self.state();
        let ids: HashSet<&ConversationId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| state.rooms.get(id)).map(|room| room.conversation.clone()).collect())
    }

    async fn find_roster(&self, id: ConversationId) -> StorageResult<Option<Roster>> {
        Ok(self.state().rooms.get(&id).map(Room::roster))
    }

    async fn find_entry(&self, id: ConversationId, viewer: &UserId) -> StorageResult<Option<ConversationEntry>> {
        Ok(self.state().rooms.get(&id).and_then(|room| room.entry(viewer)))
    }

    async fn list_entries(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> StorageResult<Page<ConversationEntry, ConversationCursor>> {
        let state = self.state();
        let place = |room: &Room| (room.conversation.active_at, room.conversation.id);
        let after = |room: &&Room| query.cursor.is_none_or(|cursor| place(room) < (cursor.at, cursor.id));
        let wanted = |room: &&Room| query.search.as_ref().is_none_or(|text| state.shows(room, viewer, text));
        let mut rooms: Vec<&Room> = state.rooms_of(viewer).filter(after).filter(wanted).collect();
        rooms.sort_by_key(|room| Reverse(place(room)));
        // One more than the limit says whether there is a next page.
        let entries = rooms.into_iter().take(query.limit.saturating_add(1)).filter_map(|room| room.entry(viewer));
        Ok(Page::cut(entries.collect(), query.limit, |last| TimeCursor {
            at: last.conversation.active_at,
            id: last.conversation.id,
        }))
    }

    async fn update_group(
        &self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> StorageResult<Result<Conversation>> {
        Ok(self.state().update_group(id, actor, change, now))
    }

    async fn list_contacts(&self, user: &UserId) -> StorageResult<Vec<UserId>> {
        let state = self.state();
        let met: HashSet<&UserId> = state.rooms_of(user).flat_map(Room::users).filter(|other| *other != user).collect();
        Ok(met.into_iter().filter(|other| !state.blocking(user, other).any()).cloned().collect())
    }
}

impl State {
    fn open<'a>(&mut self, new: Conversation, people: impl IntoIterator<Item = (&'a UserId, Role)>) -> Started {
        let mut room = Room::new(new.clone());
        for (user, role) in people {
            room.enter(user, role, new.created_at);
            self.rooms_of.entry(user.clone()).or_default().insert(new.id);
        }
        self.rooms.insert(new.id, room);
        self.post.add(self.post.wanted.started(&new));
        Started { conversation: new, created: true }
    }

    fn update_group(
        &mut self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> Result<Conversation> {
        let image = match change {
            GroupChange::Image(image) => Some(Named::by_urls(image.as_deref())),
            GroupChange::Title(_) => None,
        };
        let there = image.as_ref().is_none_or(|named| self.has_media(named));
        let room = self.rooms.get_mut(&id).ok_or(Error::ConversationNotFound)?;
        let before = Named::by_urls(room.conversation.image.as_deref());
        let conversation = update(room, actor, change, there, now)?;
        if let Some(named) = image {
            self.use_media(&Use::Group(id), &before, &named);
        }
        self.post.add(self.post.wanted.updated(id, now));
        Ok(conversation)
    }

    /// Whether the title or another participant's name contains `text`.
    fn shows(&self, room: &Room, viewer: &UserId, text: &str) -> bool {
        let titled = room.conversation.title.as_ref().is_some_and(|title| contains(title.as_str(), text));
        let mut others = room.users().filter(|user| *user != viewer).filter_map(|user| self.users.get(user));
        titled || others.any(|known| contains(&known.user.name, text))
    }
}

fn empty(id: ConversationId, kind: ConversationKind, title: Option<Title>, now: Timestamp) -> Conversation {
    Conversation { id, kind, title, image: None, last_seq: 0, rev: 0, created_at: now, updated_at: now, active_at: now }
}

fn update(
    room: &mut Room,
    actor: &UserId,
    change: &GroupChange,
    has_media: bool,
    now: Timestamp,
) -> Result<Conversation> {
    let role = room.role(actor).ok_or(Error::NotParticipant(Attempt::Access))?;
    if room.conversation.kind == ConversationKind::Direct {
        return Err(Error::Conflict("A direct conversation has neither title nor photo"));
    }
    may_manage(role)?;
    if !has_media {
        return Err(media::missing("url"));
    }
    match change {
        GroupChange::Title(title) => room.conversation.title = Some(title.clone()),
        GroupChange::Image(image) => room.conversation.image.clone_from(image),
    }
    room.conversation.updated_at = now;
    Ok(room.conversation.clone())
}
