//! Keeps what the crates measure, and writes it down as Prometheus reads it. There is one recorder in a process, so it is
//! the program that installs it, before it builds a server; without one nothing is measured. What each name means for
//! an operator stands in docs/metrics.md, which a test holds against the list here.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use parlance_rest::Exposition;

/// How often samples are folded into their histograms, whether or not anybody reads them.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Upper bounds of what takes time, in seconds.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Upper bounds of batches, in messages.
const MESSAGES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0];

/// What a meter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every meter of the server's own: what it is, its name, and what it says.
const METERS: &[(Kind, &str, &str)] = &[
    (Kind::Gauge, "parlance_build_info", "1; the version is its label"),
    (Kind::Gauge, "parlance_sockets", "Sockets that are connected, by dialect"),
    (Kind::Counter, "parlance_events_in_total", "Events that clients sent, by dialect"),
    (Kind::Counter, "parlance_events_out_total", "Events that clients were sent, by dialect, without acks"),
    (Kind::Counter, "parlance_event_errors_total", "Events that were refused or failed, by dialect and code"),
    (Kind::Histogram, "parlance_send_seconds", "From the event of a send to its ack"),
    (Kind::Histogram, "parlance_delivery_seconds", "From when a message was taken to when this node's sockets have it"),
    (Kind::Histogram, "parlance_append_seconds", "Transactions that store messages"),
    (Kind::Histogram, "parlance_append_batch_messages", "Messages of one such transaction"),
    (Kind::Counter, "parlance_append_failures_total", "Such transactions that the storage did not take"),
    (Kind::Histogram, "parlance_storage_seconds", "What the storage was asked, by kind"),
    (Kind::Gauge, "parlance_write_queue_length", "Changes that wait for the writer"),
    (Kind::Counter, "parlance_slow_consumers_total", "Connections that were cut because their client did not read"),
    (Kind::Counter, "parlance_rate_limited_total", "What was refused because somebody went too fast, by limit"),
    (
        Kind::Counter,
        "parlance_channel_deliveries_total",
        "What was due for people who are away, by channel and outcome",
    ),
    (Kind::Gauge, "parlance_link_up", "Whether words get through to the other nodes"),
    (Kind::Counter, "parlance_gap_repairs_total", "Conversations that were caught up from the storage"),
    (Kind::Histogram, "parlance_http_request_seconds", "HTTP requests, by method, route and status"),
    (Kind::Gauge, "parlance_webhooks_waiting", "Events of webhooks that wait to be delivered"),
    (Kind::Gauge, "parlance_webhooks_dead", "Events of webhooks that were given up"),
    (Kind::Counter, "parlance_webhook_attempts_total", "Events that the receiver was brought, by outcome"),
    (Kind::Histogram, "parlance_webhook_seconds", "Requests to the receiver of webhooks"),
];

/// What is measured in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Begins to measure. What is built before measures nothing.
    ///
    /// # Errors
    /// When something else measures in this process already.
    pub fn install() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_messages".to_owned()), &MESSAGES)?
            .install_recorder()?;
        for (kind, name, about) in METERS.iter().copied() {
            match kind {
                Kind::Counter => describe_counter!(name, about),
                Kind::Gauge => describe_gauge!(name, about),
                Kind::Histogram => describe_histogram!(name, about),
            }
        }
        gauge!("parlance_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        let process = Collector::default();
        process.describe();
        process.collect();
        Ok(Self { recorder, process })
    }

    /// Writes everything down.
    pub(crate) fn exposition(&self) -> Exposition {
        let recorder = self.recorder.clone();
        Arc::new(move || recorder.render())
    }

    /// Keeps what is measured in bounds, for as long as it is polled: samples wait in a list until they are folded.
    pub(crate) async fn keep_up(self) -> Infallible {
        let mut ticks = tokio::time::interval(FOLD_EVERY);
        loop {
            ticks.tick().await;
            let Self { recorder, process } = self.clone();
            // The process is described by files of the system.
            let folded = tokio::task::spawn_blocking(move || {
                process.collect();
                recorder.run_upkeep();
            });
            if folded.await.is_err() {
                tracing::error!("what is measured cannot be folded");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first column of the tables of docs/metrics.md.
    fn documented() -> Vec<&'static str> {
        let page = include_str!("../../../docs/metrics.md");
        let named = |line: &'static str| line.strip_prefix("| `parlance_")?.split_once('`').map(|(name, _)| name);
        page.lines().filter_map(named).collect()
    }

    #[test]
    fn the_guide_names_every_meter_and_no_other() {
        let meters: Vec<&str> = METERS.iter().filter_map(|(_, name, _)| name.strip_prefix("parlance_")).collect();
        assert_eq!(meters.len(), METERS.len(), "each begins with the name of the server");
        assert_eq!(documented(), meters);
    }

    #[test]
    fn the_dashboard_asks_for_meters_that_there_are() {
        let page = include_str!("../../../docs/grafana.json");
        let mut asked = 0;
        for after in page.split("parlance_").skip(1) {
            let name = after.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default();
            let part = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let histogram = part.is_some();
            let name = format!("parlance_{}", part.unwrap_or(name));
            let (kind, ..) = METERS.iter().find(|(_, known, _)| *known == name).expect(&name);
            assert_eq!(*kind == Kind::Histogram, histogram, "{name}");
            asked += 1;
        }
        assert!(asked >= METERS.len() - 1, "it shows nearly everything");
    }

    #[test]
    fn names_say_units_and_kinds() {
        for (kind, name, _) in METERS {
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            let measured = name.ends_with("_seconds") || name.ends_with("_messages");
            assert_eq!(*kind == Kind::Histogram, measured, "{name}");
        }
    }
}
