//! What this node has let through and the others do not know of yet. It is told from time to time, many at once, by
//! whoever speaks to them; nobody who sends waits for that.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::model::UserId;

/// The most people between two times of telling. Sends of more count on this node alone.
const MAX_PEOPLE: usize = 20_000;

/// How many sends of whom.
#[derive(Debug, Default)]
pub(super) struct Untold(Mutex<HashMap<UserId, u32>>);

impl Untold {
    /// One was let through.
    pub(super) fn add(&self, user: &UserId) {
        let mut people = self.0.lock();
        if let Some(count) = people.get_mut(user) {
            *count = count.saturating_add(1);
        } else if people.len() < MAX_PEOPLE {
            people.insert(user.clone(), 1);
        }
    }

    /// All of it, which is told from here on.
    pub(super) fn take(&self) -> Vec<(UserId, u32)> {
        std::mem::take(&mut *self.0.lock()).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_are_told_once_and_of_so_many_people_at_most() {
        let untold = Untold::default();
        let user = |n: usize| format!("user-{n}").parse::<UserId>().expect("a valid id");
        for n in 0..=MAX_PEOPLE {
            untold.add(&user(n));
        }
        untold.add(&user(0));
        let told = untold.take();
        assert_eq!(told.len(), MAX_PEOPLE);
        assert!(told.contains(&(user(0), 2)));
        assert_eq!(untold.take(), []);
    }
}
