//! What a block forbids. It concerns direct conversations only: sending, starting, typing, presence, and receipts of
//! delivery, which tell of presence.
//! History stays readable, groups are unaffected (contract: `dialects.md`, "Blocking").

use crate::error::{Error, Result};

/// Whether two people block each other, seen by one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocking {
    /// The viewer blocks the other.
    pub by_viewer: bool,
    /// The other blocks the viewer.
    pub by_other: bool,
}

impl Blocking {
    /// Whether there is a block in either direction: neither sees the other's typing or presence, nor whether what was
    /// sent before has reached them.
    pub fn any(self) -> bool {
        self.by_viewer || self.by_other
    }

    /// Whether the viewer may send to the other, or start a conversation with them.
    ///
    /// # Errors
    /// `BlockedByYou` if the viewer blocks the other (also when both do), else `Blocked`.
    pub fn may_contact(self) -> Result<()> {
        match self {
            Self { by_viewer: true, .. } => Err(Error::BlockedByYou),
            Self { by_other: true, .. } => Err(Error::Blocked),
            Self { by_viewer: false, by_other: false } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocker_is_told_so_and_the_blocked_one_is_not() {
        let verdict = |by_viewer, by_other| Blocking { by_viewer, by_other }.may_contact();
        assert_eq!(verdict(false, false), Ok(()));
        assert_eq!(verdict(true, false), Err(Error::BlockedByYou));
        assert_eq!(verdict(false, true), Err(Error::Blocked));
        assert_eq!(verdict(true, true), Err(Error::BlockedByYou));
    }
}
