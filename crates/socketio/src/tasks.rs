//! Counts work that a shutdown waits for: workers that drain a queue, sends that wait for their commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks(Arc<State>);

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    idle: Notify,
}

/// Something that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy(Tasks);

impl Tasks {
    /// Counts one more, until the guard is dropped.
    pub(crate) fn begin(&self) -> Busy {
        self.0.running.fetch_add(1, Ordering::AcqRel);
        Busy(self.clone())
    }

    /// Waits until nothing runs.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.0.idle.notified();
            if self.0.running.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let state = &self.0.0;
        if state.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            state.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn idle_comes_with_the_last_guard() {
        let tasks = Tasks::default();
        tasks.idle().await;
        let (first, second) = (tasks.begin(), tasks.begin());
        drop(first);
        let mut idle = Box::pin(tasks.idle());
        assert!(futures::poll!(&mut idle).is_pending());
        drop(second);
        idle.await;
    }
}
