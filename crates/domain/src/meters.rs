//! What storages measure, through the `metrics` facade: without a recorder in the process nothing is kept. What use
//! cases measure is in `services::meters`.

use std::fmt;
use std::time::Duration;

use metrics::{Histogram, histogram};

/// How long a storage took for what it was asked (`parlance_storage_seconds`).
#[derive(Clone)]
pub struct StorageMeters {
    reads: Histogram,
    writes: Histogram,
}

impl StorageMeters {
    /// Meters of the recorder that the process has at this moment.
    pub fn new() -> Self {
        let of = |kind: &'static str| histogram!("parlance_storage_seconds", "kind" => kind);
        Self { reads: of("read"), writes: of("write") }
    }

    /// Something was looked up.
    pub fn read(&self, took: Duration) {
        self.reads.record(took);
    }

    /// Something was changed.
    pub fn wrote(&self, took: Duration) {
        self.writes.record(took);
    }
}

impl Default for StorageMeters {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StorageMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageMeters").finish_non_exhaustive()
    }
}
