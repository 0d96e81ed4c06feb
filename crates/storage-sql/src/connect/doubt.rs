//! Connections whose other end may have gone without a word. The system keeps such a connection for a quarter of an hour,
//! and a pool asks it for an answer for as long. So when a call was given up, or a connection that nobody has used for
//! long does not answer, all that are older than that moment are replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Connection;
use sqlx::pool::PoolConnectionMetadata;
use tokio::time::{Instant, timeout};

/// Connections that nobody has used for this long are tried before they are handed out. Others that have died are
/// found out by the call that gets them, which takes another one.
const TRIED_AFTER: Duration = Duration::from_secs(30);

/// The moment from before which connections are doubted. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    begun: Instant,
    /// In microseconds since it began; 0 for none.
    raised: Arc<AtomicU64>,
}

impl Default for Doubt {
    fn default() -> Self {
        Self { begun: Instant::now(), raised: Arc::default() }
    }
}

impl Doubt {
    /// To be called before a call that is given up lets go of its connection.
    pub(crate) fn raise(&self) {
        self.raised.fetch_max(self.now(), Ordering::AcqRel);
    }

    /// Whether a connection of this age is to be replaced.
    pub(super) fn concerns(&self, age: Duration) -> bool {
        let raised = self.raised.load(Ordering::Acquire);
        raised > 0 && u128::from(self.now() - raised) <= age.as_micros()
    }

    /// Whether a connection can be handed out; it has this long to answer if it must be tried.
    pub(super) async fn allows<C: Connection>(
        &self,
        connection: &mut C,
        known: PoolConnectionMetadata,
        patience: Duration,
    ) -> bool {
        if self.concerns(known.age) {
            return false;
        }
        if known.idle_for < TRIED_AFTER {
            return true;
        }
        let Ok(answer) = timeout(patience, connection.ping()).await else {
            self.raise();
            return false;
        };
        answer.is_ok()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_last_call_that_was_given_up_is_doubted() {
        let doubt = Doubt::default();
        assert!(!doubt.concerns(Duration::from_hours(1)));
        tokio::time::advance(Duration::from_secs(10)).await;
        doubt.raise();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(doubt.concerns(Duration::from_secs(6)));
        assert!(!doubt.concerns(Duration::from_secs(4)));
        doubt.raise();
        assert!(doubt.concerns(Duration::from_secs(4)));
    }
}
