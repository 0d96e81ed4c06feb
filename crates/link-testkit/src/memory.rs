//! A network in memory, for tests: as fast and forgetful as a real one, but it forgets when it is told to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use parlance_domain::event::Event;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Link, Topic, Word};
use tokio::sync::{mpsc, watch};

use crate::network::{Member, Network};

/// The most words that wait for a node.
const CAPACITY: usize = 4_096;

/// Links in memory. Cheap to clone.
#[derive(Clone, Default)]
pub struct MemoryNetwork(Arc<Mutex<HashMap<NodeId, Seat>>>);

struct Seat {
    heard: mpsc::Sender<Heard>,
    follows: HashSet<Topic>,
    up: watch::Sender<bool>,
    /// So many of the next words to it are lost without a trace.
    lose: usize,
    /// How many new messages it was told of.
    messages: usize,
    /// There was no room for something.
    missed: bool,
}

/// One node's end.
pub struct MemoryLink {
    node: NodeId,
    network: MemoryNetwork,
    health: watch::Receiver<bool>,
}

impl MemoryNetwork {
    /// A node comes.
    pub fn add(&self, node: NodeId) -> (Arc<MemoryLink>, mpsc::Receiver<Heard>) {
        let (heard, hears) = mpsc::channel(CAPACITY);
        let (up, health) = watch::channel(true);
        let seat = Seat { heard, follows: HashSet::new(), up, lose: 0, messages: 0, missed: false };
        self.0.lock().insert(node, seat);
        (Arc::new(MemoryLink { node, network: self.clone(), health }), hears)
    }

    /// A node hears nothing more, and nobody hears it; it knows.
    pub fn cut(&self, node: NodeId) {
        if let Some(seat) = self.0.lock().get(&node) {
            seat.up.send_replace(false);
        }
    }

    /// A node that was cut off is back.
    pub fn mend(&self, node: NodeId) {
        if let Some(seat) = self.0.lock().get_mut(&node) {
            seat.up.send_replace(true);
            seat.missed = true;
        }
        self.bring(node, &Topic::Everyone, &Word::Look);
    }

    /// A node is gone without a word.
    pub fn kill(&self, node: NodeId) {
        self.0.lock().remove(&node);
    }

    /// The next `count` words to a node are lost, and nobody knows.
    pub fn lose(&self, node: NodeId, count: usize) {
        if let Some(seat) = self.0.lock().get_mut(&node) {
            seat.lose = count;
        }
    }

    /// How many times a node was told of a new message.
    pub fn messages_to(&self, node: NodeId) -> usize {
        self.0.lock().get(&node).map_or(0, |seat| seat.messages)
    }

    fn bring(&self, from: NodeId, topic: &Topic, word: &Word) {
        let mut seats = self.0.lock();
        if !seats.get(&from).is_some_and(Seat::is_up) {
            return;
        }
        for (node, seat) in seats.iter_mut().filter(|(node, seat)| **node != from && seat.is_up()) {
            let wants = match topic {
                Topic::Everyone => true,
                Topic::Node(named) => named == node,
                Topic::User(_) | Topic::Conversation(_) => seat.follows.contains(topic),
            };
            if wants {
                seat.take(from, word);
            }
        }
    }
}

impl Seat {
    fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    fn take(&mut self, from: NodeId, word: &Word) {
        if self.lose > 0 {
            self.lose -= 1;
            return;
        }
        if self.missed && self.heard.try_send(Heard::Lost).is_ok() {
            self.missed = false;
        }
        self.messages += usize::from(matches!(word, Word::Event(event) if matches!(**event, Event::MessageNew { .. })));
        self.missed |= self.heard.try_send(Heard::Word(from, word.clone())).is_err();
    }
}

#[async_trait]
impl Link for MemoryLink {
    fn node(&self) -> NodeId {
        self.node
    }

    fn say(&self, topic: &Topic, word: Word) {
        self.network.bring(self.node, topic, &word);
    }

    fn follow(&self, topics: Vec<Topic>) {
        if let Some(seat) = self.network.0.lock().get_mut(&self.node) {
            seat.follows.extend(topics);
        }
    }

    fn unfollow(&self, topics: Vec<Topic>) {
        if let Some(seat) = self.network.0.lock().get_mut(&self.node) {
            for topic in &topics {
                seat.follows.remove(topic);
            }
        }
    }

    async fn settled(&self) {}

    fn health(&self) -> watch::Receiver<bool> {
        self.health.clone()
    }

    async fn close(&self) {}
}

#[async_trait]
impl Network for MemoryNetwork {
    async fn join(&self, node: NodeId) -> Member {
        let (link, heard) = self.add(node);
        Member { link, heard }
    }
}
