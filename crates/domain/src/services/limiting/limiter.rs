//! One rate, counted for each person by a leaky bucket. A person's bucket is kept while it is not full again, seconds
//! as a rule; those that are full are shed as others come in, so that the table holds who was active of late, never
//! everybody who ever was. A stranger has no bucket: a person is known by a valid token before they are counted.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::model::UserId;
use crate::rules::rates::Rate;
use crate::services::meters::rate_limited;

/// At least so many checks lie between two rounds of shedding; so many more people may be in the table by then.
const SHED_AFTER: usize = 4_096;

/// Counts one rate.
pub(super) struct Limiter {
    /// What it is called where it is measured how often it refuses.
    name: &'static str,
    buckets: RateLimiter<UserId, DashMapStateStore<UserId>, SinceStart, NoOpMiddleware<Duration>>,
    clock: SinceStart,
    until_shedding: AtomicUsize,
}

/// The runtime's clock, which tests can move.
#[derive(Debug, Clone, Copy)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Limiter {
    pub(super) fn new(name: &'static str, rate: Rate) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let Rate { number, per, burst } = rate;
        // A rate so high that its pause is less than a nanosecond is none.
        let pause = (per / at_least_one(number).get()).max(Duration::from_nanos(1));
        let burst = at_least_one(burst);
        let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let clock = SinceStart(Instant::now());
        Self {
            name,
            buckets: RateLimiter::dashmap_with_clock(quota, clock),
            clock,
            until_shedding: AtomicUsize::new(SHED_AFTER),
        }
    }

    /// Counts one, or refuses it with the time after which it would not be.
    pub(super) fn check(&self, user: &UserId) -> Result<()> {
        // Exactly one caller meets the last one, whatever the order.
        if self.until_shedding.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shed();
        }
        self.buckets.check_key(user).map_err(|until| {
            rate_limited(self.name);
            Error::RateLimited { retry_after: until.wait_time_from(self.clock.now()) }
        })
    }

    /// The work grows with what is left, and so does the pause until it is done again.
    fn shed(&self) {
        self.buckets.retain_recent();
        self.until_shedding.store(SHED_AFTER.max(2 * self.buckets.len()), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        name.parse().unwrap()
    }

    fn retry_after(outcome: Result<()>) -> Duration {
        match outcome {
            Err(Error::RateLimited { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_one_more_does_not_and_the_rate_comes_back() {
        for rate in [Rate::per_second(30, 60), Rate::per_second(5, 10), Rate::per_second(1, 1), Rate::per_minute(30)] {
            let limiter = Limiter::new("events", rate);
            let ann = user("ann");
            for _ in 0..rate.burst {
                limiter.check(&ann).unwrap();
            }
            let pause = retry_after(limiter.check(&ann));
            assert!(pause <= rate.per / rate.number, "{pause:?}");
            tokio::time::advance(pause.saturating_sub(Duration::from_millis(1))).await;
            assert!(limiter.check(&ann).is_err(), "a moment before the time that was told");
            tokio::time::advance(Duration::from_millis(1)).await;
            limiter.check(&ann).unwrap();
            retry_after(limiter.check(&ann));
            tokio::time::advance(rate.per * rate.burst / rate.number).await;
            for _ in 0..rate.burst {
                limiter.check(&ann).unwrap();
            }
            retry_after(limiter.check(&ann));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_to_the_rate_is_never_refused() {
        let limiter = Limiter::new("events", Rate::per_second(30, 60));
        let ann = user("ann");
        for _ in 0..1_000 {
            limiter.check(&ann).unwrap();
            tokio::time::advance(Duration::from_secs(1) / 30 + Duration::from_nanos(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_not_slowed_by_another() {
        let limiter = Limiter::new("events", Rate::per_second(1, 1));
        limiter.check(&user("ann")).unwrap();
        retry_after(limiter.check(&user("ann")));
        limiter.check(&user("ben")).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_holds_who_was_active_of_late_and_no_more() {
        let limiter = Limiter::new("events", Rate::per_second(30, 60));
        for round in 0..20 {
            for n in 0..SHED_AFTER {
                limiter.check(&user(&format!("{round}-{n}"))).unwrap();
            }
            assert!(limiter.buckets.len() <= 2 * SHED_AFTER, "{}", limiter.buckets.len());
            tokio::time::advance(Duration::from_secs(3)).await;
        }
    }

    #[test]
    fn a_rate_of_nothing_is_one_and_the_highest_is_a_rate_too() {
        for rate in [Rate::per_second(0, 0), Rate::per_second(u32::MAX, u32::MAX), Rate::per_minute(0)] {
            Limiter::new("events", rate).check(&user("ann")).unwrap();
        }
    }
}
