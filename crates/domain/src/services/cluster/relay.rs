//! The worker between the bus and the sockets of a node among others. It takes what happens here and what others say,
//! hands it on to the delivery in order, and looks into the storage when something is missing: when a change skips
//! ahead, after the link was down, and again and again as long as words may be lost. It never waits for the link, and for
//! the storage only beside its other work.

use std::sync::Arc;
use std::time::Duration;

use futures::future::FutureExt;
use futures::stream::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::beside::{Beside, RETRY, Stepped};
use super::following::{Following, Shared};
use super::lookers::Lookers;
use super::nodes::{BEAT, Nodes};
use super::reading::{Found, Reader};
use super::topic::{changed_by, topic_of};
use super::typists::{AGAIN, Typists};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{CallId, ConversationId, ConversationView, MessageStatus, NodeId, UserId};
use crate::ports::{CallAnswer, CallAsk, Conversations, Heard, Messages, Topic, Word};
use crate::services::calling::Calling;
use crate::services::limiting::Limiting;
use crate::services::meters::RelayMeters;
use crate::services::notifying::Notifying;
use crate::services::presence::Presence;
use crate::services::rosters::Rosters;
use crate::services::views::Views;

/// How often there is something to look after.
const TICK: Duration = Duration::from_millis(50);
/// How long a change waits for those before it to come by themselves.
const OVERTAKING: Duration = Duration::from_millis(50);
/// How often the storage is looked into while words may be lost.
const LOOK: Duration = Duration::from_millis(1_200);
/// How soon it is when somebody asks for it, at most.
const LOOK_SOON: Duration = Duration::from_millis(200);
/// The most conversations that are read at a time.
const READING: usize = 8;
/// The most people in one word about whose sends were let through.
const PEOPLE: usize = 1_000;
/// The most steps in calls that others wait for at a time.
const STEPS: usize = 1_024;

/// What a relay is made of.
pub(in crate::services) struct Needs {
    pub(in crate::services) following: Following,
    pub(in crate::services) presence: Presence,
    pub(in crate::services) notifying: Notifying,
    pub(in crate::services) calling: Calling,
    pub(in crate::services) limiting: Limiting,
    pub(in crate::services) lookers: Lookers,
    pub(in crate::services) rosters: Rosters,
    pub(in crate::services) views: Views,
    pub(in crate::services) messages: Arc<dyn Messages>,
    pub(in crate::services) conversations: Arc<dyn Conversations>,
}

/// What goes into a relay, and out of it.
pub struct RelayEnds {
    /// What happened on this node, as the bus hands it out.
    pub local: mpsc::Receiver<Arc<Event>>,
    /// What the link hears.
    pub heard: mpsc::Receiver<Heard>,
    /// Where the transport takes it from.
    pub delivery: mpsc::Sender<Arc<Event>>,
}

/// Relays events between the nodes and this one's sockets.
pub struct Relay {
    shared: Arc<Shared>,
    reader: Reader,
    presence: Presence,
    notifying: Notifying,
    calling: Calling,
    limiting: Limiting,
    lookers: Lookers,
    nodes: Nodes,
    typists: Typists,
    meters: RelayMeters,
}

impl Relay {
    /// A relay; `None` for a node that is alone.
    pub(in crate::services) fn new(needs: Needs) -> Option<Box<Self>> {
        let Needs {
            following,
            presence,
            notifying,
            calling,
            limiting,
            lookers,
            rosters,
            views,
            messages,
            conversations,
        } = needs;
        let shared = Arc::clone(following.shared()?);
        let reader = Reader { messages, conversations, rosters, views };
        let (nodes, typists, meters) = (Nodes::default(), Typists::default(), RelayMeters::new());
        Some(Box::new(Self { shared, reader, presence, notifying, calling, limiting, lookers, nodes, typists, meters }))
    }

    /// Relays until the bus or the delivery is closed.
    pub async fn run(mut self: Box<Self>, ends: RelayEnds) {
        let RelayEnds { mut local, mut heard, delivery } = ends;
        let mut beside = Beside::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Arc::clone(&self.shared);
        loop {
            let ready = tokio::select! {
                event = local.recv() => match event {
                    Some(event) => self.happened(event, &mut beside),
                    None => return,
                },
                Some(heard) = heard.recv() => self.heard(heard, &mut beside),
                Some((conversation, found)) = beside.reads.next() => self.read(conversation, found),
                Some(looked) = beside.looks.next() => beside.looked(looked),
                Some(stepped) = beside.steps.next() => self.stepped(stepped),
                () = shared.look.notified() => {
                    beside.look_wanted = true;
                    Vec::new()
                }
                _ = ticks.tick() => self.tick(&mut beside),
            };
            for event in ready {
                if delivery.send(event).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Something happened here.
    fn happened(&mut self, event: Arc<Event>, beside: &mut Beside) -> Vec<Arc<Event>> {
        self.typists.here(&event);
        self.move_people(&event, beside);
        self.in_order(event)
    }

    fn heard(&mut self, heard: Heard, beside: &mut Beside) -> Vec<Arc<Event>> {
        let (node, word) = match heard {
            Heard::Word(node, word) => (node, word),
            Heard::Lost => {
                beside.look_wanted = true;
                return Vec::new();
            }
        };
        if !self.nodes.heard(node, Instant::now()) {
            return Vec::new();
        }
        match word {
            Word::Event(event) => return self.happened_elsewhere(node, event, beside),
            Word::Look => beside.look_wanted = true,
            Word::Beat { users, sum } => self.compare(node, users, sum),
            Word::Farewell => self.nodes.leaves(node, Instant::now()),
            Word::Here(user) => self.presence.came_elsewhere(node, user),
            Word::Gone(user) => self.presence.went_elsewhere(node, &user),
            Word::WhoIsHere => self.presence.name_all(node),
            Word::AllHere { users, more } => self.presence.are_elsewhere(node, users, more),
            Word::Sent(sends) => {
                for (user, count) in sends {
                    self.limiting.sent_elsewhere(&user, count);
                }
            }
            Word::LookingAsked { number, conversations } => self.lookers.answer(node, number, conversations),
            Word::LookingAnswered { number, looking, more } => self.lookers.answered(node, number, looking, more),
            Word::CallAsked { number, call_id, ask } => self.step(node, number, call_id, ask, beside),
            Word::CallAnswered { number, answer } => self.calling.answered(number, answer),
        }
        Vec::new()
    }

    fn compare(&mut self, node: NodeId, users: u64, sum: u64) {
        if !self.presence.agrees(node, users, sum) && self.nodes.may_ask(node, Instant::now()) {
            self.shared.link.say(&Topic::Node(node), Word::WhoIsHere);
        }
    }

    /// Somebody on another node takes a step in a call of this one.
    fn step(&self, node: NodeId, number: u64, call_id: CallId, ask: CallAsk, beside: &mut Beside) {
        if beside.steps.len() >= STEPS {
            let answer = CallAnswer::Failed;
            return self.shared.link.say(&Topic::Node(node), Word::CallAnswered { number, answer });
        }
        let (calling, waits) = (self.calling.clone(), !matches!(ask, CallAsk::SocketGone { .. }));
        let stepping = async move {
            let answer = calling.step_of_another(&call_id, ask).await;
            waits.then_some((node, number, answer))
        };
        beside.steps.push(stepping.boxed());
    }

    fn stepped(&self, stepped: Stepped) -> Vec<Arc<Event>> {
        if let Some((node, number, answer)) = stepped {
            self.shared.link.say(&Topic::Node(node), Word::CallAnswered { number, answer });
        }
        Vec::new()
    }

    fn happened_elsewhere(&mut self, node: NodeId, event: Arc<Event>, beside: &mut Beside) -> Vec<Arc<Event>> {
        self.notifying.heard(&event);
        self.calling.heard(node, &event);
        if let Event::ParticipantRemoved { conversation_id, user_id } = &*event {
            let (calling, conversation, user) = (self.calling.clone(), *conversation_id, user_id.clone());
            let putting_out = async move {
                calling.removed(&user, conversation).await;
                None
            };
            beside.steps.push(putting_out.boxed());
        }
        if self.is_seen_anyway(&event, beside) || !self.typists.elsewhere(&event, Instant::now()) {
            return Vec::new();
        }
        self.move_people(&event, beside);
        let ready = self.in_order(event);
        self.mark_reached(&ready);
        ready
    }

    /// Whether an event notifies somebody of a conversation who is looking at it here, of which the node that made the
    /// notification has not heard: it had no answer, or they came to look since. It counts as read, and nobody hears of it.
    fn is_seen_anyway(&self, event: &Event, beside: &mut Beside) -> bool {
        let Event::NotificationNew { user_id, notification, .. } = event else { return false };
        let Some(conversation) = notification.conversation_id else { return false };
        if !self.lookers.here(conversation).contains(user_id) {
            return false;
        }
        let (notifying, reader) = (self.notifying.clone(), user_id.clone());
        let reading = async move {
            notifying.conversation_read(conversation, reader).await;
            None
        };
        beside.steps.push(reading.boxed());
        true
    }

    /// Follows what somebody who is held has come into, and no longer what they have left.
    fn move_people(&self, event: &Event, beside: &mut Beside) {
        match event {
            Event::ConversationNew { conversation, users } => {
                self.reader.rosters.forget(conversation.conversation.id);
                self.enter(conversation, users, beside);
            }
            Event::ConversationUpdated { conversation, .. } => {
                self.reader.rosters.forget(conversation.conversation.id);
            }
            Event::ParticipantRemoved { conversation_id, user_id } => {
                self.reader.rosters.forget(*conversation_id);
                let mut holdings = self.shared.holdings.lock();
                let topic = holdings.leave(user_id, *conversation_id);
                self.shared.link.unfollow(topic.into_iter().collect());
            }
            _ => {}
        }
    }

    fn enter(&self, view: &ConversationView, users: &[UserId], beside: &mut Beside) {
        let conversation = &view.conversation;
        // The message that tells of their coming is news to them.
        let (seq, rev) = (conversation.last_seq.saturating_sub(1), conversation.rev.saturating_sub(1));
        let mut holdings = self.shared.holdings.lock();
        let topics = users.iter().filter_map(|user| holdings.enter(user, conversation.id, seq, rev));
        let topics: Vec<Topic> = topics.collect();
        if topics.is_empty() {
            return;
        }
        self.shared.link.follow(topics);
        drop(holdings);
        // Something may have been said before this node could hear it.
        let (reader, link, id) = (self.reader.clone(), Arc::clone(&self.shared.link), conversation.id);
        let read = async move {
            link.settled().await;
            (id, reader.read(id, rev).await)
        };
        beside.reads.push(read.boxed());
    }

    /// Hands a change on in its turn, and anything else at once.
    fn in_order(&self, event: Arc<Event>) -> Vec<Arc<Event>> {
        match changed_by(&event) {
            Some(changed) => self.shared.holdings.lock().arrive(changed, event, Instant::now()),
            None => vec![event],
        }
    }

    /// A message that reached nobody where it was stored may reach somebody here.
    fn mark_reached(&self, ready: &[Arc<Event>]) {
        for event in ready {
            let Event::MessageNew { message, participants, .. } = &**event else { continue };
            if message.status != MessageStatus::Sent {
                continue;
            }
            let others = participants.iter().filter(|user| **user != message.sender.id);
            if let Some(user) = others.into_iter().find(|user| self.presence.is_reached(user)) {
                self.presence.mark_reached(user);
            }
        }
    }

    fn read(&self, conversation: ConversationId, found: Result<Found>) -> Vec<Arc<Event>> {
        let now = Instant::now();
        match found {
            Ok(found) => {
                let ready = self.shared.holdings.lock().repaired(conversation, found, now);
                self.mark_reached(&ready);
                if !ready.is_empty() {
                    self.meters.repaired();
                }
                ready
            }
            Err(Error::ConversationNotFound) => Vec::new(),
            Err(error) => {
                tracing::warn!(%conversation, %error, "what was missed cannot be read yet");
                self.shared.holdings.lock().again(conversation, now + RETRY);
                Vec::new()
            }
        }
    }

    fn tick(&mut self, beside: &mut Beside) -> Vec<Arc<Event>> {
        let now = Instant::now();
        let up = *self.shared.link.health().borrow();
        if up && !beside.was_up {
            self.nodes.renew(now);
            beside.look_wanted = true;
        }
        beside.was_up = up;
        self.meters.link(up);
        if now >= beside.beat {
            beside.beat = now + BEAT;
            self.presence.beat();
        }
        if now >= beside.again {
            beside.again = now + AGAIN;
            self.say_again();
        }
        for sends in self.limiting.take_untold().chunks(PEOPLE) {
            self.shared.link.say(&Topic::Everyone, Word::Sent(sends.to_vec()));
        }
        if up {
            for node in self.nodes.ended(now) {
                tracing::info!(%node, "a node is gone");
                self.presence.lost(node);
                self.calling.node_gone(node);
            }
        }
        self.look(up, beside, now);
        self.read_what_is_missing(up, beside, now);
        self.typists.expired(now).into_iter().map(Arc::new).collect()
    }

    fn say_again(&self) {
        for event in self.typists.again() {
            if let Some(topic) = topic_of(event) {
                self.shared.link.say(&topic, Word::Event(Arc::clone(event)));
            }
        }
    }

    fn look(&self, up: bool, beside: &mut Beside, now: Instant) {
        let due = if beside.look_wanted {
            now >= beside.looked + LOOK_SOON
        } else {
            (!up || self.nodes.mistrusted(now)) && now >= beside.looked + LOOK
        };
        if due && beside.looks.is_empty() {
            beside.looked = now;
            beside.look_wanted = false;
            let (reader, shared) = (self.reader.clone(), Arc::clone(&self.shared));
            beside.looks.push(async move { reader.look(&shared).await }.boxed());
        }
    }

    fn read_what_is_missing(&self, up: bool, beside: &mut Beside, now: Instant) {
        let room = READING.saturating_sub(beside.reads.len());
        if room == 0 {
            return;
        }
        // Nothing comes by itself over a link that is down.
        let then = if up { now.checked_sub(OVERTAKING).unwrap_or(now) } else { now };
        let mut holdings = self.shared.holdings.lock();
        for conversation in holdings.take_behind(then, room) {
            if let Some((_, rev)) = holdings.position(conversation) {
                let reader = self.reader.clone();
                beside.reads.push(async move { (conversation, reader.read(conversation, rev).await) }.boxed());
            }
        }
    }
}
