//! Who is on one node, with a sum of their names by which two nodes find out that they mean the same people without
//! naming them.

use std::collections::HashSet;

use crate::model::UserId;

/// The users on one node.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    users: HashSet<UserId>,
    sum: u64,
}

impl Crowd {
    /// Says whether they were not there before.
    pub(super) fn insert(&mut self, user: UserId) -> bool {
        let name = hashed(&user);
        let new = self.users.insert(user);
        if new {
            self.sum = self.sum.wrapping_add(name);
        }
        new
    }

    /// Says whether they were there.
    pub(super) fn remove(&mut self, user: &UserId) -> bool {
        let was_there = self.users.remove(user);
        if was_there {
            self.sum = self.sum.wrapping_sub(hashed(user));
        }
        was_there
    }

    pub(super) fn contains(&self, user: &UserId) -> bool {
        self.users.contains(user)
    }

    pub(super) fn users(&self) -> &HashSet<UserId> {
        &self.users
    }

    /// How many there are, and the sum of their names: the same on every node and in every version.
    pub(super) fn digest(&self) -> (u64, u64) {
        (self.users.len() as u64, self.sum)
    }
}

impl FromIterator<UserId> for Crowd {
    fn from_iter<I: IntoIterator<Item = UserId>>(users: I) -> Self {
        let mut crowd = Self::default();
        for user in users {
            crowd.insert(user);
        }
        crowd
    }
}

/// FNV-1a: the standard library's hashes are not promised to stay what they are.
fn hashed(user: &UserId) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    user.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_digest_says_who_is_there_and_not_how_they_came(steps in prop::collection::vec((any::<bool>(), 0_u8..20), 0..60)) {
            let user = |n: u8| format!("u{n}").parse::<UserId>().expect("a valid id");
            let mut crowd = Crowd::default();
            for (comes, n) in steps {
                if comes { crowd.insert(user(n)) } else { crowd.remove(&user(n)) };
            }
            let again: Crowd = crowd.users().iter().cloned().collect();
            prop_assert_eq!(again.digest(), crowd.digest());
            let mut other: Crowd = crowd.users().iter().cloned().collect();
            other.insert(user(99));
            prop_assert_ne!(other.digest(), crowd.digest());
        }
    }
}
