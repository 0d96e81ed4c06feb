//! How far a copy is, on stderr: a bar where somebody looks on, else a line every twentieth.

use std::sync::{Mutex, PoisonError};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use parlance_domain::services::{Progress, Stage};

/// Where lines are written instead of a bar: one for each such part of a stage.
const PARTS: u64 = 20;

/// What shows it.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Which part of which stage was told last.
    told: Mutex<Option<(Stage, u64)>>,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg:9} [{wide_bar}] {human_pos}/{human_len}  {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, told: Mutex::new(None) }
    }

    pub(super) fn show(&self, progress: Progress) {
        let Progress { stage, done, total } = progress;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = told.is_none_or(|(before, _)| before != stage);
        if begins {
            // Each stage has its own pace.
            self.bar.reset();
            self.bar.set_message(verb(stage));
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
        let part = (done * PARTS).checked_div(total).unwrap_or(0);
        if begins || told.is_none_or(|(_, before)| before != part) {
            *told = Some((stage, part));
            if self.bar.is_hidden() && stage != Stage::Checking {
                eprintln!("{} {} of {} records", verb(stage), HumanCount(done), HumanCount(total));
            }
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn verb(stage: Stage) -> &'static str {
    match stage {
        Stage::Checking => "checking",
        Stage::Copying => "copying",
        Stage::Verifying => "verifying",
    }
}
