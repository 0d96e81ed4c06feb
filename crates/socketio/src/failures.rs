//! Failed handshakes, counted for each network and minute (contract: `errors.md`, `RATE_FAILED_HANDSHAKES`). After so
//! many nobody from there is let in for the rest of the minute, whatever their token: it is not even looked at.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::net::Network;

const MINUTE: Duration = Duration::from_mins(1);
/// Networks that are counted at a time. Whoever fails from more of them at once is not slowed by counting.
const MAX_NETWORKS: usize = 65_536;
/// Nobody fails as often in a minute.
const UNLIMITED: u32 = u32::MAX;
/// Below this many nothing is swept.
const SWEEP_FROM: usize = 1_024;

/// The count.
#[derive(Debug)]
pub(crate) struct FailedHandshakes {
    /// `UNLIMITED` for any number.
    limit: AtomicU32,
    minutes: Mutex<Minutes>,
}

#[derive(Debug, Default)]
struct Minutes {
    by_network: HashMap<Network, Minute>,
    sweep_at: usize,
    swept: Option<Instant>,
}

/// It begins with the first failure.
#[derive(Debug, Clone, Copy)]
struct Minute {
    began: Instant,
    failures: u32,
}

impl Minute {
    fn runs(&self, now: Instant) -> bool {
        now.duration_since(self.began) < MINUTE
    }
}

impl FailedHandshakes {
    /// Allows `limit` in a minute, or without one any number.
    pub(crate) fn new(limit: Option<u32>) -> Self {
        Self { limit: AtomicU32::new(limit.unwrap_or(UNLIMITED)), minutes: Mutex::default() }
    }

    /// Allows so many from now on. What was counted of this minute counts.
    pub(crate) fn change(&self, limit: Option<u32>) {
        self.limit.store(limit.unwrap_or(UNLIMITED), Ordering::Relaxed);
    }

    fn limit(&self) -> Option<u32> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|limit| *limit != UNLIMITED)
    }

    /// Whether another handshake from `address` is looked at.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let Some(limit) = self.limit() else { return true };
        let minutes = self.minutes.lock();
        let minute = minutes.by_network.get(&Network::of(address));
        !minute.is_some_and(|minute| minute.failures >= limit && minute.runs(Instant::now()))
    }

    /// A handshake from `address` failed.
    pub(crate) fn note(&self, address: IpAddr) {
        if self.limit().is_none() {
            return;
        }
        let (network, now) = (Network::of(address), Instant::now());
        let mut minutes = self.minutes.lock();
        if let Some(minute) = minutes.by_network.get_mut(&network).filter(|minute| minute.runs(now)) {
            minute.failures = minute.failures.saturating_add(1);
            return;
        }
        minutes.sweep(now);
        if minutes.by_network.len() < MAX_NETWORKS || minutes.by_network.contains_key(&network) {
            minutes.by_network.insert(network, Minute { began: now, failures: 1 });
        }
    }
}

impl Minutes {
    /// Forgets minutes that are over, now and then: when the table has doubled, and once a second at most.
    fn sweep(&mut self, now: Instant) {
        let lately = self.swept.is_some_and(|swept| now.duration_since(swept) < Duration::from_secs(1));
        if self.by_network.len() >= self.sweep_at.max(SWEEP_FROM) && !lately {
            self.by_network.retain(|_, minute| minute.runs(now));
            self.sweep_at = (self.by_network.len() * 2).min(MAX_NETWORKS);
            self.swept = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_failures_in_a_minute_and_then_none_for_its_rest() {
        let failed = FailedHandshakes::new(Some(30));
        for _ in 0..30 {
            assert!(failed.allow(address(1)));
            failed.note(address(1));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(!failed.allow(address(1)));
        assert!(failed.allow(address(2)), "somebody else");
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!failed.allow(address(1)), "the minute began with the first failure and has a second left");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(failed.allow(address(1)));
        failed.note(address(1));
        assert!(failed.allow(address(1)), "a new minute counts from one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_limit_holds_for_the_minute_that_runs() {
        let failed = FailedHandshakes::new(Some(30));
        (0..3).for_each(|_| failed.note(address(1)));
        failed.change(Some(3));
        assert!(!failed.allow(address(1)));
        failed.change(None);
        assert!(failed.allow(address(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_forgets() {
        let failed = FailedHandshakes::new(Some(1));
        for n in 0..u32::try_from(MAX_NETWORKS).unwrap() + 1_000 {
            failed.note(address(n));
        }
        assert_eq!(failed.minutes.lock().by_network.len(), MAX_NETWORKS);
        assert!(!failed.allow(address(0)));
        tokio::time::advance(MINUTE).await;
        failed.note(address(7));
        assert_eq!(failed.minutes.lock().by_network.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_counted() {
        let failed = FailedHandshakes::new(None);
        for _ in 0..1_000 {
            failed.note(address(1));
        }
        assert!(failed.allow(address(1)) && failed.minutes.lock().by_network.is_empty());
    }
}
