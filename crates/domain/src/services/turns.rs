//! Turns: what changes somebody's notifications is stored and told before the next change begins, so that they hear of
//! changes in the order in which they were stored. Without that, two devices at once could leave a badge at the count
//! before the last. Turns are taken for a storage call and a publication, in one order, so nobody waits in a circle.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::model::UserId;

/// How many people's turns can be taken beside each other, at best.
const LANES: usize = 256;

/// Everybody's turns. Several people share a lane, which costs them a little time and nothing else.
pub(super) struct Turns {
    lanes: Vec<Mutex<()>>,
    hasher: RandomState,
}

/// Whose turn it is, until it is dropped.
pub(super) struct Turn<'a>(#[expect(dead_code, reason = "held, not used")] Vec<MutexGuard<'a, ()>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self { lanes: (0..LANES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Waits until nothing else is done to any of these people's notifications.
    pub(super) async fn of<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) -> Turn<'_> {
        let lanes: BTreeSet<usize> = users.into_iter().map(|user| self.lane(user)).collect();
        let mut taken = Vec::with_capacity(lanes.len());
        for lane in lanes {
            taken.push(self.lanes[lane].lock().await);
        }
        Turn(taken)
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
    fn lane(&self, user: &UserId) -> usize {
        self.hasher.hash_one(user) as usize % LANES
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn user(n: usize) -> UserId {
        format!("u{n}").parse().expect("a valid id")
    }

    #[tokio::test(start_paused = true)]
    async fn one_thing_at_a_time_is_done_for_one_person() {
        let turns = Turns::new();
        let ann = user(1);
        let taken = turns.of([&ann]).await;
        let again = tokio::time::timeout(Duration::from_secs(1), turns.of([&ann]));
        assert!(again.await.is_err());
        drop(taken);
        turns.of([&ann]).await;
    }

    #[tokio::test]
    async fn crowds_that_overlap_do_not_wait_in_a_circle() {
        let turns = Arc::new(Turns::new());
        let mut crowds = tokio::task::JoinSet::new();
        for n in 0..50 {
            let turns = turns.clone();
            crowds.spawn(async move {
                let mut crowd: Vec<UserId> = (n..n + 100).map(user).collect();
                if n % 2 == 0 {
                    crowd.reverse();
                }
                let turn = turns.of(&crowd).await;
                tokio::task::yield_now().await;
                drop(turn);
            });
        }
        assert_eq!(crowds.join_all().await.len(), 50);
    }
}
