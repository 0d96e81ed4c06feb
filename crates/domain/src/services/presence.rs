//! Who is online: whoever has a live socket, and for a short grace after the last one is gone.
//!
//! Counting is immediate; announcing is done by one worker that looks at what is true when it comes to a
//! user, so contacts never hear "offline" after "online" from a race, and a flicker is not heard at all.
//!
//! With several nodes, each keeps an account of who is on the others (`elsewhere`) and announces to its own sockets
//! alone, from its own account: whatever races, a socket hears "online" and "offline" in turn.

mod crowd;
mod elsewhere;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;

use self::crowd::Crowd;
use self::elsewhere::Others;
use super::closing::{Closing, Switch, closing};
use super::deadlines::Deadlines;
use super::publisher::Publisher;
use super::settings::{PresenceScope, Settings};
use super::webhooks::Webhooks;
use super::write_queue::WriteQueue;
use crate::error::{Error, Result};
use crate::event::{Event, PresenceAudience};
use crate::model::{UserId, WebhookKind, WebhookSubject};
use crate::ports::{Blocks, Conversations, Link, Receipts, Topic, Word};

/// When a turn is announced again for which the storage was away.
const RETRY: Duration = Duration::from_millis(500);

/// One user's sockets.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "none of them follows from the others")]
struct Entry {
    sockets: usize,
    /// How many other nodes they are on.
    elsewhere: usize,
    /// Contacts have heard "online".
    announced: bool,
    /// There is a socket, or there was one within the grace.
    lingers: bool,
    /// What came before they did is marked as delivered. Not so while there is no socket, also within the grace.
    reached: bool,
    /// Something reached them that nobody has marked as delivered.
    unmarked: bool,
    /// It was from here that they went last.
    left_here: bool,
}

impl Entry {
    /// Whether the last socket is gone and so is the grace.
    fn is_gone(&self) -> bool {
        self.sockets == 0 && !self.lingers && self.elsewhere == 0
    }
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, Entry>,
    /// Users whom the worker has to look at, each once.
    due: VecDeque<UserId>,
    /// Who is here, as other nodes know it; empty without a link.
    here: Crowd,
    others: Others,
}

struct Shared {
    state: Mutex<State>,
    wake: Notify,
    graces: Deadlines<UserId>,
    grace: Duration,
    blocks: Arc<dyn Blocks>,
    link: Option<Arc<dyn Link>>,
    switch: Switch,
}

/// What presence is made of.
pub(super) struct Needs<'a> {
    pub(super) conversations: Arc<dyn Conversations>,
    pub(super) receipts: Arc<dyn Receipts>,
    pub(super) blocks: Arc<dyn Blocks>,
    pub(super) queue: WriteQueue,
    pub(super) publisher: Publisher,
    pub(super) link: Option<Arc<dyn Link>>,
    pub(super) webhooks: Option<Webhooks>,
    pub(super) settings: &'a Settings,
}

/// The presence of everybody.
#[derive(Clone)]
pub struct Presence(Arc<Shared>);

impl Presence {
    pub(super) fn new(needs: Needs<'_>) -> (Self, PresenceWorker) {
        let Needs { conversations, receipts, blocks, queue, publisher, link, webhooks, settings } = needs;
        let (switch, closing) = closing();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Notify::new(),
            graces: Deadlines::new(),
            grace: settings.presence_grace,
            blocks,
            link,
            switch,
        });
        let scope = settings.presence_scope;
        let worker = PresenceWorker {
            shared: shared.clone(),
            closing,
            conversations,
            receipts,
            queue,
            publisher,
            webhooks,
            scope,
        };
        (Self(shared), worker)
    }

    /// A socket of `user` is live. To be called once per socket, with one [`disconnected`](Self::disconnected) after it.
    pub fn connected(&self, user: &UserId) {
        let mut state = self.0.state.lock();
        let entry = state.users.entry(user.clone()).or_default();
        entry.sockets += 1;
        entry.lingers = true;
        if entry.sockets == 1 {
            self.0.graces.cancel(user);
            state.due.push_back(user.clone());
            self.0.tell_here(&mut state, user);
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
            entry.reached = false;
            self.0.graces.set(user.clone(), self.0.grace);
        }
    }

    /// Whether `user` is online.
    pub fn is_online(&self, user: &UserId) -> bool {
        self.0.state.lock().users.contains_key(user)
    }

    /// Whether what is sent now reaches `user` as the next thing: they are online, and what came before is marked as
    /// delivered. Until then a send must not move their position over messages of which nobody has been told.
    pub(super) fn is_reached(&self, user: &UserId) -> bool {
        self.0.state.lock().users.get(user).is_some_and(|entry| entry.reached)
    }

    /// A message has reached `user` that was stored as if it had reached nobody: the node that stored it holds no socket
    /// of theirs, or a block was between them. Marking it takes its turn, and many at once take one.
    pub(super) fn mark_reached(&self, user: &UserId) {
        let mut state = self.0.state.lock();
        let Some(entry) = state.users.get_mut(user).filter(|entry| entry.sockets > 0 && !entry.unmarked) else {
            return;
        };
        entry.unmarked = true;
        state.due.push_back(user.clone());
        drop(state);
        self.0.wake.notify_one();
    }

    /// What came before `user` did is marked as delivered. To be called where no send can come between.
    pub(super) fn settle(&self, user: &UserId) {
        if let Some(entry) = self.0.state.lock().users.get_mut(user).filter(|entry| entry.sockets > 0) {
            entry.reached = true;
        }
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

/// What a user's presence has turned into since the worker last looked at it.
enum Turn {
    /// They came.
    Online,
    /// They came back within the grace: contacts hear nothing of it.
    Back,
    /// They came to another node, which sees to what waits for them.
    OnlineElsewhere,
    /// They are gone; whether from this node.
    Offline { left_here: bool },
}

/// Announces who comes and goes.
pub struct PresenceWorker {
    shared: Arc<Shared>,
    closing: Closing,
    conversations: Arc<dyn Conversations>,
    receipts: Arc<dyn Receipts>,
    queue: WriteQueue,
    publisher: Publisher,
    webhooks: Option<Webhooks>,
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
                match self.announce(&user, &turn).await {
                    Ok(()) => {}
                    Err(Error::Unavailable(_)) => {
                        tracing::warn!(%user, "presence is not announced yet: the storage is away");
                        self.shared.take_back(user, &turn);
                        // Nobody else could be announced meanwhile.
                        tokio::select! {
                            () = self.closing.closed() => return,
                            () = sleep(RETRY) => {}
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%user, error = &error as &dyn std::error::Error, "presence is not announced");
                    }
                }
            }
        }
    }

    /// Announces a turn. `Unavailable` if nobody has heard of it.
    async fn announce(&self, user: &UserId, turn: &Turn) -> Result<()> {
        let ours = matches!(turn, Turn::Online | Turn::Back | Turn::Offline { left_here: true });
        if !ours && self.shared.nobody_is_here() {
            return Ok(());
        }
        let audience = match (turn, self.scope) {
            (Turn::Back, _) => None,
            (_, PresenceScope::Everyone) => Some(PresenceAudience::Everyone),
            (_, PresenceScope::Contacts) => {
                Some(PresenceAudience::Contacts(self.conversations.list_contacts(user).await?.into()))
            }
        };
        if ours {
            match self.deliver(user, turn).await {
                Err(error) if !matches!(error, Error::Unavailable(_)) => {
                    tracing::warn!(%user, error = &error as &dyn std::error::Error, "delivery is not marked");
                }
                delivered => delivered?,
            }
        }
        let Some(audience) = audience else { return Ok(()) };
        if let Some(webhooks) = self.webhooks.as_ref().filter(|_| ours) {
            let offline = matches!(turn, Turn::Offline { .. });
            let kind = if offline { WebhookKind::UserOffline } else { WebhookKind::UserOnline };
            webhooks.tell(kind, WebhookSubject::User(user.clone())).await;
        }
        let user_id = user.clone();
        self.publisher
            .publish(match turn {
                Turn::Online | Turn::Back | Turn::OnlineElsewhere => Event::UserOnline { user_id, audience },
                Turn::Offline { .. } => Event::UserOffline { user_id, audience },
            })
            .await;
        Ok(())
    }

    /// Marks what waits for `user` as delivered, and tells the senders. Who goes raises their positions once more: they
    /// lag behind while somebody is online, since a send moves only that of one recipient.
    async fn deliver(&self, user: &UserId, turn: &Turn) -> Result<()> {
        let delivered = match turn {
            Turn::Online | Turn::Back | Turn::OnlineElsewhere => self.queue.reach(user.clone()).await?,
            Turn::Offline { .. } => self.receipts.mark_delivered(user).await?,
        };
        for now in delivered {
            let event = Event::MessagesDelivered {
                conversation_id: now.conversation_id,
                sender: now.sender_id,
                message_ids: now.message_ids,
            };
            self.publisher.publish(event).await;
        }
        Ok(())
    }
}

impl Shared {
    /// The grace of `user` is over.
    fn expire(&self, user: UserId) {
        let mut state = self.state.lock();
        if let Some(entry) = state.users.get_mut(&user).filter(|entry| entry.sockets == 0) {
            entry.lingers = false;
            entry.left_here = true;
            self.tell_gone(&mut state, &user);
            state.due.push_back(user);
        }
    }

    /// Whether this node has nobody to tell anything.
    fn nobody_is_here(&self) -> bool {
        self.state.lock().here.users().is_empty()
    }

    fn tell_here(&self, state: &mut State, user: &UserId) {
        if let Some(link) = &self.link
            && !state.here.contains(user)
        {
            state.here.insert(user.clone());
            link.say(&Topic::Everyone, Word::Here(user.clone()));
        }
    }

    fn tell_gone(&self, state: &mut State, user: &UserId) {
        if let Some(link) = &self.link
            && state.here.remove(user)
        {
            link.say(&Topic::Everyone, Word::Gone(user.clone()));
        }
    }

    /// A turn was not announced: contacts know what they knew before, and `user` is looked at again.
    fn take_back(&self, user: UserId, turn: &Turn) {
        let mut state = self.state.lock();
        match turn {
            Turn::Back => {}
            Turn::Online | Turn::OnlineElsewhere => {
                if let Some(entry) = state.users.get_mut(&user) {
                    entry.announced = false;
                }
            }
            Turn::Offline { left_here } => {
                let gone = || Entry { left_here: *left_here, ..Entry::default() };
                state.users.entry(user.clone()).or_insert_with(gone).announced = true;
            }
        }
        state.due.push_back(user);
        drop(state);
        self.wake.notify_one();
    }

    /// The next user of whom contacts have to hear, as it is now.
    fn next_turn(&self) -> Option<(UserId, Turn)> {
        let mut state = self.state.lock();
        while let Some(user) = state.due.pop_front() {
            let Some(entry) = state.users.get_mut(&user) else { continue };
            if entry.is_gone() {
                let (announced, left_here) = (entry.announced, entry.left_here);
                state.users.remove(&user);
                if announced {
                    return Some((user, Turn::Offline { left_here }));
                }
            } else if entry.sockets > 0 && (!entry.reached || entry.unmarked) {
                let turn = if entry.announced { Turn::Back } else { Turn::Online };
                entry.announced = true;
                entry.unmarked = false;
                return Some((user, turn));
            } else if entry.elsewhere > 0 && !entry.announced {
                entry.announced = true;
                return Some((user, Turn::OnlineElsewhere));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::mpsc;

    use super::*;
    use crate::ports::{MockBlocks, MockConversations, MockReceipts, StorageError};
    use crate::services::LocalBus;
    use crate::services::queue::reply;
    use crate::services::write_queue::{Change, write_queue};

    /// What contacts hear of somebody, while the storage is away or there.
    fn world() -> (Presence, Arc<AtomicBool>, mpsc::Receiver<Arc<Event>>) {
        let away = Arc::new(AtomicBool::new(false));
        let mut conversations = MockConversations::new();
        let is_away = away.clone();
        conversations.expect_list_contacts().returning(move |_| {
            if is_away.load(Ordering::Relaxed) {
                return Err(StorageError::Unavailable { source: io::Error::other("it is away").into() });
            }
            Ok(vec!["bob".parse().expect("a valid id")])
        });
        let mut receipts = MockReceipts::new();
        receipts.expect_mark_delivered().returning(|_| Ok(vec![]));
        let (queue, mut queued) = write_queue(Duration::from_secs(1));
        let (bus, events) = LocalBus::new(100);
        let (presence, worker) = Presence::new(Needs {
            conversations: Arc::new(conversations),
            receipts: Arc::new(receipts),
            blocks: Arc::new(MockBlocks::new()),
            queue,
            publisher: Publisher::new(bus),
            link: None,
            webhooks: None,
            settings: &Settings::default(),
        });
        let writer = presence.clone();
        tokio::spawn(worker.run());
        tokio::spawn(async move {
            let mut changes = Vec::new();
            loop {
                queued.changes.take(&mut changes, 100).await;
                for change in changes.drain(..) {
                    let Change::Reach(user, answer) = change else { continue };
                    writer.settle(&user);
                    reply(answer, Ok(vec![]));
                }
            }
        });
        (presence, away, events)
    }

    async fn heard(events: &mut mpsc::Receiver<Arc<Event>>) -> Vec<&'static str> {
        sleep(Duration::from_mins(1)).await;
        let mut heard = Vec::new();
        while let Ok(event) = events.try_recv() {
            heard.push(match &*event {
                Event::UserOnline { .. } => "online",
                Event::UserOffline { .. } => "offline",
                _ => "something else",
            });
        }
        heard
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_and_goes_while_the_storage_is_away_is_announced_when_it_is_back() {
        let (presence, away, mut events) = world();
        let ann: UserId = "ann".parse().expect("a valid id");
        away.store(true, Ordering::Relaxed);
        presence.connected(&ann);
        assert_eq!(heard(&mut events).await, [""; 0]);
        away.store(false, Ordering::Relaxed);
        assert_eq!(heard(&mut events).await, ["online"]);
        away.store(true, Ordering::Relaxed);
        presence.disconnected(&ann);
        assert_eq!(heard(&mut events).await, [""; 0]);
        away.store(false, Ordering::Relaxed);
        assert_eq!(heard(&mut events).await, ["offline"]);
        assert!(!presence.is_online(&ann));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_back_before_the_storage_was_never_gone() {
        let (presence, away, mut events) = world();
        let ann: UserId = "ann".parse().expect("a valid id");
        presence.connected(&ann);
        assert_eq!(heard(&mut events).await, ["online"]);
        away.store(true, Ordering::Relaxed);
        presence.disconnected(&ann);
        assert_eq!(heard(&mut events).await, [""; 0]);
        presence.connected(&ann);
        away.store(false, Ordering::Relaxed);
        assert_eq!(heard(&mut events).await, [""; 0]);
        presence.disconnected(&ann);
        assert_eq!(heard(&mut events).await, ["offline"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_and_goes_unheard_is_not_announced() {
        let (presence, away, mut events) = world();
        let ann: UserId = "ann".parse().expect("a valid id");
        away.store(true, Ordering::Relaxed);
        presence.connected(&ann);
        presence.disconnected(&ann);
        assert_eq!(heard(&mut events).await, [""; 0]);
        away.store(false, Ordering::Relaxed);
        assert_eq!(heard(&mut events).await, [""; 0]);
        assert!(!presence.is_online(&ann));
    }
}
