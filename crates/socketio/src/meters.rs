//! What the transport measures, through the `metrics` facade: without a recorder in the process nothing is kept. What
//! each name means stands in docs/metrics.md, and a test of the server compares.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use parlance_dialects::{AnyDialect, Dialects, errors};
use parlance_domain::Error;

/// The node's meters.
pub(crate) struct Meters {
    /// In the order of [`AnyDialect::index`].
    dialects: Box<[OfDialect]>,
    pub(crate) send: Histogram,
    delivery: Histogram,
}

/// What is measured for each dialect.
pub(crate) struct OfDialect {
    pub(crate) sockets: Gauge,
    pub(crate) events_in: Counter,
    pub(crate) events_out: Counter,
}

impl OfDialect {
    fn new(dialect: AnyDialect) -> Self {
        Self {
            sockets: gauge!("parlance_sockets", "dialect" => dialect.name()),
            events_in: counter!("parlance_events_in_total", "dialect" => dialect.name()),
            events_out: counter!("parlance_events_out_total", "dialect" => dialect.name()),
        }
    }
}

impl Meters {
    pub(crate) fn new(dialects: &Dialects) -> Self {
        Self {
            dialects: dialects.all().map(OfDialect::new).collect(),
            send: histogram!("parlance_send_seconds"),
            delivery: histogram!("parlance_delivery_seconds"),
        }
    }

    /// Those of a dialect of this node's.
    pub(crate) fn of(&self, dialect: AnyDialect) -> &OfDialect {
        &self.dialects[dialect.index()]
    }

    /// A message was handed to the sockets of this node, so long after the server took it.
    pub(crate) fn delivered(&self, millis: i64) {
        self.delivery.record(Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
    }

    /// A connection was cut because its client did not take what was sent.
    pub(crate) fn slow_consumer() {
        counter!("parlance_slow_consumers_total").increment(1);
    }

    /// A client's event was refused, or failed.
    pub(crate) fn refused(dialect: AnyDialect, error: &Error) {
        counter!("parlance_event_errors_total", "dialect" => dialect.name(), "code" => errors::code(error))
            .increment(1);
    }
}
