//! Who types: one start and one stop per burst. A burst ends by itself when no start renews it, when the
//! typist sends, leaves the room or disconnects. Nothing is stored; under load starts are dropped first, and a
//! stop that was begun is always told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::blocking::Blocking;
use super::closing::{Closing, Switch, closing};
use super::conversing::Conversing;
use super::deadlines::Deadlines;
use super::publisher::Publisher;
use crate::error::{Attempt, Result};
use crate::event::Event;
use crate::model::{ConversationId, SessionId, User, UserId};

/// The most typing events that wait to be told.
const QUEUE: usize = 1_024;
/// When a stop that found the queue full is tried again.
const RETRY: Duration = Duration::from_millis(100);

type Key = (ConversationId, UserId);

struct Burst {
    user: User,
    session: SessionId,
}

struct Shared {
    bursts: Mutex<HashMap<Key, Burst>>,
    deadlines: Deadlines<Key>,
    timeout: Duration,
    /// Filled while `bursts` is locked, so that starts and stops are told in the order they happened.
    told: mpsc::Sender<Event>,
    conversing: Conversing,
    blocking: Blocking,
    switch: Switch,
}

/// Typing in all conversations.
#[derive(Clone)]
pub struct Typing(Arc<Shared>);

impl Typing {
    pub(super) fn new(
        conversing: Conversing,
        blocking: Blocking,
        publisher: Publisher,
        timeout: Duration,
    ) -> (Self, TypingWorker) {
        let (told, tell) = mpsc::channel(QUEUE);
        let (switch, closing) = closing();
        let shared = Arc::new(Shared {
            bursts: Mutex::default(),
            deadlines: Deadlines::new(),
            timeout,
            told,
            conversing,
            blocking,
            switch,
        });
        (Self(shared.clone()), TypingWorker { shared, tell, closing, publisher })
    }

    /// `user` types in a conversation, on the socket `session`.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`.
    pub async fn start(&self, user: &User, conversation: ConversationId, session: SessionId) -> Result<()> {
        let shared = &*self.0;
        let roster = shared.conversing.authorize(&user.id, conversation, Attempt::Access).await?;
        let key = (conversation, user.id.clone());
        let renewed = shared.bursts.lock().contains_key(&key);
        if !renewed
            && let Some(peer) = roster.peer(&user.id)
            && shared.blocking.between(&user.id, peer).await?.any()
        {
            return Ok(());
        }
        let mut bursts = shared.bursts.lock();
        if !bursts.contains_key(&key) {
            let event = Event::TypingStarted { conversation_id: conversation, user: user.clone() };
            if shared.told.try_send(event).is_err() {
                return Ok(());
            }
            bursts.insert(key.clone(), Burst { user: user.clone(), session });
        }
        shared.deadlines.set(key, shared.timeout);
        Ok(())
    }

    /// `user` no longer types in a conversation.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`.
    pub async fn stop(&self, user: &User, conversation: ConversationId) -> Result<()> {
        self.0.conversing.authorize(&user.id, conversation, Attempt::Access).await?;
        self.leave(&user.id, conversation);
        Ok(())
    }

    /// What `user` typed in a conversation is sent, or they left its room.
    pub fn leave(&self, user: &UserId, conversation: ConversationId) {
        self.0.end((conversation, user.clone()));
    }

    /// A socket is gone: what was being typed on it stops.
    pub fn stop_session(&self, session: SessionId) {
        let bursts = self.0.bursts.lock();
        let keys: Vec<Key> = bursts.iter().filter(|(_, b)| b.session == session).map(|(key, _)| key.clone()).collect();
        drop(bursts);
        for key in keys {
            self.0.end(key);
        }
    }

    pub(super) fn close(&self) {
        self.0.switch.close();
    }
}

impl Shared {
    fn end(&self, key: Key) {
        let mut bursts = self.bursts.lock();
        let Some(burst) = bursts.get(&key) else { return };
        let event = Event::TypingStopped { conversation_id: key.0, user: burst.user.clone() };
        match self.told.try_send(event) {
            Err(TrySendError::Full(_)) => self.deadlines.set(key, RETRY),
            Ok(()) | Err(TrySendError::Closed(_)) => {
                bursts.remove(&key);
                self.deadlines.cancel(&key);
            }
        }
    }
}

/// Tells who types and who stopped.
pub struct TypingWorker {
    shared: Arc<Shared>,
    tell: mpsc::Receiver<Event>,
    closing: Closing,
    publisher: Publisher,
}

impl TypingWorker {
    /// Tells until the services are closed.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.closed() => return,
                Some(event) = self.tell.recv() => self.publisher.publish(event).await,
                key = self.shared.deadlines.next() => self.shared.end(key),
            }
        }
    }
}
