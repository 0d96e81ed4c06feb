//! Who is online: whoever has a live socket, and for a short grace after the last one is gone.
//!
//! Counting is immediate; announcing is done by one worker that looks at what is true when it comes to a
//! user, so contacts never hear "offline" after "online" from a race, and a flicker is not heard at all.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::closing::{Closing, Switch, closing};
use super::deadlines::Deadlines;
use super::publisher::Publisher;
use super::settings::{PresenceScope, Settings};
use crate::error::Result;
use crate::event::{Event, PresenceAudience};
use crate::model::UserId;
use crate::ports::{Blocks, Conversations, Receipts};

/// One user's sockets.
#[derive(Default)]
struct Entry {
    sockets: usize,
    /// Contacts have heard "online".
    announced: bool,
    /// The last socket is gone and so is the grace.
    expired: bool,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, Entry>,
    /// Users whom the worker has to look at, each once.
    due: VecDeque<UserId>,
}

struct Shared {
    state: Mutex<State>,
    wake: Notify,
    graces: Deadlines<UserId>,
    grace: Duration,
    blocks: Arc<dyn Blocks>,
    switch: Switch,
}

/// The presence of everybody.
#[derive(Clone)]
pub struct Presence(Arc<Shared>);

impl Presence {
    pub(super) fn new(
        conversations: Arc<dyn Conversations>,
        receipts: Arc<dyn Receipts>,
        blocks: Arc<dyn Blocks>,
        publisher: Publisher,
        settings: &Settings,
    ) -> (Self, PresenceWorker) {
        let (switch, closing) = closing();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Notify::new(),
            graces: Deadlines::new(),
            grace: settings.presence_grace,
            blocks,
            switch,
        });
        let worker = PresenceWorker {
            shared: shared.clone(),
            closing,
            conversations,
            receipts,
            publisher,
            scope: settings.presence_scope,
        };
        (Self(shared), worker)
    }

    /// A socket of `user` is live. To be called once per socket, with one [`disconnected`](Self::disconnected) after it.
    pub fn connected(&self, user: &UserId) {
        let mut state = self.0.state.lock();
        let entry = state.users.entry(user.clone()).or_default();
        entry.sockets += 1;
        entry.expired = false;
        if entry.sockets == 1 {
            self.0.graces.cancel(user);
            if !entry.announced {
                state.due.push_back(user.clone());
            }
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// A socket of `user` is gone.
    pub fn disconnected(&self, user: &UserId) {
        let mut state = self.0.state.lock();
        let Some(entry) = state.users.get_mut(user) else { return };
        entry.sockets = entry.sockets.saturating_sub(1);
        if entry.sockets == 0 {
            self.0.graces.set(user.clone(), self.0.grace);
        }
    }

    /// Whether `user` is online.
    pub fn is_online(&self, user: &UserId) -> bool {
        self.0.state.lock().users.contains_key(user)
    }

    /// How many users are online.
    pub fn online_count(&self) -> usize {
        self.0.state.lock().users.len()
    }

    /// Whether these people are online, in the order asked. With a block in either direction the answer is no.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn statuses(&self, viewer: &UserId, users: &[UserId]) -> Result<Vec<(UserId, bool)>> {
        let hidden: HashSet<UserId> = self.0.blocks.list_blocked_either_way(viewer, users).await?.into_iter().collect();
        let status = |user: &UserId| (user.clone(), !hidden.contains(user) && self.is_online(user));
        Ok(users.iter().map(status).collect())
    }

    pub(super) fn close(&self) {
        self.0.switch.close();
    }
}

/// What a user's presence has turned into since contacts last heard of it.
enum Turn {
    Online,
    Offline,
}

/// Announces who comes and goes.
pub struct PresenceWorker {
    shared: Arc<Shared>,
    closing: Closing,
    conversations: Arc<dyn Conversations>,
    receipts: Arc<dyn Receipts>,
    publisher: Publisher,
    scope: PresenceScope,
}

impl PresenceWorker {
    /// Announces until the services are closed. The users who are online then are not announced as offline: they
    /// are about to reconnect.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.closed() => return,
                () = self.shared.wake.notified() => {}
                user = self.shared.graces.next() => self.shared.expire(user),
            }
            while let Some((user, turn)) = self.shared.next_turn() {
                self.announce(user, turn).await;
            }
        }
    }

    async fn announce(&self, user: UserId, turn: Turn) {
        // Both coming and going raise the delivered positions: while online they lag behind on purpose, since a
        // send only moves that of one recipient.
        match self.receipts.mark_delivered(&user).await {
            Ok(delivered) => {
                for now in delivered {
                    let event = Event::MessagesDelivered {
                        conversation_id: now.conversation_id,
                        sender: now.sender_id,
                        message_ids: now.message_ids,
                    };
                    self.publisher.publish(event).await;
                }
            }
            Err(error) => tracing::warn!(%user, error = &error as &dyn std::error::Error, "delivery is not marked"),
        }
        let audience = match self.scope {
            PresenceScope::Everyone => PresenceAudience::Everyone,
            PresenceScope::Contacts => match self.conversations.list_contacts(&user).await {
                Ok(contacts) => PresenceAudience::Contacts(contacts.into()),
                Err(error) => {
                    tracing::warn!(%user, error = &error as &dyn std::error::Error, "presence is not announced");
                    return;
                }
            },
        };
        let event = match turn {
            Turn::Online => Event::UserOnline { user_id: user, audience },
            Turn::Offline => Event::UserOffline { user_id: user, audience },
        };
        self.publisher.publish(event).await;
    }
}

impl Shared {
    /// The grace of `user` is over.
    fn expire(&self, user: UserId) {
        let mut state = self.state.lock();
        if let Some(entry) = state.users.get_mut(&user).filter(|entry| entry.sockets == 0) {
            entry.expired = true;
            state.due.push_back(user);
        }
    }

    /// The next user of whom contacts have to hear, as it is now.
    fn next_turn(&self) -> Option<(UserId, Turn)> {
        let mut state = self.state.lock();
        while let Some(user) = state.due.pop_front() {
            let Some(entry) = state.users.get_mut(&user) else { continue };
            if entry.expired && entry.sockets == 0 {
                let announced = entry.announced;
                state.users.remove(&user);
                if announced {
                    return Some((user, Turn::Offline));
                }
            } else if !entry.announced {
                entry.announced = true;
                return Some((user, Turn::Online));
            }
        }
        None
    }
}
