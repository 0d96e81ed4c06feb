//! How many uploads run at a time, in all and for one user: an upload takes a file, memory for its chunks and, for
//! a picture, a decoder. Freed when the slot is dropped, however the upload ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::model::UserId;

/// When somebody who found no slot may ask again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The uploads that run.
pub(super) struct Slots {
    running: Mutex<Running>,
    at_once: AtomicUsize,
    at_once_per_user: usize,
}

#[derive(Default)]
struct Running {
    all: usize,
    by_user: HashMap<UserId, usize>,
}

/// The right to one upload.
pub(super) struct Slot {
    slots: Arc<Slots>,
    user: UserId,
}

impl Slots {
    pub(super) fn new(at_once: usize, at_once_per_user: usize) -> Arc<Self> {
        Arc::new(Self { running: Mutex::default(), at_once: AtomicUsize::new(at_once), at_once_per_user })
    }

    /// Lets so many run at a time from now on; where more of them run, they end in peace.
    pub(super) fn change(&self, at_once: usize) {
        self.at_once.store(at_once, Ordering::Relaxed);
    }

    /// A slot for `user`.
    ///
    /// # Errors
    /// `RateLimited` while all slots, or all of this user's, are taken.
    pub(super) fn take(self: &Arc<Self>, user: &UserId) -> Result<Slot> {
        let mut running = self.running.lock();
        let own = running.by_user.get(user).copied().unwrap_or(0);
        if running.all >= self.at_once.load(Ordering::Relaxed) || own >= self.at_once_per_user {
            return Err(Error::RateLimited { retry_after: RETRY_AFTER });
        }
        running.all += 1;
        running.by_user.insert(user.clone(), own + 1);
        drop(running);
        Ok(Slot { slots: Arc::clone(self), user: user.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.slots.running.lock();
        running.all -= 1;
        if let Some(own) = running.by_user.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                running.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        name.parse().unwrap()
    }

    #[test]
    fn slots_are_bounded_in_all_and_for_each_and_come_back() {
        let slots = Slots::new(3, 2);
        let (ann, ben) = (user("ann"), user("ben"));
        let first = slots.take(&ann).ok();
        let second = slots.take(&ann).ok();
        assert!(first.is_some() && second.is_some());
        assert!(matches!(slots.take(&ann), Err(Error::RateLimited { .. })), "one user's share");
        let third = slots.take(&ben).ok();
        assert!(third.is_some());
        assert!(slots.take(&ben).is_err(), "everybody's share");
        drop((first, second, third));
        assert!(slots.running.lock().by_user.is_empty(), "nothing is left of those who are done");
        assert!(slots.take(&ann).is_ok());
    }
}
