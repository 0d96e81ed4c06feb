//! What one participant has read of one conversation: everything up to a position, and beyond it a
//! small set of single messages that folds into the position as gaps close. Positions only rise.

use super::Seq;

/// Messages `first..=last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeqRange {
    /// The lowest.
    pub first: Seq,
    /// The highest; not below `first`.
    pub last: Seq,
}

impl SeqRange {
    fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

/// A read position and the single reads beyond it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadState {
    position: Seq,
    /// Rising, disjoint, not touching each other or the position.
    ahead: Vec<SeqRange>,
}

impl ReadState {
    /// The most ranges kept beyond the position. One more makes the position jump over the oldest gap, so
    /// that a client that reads every second message cannot grow a row without bound.
    pub const MAX_RANGES: usize = 512;

    /// A state that a storage kept.
    pub fn from_stored(position: Seq, ahead: Vec<SeqRange>) -> Self {
        Self { position, ahead }
    }

    /// Everything up to here is read.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Single reads beyond the position, rising.
    pub fn ahead(&self) -> &[SeqRange] {
        &self.ahead
    }

    /// How many messages beyond the position are read.
    pub fn ahead_count(&self) -> u64 {
        self.ahead.iter().map(|range| range.len()).sum()
    }

    /// Whether the message at `seq` is read.
    pub fn covers(&self, seq: Seq) -> bool {
        seq <= self.position || self.ahead.iter().any(|range| (range.first..=range.last).contains(&seq))
    }

    /// Reads everything up to `seq`. Says whether anything changed.
    pub fn advance_to(&mut self, seq: Seq) -> bool {
        if seq <= self.position {
            return false;
        }
        self.position = seq;
        self.fold();
        true
    }

    /// Reads the one message at `seq`. Says whether anything changed.
    pub fn mark(&mut self, seq: Seq) -> bool {
        if self.covers(seq) {
            return false;
        }
        let at = self.ahead.partition_point(|range| range.last < seq);
        self.ahead.insert(at, SeqRange { first: seq, last: seq });
        self.fold();
        true
    }

    /// Joins ranges that touch and lets the position swallow those that it reaches.
    fn fold(&mut self) {
        let mut kept: Vec<SeqRange> = Vec::with_capacity(self.ahead.len());
        for range in self.ahead.drain(..) {
            if range.first <= self.position + 1 {
                self.position = self.position.max(range.last);
            } else if let Some(before) = kept.last_mut().filter(|before| range.first <= before.last + 1) {
                before.last = before.last.max(range.last);
            } else {
                kept.push(range);
            }
        }
        if kept.len() > Self::MAX_RANGES {
            self.position = kept.remove(0).last;
        }
        self.ahead = kept;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Advance(Seq),
        Mark(Seq),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        prop::collection::vec(prop_oneof![(0..60u64).prop_map(Step::Advance), (1..60u64).prop_map(Step::Mark)], 0..80)
    }

    proptest! {
        #[test]
        fn it_remembers_exactly_what_was_read_and_never_goes_back(steps in steps()) {
            let (mut state, mut model, mut before) = (ReadState::default(), BTreeSet::new(), 0);
            for step in steps {
                let known = model.clone();
                let changed = match step {
                    Step::Advance(seq) => { model.extend(1..=seq); state.advance_to(seq) }
                    Step::Mark(seq) => { model.insert(seq); state.mark(seq) }
                };
                // A step that reads nothing new may still raise nothing: both views must agree.
                prop_assert!(changed || known == model);
                prop_assert!(state.position() >= before);
                before = state.position();
                for seq in 1..70 {
                    prop_assert_eq!(state.covers(seq), model.contains(&seq));
                }
                let beyond = model.iter().filter(|seq| **seq > state.position()).count();
                prop_assert_eq!(state.ahead_count(), beyond as u64);
            }
        }
    }

    #[test]
    fn reading_every_second_message_stays_bounded() {
        let mut state = ReadState::default();
        for seq in (2..10_000).step_by(2) {
            state.mark(seq);
        }
        assert!(state.ahead().len() <= ReadState::MAX_RANGES);
        assert!(state.covers(9_998) && state.position() > 1);
    }
}
