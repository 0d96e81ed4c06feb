//! Which messages a reader's state does not cover, as ranges of `seq`. Pure arithmetic: what lies in the
//! ranges (tombstones, own messages) is for the storages, whose queries are given them.

use crate::model::{ReadState, Seq, SeqRange};

/// The newest messages that one answer names, as the ports promise.
pub const NEWEST: u64 = 500;

/// What `state` does not cover up to `last`, rising.
pub fn uncovered(state: &ReadState, last: Seq) -> Vec<SeqRange> {
    let mut gaps = Vec::with_capacity(state.ahead().len() + 1);
    let mut next = state.position() + 1;
    for range in state.ahead() {
        if range.first > next {
            gaps.push(SeqRange { first: next, last: (range.first - 1).min(last) });
        }
        next = range.last + 1;
    }
    gaps.push(SeqRange { first: next, last });
    gaps.retain(|gap| gap.first <= gap.last);
    gaps
}

/// What `after` covers up to `last` and `before` did not, rising.
pub fn newly_covered(before: &ReadState, after: &ReadState, last: Seq) -> Vec<SeqRange> {
    let still = uncovered(after, last);
    let mut rest = still.as_slice();
    let mut new = Vec::new();
    for SeqRange { mut first, last } in uncovered(before, last) {
        while let [open, others @ ..] = rest {
            if open.last < first {
                rest = others;
            } else if open.first <= last {
                if open.first > first {
                    new.push(SeqRange { first, last: open.first - 1 });
                }
                first = open.last + 1;
                if first > last {
                    break;
                }
                rest = others;
            } else {
                break;
            }
        }
        if first <= last {
            new.push(SeqRange { first, last });
        }
    }
    new
}

/// The part of `ranges` that lies above `floor`.
pub fn above(mut ranges: Vec<SeqRange>, floor: Seq) -> Vec<SeqRange> {
    ranges.retain_mut(|range| {
        range.first = range.first.max(floor + 1);
        range.first <= range.last
    });
    ranges
}

/// How many messages lie in `ranges`.
pub fn total(ranges: &[SeqRange]) -> u64 {
    ranges.iter().map(|range| range.last - range.first + 1).sum()
}

/// Cuts a list, oldest first, down to the newest [`NEWEST`].
pub fn keep_newest<T>(items: &mut Vec<T>) {
    let most = usize::try_from(NEWEST).unwrap_or(usize::MAX);
    items.drain(..items.len().saturating_sub(most));
}

/// The upper end of `ranges`, long enough to hold the newest [`NEWEST`] messages that count when at most `dead`
/// of them do not. It bounds the work of naming what was read after a long absence.
pub fn newest(ranges: &[SeqRange], dead: u64) -> Vec<SeqRange> {
    let mut room = NEWEST.saturating_add(dead);
    let mut kept = Vec::new();
    for range in ranges.iter().rev() {
        if room == 0 {
            break;
        }
        let first = range.first.max(range.last.saturating_sub(room - 1));
        kept.push(SeqRange { first, last: range.last });
        room -= range.last - first + 1;
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pairs: &[(Seq, Seq)]) -> Vec<SeqRange> {
        pairs.iter().map(|(first, last)| SeqRange { first: *first, last: *last }).collect()
    }

    fn state(position: Seq, ahead: &[(Seq, Seq)]) -> ReadState {
        ReadState::from_stored(position, ranges(ahead))
    }

    fn members(ranges: &[SeqRange]) -> Vec<Seq> {
        ranges.iter().flat_map(|range| range.first..=range.last).collect()
    }

    #[test]
    fn gaps_are_what_is_not_covered() {
        assert_eq!(uncovered(&state(0, &[]), 0), vec![]);
        assert_eq!(uncovered(&state(3, &[]), 9), ranges(&[(4, 9)]));
        assert_eq!(uncovered(&state(3, &[(5, 6), (9, 9)]), 9), ranges(&[(4, 4), (7, 8)]));
    }

    #[test]
    fn the_difference_agrees_with_counting_one_by_one() {
        let states = [
            state(0, &[]),
            state(2, &[(5, 6)]),
            state(2, &[(4, 4), (6, 8)]),
            state(4, &[(6, 6)]),
            state(7, &[]),
            state(1, &[(3, 3), (5, 5), (7, 7), (9, 9)]),
            state(12, &[]),
        ];
        for before in &states {
            for after in &states {
                let expected: Vec<Seq> = (1..=12).filter(|seq| after.covers(*seq) && !before.covers(*seq)).collect();
                assert_eq!(members(&newly_covered(before, after, 12)), expected, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn only_the_newest_are_kept() {
        assert_eq!(newest(&ranges(&[(1, 10)]), 0), ranges(&[(1, 10)]));
        assert_eq!(newest(&ranges(&[(1, 1000)]), 0), ranges(&[(501, 1000)]));
        assert_eq!(newest(&ranges(&[(1, 1000), (2000, 2099)]), 7), ranges(&[(594, 1000), (2000, 2099)]));
    }
}
