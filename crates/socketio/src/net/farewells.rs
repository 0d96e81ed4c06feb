//! Connections that end are let go a few at a time. When a network goes away, thousands end in the same moment, and each
//! costs the library as much work as some messages: without a bound those who stay would wait until the last one is
//! cleared away. Connections that come have the same bound where they are accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What each takes of the time: 4,000 a second.
const EACH: Duration = Duration::from_micros(250);

/// So many at once go without waiting.
const AT_ONCE: u32 = 8;

/// The turns of connections that end; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Farewells(Arc<Turns>);

#[derive(Debug)]
struct Turns {
    began: Instant,
    /// When the next turn is, in microseconds since then.
    next: AtomicU64,
}

impl Farewells {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Turns { began: Instant::now(), next: AtomicU64::new(0) }))
    }

    /// Takes a turn, and says how long to wait for it; `None` if it is now.
    pub(crate) fn turn(&self) -> Option<Sleep> {
        let now = micros(self.0.began.elapsed());
        let after = |turn: u64| turn.max(now) + micros(EACH);
        let (Ok(turn) | Err(turn)) =
            self.0.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |turn| Some(after(turn)));
        let wait = turn.saturating_sub(now);
        (wait >= micros(EACH * AT_ONCE)).then(|| sleep_until(self.0.began + Duration::from_micros(turn)))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_go_at_once_and_many_one_after_the_other() {
        let farewells = Farewells::new();
        let began = Instant::now();
        let turns: Vec<_> = (0..1000).map(|_| farewells.turn()).collect();
        assert_eq!(turns.iter().filter(|turn| turn.is_none()).count(), AT_ONCE as usize);
        for turn in turns.into_iter().flatten() {
            turn.await;
        }
        let took = began.elapsed();
        assert!((EACH * 998..=EACH * 1004).contains(&took), "{took:?}");
        assert!(farewells.turn().is_none(), "time that has passed is not made up for");
    }
}
