//! When what could not be delivered is tried again, and when it is given up. The jitter comes out of the event's id, so
//! that the same event always waits the same and lanes that failed together do not come back together.

use std::time::Duration;

use crate::model::{Timestamp, WebhookId};

/// How long an event is tried, from when it happened, or from when a dead letter was put back.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// The pause after the first failure; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Until when an event is tried that happened, or was put back, at `at`.
#[must_use]
pub fn give_up_at(at: Timestamp) -> Timestamp {
    at.plus(GIVE_UP_AFTER)
}

/// How long to wait after so many failures in a row, at least one: 1 s, 2 s, 4 s … up to an hour, each less up to a
/// quarter.
#[must_use]
pub fn pause(failures: u32, id: WebhookId) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let whole = doubled.min(LONGEST_PAUSE);
    // Fibonacci hashing: ids that follow each other land far apart.
    let [.., a, b, c, d] = id.bytes();
    let spread = u32::from_be_bytes([a, b, c, d]).wrapping_add(failures << 16).wrapping_mul(0x9e37_79b9);
    (whole * 3 + whole.mul_f64(f64::from(spread) / f64::from(u32::MAX))) / 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_double_up_to_an_hour_and_lose_a_quarter_at_most(failures in 1_u32..100, id: [u8; 12]) {
            let whole = Duration::from_secs(1_u64.checked_shl(failures - 1).filter(|_| failures < 60).unwrap_or(u64::MAX));
            let whole = whole.min(Duration::from_hours(1));
            let pause = pause(failures, WebhookId::from_bytes(id));
            prop_assert!(pause <= whole && pause >= whole * 3 / 4, "{pause:?} of {whole:?}");
        }
    }

    #[test]
    fn lanes_that_failed_together_come_back_apart() {
        let pauses: std::collections::BTreeSet<_> = (0..50).map(|n| pause(8, WebhookId::from_bytes([n; 12]))).collect();
        assert!(pauses.len() > 40, "{pauses:?}");
    }

    #[test]
    fn a_receiver_that_is_away_for_an_hour_is_tried_again_before_it_has_been_for_two() {
        let id = WebhookId::from_bytes([7; 12]);
        let mut away = Duration::ZERO;
        let mut failures = 0;
        while away < Duration::from_hours(1) {
            failures += 1;
            away += pause(failures, id);
        }
        assert!(away < Duration::from_hours(2) && failures < 15, "{away:?} after {failures}");
    }
}
