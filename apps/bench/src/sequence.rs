//! Which places of a conversation were seen: what came twice, out of order, or not at all. Kept as the next place and
//! the gaps before it, so it takes no more memory than there are faults.

use std::ops::Range;

/// What a place was to a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It is the next one, or one further on.
    InOrder,
    /// A later one came before it.
    OutOfOrder,
    /// It was there before.
    Duplicate,
}

/// The places seen of one conversation, which are numbered from 1.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    next: u64,
    /// What was skipped, in order.
    gaps: Vec<Range<u64>>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { next: 1, gaps: Vec::new() }
    }
}

impl Sequence {
    /// Notes a place.
    pub(crate) fn note(&mut self, seq: u64) -> Noted {
        if seq >= self.next {
            if seq > self.next {
                self.gaps.push(self.next..seq);
            }
            self.next = seq + 1;
            return Noted::InOrder;
        }
        let Some(index) = self.gaps.iter().position(|gap| gap.contains(&seq)) else { return Noted::Duplicate };
        let gap = self.gaps.remove(index);
        let parts = [gap.start..seq, seq + 1..gap.end];
        self.gaps.splice(index..index, parts.into_iter().filter(|part| !part.is_empty()));
        Noted::OutOfOrder
    }

    /// How many of `others` were not seen here.
    pub(crate) fn lacks(&self, others: &Self) -> u64 {
        let tail = self.next..others.next.max(self.next);
        self.gaps.iter().chain([&tail]).map(|range| others.within(range)).sum()
    }

    /// How many of a range were seen.
    fn within(&self, range: &Range<u64>) -> u64 {
        let end = range.end.min(self.next);
        let unseen: u64 = self.gaps.iter().map(|gap| gap.end.min(end).saturating_sub(gap.start.max(range.start))).sum();
        end.saturating_sub(range.start) - unseen
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_doubles_and_gaps_are_told_apart() {
        use Noted::{Duplicate, InOrder, OutOfOrder};
        let mut seen = Sequence::default();
        let noted: Vec<Noted> = [1, 2, 5, 3, 3, 2, 6].into_iter().map(|seq| seen.note(seq)).collect();
        assert_eq!(noted, [InOrder, InOrder, InOrder, OutOfOrder, Duplicate, Duplicate, InOrder]);
    }

    #[test]
    fn what_was_acked_and_never_came_is_lost() {
        let (mut acked, mut received) = (Sequence::default(), Sequence::default());
        for seq in [1, 2, 4, 5, 8] {
            acked.note(seq);
        }
        for seq in [1, 3, 5] {
            received.note(seq);
        }
        assert_eq!(received.lacks(&acked), 3, "2, 4 and 8; nobody was promised 6 and 7");
    }

    proptest! {
        #[test]
        fn it_counts_as_sets_do(seen in prop::collection::vec(1_u64..40, 0..60), other in prop::collection::vec(1_u64..40, 0..60)) {
            let (mut one, mut two) = (Sequence::default(), Sequence::default());
            let mut set = BTreeSet::new();
            for seq in seen {
                prop_assert_eq!(one.note(seq) == Noted::Duplicate, !set.insert(seq));
            }
            let others: BTreeSet<u64> = other.into_iter().inspect(|seq| { two.note(*seq); }).collect();
            prop_assert_eq!(one.lacks(&two), others.difference(&set).count() as u64);
        }
    }
}
