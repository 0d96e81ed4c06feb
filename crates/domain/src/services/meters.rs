//! What use cases measure, through the `metrics` facade: without a recorder in the process nothing is kept. What each
//! name means stands in docs/metrics.md, and a test of the server compares.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// What the writer measures.
pub(super) struct WriterMeters {
    waiting: Gauge,
    batch: Histogram,
    append: Histogram,
    failed: Counter,
}

impl WriterMeters {
    pub(super) fn new() -> Self {
        Self {
            waiting: gauge!("parlance_write_queue_length"),
            batch: histogram!("parlance_append_batch_messages"),
            append: histogram!("parlance_append_seconds"),
            failed: counter!("parlance_append_failures_total"),
        }
    }

    /// So many changes wait while others are stored.
    #[expect(clippy::cast_precision_loss, reason = "the queue is bounded far below 2^52")]
    pub(super) fn waiting(&self, changes: usize) {
        self.waiting.set(changes as f64);
    }

    /// A batch of messages was stored, or was not.
    #[expect(clippy::cast_precision_loss, reason = "a batch is bounded far below 2^52")]
    pub(super) fn appended(&self, messages: usize, took: Duration, stored: bool) {
        self.batch.record(messages as f64);
        self.append.record(took);
        if !stored {
            self.failed.increment(1);
        }
    }
}

/// Somebody went faster than a limit allows.
pub(super) fn rate_limited(limit: &'static str) {
    counter!("parlance_rate_limited_total", "limit" => limit).increment(1);
}

/// Somebody who is away was told by a channel, or was not.
pub(super) fn reached(channel: &'static str, outcome: &'static str) {
    counter!("parlance_channel_deliveries_total", "channel" => channel, "outcome" => outcome).increment(1);
}
