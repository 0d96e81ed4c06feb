//! How fast a socket goes. An event above its user's rate is answered `RATE_LIMITED` and not queued; a socket that
//! keeps sending above it for ten seconds is told to go (contract: `errors.md`, "limit"). How fast somebody may go is
//! counted by the domain, over all of their sockets and HTTP requests.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlance_domain::Result;
use tokio::time::Instant;

use crate::inbox::Job;
use crate::node::Node;
use crate::session::Session;
use crate::worker;

/// How long a socket may keep sending above its rate.
const PATIENCE: Duration = Duration::from_secs(10);
/// A socket that had nothing refused for so long has stopped; even one event a second too many is refused more often.
const PAUSE: Duration = Duration::from_secs(2);

/// Since when a socket has been too fast.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Option<TooFast>>);

#[derive(Debug, Clone, Copy)]
struct TooFast {
    since: Instant,
    last: Instant,
}

impl Pace {
    /// Something was refused. `true` once that has gone on for too long.
    fn refused(&self) -> bool {
        let now = Instant::now();
        let mut too_fast = self.0.lock();
        let since = match *too_fast {
            Some(TooFast { since, last }) if now.duration_since(last) < PAUSE => since,
            _ => now,
        };
        *too_fast = Some(TooFast { since, last: now });
        now.duration_since(since) >= PATIENCE
    }
}

impl Node {
    /// Whether an event may be queued. One that may not is answered here.
    pub(crate) fn in_pace(self: &Arc<Self>, session: &Arc<Session>, job: &Job) -> bool {
        let Err(error) = self.services.limiting.event(&session.user_id) else { return true };
        worker::refuse(self, session, job, error);
        self.too_fast(session);
        false
    }

    /// Whether a message may be sent.
    pub(crate) fn may_send(self: &Arc<Self>, session: &Arc<Session>) -> Result<()> {
        self.services.limiting.send(&session.user_id).inspect_err(|_| self.too_fast(session))
    }

    fn too_fast(self: &Arc<Self>, session: &Arc<Session>) {
        if session.pace.refused() && !session.is_closed() {
            tracing::info!(session = session.id.0, user = %session.user_id, "a socket kept sending above its rate");
            tokio::spawn({
                let (node, session) = (Arc::clone(self), Arc::clone(session));
                async move { node.dismiss(&session).await }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_seconds_above_the_rate_are_too_long_and_a_pause_ends_them() {
        let pace = Pace::default();
        for _ in 0..9 {
            assert!(!pace.refused());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(!pace.refused(), "after nine seconds");
        tokio::time::advance(PAUSE).await;
        for _ in 0..10 {
            assert!(!pace.refused(), "it had stopped in between");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(pace.refused(), "after ten seconds");
    }
}
