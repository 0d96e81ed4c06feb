//! Whether words get through. A node says a word to itself all the time: as long as it comes back, both connections work,
//! and the broker between them. A connection that has stalled does not say so; the word that does not come back does.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often the word is said.
pub(crate) const ECHO: Duration = Duration::from_millis(300);
/// How long it may take.
const PATIENCE: Duration = Duration::from_millis(1_300);

/// Whether words get through.
#[derive(Debug)]
pub(crate) struct Health {
    heard: Mutex<Option<Instant>>,
    up: watch::Sender<bool>,
}

impl Default for Health {
    fn default() -> Self {
        Self { heard: Mutex::default(), up: watch::channel(false).0 }
    }
}

impl Health {
    /// The word came back.
    pub(crate) fn came_back(&self) {
        *self.heard.lock() = Some(Instant::now());
        self.set(true);
    }

    /// A connection is gone.
    pub(crate) fn broke(&self) {
        *self.heard.lock() = None;
        self.set(false);
    }

    /// To be called now and then.
    pub(crate) fn check(&self) {
        let heard = *self.heard.lock();
        if heard.is_none_or(|heard| heard.elapsed() > PATIENCE) {
            self.set(false);
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    fn set(&self, now: bool) {
        let changed = self.up.send_if_modified(|up| std::mem::replace(up, now) != now);
        match (changed, now) {
            (true, true) => tracing::info!("the link to the other nodes is up"),
            (true, false) => {
                tracing::warn!(
                    "the link to the other nodes is down: what they do is read from the storage until it is up"
                );
            }
            (false, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_word_that_does_not_come_back_means_that_it_is_down() {
        let health = Health::default();
        let up = health.subscribe();
        assert!(!*up.borrow());
        health.came_back();
        assert!(*up.borrow());
        tokio::time::advance(PATIENCE).await;
        health.check();
        assert!(*up.borrow());
        tokio::time::advance(ECHO).await;
        health.check();
        assert!(!*up.borrow());
        health.came_back();
        assert!(*up.borrow());
        health.broke();
        assert!(!*up.borrow());
    }
}
