//! How far a server's memory swells while something goes on: before it, at most, and after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::process::Sample;
use crate::report::mib;

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// A process that is watched.
#[derive(Debug)]
pub(crate) struct Swell {
    pid: Option<u32>,
    before: Option<u64>,
    most: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

impl Swell {
    /// Begins, if there is a process to watch.
    pub(crate) fn watch(pid: Option<u32>) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&most);
        let watching = tokio::spawn(async move {
            while let Some(resident) = resident(pid) {
                seen.fetch_max(resident, Ordering::Relaxed);
                tokio::time::sleep(GLANCE).await;
            }
        });
        Self { pid, before: resident(pid), most, watching }
    }

    /// Ends. Before, at most, and now, in MiB.
    pub(crate) fn end(self) -> Option<[f64; 3]> {
        self.watching.abort();
        let (before, after) = (self.before?, resident(self.pid)?);
        let most = self.most.load(Ordering::Relaxed).max(before).max(after);
        Some([before, most, after].map(mib))
    }
}

fn resident(pid: Option<u32>) -> Option<u64> {
    Some(Sample::take(pid?)?.resident)
}
