//! The other nodes, by when they were last heard of. A node that is silent for longer than its lease is gone, and those
//! who were on it with it. It may only be cut off and go on writing: so it is mistrusted, that is, looked after in the
//! storage, for some time still.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::NodeId;

/// How often a node says that it lives.
pub(super) const BEAT: Duration = Duration::from_millis(500);
/// How long a node may be silent before it may be cut off.
const LATE: Duration = Duration::from_millis(1_200);
/// How long a node may be silent before its users count as gone. They are offline 15 s after it was killed at the latest.
pub(super) const LEASE: Duration = Duration::from_secs(10);
/// What is left of the lease of a node that goes down in order: its users come back elsewhere.
const FAREWELL: Duration = Duration::from_secs(4);
/// How long a node that vanished is mistrusted.
const MISTRUST: Duration = Duration::from_mins(10);
/// How often another node is asked who is there.
const ASK: Duration = Duration::from_secs(1);
/// The most nodes that are known: beyond that they are not an installation but noise.
const MAX_NODES: usize = 1_000;

#[derive(Debug)]
struct Known {
    heard: Instant,
    /// Its users count as there until then.
    until: Instant,
    /// It said farewell.
    leaves: bool,
    /// Its users no longer count.
    gone: bool,
    asked: Option<Instant>,
}

/// The other nodes.
#[derive(Debug, Default)]
pub(super) struct Nodes(HashMap<NodeId, Known>);

impl Nodes {
    /// A node said something. `false` if there are too many to take notice of it.
    pub(super) fn heard(&mut self, node: NodeId, now: Instant) -> bool {
        if self.0.len() >= MAX_NODES && !self.0.contains_key(&node) {
            return false;
        }
        let fresh = Known { heard: now, until: now + LEASE, leaves: false, gone: false, asked: None };
        let known = self.0.entry(node).or_insert(fresh);
        known.heard = now;
        if !known.leaves {
            known.until = now + LEASE;
            known.gone = false;
        }
        true
    }

    /// A node goes down in order.
    pub(super) fn leaves(&mut self, node: NodeId, now: Instant) {
        if let Some(known) = self.0.get_mut(&node) {
            known.leaves = true;
            known.until = now + FAREWELL;
        }
    }

    /// Whether it is time to ask a node who is there.
    pub(super) fn may_ask(&mut self, node: NodeId, now: Instant) -> bool {
        let Some(known) = self.0.get_mut(&node).filter(|known| !known.leaves) else { return false };
        let due = known.asked.is_none_or(|asked| now >= asked + ASK);
        if due {
            known.asked = Some(now);
        }
        due
    }

    /// The link is up again after it was down: nobody could be heard meanwhile, and their leases begin anew.
    pub(super) fn renew(&mut self, now: Instant) {
        for known in self.0.values_mut().filter(|known| !known.gone && !known.leaves) {
            known.until = now + LEASE;
        }
    }

    /// Whether a node may write without being heard.
    pub(super) fn mistrusted(&self, now: Instant) -> bool {
        self.0.values().any(|known| !known.leaves && now >= known.heard + LATE)
    }

    /// Those whose lease has ended since this was last asked. While the link is down nobody's ends.
    pub(super) fn ended(&mut self, now: Instant) -> Vec<NodeId> {
        self.0.retain(|_, known| !known.gone || (!known.leaves && now < known.heard + MISTRUST));
        let ended = self.0.iter_mut().filter(|(_, known)| !known.gone && now >= known.until);
        ended
            .map(|(node, known)| {
                known.gone = true;
                *node
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: NodeId = NodeId(7);

    #[tokio::test(start_paused = true)]
    async fn a_silent_node_is_mistrusted_first_and_gone_later_and_may_come_back() {
        let (mut nodes, start) = (Nodes::default(), Instant::now());
        assert!(nodes.heard(OTHER, start));
        assert!(!nodes.mistrusted(start + BEAT));
        assert!(nodes.mistrusted(start + LATE));
        assert_eq!(nodes.ended(start + LEASE - BEAT), []);
        assert_eq!(nodes.ended(start + LEASE), [OTHER]);
        assert_eq!(nodes.ended(start + LEASE), [], "once");
        assert!(nodes.mistrusted(start + LEASE * 2), "it may be cut off");
        nodes.heard(OTHER, start + LEASE * 2);
        assert!(!nodes.mistrusted(start + LEASE * 2));
        assert_eq!(nodes.ended(start + LEASE * 3), [OTHER], "its lease began anew");
        assert_eq!(nodes.ended(start + LEASE * 2 + MISTRUST), []);
        assert!(nodes.0.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_in_order_is_not_mistrusted_and_gone_sooner() {
        let (mut nodes, start) = (Nodes::default(), Instant::now());
        nodes.heard(OTHER, start);
        nodes.leaves(OTHER, start);
        nodes.heard(OTHER, start);
        assert!(!nodes.mistrusted(start + LEASE));
        assert_eq!(nodes.ended(start + FAREWELL), [OTHER]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobodys_lease_ends_with_our_own_link() {
        let (mut nodes, start) = (Nodes::default(), Instant::now());
        nodes.heard(OTHER, start);
        nodes.renew(start + LEASE);
        assert_eq!(nodes.ended(start + LEASE + BEAT), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_asked_once_a_second() {
        let (mut nodes, start) = (Nodes::default(), Instant::now());
        nodes.heard(OTHER, start);
        assert!(nodes.may_ask(OTHER, start));
        assert!(!nodes.may_ask(OTHER, start + BEAT));
        assert!(nodes.may_ask(OTHER, start + ASK));
    }
}
