//! How long a send waits to be stored: while the storage answers, for its turn, however long the queue is; while it
//! does not, for [`Settings::storage_timeout`](super::settings::Settings::storage_timeout). So a server that is slow
//! refuses nothing, and one whose storage is away says so in time.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The patience of all who wait for one writer.
#[derive(Clone)]
pub(super) struct Patience {
    timeout: Duration,
    answered: Arc<Answered>,
}

/// When the storage was last known to answer.
struct Answered {
    start: Instant,
    /// Since `start`.
    micros: AtomicU64,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, answered: Arc::new(Answered { start: Instant::now(), micros: AtomicU64::new(0) }) }
    }

    /// The storage has answered, or is not what takes the time.
    pub(super) fn renew(&self) {
        let micros = u64::try_from(self.answered.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.answered.micros.store(micros, Ordering::Release);
    }

    /// Waits for `what`, which began at `since`; `None` if the storage has not answered anybody for too long.
    pub(super) async fn wait<T>(&self, since: Instant, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        let mut until = since + self.timeout;
        loop {
            if let Ok(done) = timeout_at(until, &mut what).await {
                return Some(done);
            }
            let renewed = self.last() + self.timeout;
            if renewed <= until {
                return None;
            }
            until = renewed;
        }
    }

    fn last(&self) -> Instant {
        self.answered.start + Duration::from_micros(self.answered.micros.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    const TIMEOUT: Duration = Duration::from_millis(1_500);

    async fn given_up_after(patience: &Patience, began: Instant) -> Duration {
        assert_eq!(patience.wait(began, pending::<()>()).await, None);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_storage_that_does_not_answer_is_waited_for_as_long_as_was_said() {
        let patience = Patience::new(TIMEOUT);
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(given_up_after(&patience, Instant::now()).await, TIMEOUT);
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(given_up_after(&patience, began).await, TIMEOUT, "counted from when it began");
    }

    #[tokio::test(start_paused = true)]
    async fn while_others_are_answered_a_turn_may_take_any_time() {
        let patience = Patience::new(TIMEOUT);
        let began = Instant::now();
        let answers = patience.clone();
        tokio::spawn(async move {
            for _ in 0..60 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                answers.renew();
            }
        });
        assert_eq!(given_up_after(&patience, began).await, Duration::from_mins(1) + TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_is_taken_also_when_it_is_looked_at_late() {
        let patience = Patience::new(TIMEOUT);
        let began = Instant::now();
        tokio::time::sleep(TIMEOUT * 2).await;
        assert_eq!(patience.wait(began, async { 7 }).await, Some(7));
    }
}
