//! What a product's own backend does: it speaks to its clients, asks who is there, sends in somebody's name. No limit of
//! a user holds for it, and nobody's block or membership is in its way unless it says whom it acts for.

use std::collections::HashMap;
use std::sync::Arc;

use super::cluster::Lookers;
use super::conversing::Conversing;
use super::directory::Directory;
use super::emails::Emails;
use super::messaging::{Messaging, Sent};
use super::notifying::{Notice, Notifying};
use super::presence::Presence;
use super::publisher::Publisher;
use super::revoking::Revoking;
use super::rosters::Rosters;
use crate::error::{Error, Result};
use crate::event::{Event, ProductAudience};
use crate::model::{
    ConversationId, ConversationView, EmailAddress, ProductEvent, ProfileChange, Timestamp, User, UserId,
};
use crate::ports::Clock;
use crate::rules::messages::Draft;

pub(super) struct Needs {
    pub(super) directory: Directory,
    pub(super) emails: Emails,
    pub(super) revoking: Revoking,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) presence: Presence,
    pub(super) rosters: Rosters,
    pub(super) lookers: Lookers,
    pub(super) conversing: Conversing,
    pub(super) messaging: Messaging,
    pub(super) notifying: Notifying,
    pub(super) publisher: Publisher,
}

/// What a product's own backend does. Cheap to clone.
#[derive(Clone)]
pub struct Backend(Arc<Needs>);

impl Backend {
    /// The longest reason for ending somebody's connections, in characters.
    pub const MAX_REASON_CHARS: usize = 200;

    pub(super) fn new(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }

    /// Makes somebody known, or changes their profile; what `change` leaves out is kept.
    ///
    /// # Errors
    /// `Validation` of `fullName` or `profilePicture`.
    pub async fn put_user(&self, id: &UserId, change: ProfileChange) -> Result<User> {
        self.0.directory.register(id, change).await
    }

    /// Says where somebody who is known is mailed from now on, whatever their tokens claim; `None` leaves it to their next
    /// token again.
    ///
    /// # Errors
    /// `Validation` of `email` where the storage has no place for addresses.
    pub async fn put_email(&self, id: &UserId, email: Option<&EmailAddress>) -> Result<()> {
        self.0.emails.set(id, email).await
    }

    /// Whether somebody has a live socket.
    pub fn is_online(&self, user: &UserId) -> bool {
        self.0.presence.is_online(user)
    }

    /// How many people have one.
    pub fn online_count(&self) -> usize {
        self.0.presence.online_count()
    }

    /// Sends an event to every socket of a user; says whether they have any.
    pub async fn emit_to_user(&self, user: &UserId, event: ProductEvent) -> bool {
        let online = self.is_online(user);
        self.emit(event, ProductAudience::User(user.clone())).await;
        online
    }

    /// Sends an event to the sockets that joined a conversation; says whether there are any.
    ///
    /// # Errors
    /// `ConversationNotFound`.
    pub async fn emit_to_conversation(&self, id: ConversationId, event: ProductEvent) -> Result<bool> {
        let roster = self.0.rosters.load(id).await?;
        let lookers = &self.0.lookers;
        let present = !lookers.here(id).is_empty() || {
            let people = HashMap::from([(id, roster.users().to_vec())]);
            !lookers.elsewhere(&people).await.is_empty()
        };
        self.emit(event, ProductAudience::Room(id)).await;
        Ok(present)
    }

    /// Sends an event to every socket; says whether there are any.
    pub async fn broadcast(&self, event: ProductEvent) -> bool {
        let anybody = self.online_count() > 0;
        self.emit(event, ProductAudience::Everyone).await;
        anybody
    }

    /// Tells many users something; says how many notifications were made (see [`Notifying::notify`]).
    ///
    /// # Errors
    /// `Validation` of the notice's fields.
    pub async fn notify(&self, users: impl IntoIterator<Item = UserId>, notice: &Notice) -> Result<u64> {
        self.0.notifying.notify(users, notice).await
    }

    /// Ends all connections of a user, who hears `session:ended` with the reason; says whether there were any. Clients
    /// do not come back by themselves from that, but a token stays good for a new connection.
    ///
    /// # Errors
    /// `Validation` of `reason` above 200 characters.
    pub async fn disconnect(&self, user: &UserId, reason: Option<String>) -> Result<bool> {
        bounded(reason.as_ref())?;
        let online = self.is_online(user);
        let ended = Event::SessionsEnded { user_id: user.clone(), reason, issued_before: None };
        self.0.publisher.publish(ended).await;
        Ok(online)
    }

    /// Revokes the tokens of a user from before a moment, all so far if there is none, and ends the connections that
    /// showed one; says which moment holds now. Another node refuses such tokens after half a minute at the latest. A
    /// user who is not known is made: their tokens may be about.
    ///
    /// # Errors
    /// `Validation` of `reason` above 200 characters, and of `before` in the future.
    pub async fn revoke_tokens(
        &self,
        user: &UserId,
        before: Option<Timestamp>,
        reason: Option<String>,
    ) -> Result<Timestamp> {
        bounded(reason.as_ref())?;
        let now = self.0.clock.now();
        let before = before.unwrap_or(now);
        if before > now {
            return Err(Error::validation("before", "must not be in the future"));
        }
        self.0.directory.make_known(user).await?;
        let before = self.0.revoking.revoke(user, before).await?;
        let ended = Event::SessionsEnded { user_id: user.clone(), reason, issued_before: Some(before) };
        self.0.publisher.publish(ended).await;
        Ok(before)
    }

    /// Sends a message in somebody's name, by all rules that hold for them save the limits of rates.
    ///
    /// # Errors
    /// `UserNotFound`, and those of [`Messaging::send`].
    pub async fn send_as(&self, sender: &UserId, draft: Draft) -> Result<Sent> {
        let sender = self.0.directory.find(sender).await?;
        self.0.messaging.send(&sender, draft, None).await
    }

    /// Opens the direct conversation of two people, in the name of the first.
    ///
    /// # Errors
    /// `UserNotFound`, and those of [`Conversing::start_direct`].
    pub async fn start_direct(&self, starter: &UserId, other: &UserId) -> Result<ConversationView> {
        let starter = self.0.directory.find(starter).await?;
        Ok(self.0.conversing.start_direct(&starter, other).await?.0)
    }

    /// Makes a group that `owner` owns.
    ///
    /// # Errors
    /// `UserNotFound`, and those of [`Conversing::create_group`].
    pub async fn create_group(&self, owner: &UserId, title: &str, others: Vec<UserId>) -> Result<ConversationView> {
        let owner = self.0.directory.find(owner).await?;
        self.0.conversing.create_group(&owner, title, others).await
    }

    async fn emit(&self, event: ProductEvent, to: ProductAudience) {
        self.0.publisher.publish(Event::Product { event, to }).await;
    }
}

fn bounded(reason: Option<&String>) -> Result<()> {
    if reason.is_some_and(|reason| reason.chars().count() > Backend::MAX_REASON_CHARS) {
        return Err(Error::validation("reason", "must have at most 200 characters"));
    }
    Ok(())
}
