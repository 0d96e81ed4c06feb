//! Several nodes on one storage: what one does reaches the sockets of the others in order and once, also when words
//! between them are lost; presence is one for all of them.

use std::sync::Arc;
use std::time::Duration;

use parlance_domain::Error;
use parlance_domain::event::{CallAudience, CallEvent, Event};
use parlance_domain::model::{
    CallId, CallMedia, ConversationId, MessageStatus, NodeId, ProductEvent, Role, SessionId, User, UserId,
};
use parlance_domain::rules::Rates;
use parlance_domain::services::{
    AcceptAll, ClusterBus, Holding, Invitation, LocalBus, Parts, PresenceScope, RelayEnds, Services, Settings, Workers,
};
use parlance_link_testkit::MemoryNetwork;
use parlance_storage_memory::MemoryStorage;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{CountedIds, FakeRooms, TickingClock, claims, draft};

/// Longer than anything takes that does not wait for a lease.
const SETTLED: Duration = Duration::from_secs(3);

struct Node {
    id: NodeId,
    services: Services,
    rooms: Arc<FakeRooms>,
    delivered: mpsc::Receiver<Arc<Event>>,
    _running: JoinSet<()>,
}

struct Cluster {
    network: MemoryNetwork,
    storage: Arc<MemoryStorage>,
    ids: Arc<CountedIds>,
    clock: Arc<TickingClock>,
}

impl Cluster {
    fn new() -> Self {
        let (network, storage) = (MemoryNetwork::default(), Arc::new(MemoryStorage::new()));
        Self { network, storage, ids: Arc::default(), clock: Arc::default() }
    }

    fn node(&self, number: u32) -> Node {
        let id = NodeId(number);
        let (link, heard) = self.network.add(id);
        let (local, events) = LocalBus::new(20_000);
        let rooms = Arc::new(FakeRooms::default());
        let (services, workers) = Services::new(Parts {
            storage: self.storage.clone(),
            outbox: None,
            webhooks: None,
            bus: ClusterBus::new(local, link.clone()),
            link: Some(link),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            policy: Arc::new(AcceptAll),
            rooms: rooms.clone(),
            reach: None,
            settings: Settings { presence_scope: PresenceScope::Everyone, ..Settings::default() },
        });
        let Workers { writer, presence, typing, notifier, courier: _, calling, webhooks: _, relay } = workers;
        let (delivery, delivered) = mpsc::channel(20_000);
        let mut running = JoinSet::new();
        running.spawn(writer.run());
        running.spawn(presence.run());
        running.spawn(typing.run());
        running.spawn(notifier.run());
        running.spawn(calling.run());
        let relay = relay.expect("a node with a link has a relay");
        running.spawn(relay.run(RelayEnds { local: events, heard, delivery }));
        Node { id, services, rooms, delivered, _running: running }
    }

    /// A node is gone, and nobody hears of it.
    fn kill(&self, node: Node) {
        self.network.kill(node.id);
        drop(node);
    }
}

impl Node {
    async fn user(&self, name: &str) -> User {
        self.services.directory.admit(&claims(name)).await.expect("a first contact makes a user")
    }

    async fn connect(&self, user: &User) -> Holding {
        let holding = self.services.following.hold(&user.id).await;
        self.services.presence.connected(&user.id);
        holding
    }

    fn disconnect(&self, user: &User, holding: Holding) {
        drop(holding);
        self.services.presence.disconnected(&user.id);
    }

    async fn send(&self, sender: &User, conversation: ConversationId, text: &str) {
        self.services.messaging.send(sender, draft(conversation, text), None).await.expect("a message is sent");
    }

    /// Everything that is handed on within `time`.
    async fn within(&mut self, time: Duration) -> Vec<Arc<Event>> {
        let end = Instant::now() + time;
        let mut events = Vec::new();
        while let Ok(Some(event)) = timeout(end - Instant::now(), self.delivered.recv()).await {
            events.push(event);
        }
        events
    }

    /// The texts of new messages that are handed on within `time`.
    async fn texts_within(&mut self, time: Duration) -> Vec<String> {
        texts(&self.within(time).await)
    }

    async fn texts(&mut self) -> Vec<String> {
        self.texts_within(SETTLED).await
    }

    /// What is said of who comes and goes, within `time`.
    async fn presence_within(&mut self, time: Duration) -> Vec<String> {
        let said = |event: &Arc<Event>| match &**event {
            Event::UserOnline { user_id, .. } => Some(format!("{user_id} on")),
            Event::UserOffline { user_id, .. } => Some(format!("{user_id} off")),
            _ => None,
        };
        self.within(time).await.iter().filter_map(said).collect()
    }
}

fn texts(events: &[Arc<Event>]) -> Vec<String> {
    let text = |event: &Arc<Event>| match &**event {
        Event::MessageNew { message, .. } => message.message.text.clone(),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

/// Two nodes; Ann on the first and Bob on the second, in one conversation.
struct Pair {
    cluster: Cluster,
    one: Node,
    two: Node,
    ann: User,
    bob: User,
    room: ConversationId,
    held: Option<(Holding, Holding)>,
}

async fn two() -> Pair {
    let cluster = Cluster::new();
    let (mut one, mut two) = (cluster.node(1), cluster.node(2));
    let (ann, bob) = (one.user("ann").await, two.user("bob").await);
    let held = Some((one.connect(&ann).await, two.connect(&bob).await));
    let (view, _) = one.services.conversing.start_direct(&ann, &bob.id).await.expect("a conversation starts");
    one.within(SETTLED).await;
    two.within(SETTLED).await;
    Pair { cluster, one, two, ann, bob, room: view.conversation.id, held }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_on_one_node_is_heard_on_the_other_and_only_where_somebody_is_held() {
    let Pair { cluster, mut one, mut two, ann, bob, room, held } = two().await;
    let mut three = cluster.node(3);
    let cem = three.user("cem").await;
    let _cem = three.connect(&cem).await;
    one.send(&ann, room, "1").await;
    two.send(&bob, room, "2").await;
    assert_eq!(one.texts().await, ["1", "2"]);
    assert_eq!(two.texts().await, ["1", "2"]);
    assert_eq!(three.texts().await, [""; 0]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn two_nodes_that_write_at_once_tell_everybody_the_same_order() {
    let Pair { one: mut first, two: mut second, ann, bob, room, held, .. } = two().await;
    let (one, two) = (first.services.clone(), second.services.clone());
    let sends = |services: Services, user: User, name: &'static str| async move {
        for n in 0..100 {
            let text = format!("{name}{n}");
            services.messaging.send(&user, draft(room, &text), None).await.expect("a message is sent");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(sends(one, ann, "a"), sends(two, bob, "b"));
    let heard = first.texts().await;
    assert_eq!(heard.len(), 200);
    assert_eq!(second.texts().await, heard);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_comes_before_the_next_message() {
    let Pair { cluster, one, mut two, ann, bob, room, held, .. } = two().await;
    cluster.network.lose(two.id, 2);
    one.send(&ann, room, "1").await;
    one.send(&ann, room, "2").await;
    cluster.network.lose(two.id, 0);
    // It waits for what is missing also where it was written.
    two.send(&bob, room, "3").await;
    assert_eq!(two.texts_within(Duration::from_millis(500)).await, ["1", "2", "3"]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_hears_within_two_seconds_what_the_others_do_and_they_hear_it() {
    let Pair { cluster, mut one, mut two, ann, bob, room, held } = two().await;
    cluster.network.cut(two.id);
    // The others notice when its next beats are missing.
    sleep(Duration::from_millis(1_300)).await;
    one.send(&ann, room, "1").await;
    two.send(&bob, room, "2").await;
    one.send(&ann, room, "3").await;
    let time = Duration::from_secs(2);
    let (heard_one, heard_two) = tokio::join!(one.texts_within(time), two.texts_within(time));
    assert_eq!(heard_one, ["1", "2", "3"]);
    assert_eq!(heard_two, ["1", "2", "3"]);
    cluster.network.mend(two.id);
    one.send(&ann, room, "4").await;
    assert_eq!(two.texts_within(Duration::from_millis(500)).await, ["4"]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn edits_and_deletions_that_were_lost_are_told_as_they_are_now() {
    let Pair { cluster, one, mut two, ann, bob, room, held } = two().await;
    one.send(&ann, room, "1").await;
    one.send(&ann, room, "2").await;
    two.within(SETTLED).await;
    let history = one.services.messaging.history(&ann.id, room, None, 10).await.expect("a page").items;
    cluster.network.lose(two.id, 3);
    let messaging = &one.services.messaging;
    messaging.edit(&ann, history[0].message.id, "one").await.expect("an edit");
    messaging.edit(&ann, history[0].message.id, "ONE").await.expect("another");
    messaging.delete(&ann, history[1].message.id).await.expect("a deletion");
    cluster.network.lose(two.id, 0);
    two.send(&bob, room, "3").await;
    let mut told = Vec::new();
    for event in two.within(Duration::from_millis(500)).await {
        match &*event {
            Event::MessageEdited { message } => told.push(format!("edited to {:?}", message.message.text)),
            Event::MessageDeleted { message } => told.push(format!("{} deleted", message.message.seq)),
            Event::MessageNew { message, .. } => told.push(format!("new {:?}", message.message.text)),
            _ => {}
        }
    }
    assert_eq!(told, ["edited to Some(\"ONE\")", "2 deleted", "new Some(\"3\")"]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn who_was_added_or_removed_while_a_node_was_cut_off_finds_out() {
    let Pair { cluster, one, mut two, ann, bob, held, .. } = two().await;
    let conversing = &one.services.conversing;
    let old = conversing.create_group(&ann, "Old", vec![bob.id.clone()]).await.expect("a group").conversation.id;
    two.within(SETTLED).await;
    cluster.network.cut(two.id);
    conversing.remove(&ann, old, &bob.id).await.expect("removed");
    let new = conversing.create_group(&ann, "New", vec![bob.id.clone()]).await.expect("a group").conversation.id;
    let mut told = Vec::new();
    for event in two.within(Duration::from_secs(2)).await {
        match &*event {
            Event::ParticipantRemoved { conversation_id, user_id } => {
                told.push((*conversation_id, user_id.clone(), false));
            }
            Event::ConversationNew { conversation, users } => {
                told.push((conversation.conversation.id, users[0].clone(), true));
            }
            _ => {}
        }
    }
    assert_eq!(told, [(old, bob.id.clone(), false), (new, bob.id.clone(), true)]);
    one.send(&ann, new, "hello").await;
    assert_eq!(two.texts_within(Duration::from_secs(2)).await, ["hello"]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn membership_holds_on_all_nodes_at_once() {
    let Pair { one, mut two, ann, bob, held, .. } = two().await;
    let cem = one.user("cem").await;
    let conversing = &one.services.conversing;
    let group = conversing.create_group(&ann, "Team", vec![cem.id.clone()]).await.expect("a group").conversation.id;
    conversing.add(&ann, group, vec![bob.id.clone()]).await.expect("added");
    one.send(&ann, group, "welcome").await;
    let heard = two.texts().await;
    assert_eq!(heard.len(), 2, "that he came, and the welcome: {heard:?}");
    two.send(&bob, group, "thanks").await;
    conversing.set_role(&ann, group, &bob.id, Role::Admin).await.expect("promoted");
    conversing.remove(&ann, group, &bob.id).await.expect("removed");
    two.within(Duration::from_millis(100)).await;
    let refused = two.services.messaging.send(&bob, draft(group, "still here"), None).await;
    assert!(refused.is_err());
    one.send(&ann, group, "he is gone").await;
    assert_eq!(two.texts().await, [""; 0], "nobody here is in it");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn presence_is_one_for_all_nodes_and_each_hears_of_it_once() {
    let cluster = Cluster::new();
    let (mut one, mut two) = (cluster.node(1), cluster.node(2));
    let (ann, bob) = (one.user("ann").await, two.user("bob").await);
    let watching = two.connect(&bob).await;
    let first = one.connect(&ann).await;
    let second = two.connect(&ann).await;
    let heard = two.presence_within(SETTLED).await;
    assert_eq!(heard.iter().filter(|said| *said == "ann on").count(), 1, "{heard:?}");
    for node in [&one, &two] {
        assert_eq!(node.services.presence.online_count(), 2);
        assert!(node.services.presence.is_online(&ann.id));
    }
    two.disconnect(&ann, second);
    assert_eq!(two.presence_within(SETTLED).await, [""; 0], "she is still on the other node");
    one.disconnect(&ann, first);
    assert_eq!(two.presence_within(SETTLED).await, ["ann off"]);
    assert_eq!(two.services.presence.online_count(), 1);
    one.within(SETTLED).await;
    drop(watching);
}

#[tokio::test(start_paused = true)]
async fn every_node_knows_within_a_second_how_many_are_online() {
    const SECOND: Duration = Duration::from_secs(1);
    let grace = Settings::default().presence_grace;
    let cluster = Cluster::new();
    let mut nodes = [cluster.node(1), cluster.node(2)];
    let mut here = Vec::new();
    for n in 0..20 {
        let user = nodes[n % 2].user(&format!("user-{n}")).await;
        here.push((n % 2, nodes[n % 2].connect(&user).await, user));
    }
    // A second socket does not make a second person.
    let twice = nodes[1].connect(&here[0].2).await;
    let counts = async |nodes: &mut [Node; 2], after: Duration| {
        let [one, two] = nodes;
        tokio::join!(one.within(after), two.within(after));
        nodes.each_ref().map(|node| node.services.presence.online_count())
    };
    assert_eq!(counts(&mut nodes, SECOND).await, [20, 20]);
    for (at, holding, user) in here.drain(13..) {
        nodes[at].disconnect(&user, holding);
    }
    assert_eq!(counts(&mut nodes, grace + SECOND).await, [13, 13]);
    cluster.network.cut(nodes[1].id);
    for n in 20..23 {
        let user = nodes[0].user(&format!("user-{n}")).await;
        here.push((0, nodes[0].connect(&user).await, user));
    }
    assert_eq!(counts(&mut nodes, SECOND).await, [16, 13], "who is cut off does not know");
    cluster.network.mend(nodes[1].id);
    assert_eq!(counts(&mut nodes, SECOND).await, [16, 16]);
    drop((here, twice));
}

#[tokio::test(start_paused = true)]
async fn the_users_of_a_node_that_is_killed_are_offline_within_fifteen_seconds() {
    let Pair { cluster, one, mut two, ann, bob, held, .. } = two().await;
    let cem = one.user("cem").await;
    let _cem = one.connect(&cem).await;
    // Ann is on both.
    let _ann = two.connect(&ann).await;
    two.within(SETTLED).await;
    cluster.kill(one);
    assert_eq!(two.presence_within(Duration::from_secs(9)).await, [""; 0]);
    assert_eq!(two.presence_within(Duration::from_secs(6)).await, ["cem off"]);
    assert!(two.services.presence.is_online(&ann.id) && two.services.presence.is_online(&bob.id));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn presence_is_reconciled_after_words_were_lost() {
    let Pair { cluster, one, mut two, ann, held, .. } = two().await;
    let (cem, dee) = (one.user("cem").await, one.user("dee").await);
    let dee_is_here = one.connect(&dee).await;
    two.within(SETTLED).await;
    cluster.network.cut(two.id);
    let _cem = one.connect(&cem).await;
    one.disconnect(&dee, dee_is_here);
    assert_eq!(two.presence_within(Duration::from_secs(20)).await, [""; 0], "who is cut off knows nothing new");
    cluster.network.mend(two.id);
    let mut heard = two.presence_within(SETTLED).await;
    heard.sort();
    assert_eq!(heard, ["cem on", "dee off"]);
    assert!(two.services.presence.is_online(&ann.id));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_knows_who_is_online_and_tells_nobody_of_it() {
    let Pair { cluster, ann, bob, held, one, two, .. } = two().await;
    let mut three = cluster.node(3);
    assert_eq!(three.presence_within(SETTLED).await, [""; 0]);
    assert_eq!(three.services.presence.online_count(), 2);
    assert!(three.services.presence.is_online(&ann.id) && three.services.presence.is_online(&bob.id));
    drop((held, one, two));
}

#[tokio::test(start_paused = true)]
async fn what_is_marked_as_delivered_has_reached_somebody() {
    let Pair { cluster, mut one, two, ann, room, held, .. } = two().await;
    let status = async |node: &Node| {
        let page = node.services.messaging.history(&ann.id, room, None, 1).await.expect("a page");
        page.items[0].status
    };
    one.send(&ann, room, "1").await;
    sleep(SETTLED).await;
    assert_eq!(status(&one).await, MessageStatus::Delivered);
    let told = one.within(SETTLED).await;
    let delivered =
        |event: &Arc<Event>| matches!(&**event, Event::MessagesDelivered { sender, .. } if *sender == ann.id);
    assert_eq!(told.iter().filter(|event| delivered(event)).count(), 1);
    cluster.kill(two);
    one.send(&ann, room, "2").await;
    sleep(SETTLED).await;
    assert_eq!(status(&one).await, MessageStatus::Sent, "nobody has it, though he still counts as online");
    assert!(one.services.presence.is_online(&"bob".parse::<UserId>().expect("a valid id")));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn typing_ends_everywhere_when_its_node_is_gone_and_not_before() {
    let Pair { cluster, one, mut two, ann, room, held, .. } = two().await;
    let typing = |event: &Arc<Event>| match &**event {
        Event::TypingStarted { .. } => Some(true),
        Event::TypingStopped { .. } => Some(false),
        _ => None,
    };
    let session = one.services.following.first_session();
    for _ in 0..8 {
        one.services.typing.start(&ann, room, session).await.expect("she types");
        sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(two.within(Duration::ZERO).await.iter().filter_map(typing).collect::<Vec<_>>(), [true]);
    cluster.kill(one);
    assert_eq!(two.within(Duration::from_secs(6)).await.iter().filter_map(typing).collect::<Vec<_>>(), [false]);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn an_event_for_many_goes_to_each_node_once() {
    let cluster = Cluster::new();
    let (one, mut two, mut three) = (cluster.node(1), cluster.node(2), cluster.node(3));
    let owner = one.user("u0").await;
    let mut users = Vec::new();
    let mut held = vec![one.connect(&owner).await];
    for n in 1..60 {
        let node = if n % 2 == 0 { &two } else { &three };
        let user = node.user(&format!("u{n}")).await;
        held.push(node.connect(&user).await);
        users.push(user.id);
    }
    let group = one.services.conversing.create_group(&owner, "All", users).await.expect("a group").conversation.id;
    two.within(SETTLED).await;
    three.within(SETTLED).await;
    for _ in 0..20 {
        one.send(&owner, group, "hello").await;
    }
    for node in [&mut two, &mut three] {
        assert_eq!(node.texts().await.len(), 20);
        assert_eq!(cluster.network.messages_to(node.id), 20, "however many are on it");
    }
}

/// What is handed on of calls: what happened, to whom.
fn of_calls(events: &[Arc<Event>]) -> Vec<String> {
    let said = |event: &Arc<Event>| {
        let Event::Call { what, to, .. } = &**event else { return None };
        let what = match what {
            CallEvent::Invited { from, .. } => format!("{from} invites"),
            CallEvent::Accepted(step) => format!("{} accepts", step.user_id),
            CallEvent::Rejected(step) => format!("{} rejects", step.user_id),
            CallEvent::HungUp(step) => format!("{} hangs up: {:?}", step.user_id, step.reason.as_deref()),
            CallEvent::Signal { from, data } => format!("{from} says {data}"),
        };
        Some(match to {
            CallAudience::Users(_) => what,
            CallAudience::Socket(session) => format!("{what} to {}", session.node().0),
        })
    };
    events.iter().filter_map(said).collect()
}

fn call_id() -> CallId {
    CallId::new("c").expect("a valid id")
}

/// Ann has called Bob, and he has accepted on the other node.
async fn calling(two: &mut Pair) -> (SessionId, SessionId) {
    let (ann_session, bob_session) =
        (two.one.services.following.first_session(), two.two.services.following.first_session());
    let invitation = Invitation { conversation_id: two.room, call_id: call_id(), media: CallMedia::Audio, data: None };
    two.one.services.calling.invite(&two.ann.id, ann_session, invitation).await.expect("it rings");
    assert_eq!(of_calls(&two.two.within(SETTLED).await), ["ann invites"]);
    two.two.services.calling.accept(&two.bob.id, bob_session, &call_id()).await.expect("he comes in");
    (ann_session, bob_session)
}

#[tokio::test(start_paused = true)]
async fn people_on_two_nodes_call_each_other() {
    let mut two = two().await;
    let (ann_session, bob_session) = calling(&mut two).await;
    let (here, there) = (&two.one.services.calling, &two.two.services.calling);
    here.signal(&two.ann.id, ann_session, &call_id(), &two.bob.id, "1".to_owned()).await.expect("a word");
    there.signal(&two.bob.id, bob_session, &call_id(), &two.ann.id, "2".to_owned()).await.expect("an answer");
    let again = Invitation { conversation_id: two.room, call_id: call_id(), media: CallMedia::Audio, data: None };
    assert!(matches!(there.invite(&two.bob.id, bob_session, again).await, Err(Error::Conflict(_))), "the id is taken");
    let unknown = CallId::new("other").expect("a valid id");
    assert_eq!(there.hang_up(&two.bob.id, &unknown, None).await, Err(Error::NotFound("Call not found")));
    there.hang_up(&two.bob.id, &call_id(), None).await.expect("he goes");
    let over = there.signal(&two.bob.id, bob_session, &call_id(), &two.ann.id, "3".to_owned()).await;
    assert_eq!(over, Err(Error::Conflict("The call is over")));
    let told = of_calls(&two.one.within(SETTLED).await);
    assert!(told.contains(&"bob accepts".to_owned()) && told.contains(&"bob hangs up: None".to_owned()), "{told:?}");
    assert!(told.contains(&"bob says 2 to 1".to_owned()), "{told:?}");
    let told = of_calls(&two.two.within(SETTLED).await);
    assert_eq!(told, ["bob accepts", "ann says 1 to 2", "bob hangs up: None"], "what is for her socket stays away");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_when_a_socket_or_a_node_is_gone() {
    for killed in [false, true] {
        let mut two = two().await;
        let (_, bob_session) = calling(&mut two).await;
        if killed {
            two.cluster.kill(two.two);
        } else {
            two.two.services.calling.socket_gone(&two.bob.id, bob_session);
        }
        let told = of_calls(&two.one.within(Duration::from_secs(25)).await);
        assert_eq!(told.last().map(String::as_str), Some("bob hangs up: Some(\"disconnected\")"), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_in_a_call_of_a_node_that_is_gone_is_answered() {
    let mut two = two().await;
    calling(&mut two).await;
    two.cluster.kill(two.one);
    let gone = two.two.services.calling.hang_up(&two.bob.id, &call_id(), None).await;
    assert!(matches!(gone, Err(Error::Unavailable(_))));
}

fn notified(events: &[Arc<Event>]) -> usize {
    events.iter().filter(|event| matches!(***event, Event::NotificationNew { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_a_conversation_on_another_node_is_not_notified_of_it() {
    let Pair { mut two, mut one, ann, bob, room, held, .. } = two().await;
    two.rooms.enter(room, &bob);
    one.send(&ann, room, "1").await;
    let told = two.within(SETTLED).await;
    assert_eq!((texts(&told).len(), notified(&told)), (1, 0));
    assert_eq!(notified(&one.within(SETTLED).await), 0, "none is made to be taken back");
    two.rooms.leave(room, &bob);
    one.send(&ann, room, "2").await;
    assert_eq!(notified(&two.within(SETTLED).await), 1);
    assert_eq!(one.services.notifying.unread(&bob.id).await, Ok(1));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_say_who_looks_takes_back_what_they_have_seen() {
    let Pair { cluster, mut two, mut one, ann, bob, room, held } = two().await;
    two.rooms.enter(room, &bob);
    // The message, what was let through, and the question of who looks.
    cluster.network.lose(two.id, 3);
    one.send(&ann, room, "1").await;
    assert_eq!(notified(&two.within(SETTLED).await), 0);
    assert_eq!(notified(&one.within(SETTLED).await), 1);
    assert_eq!(one.services.notifying.unread(&bob.id).await, Ok(0));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn who_had_nothing_unread_reads_what_another_node_has_noted_since() {
    let Pair { mut two, one, ann, bob, room, held, .. } = two().await;
    // Nobody hears that she has read, which would be a reason to ask again.
    one.rooms.enter(room, &ann);
    for (looks, made) in [(true, 0), (false, 1)] {
        if looks {
            two.rooms.enter(room, &bob);
        } else {
            two.rooms.leave(room, &bob);
        }
        one.send(&ann, room, "here?").await;
        assert_eq!(notified(&two.within(SETTLED).await), made);
        two.send(&bob, room, "I have read it").await;
        two.within(SETTLED).await;
        assert_eq!(two.services.notifying.unread(&bob.id).await, Ok(0));
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn many_who_look_on_another_node_are_named_in_parts() {
    let cluster = Cluster::new();
    let (mut one, two) = (cluster.node(1), cluster.node(2));
    let ann = one.user("ann").await;
    let mut people = Vec::new();
    for n in 0..25 {
        people.push(two.user(&format!("user-{n}")).await);
    }
    let mut held = vec![one.connect(&ann).await];
    for user in &people {
        held.push(two.connect(user).await);
    }
    let ids = people.iter().map(|user| user.id.clone()).collect();
    let room = one.services.conversing.create_group(&ann, "All", ids).await.expect("a group").conversation.id;
    for user in &people {
        two.rooms.enter(room, user);
    }
    // Visitors who look on fill several words.
    for n in 0..2_500 {
        two.rooms.enter(room, &User::nameless(format!("visitor-{n}").parse().expect("a valid id")));
    }
    one.within(SETTLED).await;
    one.send(&ann, room, "1").await;
    assert_eq!(notified(&one.within(SETTLED).await), 0);
}

#[tokio::test(start_paused = true)]
async fn a_product_hears_whether_anybody_looks_on_any_node() {
    let Pair { two, one, bob, room, held, .. } = two().await;
    let event = || ProductEvent::new("order:updated", None).expect("a valid event");
    assert_eq!(one.services.backend.emit_to_conversation(room, event()).await, Ok(false));
    two.rooms.enter(room, &bob);
    assert_eq!(one.services.backend.emit_to_conversation(room, event()).await, Ok(true));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn what_one_node_has_let_through_the_other_does_not_while_it_hears_of_it() {
    let Pair { cluster, one, two, ann, bob, held, .. } = two().await;
    let burst = Rates::default().sends.burst;
    let let_through = |node: &Node, user: &User| {
        let limiting = node.services.limiting.clone();
        (0..burst).filter(|_| limiting.send(&user.id).is_ok()).count()
    };
    assert_eq!(let_through(&one, &ann), 30);
    sleep(Duration::from_millis(100)).await;
    assert!(let_through(&two, &ann) <= 1, "what has come back meanwhile");
    assert_eq!(let_through(&two, &bob), 30, "others are not concerned");
    // Long enough for whatever anybody owes.
    sleep(Duration::from_mins(1)).await;
    cluster.network.cut(two.id);
    assert_eq!(let_through(&one, &ann), 30);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(let_through(&two, &ann), 30, "nobody waits for a word that does not come");
    drop(held);
}
