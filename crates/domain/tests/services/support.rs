//! A small world for tests of services: storage in memory, a fixed clock, counted ids, and the events that
//! come out at the end of the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use parlance_domain::event::Event;
use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, ConversationId, MessageView, ObjectId, SessionId, Timestamp, User, UserId,
};
use parlance_domain::ports::{Claims, Clock, IdSource, MessagePolicy};
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::{AcceptAll, LocalBus, Parts, Services, Settings, Workers};
use parlance_storage_memory::MemoryStorage;
use tokio::sync::mpsc;

/// A clock that moves one millisecond with each look.
#[derive(Default)]
pub(crate) struct TickingClock(AtomicI64);

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

pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) events: mpsc::Receiver<Arc<Event>>,
    pub(crate) running: tokio::task::JoinSet<()>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), Arc::new(AcceptAll))
    }

    pub(crate) fn with(settings: Settings, policy: Arc<dyn MessagePolicy>) -> Self {
        let (bus, events) = LocalBus::new(10_000);
        let (services, Workers { writer, presence, typing }) = Services::new(Parts {
            storage: Arc::new(MemoryStorage::new()),
            bus,
            clock: Arc::new(TickingClock::default()),
            ids: Arc::new(CountedIds::default()),
            policy,
            settings,
        });
        let mut running = tokio::task::JoinSet::new();
        running.spawn(writer.run());
        running.spawn(presence.run());
        running.spawn(typing.run());
        Self { services, events, running }
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

    /// The next event on the bus.
    pub(crate) async fn event(&mut self) -> Arc<Event> {
        self.events.recv().await.expect("the bus is open")
    }

    /// Nothing is on the bus now.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.events.try_recv().is_err()
    }
}

pub(crate) fn claims(name: &str) -> Claims {
    let profile = ClaimedProfile { name: Some(name.to_uppercase()), picture: None };
    Claims { user_id: id(name), profile, expires_at: None }
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
