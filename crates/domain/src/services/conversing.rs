//! Starting conversations, finding them, and who is in them.

use std::collections::HashMap;
use std::sync::Arc;

use super::announcer::Announcer;
use super::blocking::Blocking;
use super::bounds::Bounds;
use super::calling::Calling;
use super::directory::Directory;
use super::presence::Presence;
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::views::Views;
use super::write_queue::WriteQueue;
use crate::error::{Attempt, Error, Result};
use crate::event::Event;
use crate::model::{
    ConversationCursor, ConversationId, ConversationKind, ConversationView, Page, Role, Roster, Title, User, UserId,
};
use crate::ports::{ChangeMembership, Clock, ConversationQuery, Conversations, GroupChange, IdSource, NewConversation};
use crate::rules::membership::{MembershipChange, may_manage};
use crate::rules::messages::check_link;

pub(super) struct Needs {
    pub(super) conversations: Arc<dyn Conversations>,
    pub(super) rosters: Rosters,
    pub(super) directory: Directory,
    pub(super) views: Views,
    pub(super) blocking: Blocking,
    pub(super) presence: Presence,
    pub(super) announcer: Announcer,
    pub(super) calling: Calling,
    pub(super) queue: WriteQueue,
    pub(super) publisher: Publisher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) bounds: Bounds,
    pub(super) own_media_prefix: String,
}

/// Conversations and who is in them.
#[derive(Clone)]
pub struct Conversing(Arc<Needs>);

impl Conversing {
    pub(super) fn new(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }

    /// Opens the direct conversation with somebody; says whether it is new.
    ///
    /// # Errors
    /// `Validation` of `targetUserId` for oneself, `UserNotFound`, `BlockedByYou`, `Blocked`.
    pub async fn start_direct(&self, starter: &User, other: &UserId) -> Result<(ConversationView, bool)> {
        let needs = &*self.0;
        if *other == starter.id {
            return Err(Error::validation("targetUserId", "must be somebody else"));
        }
        needs.directory.find(other).await?;
        needs.blocking.between(&starter.id, other).await?.may_contact()?;
        let new = NewConversation::Direct {
            id: needs.ids.next_id().into(),
            starter: starter.id.clone(),
            other: other.clone(),
        };
        let started = needs.conversations.start_conversation(&new, needs.clock.now()).await?;
        let view = self.get(&starter.id, started.conversation.id).await?;
        if started.created {
            self.announce_new(&view).await;
        }
        Ok((view, started.created))
    }

    /// Makes a group that `owner` owns.
    ///
    /// # Errors
    /// `Validation` of `title`, `Conflict` if it would be too large, `UserNotFound`.
    pub async fn create_group(&self, owner: &User, title: &str, participants: Vec<UserId>) -> Result<ConversationView> {
        let needs = &*self.0;
        let title = Title::new(title)?;
        let members = self.known(participants.into_iter().filter(|user| *user != owner.id).collect()).await?;
        if members.len() >= needs.bounds.now().max_group_size {
            return Err(Error::Conflict("The group is full"));
        }
        let id = needs.ids.next_id().into();
        let new = NewConversation::Group { id, title, owner: owner.id.clone(), members };
        needs.conversations.start_conversation(&new, needs.clock.now()).await?;
        let view = self.get(&owner.id, id).await?;
        self.announce_new(&view).await;
        Ok(view)
    }

    /// One conversation, as a participant sees it.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`.
    pub async fn get(&self, viewer: &UserId, id: ConversationId) -> Result<ConversationView> {
        let needs = &*self.0;
        match needs.conversations.find_entry(id, viewer).await? {
            Some(entry) => needs.views.conversation(entry).await,
            None if needs.conversations.find_conversation(id).await?.is_some() => {
                Err(Error::NotParticipant(Attempt::Access))
            }
            None => Err(Error::ConversationNotFound),
        }
    }

    /// A page of the viewer's conversations, latest activity first.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn list(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationView, ConversationCursor>> {
        let page = self.0.conversations.list_entries(viewer, query).await?;
        Ok(Page { items: self.0.views.conversations(page.items).await?, next: page.next })
    }

    /// Gives a group another title.
    ///
    /// # Errors
    /// `Validation` of `title`, `ConversationNotFound`, `NotParticipant(Access)`, `Forbidden`, `Conflict` for a direct
    /// conversation.
    pub async fn rename(&self, actor: &User, id: ConversationId, title: &str) -> Result<ConversationView> {
        self.update(actor, id, GroupChange::Title(Title::new(title)?)).await
    }

    /// Gives a group a photo by its link, or none. Answers with the link.
    ///
    /// # Errors
    /// `Validation` of `url` that is neither ours nor https; else as [`rename`](Self::rename).
    pub async fn set_photo(&self, actor: &User, id: ConversationId, image: Option<String>) -> Result<Option<String>> {
        if let Some(url) = &image {
            check_link(url, "url", &self.0.own_media_prefix)?;
        }
        let view = self.update(actor, id, GroupChange::Image(image)).await?;
        let image = view.conversation.image;
        let event = Event::GroupPhotoChanged { conversation_id: id, image: image.clone(), by: actor.id.clone() };
        self.0.publisher.publish(event).await;
        Ok(image)
    }

    /// Whether somebody may change how a group looks: to be asked before anything large is read for it. Changing
    /// asks again.
    ///
    /// # Errors
    /// As [`rename`](Self::rename), without `Validation`.
    pub async fn authorize_look(&self, actor: &UserId, id: ConversationId) -> Result<()> {
        let view = self.get(actor, id).await?;
        if view.conversation.kind == ConversationKind::Direct {
            return Err(Error::Conflict("A direct conversation has no title and no photo"));
        }
        let role = view.participants.iter().find_map(|(user, role)| (user.id == *actor).then_some(*role));
        may_manage(role.unwrap_or(Role::Member))
    }

    /// Adds people to a group.
    ///
    /// # Errors
    /// `UserNotFound`, `ConversationNotFound`, `NotParticipant(Access)`, `Forbidden`, `Conflict`.
    pub async fn add(&self, actor: &User, id: ConversationId, users: Vec<UserId>) -> Result<ConversationView> {
        let users = self.known(users).await?;
        self.change(actor, id, MembershipChange::Add(users)).await
    }

    /// Removes somebody from a group, or lets the actor leave it. Who has left is shown what they left.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`, `Forbidden`, `UserNotFound`, `Conflict`.
    pub async fn remove(&self, actor: &User, id: ConversationId, user: &UserId) -> Result<ConversationView> {
        self.change(actor, id, MembershipChange::Remove(user.clone())).await
    }

    /// Makes somebody an admin or a member.
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub async fn set_role(
        &self,
        actor: &User,
        id: ConversationId,
        user: &UserId,
        role: Role,
    ) -> Result<ConversationView> {
        self.change(actor, id, MembershipChange::SetRole(user.clone(), role)).await
    }

    /// Who is in a conversation, if `user` is one of them.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(attempt)`.
    pub async fn authorize(&self, user: &UserId, id: ConversationId, attempt: Attempt) -> Result<Arc<Roster>> {
        self.0.rosters.authorize(user, id, attempt).await
    }

    /// Who of a conversation is online, the viewer included; in a direct conversation with a block the other is not
    /// shown.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`.
    pub async fn online(&self, viewer: &UserId, id: ConversationId) -> Result<Vec<User>> {
        let needs = &*self.0;
        let roster = self.authorize(viewer, id, Attempt::Access).await?;
        let hidden = match roster.peer(viewer) {
            Some(peer) if needs.blocking.between(viewer, peer).await?.any() => Some(peer),
            _ => None,
        };
        let online = roster.users().iter().filter(|user| Some(*user) != hidden && needs.presence.is_online(user));
        let online: Vec<UserId> = online.cloned().collect();
        let mut users = needs.directory.find_all(&online).await?;
        Ok(online.iter().filter_map(|id| users.remove(id)).collect())
    }

    async fn update(&self, actor: &User, id: ConversationId, change: GroupChange) -> Result<ConversationView> {
        let needs = &*self.0;
        needs.conversations.update_group(id, &actor.id, &change, needs.clock.now()).await??;
        let roster = needs.rosters.load(id).await?;
        needs.announcer.updated(id, roster.users()).await;
        self.get(&actor.id, id).await
    }

    async fn change(&self, actor: &User, id: ConversationId, change: MembershipChange) -> Result<ConversationView> {
        let needs = &*self.0;
        let concerned: Vec<UserId> = match &change {
            MembershipChange::Add(users) => users.clone(),
            MembershipChange::Remove(user) | MembershipChange::SetRole(user, _) => vec![user.clone()],
        };
        let mut names: HashMap<UserId, String> =
            needs.directory.find_all(&concerned).await?.into_values().map(|user| (user.id, user.name)).collect();
        names.insert(actor.id.clone(), actor.name.clone());
        let change = ChangeMembership {
            conversation_id: id,
            actor: actor.id.clone(),
            change,
            names,
            message_id: needs.ids.next_id().into(),
            now: needs.clock.now(),
        };
        let changed = needs.queue.change_membership(change).await?;
        for user in &changed.outcome.removed {
            needs.calling.removed(user, id).await;
        }
        if changed.roster.contains(&actor.id) {
            return self.get(&actor.id, id).await;
        }
        let left = ConversationView {
            conversation: changed.conversation.clone(),
            participants: Vec::new(),
            last_message: None,
            unread: 0,
        };
        Ok(needs.announcer.view_of(id, changed.roster.users()).await?.unwrap_or(left))
    }

    /// `users` without repetition, all of whom exist.
    async fn known(&self, mut users: Vec<UserId>) -> Result<Vec<UserId>> {
        users.sort_unstable();
        users.dedup();
        if users.len() > self.0.bounds.now().max_group_size {
            return Err(Error::Conflict("The group is full"));
        }
        let found = self.0.directory.find_all(&users).await?;
        if users.iter().all(|user| found.contains_key(user)) { Ok(users) } else { Err(Error::UserNotFound) }
    }

    async fn announce_new(&self, view: &ConversationView) {
        let users = view.participants.iter().map(|(user, _)| user.id.clone()).collect();
        let conversation = Box::new(view.clone());
        self.0.publisher.publish(Event::ConversationNew { conversation, users }).await;
    }
}
