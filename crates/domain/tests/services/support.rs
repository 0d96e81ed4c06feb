//! A small world for tests of services: storage in memory, a fixed clock, counted ids, and the events that
//! come out at the end of the bus.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlance_domain::event::Event;
use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, ConversationId, MessageView, ObjectId, SessionId, Timestamp, User, UserId,
};
use parlance_domain::ports::{Claims, Clock, IdSource, MessagePolicy, NotificationChannel, Rooms};
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::{AcceptAll, LocalBus, Parts, Reach, Services, Settings, Workers};
use parlance_storage_memory::MemoryStorage;
use tokio::sync::mpsc;

/// A clock that moves one millisecond with each look.
#[derive(Default)]
pub(crate) struct TickingClock(AtomicI64);

impl TickingClock {
    /// Time passes.
    pub(crate) fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Ids that count.
#[derive(Default)]
pub(crate) struct CountedIds(AtomicU32);

impl IdSource for CountedIds {
    fn next_id(&self) -> ObjectId {
        let mut bytes = [7; 12];
        bytes[8..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

/// Who is looking at what, as a test says.
#[derive(Default)]
pub(crate) struct FakeRooms(Mutex<HashSet<(ConversationId, UserId)>>);

impl FakeRooms {
    pub(crate) fn enter(&self, conversation: ConversationId, user: &User) {
        self.0.lock().expect("no test panics while it holds this").insert((conversation, user.id.clone()));
    }

    pub(crate) fn leave(&self, conversation: ConversationId, user: &User) {
        self.0.lock().expect("no test panics while it holds this").remove(&(conversation, user.id.clone()));
    }
}

impl Rooms for FakeRooms {
    fn present(&self, conversation: ConversationId) -> HashSet<UserId> {
        let rooms = self.0.lock().expect("no test panics while it holds this");
        rooms.iter().filter(|(room, _)| *room == conversation).map(|(_, user)| user.clone()).collect()
    }
}

pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) events: mpsc::Receiver<Arc<Event>>,
    notified: VecDeque<String>,
    others: VecDeque<Arc<Event>>,
    pub(crate) rooms: Arc<FakeRooms>,
    pub(crate) clock: Arc<TickingClock>,
    pub(crate) running: tokio::task::JoinSet<()>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), Arc::new(AcceptAll))
    }

    pub(crate) fn with(settings: Settings, policy: Arc<dyn MessagePolicy>) -> Self {
        Self::reaching(Arc::new(MemoryStorage::new()), settings, policy, Vec::new())
    }

    /// A world that reaches people who are not there by these channels.
    pub(crate) fn reaching(
        storage: Arc<MemoryStorage>,
        settings: Settings,
        policy: Arc<dyn MessagePolicy>,
        channels: Vec<Arc<dyn NotificationChannel>>,
    ) -> Self {
        let (bus, events) = LocalBus::new(20_000);
        let (rooms, clock) = (Arc::new(FakeRooms::default()), Arc::new(TickingClock::default()));
        let reach = Reach { addresses: storage.clone(), errands: storage.clone(), channels, push: None };
        let (services, Workers { writer, presence, typing, notifier, courier, calling, webhooks: _, relay: _ }) =
            Services::new(Parts {
                storage,
                outbox: None,
                webhooks: None,
                bus,
                link: None,
                clock: clock.clone(),
                ids: Arc::new(CountedIds::default()),
                policy,
                rooms: rooms.clone(),
                reach: Some(reach),
                settings,
            });
        let mut running = tokio::task::JoinSet::new();
        running.spawn(writer.run());
        running.spawn(presence.run());
        running.spawn(typing.run());
        running.spawn(notifier.run());
        running.spawn(courier.run());
        running.spawn(calling.run());
        Self { services, events, notified: VecDeque::new(), others: VecDeque::new(), rooms, clock, running }
    }

    /// A user who has come with a first token.
    pub(crate) async fn user(&self, name: &str) -> User {
        self.services.directory.admit(&claims(name)).await.expect("a first contact makes a user")
    }

    /// A direct conversation, with its announcement taken off the bus.
    pub(crate) async fn direct(&mut self, one: &User, other: &User) -> ConversationId {
        let (view, _) = self.services.conversing.start_direct(one, &other.id).await.expect("a conversation starts");
        assert!(matches!(&*self.event().await, Event::ConversationNew { .. }));
        view.conversation.id
    }

    /// A group, with its announcement taken off the bus.
    pub(crate) async fn group(&mut self, owner: &User, others: &[&User]) -> ConversationId {
        let others = others.iter().map(|user| user.id.clone()).collect();
        let view = self.services.conversing.create_group(owner, "Team", others).await.expect("a group is made");
        assert!(matches!(&*self.event().await, Event::ConversationNew { .. }));
        view.conversation.id
    }

    pub(crate) async fn send(&self, sender: &User, conversation: ConversationId, text: &str) -> MessageView {
        self.services.messaging.send(sender, draft(conversation, text), None).await.expect("a message is sent").message
    }

    /// The next event that is not about notifications, which follow messages in their own time.
    pub(crate) async fn event(&mut self) -> Arc<Event> {
        loop {
            if let Some(event) = self.others.pop_front() {
                return event;
            }
            let event = self.events.recv().await.expect("the bus is open");
            self.sort(event);
        }
    }

    /// The next event about somebody's notifications, in words.
    pub(crate) async fn told(&mut self) -> String {
        loop {
            if let Some(told) = self.notified.pop_front() {
                return told;
            }
            let event = self.events.recv().await.expect("the bus is open");
            self.sort(event);
        }
    }

    /// Nothing but notifications is on the bus now.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.sort_all();
        std::mem::take(&mut self.others).is_empty()
    }

    /// Nothing about notifications is on the bus, now that everything that was begun is done. For paused time.
    pub(crate) async fn nobody_is_told(&mut self) -> bool {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.sort_all();
        std::mem::take(&mut self.notified).is_empty()
    }

    /// All events that are on the bus now and not about notifications.
    pub(crate) fn rest(&mut self) -> Vec<Arc<Event>> {
        self.sort_all();
        self.others.drain(..).collect()
    }

    fn sort_all(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.sort(event);
        }
    }

    fn sort(&mut self, event: Arc<Event>) {
        match notified(&event) {
            Some(told) => self.notified.push_back(told),
            None => self.others.push_back(event),
        }
    }
}

/// An event about notifications: whose, what, which, and how many are unread after it.
fn notified(event: &Event) -> Option<String> {
    Some(match event {
        Event::NotificationNew { user_id, notification, unread } => {
            format!(
                "{user_id}: {} \"{}\" \"{}\", {unread} unread",
                notification.kind.as_str(),
                notification.title,
                notification.message
            )
        }
        Event::NotificationRead { user_id, id: _, unread } => format!("{user_id}: read, {unread} unread"),
        Event::NotificationsReadAll { user_id } => format!("{user_id}: all read"),
        Event::NotificationRemoved { user_id, id: _, unread } => format!("{user_id}: removed, {unread} unread"),
        _ => return None,
    })
}

pub(crate) fn claims(name: &str) -> Claims {
    let profile = ClaimedProfile { name: Some(name.to_uppercase()), picture: None };
    Claims { user_id: id(name), profile, email: None, issued_at: None, expires_at: None }
}

pub(crate) fn id(name: &str) -> UserId {
    name.parse().expect("a valid user id")
}

pub(crate) fn draft(conversation_id: ConversationId, text: &str) -> Draft {
    Draft::text(conversation_id, text)
}

pub(crate) fn marked(conversation: ConversationId, text: &str, mark: &str) -> Draft {
    Draft { client_message_id: Some(ClientMessageId::new(mark).expect("a valid mark")), ..draft(conversation, text) }
}

pub(crate) const SOCKET: SessionId = SessionId(1);
