//! What goes wrong all the time is said now and then.

use std::time::Duration;

use tokio::time::Instant;

/// How often.
const PAUSE: Duration = Duration::from_mins(1);

/// Remembers when something was said last.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Option<Instant>);

impl Seldom {
    /// Whether it is time to say it again; then it counts as said.
    pub(crate) fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() > PAUSE);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_once_a_minute() {
        let mut seldom = Seldom::default();
        assert!(seldom.is_due() && !seldom.is_due());
        tokio::time::advance(PAUSE + Duration::from_secs(1)).await;
        assert!(seldom.is_due() && !seldom.is_due());
    }
}
