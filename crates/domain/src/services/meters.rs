//! What use cases measure, through the `metrics` facade: without a recorder in the process nothing is kept. What each
//! name means stands in docs/metrics.md, and a test of the server compares.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::ports::OutboxCounts;

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

/// What the relay between the nodes measures.
pub(super) struct RelayMeters {
    link_up: Gauge,
    repairs: Counter,
}

impl RelayMeters {
    pub(super) fn new() -> Self {
        Self { link_up: gauge!("parlance_link_up"), repairs: counter!("parlance_gap_repairs_total") }
    }

    /// Words get through to other nodes, or do not.
    pub(super) fn link(&self, up: bool) {
        self.link_up.set(if up { 1.0 } else { 0.0 });
    }

    /// A conversation was caught up from the storage.
    pub(super) fn repaired(&self) {
        self.repairs.increment(1);
    }
}

/// What the delivery of webhooks measures.
pub(super) struct WebhookMeters {
    waiting: Gauge,
    dead: Gauge,
    delivered: Counter,
    failed: Counter,
    buried: Counter,
    request: Histogram,
}

impl WebhookMeters {
    pub(super) fn new() -> Self {
        let attempts = |outcome: &'static str| counter!("parlance_webhook_attempts_total", "outcome" => outcome);
        Self {
            waiting: gauge!("parlance_webhooks_waiting"),
            dead: gauge!("parlance_webhooks_dead"),
            delivered: attempts("delivered"),
            failed: attempts("failed"),
            buried: attempts("buried"),
            request: histogram!("parlance_webhook_seconds"),
        }
    }

    /// So many events wait, and were given up.
    #[expect(clippy::cast_precision_loss, reason = "no storage holds 2^52 events")]
    pub(super) fn counted(&self, counts: OutboxCounts) {
        self.waiting.set(counts.waiting as f64);
        self.dead.set(counts.dead as f64);
    }

    /// The receiver was asked, and took so long.
    pub(super) fn attempted(&self, took: Duration) {
        self.request.record(took);
    }

    /// It took an event.
    pub(super) fn delivered(&self) {
        self.delivered.increment(1);
    }

    /// It did not, and will be asked again.
    pub(super) fn failed(&self) {
        self.failed.increment(1);
    }

    /// It did not, and will not be asked again.
    pub(super) fn buried(&self) {
        self.buried.increment(1);
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
