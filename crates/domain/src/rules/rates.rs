//! How fast one person may go, with the contract's defaults (`errors.md`). Counting is `services::Limiting`'s job.

use std::time::Duration;

/// So many in a time, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many come back in each [`per`](Self::per), at least one.
    pub number: u32,
    /// The time for `number`.
    pub per: Duration,
    /// How many may come at once after a pause, at least one.
    pub burst: u32,
}

impl Rate {
    /// So many a second, and so many at once.
    pub const fn per_second(number: u32, burst: u32) -> Self {
        Self { number, per: Duration::from_secs(1), burst }
    }

    /// So many a minute, all of which may come at once.
    pub const fn per_minute(number: u32) -> Self {
        Self { number, per: Duration::from_mins(1), burst: number }
    }
}

/// What each person may do how fast, on all of their devices together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Events on sockets, of whatever kind (`RATE_EVENTS`, default 30 a second, 60 at once).
    pub events: Rate,
    /// Messages, over whatever transport (`RATE_SENDS`, default 15 a second, 30 at once).
    pub sends: Rate,
    /// Beginnings of typing (`RATE_TYPING`, default 5 a second, 10 at once).
    pub typing: Rate,
    /// HTTP requests (`RATE_REST`, default 50 a second, 100 at once).
    pub requests: Rate,
    /// Uploads (`RATE_UPLOADS`, default 30 a minute).
    pub uploads: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            events: Rate::per_second(30, 60),
            sends: Rate::per_second(15, 30),
            typing: Rate::per_second(5, 10),
            requests: Rate::per_second(50, 100),
            uploads: Rate::per_minute(30),
        }
    }
}
