//! One conversation's changes on their way to this node's sockets: handed on in the order of their `rev`, each once.
//! `rev` counts 1, 2, 3 … whoever writes, so a number that is left out is a change of which this node has not heard.
//! What comes after it waits: for a moment, since words of two nodes overtake each other all the time, and then for the
//! storage to be read. What waits is bounded; all of it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::topic::Changed;
use crate::event::Event;
use crate::model::{Rev, Seq};

/// The most changes of one conversation that wait. What comes beyond them is read from the storage.
const MAX_WAITING: usize = 256;

/// How far one conversation has come on this node.
#[derive(Debug)]
pub(super) struct Sequence {
    /// Up to here everything is handed on.
    rev: Rev,
    /// The newest message that is handed on.
    seq: Seq,
    /// Up to here there is something in the storage, as far as anybody has said.
    known: Rev,
    waiting: BTreeMap<Rev, (Option<Seq>, Arc<Event>)>,
}

impl Sequence {
    /// A conversation of which everything up to here is no news.
    pub(super) fn from(seq: Seq, rev: Rev) -> Self {
        Self { rev, seq, known: rev, waiting: BTreeMap::new() }
    }

    pub(super) fn rev(&self) -> Rev {
        self.rev
    }

    pub(super) fn seq(&self) -> Seq {
        self.seq
    }

    /// There is something up to `rev` in the storage.
    pub(super) fn expect(&mut self, rev: Rev) {
        self.known = self.known.max(rev);
    }

    /// Whether something is missing.
    pub(super) fn is_behind(&self) -> bool {
        self.rev < self.known
    }

    /// A change came. Hands out what may go on now, in order: none while something before it is missing, none of what
    /// has been handed on.
    pub(super) fn arrive(&mut self, changed: Changed, event: Arc<Event>) -> Vec<Arc<Event>> {
        if changed.rev <= self.rev {
            return Vec::new();
        }
        self.expect(changed.rev);
        if changed.rev == self.rev + 1 {
            let mut ready = vec![event];
            self.hand_on(changed.rev, changed.seq);
            self.drain(&mut ready);
            return ready;
        }
        if self.waiting.len() < MAX_WAITING {
            self.waiting.insert(changed.rev, (changed.seq, event));
        }
        Vec::new()
    }

    /// The storage was read: what it holds are the messages as they are now that have changed since this sequence's
    /// `rev`, in `rev` order, and how far that goes. Hands out what may go on now, in order. `tell` makes the event for
    /// one of them, new to this node or not; what has come by itself meanwhile goes as it came.
    pub(super) fn repair<M>(
        &mut self,
        found: impl IntoIterator<Item = (Rev, Seq, M)>,
        until: Rev,
        tell: impl Fn(M, bool) -> Event,
    ) -> Vec<Arc<Event>> {
        let mut ready = Vec::new();
        for (rev, seq, message) in found {
            if rev > self.rev {
                let new = seq > self.seq;
                ready.push(match self.waiting.remove(&rev) {
                    // An edit that came is not enough where the message itself was lost.
                    Some((came, event)) if came.is_some() == new => event,
                    _ => Arc::new(tell(message, new)),
                });
                self.hand_on(rev, Some(seq));
            }
        }
        // Of a message that changed twice, only the last change is found.
        self.rev = self.rev.max(until);
        self.waiting = self.waiting.split_off(&(self.rev + 1));
        self.known = self.known.max(self.rev);
        self.drain(&mut ready);
        ready
    }

    fn hand_on(&mut self, rev: Rev, seq: Option<Seq>) {
        self.rev = rev;
        self.seq = self.seq.max(seq.unwrap_or(0));
    }

    fn drain(&mut self, ready: &mut Vec<Arc<Event>>) {
        while let Some((seq, event)) = self.waiting.remove(&(self.rev + 1)) {
            self.hand_on(self.rev + 1, seq);
            ready.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{ConversationId, Emoji, MessageId};

    const ROOM: ConversationId = ConversationId::from_bytes([9; 12]);

    /// An event that says only which change it is, and whether it was told as that of a new message.
    fn event(rev: Rev, added: bool) -> Event {
        Event::ReactionChanged {
            conversation_id: ROOM,
            message_id: MessageId::from_bytes([1; 12]),
            rev,
            emoji: Emoji::from_stored("x".to_owned()),
            user_id: "ann".parse().expect("a valid id"),
            added,
            reactions: Vec::new(),
        }
    }

    fn revs(events: &[Arc<Event>]) -> Vec<Rev> {
        let rev = |event: &Arc<Event>| match &**event {
            Event::ReactionChanged { rev, .. } => *rev,
            _ => 0,
        };
        events.iter().map(rev).collect()
    }

    /// The message `rev`, which has that place as well.
    fn arrive(sequence: &mut Sequence, rev: Rev) -> Vec<Rev> {
        let changed = Changed { conversation: ROOM, rev, seq: Some(rev) };
        revs(&sequence.arrive(changed, Arc::new(event(rev, true))))
    }

    fn repair(sequence: &mut Sequence, found: impl IntoIterator<Item = Rev>, until: Rev) -> Vec<Rev> {
        revs(&sequence.repair(found.into_iter().map(|rev| (rev, rev, rev)), until, event))
    }

    #[test]
    fn what_overtakes_waits_for_what_was_before_it() {
        let mut sequence = Sequence::from(0, 0);
        assert_eq!(arrive(&mut sequence, 2), [0; 0]);
        assert_eq!(arrive(&mut sequence, 3), [0; 0]);
        assert!(sequence.is_behind());
        assert_eq!(arrive(&mut sequence, 1), [1, 2, 3]);
        assert!(!sequence.is_behind());
        assert_eq!(arrive(&mut sequence, 2), [0; 0], "each once");
        assert_eq!(sequence.seq(), 3);
    }

    #[test]
    fn what_is_lost_is_read_and_what_came_meanwhile_goes_once() {
        let mut sequence = Sequence::from(0, 0);
        assert_eq!(arrive(&mut sequence, 4), [0; 0]);
        // 2 was changed again by 5, of which nobody has heard yet.
        assert_eq!(repair(&mut sequence, [1, 3, 4, 5], 5), [1, 3, 4, 5]);
        assert_eq!(arrive(&mut sequence, 5), [0; 0]);
        assert_eq!(arrive(&mut sequence, 6), [6]);
    }

    #[test]
    fn an_edit_that_came_does_not_stand_for_a_message_that_was_lost() {
        let told = |sequence: &mut Sequence| {
            let edit = Changed { conversation: ROOM, rev: 3, seq: None };
            sequence.arrive(edit, Arc::new(event(3, false)));
            // The second message, as its edit left it.
            sequence.repair([(3, 2, 3)], 3, event)
        };
        let new = |events: &[Arc<Event>]| matches!(&*events[0], Event::ReactionChanged { added: true, .. });
        assert!(new(&told(&mut Sequence::from(1, 1))));
        assert!(!new(&told(&mut Sequence::from(2, 1))), "it was there before");
    }

    #[test]
    fn a_page_that_is_not_the_last_leaves_it_behind() {
        let mut sequence = Sequence::from(0, 0);
        sequence.expect(10);
        assert_eq!(repair(&mut sequence, [1, 2], 2), [1, 2]);
        assert!(sequence.is_behind());
        assert_eq!(repair(&mut sequence, [], 10), [0; 0]);
        assert!(!sequence.is_behind());
    }

    #[test]
    fn what_waits_is_bounded_and_found_in_the_storage() {
        let mut sequence = Sequence::from(0, 0);
        let last = 2 * MAX_WAITING as Rev;
        for rev in 2..=last {
            arrive(&mut sequence, rev);
        }
        assert_eq!(sequence.waiting.len(), MAX_WAITING);
        assert_eq!(repair(&mut sequence, 1..=last, last), (1..=last).collect::<Vec<Rev>>());
    }

    proptest! {
        #[test]
        fn each_change_goes_once_and_in_order(
            order in Just((1..=40).collect::<Vec<Rev>>()).prop_shuffle(),
            lost in prop::collection::hash_set(1_u64..=40, 0..20),
            at in 0_usize..40,
        ) {
            let mut sequence = Sequence::from(0, 0);
            let (mut told, mut stored) = (Vec::new(), 0);
            for (n, rev) in order.into_iter().enumerate() {
                stored = stored.max(rev);
                if !lost.contains(&rev) {
                    told.extend(arrive(&mut sequence, rev));
                }
                if n == at {
                    let found = sequence.rev() + 1..=stored;
                    told.extend(repair(&mut sequence, found, stored));
                }
            }
            let found = sequence.rev() + 1..=40;
            told.extend(repair(&mut sequence, found, 40));
            prop_assert_eq!(told, (1..=40).collect::<Vec<Rev>>());
        }
    }
}
