//! Webhooks on the reference storage, with a receiver in the test and paused time.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::{
    CallId, CallMedia, ConversationId, EndedCall, MessageView, SessionId, Timestamp, Title, User, WebhookKind,
    WebhookKinds,
};
use parlance_domain::ports::{Clock, SendFailure, Webhook, WebhookData, WebhookSender};
use parlance_domain::services::{AcceptAll, Invitation, LocalBus, Parts, Services, Settings, WebhookReceiver};
use parlance_storage_memory::MemoryStorage;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::{CountedIds, FakeRooms, claims, draft};

/// A clock that goes with the runtime's, which a test may pause.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus(self.0.elapsed())
    }
}

type Mood = Box<dyn Fn(&Webhook) -> Result<(), SendFailure> + Send + Sync>;

/// A receiver that does as the test says.
struct Receiver {
    mood: Mutex<Mood>,
    takes: Duration,
    heard: Mutex<Vec<Webhook>>,
    changed: Notify,
    under_way: Mutex<HashSet<String>>,
    most_at_once: AtomicUsize,
}

impl Receiver {
    fn new(takes: Duration) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Box::new(|_| Ok(()))),
            takes,
            heard: Mutex::default(),
            changed: Notify::new(),
            under_way: Mutex::default(),
            most_at_once: AtomicUsize::new(0),
        })
    }

    fn is(&self, mood: impl Fn(&Webhook) -> Result<(), SendFailure> + Send + Sync + 'static) {
        *self.mood.lock().expect("no test panics while it holds this") = Box::new(mood);
    }

    fn heard(&self) -> MutexGuard<'_, Vec<Webhook>> {
        self.heard.lock().expect("no test panics while it holds this")
    }

    /// Waits until it has taken so many events.
    async fn has_heard(&self, count: usize) -> Vec<Webhook> {
        loop {
            let changed = self.changed.notified();
            let heard = self.heard().clone();
            if heard.len() >= count {
                return heard;
            }
            changed.await;
        }
    }

    /// The texts of the messages that it was told of, by conversation, in the order told.
    fn texts(&self) -> BTreeMap<ConversationId, Vec<String>> {
        let mut texts: BTreeMap<ConversationId, Vec<String>> = BTreeMap::new();
        for webhook in self.heard().iter() {
            if let Some(message) = message_of(webhook) {
                let text = message.message.text.clone().unwrap_or_default();
                texts.entry(message.message.conversation_id).or_default().push(text);
            }
        }
        texts
    }
}

#[async_trait]
impl WebhookSender for Receiver {
    async fn send(&self, webhook: &Webhook) -> Result<(), SendFailure> {
        let lane = lane(webhook);
        let at_once = {
            let mut under_way = self.under_way.lock().expect("no test panics while it holds this");
            assert!(under_way.insert(lane.clone()), "two at a time in {lane}");
            under_way.len()
        };
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        sleep(self.takes).await;
        self.under_way.lock().expect("no test panics while it holds this").remove(&lane);
        let outcome = self.mood.lock().expect("no test panics while it holds this")(webhook);
        if outcome.is_ok() {
            self.heard().push(webhook.clone());
            self.changed.notify_waiters();
        }
        outcome
    }
}

fn lane(webhook: &Webhook) -> String {
    match &webhook.data {
        WebhookData::Message { conversation_id, .. }
        | WebhookData::Conversation { conversation_id, .. }
        | WebhookData::Call(EndedCall { conversation_id, .. }) => conversation_id.to_string(),
        WebhookData::User { user_id, .. } | WebhookData::Notification { user_id, .. } => user_id.to_string(),
    }
}

fn message_of(webhook: &Webhook) -> Option<&MessageView> {
    match &webhook.data {
        WebhookData::Message { message, .. } => message.as_deref(),
        _ => None,
    }
}

fn away() -> Result<(), SendFailure> {
    Err(SendFailure { problem: "nobody answers".to_owned(), is_final: false })
}

/// What nodes share.
struct Site {
    storage: Arc<MemoryStorage>,
    clock: Arc<RuntimeClock>,
}

impl Site {
    fn new() -> Self {
        Self { storage: Arc::default(), clock: Arc::new(RuntimeClock(Instant::now())) }
    }
}

/// A node with a receiver.
struct Node {
    services: Services,
    running: JoinSet<()>,
}

impl Node {
    fn new(site: &Site, receiver: &Arc<Receiver>, kinds: WebhookKinds) -> Self {
        let (bus, mut events) = LocalBus::new(20_000);
        let (services, workers) = Services::new(Parts {
            storage: site.storage.clone(),
            outbox: Some(site.storage.clone()),
            webhooks: Some(WebhookReceiver { sender: receiver.clone(), kinds }),
            bus,
            link: None,
            clock: site.clock.clone(),
            ids: Arc::new(CountedIds::default()),
            policy: Arc::new(AcceptAll),
            rooms: Arc::new(FakeRooms::default()),
            reach: None,
            settings: Settings::default(),
        });
        let mut running = JoinSet::new();
        running.spawn(workers.writer.run());
        running.spawn(workers.presence.run());
        running.spawn(workers.notifier.run());
        running.spawn(workers.calling.run());
        running.spawn(workers.webhooks.expect("there is a receiver").run());
        running.spawn(async move { while events.recv().await.is_some() {} });
        Self { services, running }
    }

    async fn user(&self, name: &str) -> User {
        self.services.directory.admit(&claims(name)).await.expect("a first contact makes a user")
    }

    async fn direct(&self, one: &User, other: &User) -> ConversationId {
        let (view, _) = self.services.conversing.start_direct(one, &other.id).await.expect("it starts");
        view.conversation.id
    }

    async fn send(&self, sender: &User, conversation: ConversationId, text: &str) -> MessageView {
        self.services.messaging.send(sender, draft(conversation, text), None).await.expect("it is sent").message
    }

    async fn dead(&self) -> Vec<(String, u32)> {
        let letters = self.services.dead_letters.clone().expect("there is an outbox");
        let listed = letters.list(None, 100).await.expect("the storage answers");
        listed.into_iter().map(|letter| (letter.problem, letter.failures)).collect()
    }

    async fn put_back(&self) -> u64 {
        let letters = self.services.dead_letters.clone().expect("there is an outbox");
        letters.retry(None).await.expect("the storage answers")
    }
}

fn messages() -> WebhookKinds {
    [WebhookKind::MessageCreated].into_iter().collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_for_an_hour_gets_everything_in_order() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let node = Node::new(&Site::new(), &receiver, messages());
    let ann = node.user("ann").await;
    let mut rooms = Vec::new();
    for name in ["bob", "cleo", "dora"] {
        let other = node.user(name).await;
        rooms.push(node.direct(&ann, &other).await);
    }
    receiver.is(|_| away());
    let began = Instant::now();
    for n in 0..60 {
        for room in &rooms {
            node.send(&ann, *room, &n.to_string()).await;
        }
        sleep(Duration::from_mins(1)).await;
    }
    assert!(began.elapsed() >= Duration::from_hours(1) && receiver.heard().is_empty());
    receiver.is(|_| Ok(()));
    let back = Instant::now();
    receiver.has_heard(180).await;
    assert!(back.elapsed() < Duration::from_hours(1), "{:?}", back.elapsed());
    let texts = receiver.texts();
    for room in &rooms {
        assert_eq!(texts[room], numbers(0..60));
    }
    assert_eq!(node.dead().await, []);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_of_many_lanes_is_taken_again_the_others_do_not_wait_for_their_pauses() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let node = Node::new(&Site::new(), &receiver, messages());
    let ann = node.user("ann").await;
    receiver.is(|_| away());
    for n in 0..40 {
        let other = node.user(&format!("other{n}")).await;
        let room = node.direct(&ann, &other).await;
        node.send(&ann, room, "x").await;
    }
    sleep(Duration::from_hours(3)).await;
    receiver.is(|_| Ok(()));
    receiver.has_heard(1).await;
    let back = Instant::now();
    receiver.has_heard(40).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_slows_no_send_and_has_no_more_than_sixteen_requests() {
    let receiver = Receiver::new(Duration::from_secs(9));
    let node = Node::new(&Site::new(), &receiver, messages());
    let ann = node.user("ann").await;
    let mut rooms = Vec::new();
    for n in 0..40 {
        let other = node.user(&format!("other{n}")).await;
        rooms.push(node.direct(&ann, &other).await);
    }
    let began = Instant::now();
    for n in 0..5 {
        for room in &rooms {
            node.send(&ann, *room, &n.to_string()).await;
        }
    }
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    receiver.has_heard(200).await;
    assert_eq!(receiver.most_at_once.load(Ordering::Relaxed), 16);
    assert!(receiver.texts().values().all(|texts| *texts == numbers(0..5)), "each once, and in order");
    // 200 requests of 9 s, sixteen at a time.
    assert!(began.elapsed() < Duration::from_mins(3), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_is_given_up_after_a_day_and_the_lane_goes_on() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let node = Node::new(&Site::new(), &receiver, messages());
    let (ann, bob, cleo) = (node.user("ann").await, node.user("bob").await, node.user("cleo").await);
    let (poisoned, other) = (node.direct(&ann, &bob).await, node.direct(&ann, &cleo).await);
    let is_poison = |webhook: &Webhook| {
        message_of(webhook).is_some_and(|message| message.message.text.as_deref() == Some("poison"))
    };
    receiver.is(move |webhook| if is_poison(webhook) { away() } else { Ok(()) });
    let began = Instant::now();
    node.send(&ann, poisoned, "poison").await;
    sleep(Duration::from_secs(1)).await;
    node.send(&ann, poisoned, "after it").await;
    node.send(&ann, other, "elsewhere").await;
    receiver.has_heard(1).await;
    assert!(began.elapsed() < Duration::from_secs(3), "others do not wait");
    receiver.has_heard(2).await;
    let day = Duration::from_hours(24);
    assert!(began.elapsed() >= day && began.elapsed() < day + Duration::from_mins(1), "{:?}", began.elapsed());
    assert_eq!(receiver.texts()[&poisoned], ["after it"]);
    let dead = node.dead().await;
    assert!(matches!(&dead[..], [(problem, 20..60)] if problem == "nobody answers"), "{dead:?}");

    receiver.is(|_| Ok(()));
    assert_eq!(node.put_back().await, 1);
    receiver.has_heard(3).await;
    assert_eq!(receiver.texts()[&poisoned], ["after it", "poison"]);
    assert_eq!(node.dead().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_for_good_is_given_up_at_once() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let node = Node::new(&Site::new(), &receiver, messages());
    let (ann, bob) = (node.user("ann").await, node.user("bob").await);
    let room = node.direct(&ann, &bob).await;
    receiver.is(|webhook| match message_of(webhook) {
        Some(message) if message.message.seq == 1 => {
            Err(SendFailure { problem: "status 410".to_owned(), is_final: true })
        }
        _ => Ok(()),
    });
    let began = Instant::now();
    node.send(&ann, room, "one").await;
    node.send(&ann, room, "two").await;
    receiver.has_heard(1).await;
    assert!(began.elapsed() < Duration::from_secs(3));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(node.dead().await, [("status 410".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn of_two_nodes_one_delivers_a_lane_at_a_time() {
    let site = Site::new();
    let receiver = Receiver::new(Duration::from_millis(40));
    let nodes = [Node::new(&site, &receiver, messages()), Node::new(&site, &receiver, messages())];
    let ann = nodes[0].user("ann").await;
    let mut rooms = Vec::new();
    for n in 0..150 {
        let other = nodes[0].user(&format!("other{n}")).await;
        rooms.push(nodes[0].direct(&ann, &other).await);
    }
    for n in 0..8 {
        for room in &rooms {
            nodes[0].send(&ann, *room, &n.to_string()).await;
        }
        sleep(Duration::from_millis(30)).await;
    }
    receiver.has_heard(1_200).await;
    sleep(Duration::from_mins(2)).await;
    assert!(receiver.most_at_once.load(Ordering::Relaxed) > 16, "both deliver");
    let texts = receiver.texts();
    assert!(rooms.iter().all(|room| texts[room] == numbers(0..8)), "each once, and in order");
}

#[tokio::test(start_paused = true)]
async fn words_that_are_deleted_before_they_are_told_are_not_told() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let kinds = [WebhookKind::MessageCreated, WebhookKind::MessageEdited, WebhookKind::MessageDeleted];
    let node = Node::new(&Site::new(), &receiver, kinds.into_iter().collect());
    let (ann, bob) = (node.user("ann").await, node.user("bob").await);
    let room = node.direct(&ann, &bob).await;
    receiver.is(|_| away());
    let said = node.send(&ann, room, "a secret").await.message;
    node.services.messaging.edit(&ann, said.id, "another").await.expect("it is edited");
    node.services.messaging.delete(&ann, said.id).await.expect("it is deleted");
    sleep(Duration::from_secs(10)).await;
    receiver.is(|_| Ok(()));
    let heard = receiver.has_heard(3).await;
    assert_eq!(heard.iter().map(|webhook| webhook.kind).collect::<Vec<_>>(), kinds);
    for webhook in &heard {
        let message = message_of(webhook).expect("it is there");
        assert!(message.message.is_tombstone() && message.message.text.is_none(), "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn presence_notifications_conversations_and_calls_are_told() {
    let receiver = Receiver::new(Duration::from_millis(5));
    let node = Node::new(&Site::new(), &receiver, WebhookKinds::all());
    let (ann, bob) = (node.user("ann").await, node.user("bob").await);
    node.services.presence.connected(&ann.id);
    let heard = receiver.has_heard(1).await;
    assert_eq!(heard[0].data, WebhookData::User { user_id: ann.id.clone(), online: true });

    let group = node.services.conversing.create_group(&ann, "Team", vec![bob.id.clone()]).await.expect("it is made");
    let group = group.conversation.id;
    let heard = receiver.has_heard(2).await;
    let WebhookData::Conversation { conversation: Some(view), .. } = &heard[1].data else { panic!("{heard:?}") };
    assert_eq!((view.conversation.id, view.participants.len(), view.unread), (group, 2, 0));
    node.services.conversing.rename(&ann, group, "Band").await.expect("it is renamed");
    let heard = receiver.has_heard(3).await;
    let WebhookData::Conversation { conversation: Some(view), .. } = &heard[2].data else { panic!("{heard:?}") };
    assert_eq!(view.conversation.title.as_ref().map(Title::as_str), Some("Band"));

    let sent = node.send(&ann, group, "hello").await;
    let heard = receiver.has_heard(5).await;
    let note = heard.iter().find(|webhook| webhook.kind == WebhookKind::NotificationCreated).expect("Bob is told");
    let WebhookData::Notification { user_id, notification: Some(view), .. } = &note.data else { panic!("{note:?}") };
    assert_eq!((user_id, view.message.as_str()), (&bob.id, "ANN: hello"));
    assert!(heard.iter().any(|webhook| message_of(webhook).is_some_and(|told| told.message.id == sent.message.id)));

    let call_id = CallId::new("call").expect("a valid id");
    let invitation =
        Invitation { conversation_id: group, call_id: call_id.clone(), media: CallMedia::Audio, data: None };
    node.services.calling.invite(&ann.id, SessionId(1), invitation).await.expect("it rings");
    node.services.calling.accept(&bob.id, SessionId(2), &call_id).await.expect("he comes");
    node.services.calling.hang_up(&bob.id, &call_id, None).await.expect("he goes");
    node.services.calling.hang_up(&ann.id, &call_id, Some("done\0".to_owned())).await.expect("she goes");
    let heard = receiver.has_heard(6).await;
    let reason = Some("done".to_owned());
    let (caller, media) = (ann.id.clone(), CallMedia::Audio);
    let ended = EndedCall { call_id, conversation_id: group, caller, media, answered: true, reason };
    assert_eq!(heard[5].data, WebhookData::Call(ended));

    node.services.presence.disconnected(&ann.id);
    let heard = receiver.has_heard(7).await;
    assert_eq!(heard[6].data, WebhookData::User { user_id: ann.id.clone(), online: false });
    let ids: HashSet<_> = heard.iter().map(|webhook| webhook.id).collect();
    assert_eq!(ids.len(), 7, "each has an id of its own");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_goes_down_leaves_the_rest_to_the_next() {
    let site = Site::new();
    let receiver = Receiver::new(Duration::from_millis(300));
    let mut node = Node::new(&site, &receiver, messages());
    let (ann, bob) = (node.user("ann").await, node.user("bob").await);
    let room = node.direct(&ann, &bob).await;
    for n in 0..10 {
        node.send(&ann, room, &n.to_string()).await;
    }
    receiver.has_heard(2).await;
    let closed = Instant::now();
    node.services.close();
    drop(node.services);
    while node.running.join_next().await.is_some() {}
    assert!(closed.elapsed() < Duration::from_secs(2), "{:?}", closed.elapsed());
    let before = receiver.heard().len();
    let next = Node::new(&site, &receiver, messages());
    let heard = receiver.has_heard(10).await;
    assert!((3..10).contains(&before), "what was under way was brought to its end: {before}");
    assert!(closed.elapsed() < Duration::from_secs(6), "and nobody waits for a claim of the dead");
    assert_eq!((heard.len(), &receiver.texts()[&room]), (10, &numbers(0..10)), "each once");
    drop(next);
}
