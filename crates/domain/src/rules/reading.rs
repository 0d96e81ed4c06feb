//! What marking messages as read comes to. Storages load where the reader stands, ask here, and write the answer.

use super::ranges::{above, newly_covered, total, uncovered};
use crate::model::{ReadState, Seq, SeqRange};

/// A mark, before it is written.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What is read without it.
    pub before: ReadState,
    /// What is read with it.
    pub after: ReadState,
    /// The conversation's newest `seq`.
    pub last_seq: Seq,
    /// Nothing up to here counts as unread.
    pub floor: Seq,
    /// Tombstones above the floor that `before` does not cover.
    pub dead: u64,
}

impl Mark {
    /// What `before` counted as unread, tombstones included, and `after` does not.
    pub fn read(&self) -> Vec<SeqRange> {
        above(newly_covered(&self.before, &self.after, self.last_seq), self.floor)
    }

    /// What `after` counts as unread, when `dead` of it are tombstones.
    pub fn unread(&self, dead: u64) -> u64 {
        total(&above(uncovered(&self.after, self.last_seq), self.floor)).saturating_sub(dead)
    }

    /// The single reads that the count takes off.
    pub fn ahead_count(&self) -> u64 {
        total(&above(self.after.ahead().to_vec(), self.floor))
    }
}
