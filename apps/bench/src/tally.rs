//! What is counted while a run goes on, one tally for each thread of the load, added up at the end. Latencies are in
//! microseconds, with three digits.

use hdrhistogram::Histogram;

/// The longest latency that is told apart, in microseconds: two minutes.
const LONGEST: u64 = 120_000_000;

/// Counts and latencies.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Acks of sends that came inside the window.
    pub(crate) acked: u64,
    /// Messages that came inside the window.
    pub(crate) delivered: u64,
    /// Calls that were refused or not answered.
    pub(crate) failed: u64,
    /// Messages that a socket got twice.
    pub(crate) duplicated: u64,
    /// Messages that came after a later one.
    pub(crate) out_of_order: u64,
    /// Connections that the server ended.
    pub(crate) closed: u64,
    /// From the moment a message was meant to be sent until its ack.
    pub(crate) ack: Histogram<u64>,
    /// From the moment a message was meant to be sent until a socket had it.
    pub(crate) delivery: Histogram<u64>,
    /// Everything else that is asked: typing, reading, pages.
    pub(crate) other: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            acked: 0,
            delivered: 0,
            failed: 0,
            duplicated: 0,
            out_of_order: 0,
            closed: 0,
            ack: latencies(),
            delivery: latencies(),
            other: latencies(),
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.duplicated += other.duplicated;
        self.out_of_order += other.out_of_order;
        self.closed += other.closed;
        for (mine, theirs) in
            [(&mut self.ack, &other.ack), (&mut self.delivery, &other.delivery), (&mut self.other, &other.other)]
        {
            // Both have the same bounds.
            let _ = mine.add(theirs);
        }
    }
}

/// A histogram for latencies.
#[expect(clippy::expect_used, reason = "the bounds are constants that the library accepts")]
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that hold")
}

/// Records a latency given in nanoseconds.
pub(crate) fn record(histogram: &mut Histogram<u64>, nanos: u64) {
    histogram.saturating_record((nanos / 1000).max(1));
}
