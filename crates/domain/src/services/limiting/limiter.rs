//! One rate, counted for each person by a leaky bucket. A person's bucket is kept while it is not full again, seconds
//! as a rule; those that are full are shed as others come in, so that the table holds who was active of late, never
//! everybody who ever was. A stranger has no bucket: a person is known by a valid token before they are counted.

mod buckets;

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::model::UserId;
use crate::rules::rates::Rate;
use crate::services::meters::rate_limited;
use buckets::Buckets;

/// At least so many checks lie between two rounds of shedding; so many more people may be in the table by then.
const SHED_AFTER: usize = 4_096;
/// How many bursts a bucket may owe at most: what so many other nodes can let through at the same moment.
const MAX_OWED: u32 = 16;

/// Counts one rate.
pub(super) struct Limiter {
    /// What it is called where it is measured how often it refuses.
    name: &'static str,
    /// What it was made for.
    of: Rate,
    rate: RateLimiter<UserId, Buckets, SinceStart, NoOpMiddleware<Duration>>,
    /// Those of `rate`.
    buckets: Buckets,
    clock: SinceStart,
    /// How long it takes until one more is let through.
    pause: Duration,
    burst: u32,
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
        let (clock, buckets) = (SinceStart(Instant::now()), Buckets::default());
        Self {
            name,
            of: rate,
            rate: RateLimiter::new(quota, buckets.clone(), clock),
            buckets,
            clock,
            pause,
            burst: burst.get(),
            until_shedding: AtomicUsize::new(SHED_AFTER),
        }
    }

    /// Whether this is the rate that it counts.
    pub(super) fn counts(&self, rate: Rate) -> bool {
        self.of == rate
    }

    /// Counts one, or refuses it with the time after which it would not be.
    pub(super) fn check(&self, user: &UserId) -> Result<()> {
        self.shed_sometimes();
        self.rate.check_key(user).map_err(|until| {
            rate_limited(self.name);
            Error::RateLimited { retry_after: until.wait_time_from(self.clock.now()) }
        })
    }

    /// So many were let through elsewhere. What two let through at the same moment may be more than the bucket holds: it
    /// owes the rest, which comes off what is let through later.
    pub(super) fn draw(&self, user: &UserId, count: u32) {
        self.shed_sometimes();
        let now = self.clock.now();
        let latest = now.saturating_add(self.pause.saturating_mul(self.burst.saturating_mul(MAX_OWED)));
        let drawn = self.pause.saturating_mul(count);
        let empty_until = |at: Option<Nanos>| {
            let at = at.map_or(now, |at| now.max(at.into())).saturating_add(drawn);
            Ok::<_, Infallible>(((), at.min(latest).into()))
        };
        let Ok(()) = self.buckets.measure_and_replace(user, empty_until);
    }

    fn shed_sometimes(&self) {
        // Exactly one caller meets the last one, whatever the order.
        if self.until_shedding.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shed();
        }
    }

    /// The work grows with what is left, and so does the pause until it is done again.
    fn shed(&self) {
        self.rate.retain_recent();
        self.until_shedding.store(SHED_AFTER.max(2 * self.rate.len()), Ordering::Relaxed);
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
            assert!(limiter.rate.len() <= 2 * SHED_AFTER, "{}", limiter.rate.len());
            tokio::time::advance(Duration::from_secs(3)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_let_through_elsewhere_is_not_let_through_here() {
        let limiter = Limiter::new("sends", Rate::per_second(1, 10));
        let ann = user("ann");
        limiter.draw(&ann, 9);
        limiter.check(&ann).unwrap();
        retry_after(limiter.check(&ann));
        limiter.check(&user("ben")).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_let_through_twice_is_owed_and_no_more_than_that() {
        let limiter = Limiter::new("sends", Rate::per_second(1, 10));
        let ann = user("ann");
        for _ in 0..10 {
            limiter.check(&ann).unwrap();
        }
        limiter.draw(&ann, 10);
        let pause = retry_after(limiter.check(&ann));
        assert!(pause > Duration::from_secs(10) && pause <= Duration::from_secs(11), "{pause:?}");
        tokio::time::advance(pause).await;
        limiter.check(&ann).unwrap();
        // Somebody who cannot count costs nobody their voice for good.
        limiter.draw(&ann, u32::MAX);
        limiter.draw(&ann, u32::MAX);
        let pause = retry_after(limiter.check(&ann));
        assert!(pause <= Duration::from_secs(10 * u64::from(MAX_OWED)), "{pause:?}");
    }

    #[test]
    fn a_rate_of_nothing_is_one_and_the_highest_is_a_rate_too() {
        for rate in [Rate::per_second(0, 0), Rate::per_second(u32::MAX, u32::MAX), Rate::per_minute(0)] {
            Limiter::new("events", rate).check(&user("ann")).unwrap();
        }
    }
}
