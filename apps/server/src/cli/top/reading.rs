//! What one look at a node's metrics says, as far as it is shown. The names are those of docs/metrics.md.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exposition::samples;
use super::histogram::Histogram;

/// Counts since the node started, and what holds at the moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) version: String,
    pub(super) sockets: BTreeMap<String, f64>,
    pub(super) events_in: f64,
    pub(super) events_out: f64,
    pub(super) errors: f64,
    pub(super) rate_limited: f64,
    pub(super) slow_consumers: f64,
    pub(super) queue: f64,
    pub(super) sends: Histogram,
    pub(super) deliveries: Histogram,
    pub(super) appends: Histogram,
    pub(super) cpu_seconds: f64,
    pub(super) memory_bytes: f64,
}

/// What went on between two looks at one node, or at several nodes together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) sockets: BTreeMap<String, f64>,
    /// A second, as the next ones.
    pub(super) events_in: f64,
    pub(super) events_out: f64,
    pub(super) sends: f64,
    pub(super) errors: f64,
    pub(super) rate_limited: f64,
    /// Since the start.
    pub(super) slow_consumers: f64,
    pub(super) queue: f64,
    pub(super) acks: Histogram,
    pub(super) deliveries: Histogram,
    pub(super) appends: Histogram,
    /// Processors that were busy.
    pub(super) cpu: f64,
    pub(super) memory_bytes: f64,
}

impl Reading {
    /// Reads a page; `None` where it is no page of ours.
    pub(super) fn of(page: &str) -> Option<Self> {
        let mut reading = Self::default();
        for sample in samples(page) {
            let value = sample.value;
            match sample.name {
                "parlance_build_info" => reading.version = sample.label("version").unwrap_or_default().into(),
                "parlance_sockets" => {
                    let dialect = sample.label("dialect").unwrap_or_default().to_owned();
                    *reading.sockets.entry(dialect).or_default() += value;
                }
                "parlance_events_in_total" => reading.events_in += value,
                "parlance_events_out_total" => reading.events_out += value,
                "parlance_event_errors_total" => reading.errors += value,
                "parlance_rate_limited_total" => reading.rate_limited += value,
                "parlance_slow_consumers_total" => reading.slow_consumers += value,
                "parlance_write_queue_length" => reading.queue += value,
                "process_cpu_seconds_total" => reading.cpu_seconds = value,
                "process_resident_memory_bytes" => reading.memory_bytes = value,
                name => {
                    let histogram = match name {
                        "parlance_send_seconds_bucket" => &mut reading.sends,
                        "parlance_delivery_seconds_bucket" => &mut reading.deliveries,
                        "parlance_append_seconds_bucket" => &mut reading.appends,
                        _ => continue,
                    };
                    if let Some(bound) = sample.label("le").and_then(|bound| bound.parse().ok()) {
                        histogram.add(bound, value);
                    }
                }
            }
        }
        (!reading.version.is_empty()).then_some(reading)
    }

    /// What went on since `before`.
    pub(super) fn since(&self, before: &Self, time: Duration) -> Figures {
        let seconds = time.as_secs_f64().max(0.001);
        // A count that has fallen began anew.
        let rate = |now: f64, then: f64| if now < then { now / seconds } else { (now - then) / seconds };
        let acks = self.sends.since(&before.sends);
        Figures {
            sockets: self.sockets.clone(),
            events_in: rate(self.events_in, before.events_in),
            events_out: rate(self.events_out, before.events_out),
            sends: acks.count() / seconds,
            errors: rate(self.errors, before.errors),
            rate_limited: rate(self.rate_limited, before.rate_limited),
            slow_consumers: self.slow_consumers,
            queue: self.queue,
            acks,
            deliveries: self.deliveries.since(&before.deliveries),
            appends: self.appends.since(&before.appends),
            cpu: rate(self.cpu_seconds, before.cpu_seconds),
            memory_bytes: self.memory_bytes,
        }
    }
}

impl Figures {
    /// These and those of another node.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (dialect, count) in &other.sockets {
            *self.sockets.entry(dialect.clone()).or_default() += count;
        }
        Self {
            sockets: self.sockets,
            events_in: self.events_in + other.events_in,
            events_out: self.events_out + other.events_out,
            sends: self.sends + other.sends,
            errors: self.errors + other.errors,
            rate_limited: self.rate_limited + other.rate_limited,
            slow_consumers: self.slow_consumers + other.slow_consumers,
            queue: self.queue + other.queue,
            acks: self.acks.plus(&other.acks),
            deliveries: self.deliveries.plus(&other.deliveries),
            appends: self.appends.plus(&other.appends),
            cpu: self.cpu + other.cpu,
            memory_bytes: self.memory_bytes + other.memory_bytes,
        }
    }

    /// Sockets of all dialects.
    pub(super) fn connections(&self) -> f64 {
        self.sockets.values().sum()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::histogram::Quantile;
    use super::*;

    /// A page of a node that has stored so many messages.
    pub(in super::super) fn page(sends: u32) -> String {
        format!(
            "parlance_build_info{{version=\"1.2.3\"}} 1\nparlance_sockets{{dialect=\"ulearn\"}} 2\n\
             parlance_sockets{{dialect=\"gateway\"}} 3\nparlance_events_in_total{{dialect=\"ulearn\"}} {sends}\n\
             parlance_events_out_total{{dialect=\"ulearn\"}} {}\nparlance_write_queue_length 4\n\
             parlance_send_seconds_bucket{{le=\"0.005\"}} {sends}\nparlance_send_seconds_bucket{{le=\"+Inf\"}} {sends}\n\
             parlance_rate_limited_total{{limit=\"sends\"}} 1\nprocess_resident_memory_bytes 52428800\n",
            sends * 10
        )
    }

    #[test]
    fn two_looks_say_what_went_on_between_them() {
        let (before, after) = (Reading::of(&page(100)).unwrap(), Reading::of(&page(150)).unwrap());
        assert_eq!((after.version.as_str(), after.memory_bytes), ("1.2.3", 52_428_800.0));
        let figures = after.since(&before, Duration::from_secs(2));
        assert_eq!((figures.sends, figures.events_out, figures.rate_limited), (25.0, 250.0, 0.0));
        assert_eq!((figures.connections(), figures.queue), (5.0, 4.0));
        assert_eq!(figures.acks.quantile(1.0), Some(Quantile::About(0.005)));
        let restarted = before.since(&after, Duration::from_secs(2));
        assert_eq!((restarted.sends, restarted.events_in), (50.0, 50.0), "its counts began anew");
        let both = figures.clone().plus(&figures);
        assert_eq!((both.sends, both.sockets["gateway"], both.acks.count()), (50.0, 6.0, 100.0));
    }

    #[test]
    fn somebody_elses_page_is_no_reading() {
        assert_eq!(Reading::of("<html>404</html>"), None);
        assert_eq!(Reading::of("up 1\nprocess_cpu_seconds_total 4\n"), None);
    }
}
