//! Who is online on other nodes, as they say it: with a word for each who comes and goes, and a sum now and then from
//! which a node sees that it has missed such a word. Then it asks for all of them. What a node said ends with its lease,
//! which is `services::cluster`'s matter.

use std::collections::HashMap;

use super::crowd::Crowd;
use super::{Presence, State};
use crate::model::{ConversationId, NodeId, UserId};
use crate::ports::{Topic, Word};

/// The most users in one word.
const PART: usize = 1_000;

/// One other node.
#[derive(Debug, Default)]
pub(super) struct Other {
    crowd: Crowd,
    /// The parts of an answer that is not whole yet.
    parts: Vec<UserId>,
}

/// All other nodes.
pub(super) type Others = HashMap<NodeId, Other>;

impl Presence {
    /// `user` has come to another node.
    pub(in crate::services) fn came_elsewhere(&self, node: NodeId, user: UserId) {
        let mut state = self.0.state.lock();
        if state.others.entry(node).or_default().crowd.insert(user.clone()) {
            state.is_elsewhere(user);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// `user` is gone from another node.
    pub(in crate::services) fn went_elsewhere(&self, node: NodeId, user: &UserId) {
        let mut state = self.0.state.lock();
        if state.others.get_mut(&node).is_some_and(|other| other.crowd.remove(user)) {
            state.is_no_longer_elsewhere(user);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// Some, or the last, of all who are on another node.
    pub(in crate::services) fn are_elsewhere(&self, node: NodeId, users: Vec<UserId>, more: bool) {
        let mut guard = self.0.state.lock();
        let state = &mut *guard;
        let other = state.others.entry(node).or_default();
        other.parts.extend(users);
        if more {
            return;
        }
        let now: Crowd = other.parts.drain(..).collect();
        let before = std::mem::replace(&mut other.crowd, now);
        let came: Vec<UserId> = other.crowd.users().difference(before.users()).cloned().collect();
        let went: Vec<UserId> = before.users().difference(other.crowd.users()).cloned().collect();
        for user in came {
            state.is_elsewhere(user);
        }
        for user in went {
            state.is_no_longer_elsewhere(&user);
        }
        drop(guard);
        self.0.wake.notify_one();
    }

    /// Another node is gone, with everybody on it.
    pub(in crate::services) fn lost(&self, node: NodeId) {
        let mut state = self.0.state.lock();
        let Some(other) = state.others.remove(&node) else { return };
        for user in other.crowd.users() {
            state.is_no_longer_elsewhere(user);
        }
        drop(state);
        self.0.wake.notify_one();
    }

    /// The other nodes on which somebody of a conversation is, and the conversations of which that holds.
    pub(in crate::services) fn nodes_of(
        &self,
        people: &HashMap<ConversationId, Vec<UserId>>,
    ) -> HashMap<NodeId, Vec<ConversationId>> {
        let state = self.0.state.lock();
        let of_node = |(node, other): (&NodeId, &Other)| {
            let is_there = |users: &[UserId]| users.iter().any(|user| other.crowd.contains(user));
            let conversations = people.iter().filter(|(_, users)| is_there(users)).map(|(id, _)| *id);
            Some((*node, conversations.collect::<Vec<_>>())).filter(|(_, conversations)| !conversations.is_empty())
        };
        state.others.iter().filter_map(of_node).collect()
    }

    /// Whether as many, and the same, are known to be on another node as it says.
    pub(in crate::services) fn agrees(&self, node: NodeId, users: u64, sum: u64) -> bool {
        let state = self.0.state.lock();
        state.others.get(&node).map_or((0, 0), |other| other.crowd.digest()) == (users, sum)
    }

    /// Says that this node lives, and who is here in sum. Said while nobody comes or goes, so that who hears it has
    /// heard of the same people before.
    pub(in crate::services) fn beat(&self) {
        let Some(link) = &self.0.link else { return };
        let state = self.0.state.lock();
        let (users, sum) = state.here.digest();
        link.say(&Topic::Everyone, Word::Beat { users, sum });
    }

    /// Says to another node who is here.
    pub(in crate::services) fn name_all(&self, to: NodeId) {
        let Some(link) = &self.0.link else { return };
        let state = self.0.state.lock();
        let users: Vec<UserId> = state.here.users().iter().cloned().collect();
        let mut parts = users.chunks(PART).peekable();
        if parts.peek().is_none() {
            return link.say(&Topic::Node(to), Word::AllHere { users: Vec::new(), more: false });
        }
        while let Some(part) = parts.next() {
            let more = parts.peek().is_some();
            link.say(&Topic::Node(to), Word::AllHere { users: part.to_vec(), more });
        }
    }
}

impl State {
    fn is_elsewhere(&mut self, user: UserId) {
        // Who starts while others are online need not tell nobody of each of them.
        let silent = self.here.digest().0 == 0;
        let entry = self.users.entry(user.clone()).or_default();
        entry.elsewhere += 1;
        entry.announced |= silent;
        if !entry.announced {
            self.due.push_back(user);
        }
    }

    fn is_no_longer_elsewhere(&mut self, user: &UserId) {
        let Some(entry) = self.users.get_mut(user) else { return };
        entry.elsewhere = entry.elsewhere.saturating_sub(1);
        if entry.elsewhere == 0 && entry.is_gone() {
            entry.left_here = false;
            self.due.push_back(user.clone());
        }
    }
}
