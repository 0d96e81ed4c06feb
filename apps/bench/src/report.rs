//! What a run found, as JSON for programs (`--json`, and what the suite reads back) and, by `table`, for people.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::process::{Holdings, Sample};

/// One run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) dialect: String,
    pub(crate) sockets: usize,
    pub(crate) conversations: usize,
    /// How long was measured.
    pub(crate) seconds: f64,
    /// Messages a second that were asked for; 0 in a closed loop.
    pub(crate) rate: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traffic: Option<Traffic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connecting: Option<Connecting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence: Option<Presence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) growth: Vec<Growth>,
    /// What clients see beside others who make trouble, and without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<Beside>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) soak: Option<Soak>,
    pub(crate) faults: Faults,
    /// The first refusal or breakdown, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<Usage>,
}

/// Messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Traffic {
    pub(crate) sends_per_second: f64,
    pub(crate) deliveries_per_second: f64,
    pub(crate) ack: Latency,
    pub(crate) delivery: Latency,
    /// Typing, reading, pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) other: Option<Latency>,
}

/// Sockets that connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Connecting {
    pub(crate) connects_per_second: f64,
    pub(crate) handshake: Latency,
    /// What each socket adds to the server's resident memory while it is idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_socket: Option<f64>,
    /// The share of one core that the server takes while they are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_cores: Option<f64>,
}

/// Somebody who comes and goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Presence {
    /// Sockets of people who are no contacts.
    pub(crate) bystanders: usize,
    pub(crate) contacts: usize,
    /// From connecting until each contact heard of it.
    pub(crate) heard: Latency,
    /// The server's CPU for one coming and going, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_micros: Option<f64>,
}

/// What reading and sending takes at one size of the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Growth {
    pub(crate) messages: u64,
    /// By the name of what is asked.
    pub(crate) calls: Vec<(String, Latency)>,
}

/// What clients see while something goes on beside them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// What it is, for people.
    pub(crate) what: String,
    pub(crate) ack: Latency,
    pub(crate) delivery: Latency,
    /// How long it took until the last of the others was cut, or back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settled_after: Option<f64>,
    /// The server's resident memory before it, at most, and after it, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resident_mib: Option<[f64; 3]>,
}

/// What a long run leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Soak {
    /// Resident memory of the server once a second of the time that is measured, as a straight line: MiB a minute.
    pub(crate) mib_per_minute: f64,
    /// At the beginning and at the end of that time, in MiB.
    pub(crate) resident_mib: [f64; 2],
    /// Before anybody connected, and after everybody has gone.
    pub(crate) held: [Holdings; 2],
    /// Members who came into groups and went.
    pub(crate) group_changes: u64,
    pub(crate) uploads: u64,
}

/// What may not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    /// Deliveries of acked messages that never came.
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) out_of_order: u64,
    /// Calls that were refused or never answered.
    pub(crate) failed: u64,
    /// Connections that the server ended.
    pub(crate) closed: u64,
    /// Messages that an open loop could not hand to its clients, since earlier ones were not answered.
    pub(crate) unsent: u64,
}

impl Faults {
    /// Adds those of another part of the run.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { lost, duplicated, out_of_order, failed, closed, unsent } = other;
        self.lost += lost;
        self.duplicated += duplicated;
        self.out_of_order += out_of_order;
        self.failed += failed;
        self.closed += closed;
        self.unsent += unsent;
    }

    /// Whether something is wrong. An open loop that outruns the server is none of it: the latencies say so.
    pub(crate) fn any(&self) -> bool {
        let Self { lost, duplicated, out_of_order, failed, closed, unsent: _ } = *self;
        lost + duplicated + out_of_order + failed + closed > 0
    }
}

/// Latencies, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) count: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl From<&Histogram<u64>> for Latency {
    fn from(histogram: &Histogram<u64>) -> Self {
        let millis = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self { count: histogram.len(), p50: at(0.5), p99: at(0.99), p999: at(0.999), max: millis(histogram.max()) }
    }
}

/// What a process cost while it was measured.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Cores in use.
    pub(crate) cores: f64,
    /// Resident memory at the end, in MiB.
    pub(crate) resident_mib: f64,
}

impl Usage {
    /// Between two samples.
    pub(crate) fn between(before: Option<Sample>, after: Option<Sample>) -> Option<Self> {
        let (before, after) = (before?, after?);
        Some(Self { cores: after.cores_since(&before), resident_mib: mib(after.resident) })
    }
}

/// Bytes as MiB.
#[expect(clippy::cast_precision_loss, reason = "a figure for people, of three digits")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// So many in this time.
#[expect(clippy::cast_precision_loss, reason = "a figure for people, of three digits")]
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

impl Report {
    /// Prints it as JSON, on one line.
    pub(crate) fn print_json(&self) -> Result<(), Failure> {
        let json = serde_json::to_string(self).map_err(|error| Failure::new("the report", error))?;
        println!("{json}");
        Ok(())
    }
}
