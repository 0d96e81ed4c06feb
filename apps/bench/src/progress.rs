//! What a person sees while they wait: a bar on stderr, never among the results.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The bar, or nothing.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        // Where the template is not understood, the library's own is as good.
        if let Ok(style) = ProgressStyle::with_template("{msg:>20} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Something begins that has `length` steps.
    pub(crate) fn step(&self, what: &str, length: usize) {
        self.0.reset();
        self.0.set_message(what.to_owned());
        self.0.set_length(length as u64);
        self.0.set_position(0);
    }

    /// One step is done.
    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }

    /// Waits, and shows how long; ends early when `enough` says so.
    pub(crate) async fn wait(&self, what: &str, length: Duration, enough: impl Fn() -> bool) {
        const TICK: Duration = Duration::from_millis(50);
        let ticks = usize::try_from(length.as_millis() / TICK.as_millis()).unwrap_or(usize::MAX);
        self.step(what, ticks);
        let mut clock = tokio::time::interval(TICK);
        clock.tick().await;
        for _ in 0..ticks {
            clock.tick().await;
            if enough() {
                break;
            }
            self.0.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
