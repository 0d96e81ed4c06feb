//! What a transport does so that its sockets miss nothing that other nodes do: it takes a [`Holding`] for each socket
//! before the client hears that it is connected, and keeps it as long as the socket. From then on everything that
//! happens in the conversations of its user reaches this node, or is found in the storage.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::followed::Holdings;
use crate::error::Result;
use crate::model::{NodeId, SessionId, UserId};
use crate::ports::{Conversations, Link, Topic};

/// How long a client waits at its connecting until its conversations are followed. If that takes longer, what it
/// misses meanwhile is found with the next look into the storage.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Shared {
    pub(super) link: Arc<dyn Link>,
    pub(super) conversations: Arc<dyn Conversations>,
    /// Followed and no longer followed while this is locked, so that the link hears of both in order.
    pub(super) holdings: Mutex<Holdings>,
    /// Wakes the relay to look into the storage.
    pub(super) look: Notify,
}

/// Follows what the sockets of this node are concerned with. Cheap to clone; a node that is alone follows nothing.
#[derive(Clone, Default)]
pub struct Following(Option<Arc<Shared>>);

/// Keeps the conversations of a socket's user followed until it is dropped.
#[derive(Default)]
pub struct Holding(Option<(Arc<Shared>, UserId)>);

impl Following {
    pub(in crate::services) fn new(link: Option<Arc<dyn Link>>, conversations: Arc<dyn Conversations>) -> Self {
        let shared = |link| Shared { link, conversations, holdings: Mutex::default(), look: Notify::new() };
        Self(link.map(|link| Arc::new(shared(link))))
    }

    pub(super) fn shared(&self) -> Option<&Arc<Shared>> {
        self.0.as_ref()
    }

    /// The number of this node's first connection.
    pub fn first_session(&self) -> SessionId {
        SessionId::first_of(self.0.as_ref().map_or(NodeId::ALONE, |shared| shared.link.node()))
    }

    /// Follows what concerns `user`, who is about to connect a socket. Takes two seconds at most; what cannot be done
    /// by then is done as soon as it can be.
    pub async fn hold(&self, user: &UserId) -> Holding {
        let Some(shared) = &self.0 else { return Holding(None) };
        let ready = {
            let mut holdings = shared.holdings.lock();
            let (topic, ready) = holdings.come(user);
            shared.link.follow(topic.into_iter().collect());
            ready
        };
        let holding = Holding(Some((Arc::clone(shared), user.clone())));
        let followed = timeout(PATIENCE, ready.get_or_try_init(|| shared.follow_all(user))).await;
        if !matches!(followed, Ok(Ok(()))) {
            tracing::debug!(%user, "a socket connects before everything is followed");
            shared.look.notify_one();
        }
        holding
    }
}

impl Shared {
    /// Follows the user's conversations from where they are now. What happens until they are heard of is not missed: the
    /// first change that is heard shows it.
    async fn follow_all(&self, user: &UserId) -> Result<()> {
        let heads = self.conversations.list_heads(std::slice::from_ref(user)).await?;
        {
            let mut holdings = self.holdings.lock();
            let now = Instant::now();
            let topics: Vec<Topic> = heads.iter().filter_map(|head| holdings.compare(head, now)).collect();
            self.link.follow(topics);
        }
        self.link.settled().await;
        Ok(())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        if let Some((shared, user)) = self.0.take() {
            let mut holdings = shared.holdings.lock();
            let topics = holdings.go(&user);
            shared.link.unfollow(topics);
        }
    }
}

impl std::fmt::Debug for Holding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Holding").field(&self.0.as_ref().map(|(_, user)| user)).finish()
    }
}
