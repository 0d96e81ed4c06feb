//! What was measured, by measurement, server and figure: medians and spread over the repeats.

use std::collections::BTreeMap;

use super::contender::{Contender, Kind};
use super::plan::Measurement;
use crate::report::{Growth, Report};
use crate::table::count;

/// A figure of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Figure {
    Sends,
    Deliveries,
    AckP50,
    AckP99,
    AckP999,
    DeliveryP50,
    DeliveryP99,
    DeliveryP999,
    Connects,
    HandshakeP99,
    SocketKib,
    IdleCores,
    HeardP99,
    PresenceMicros,
    SendMicros,
    ServerCores,
    LoadCores,
    ServerMib,
}

impl Figure {
    /// What it is called, with its unit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sends => "sends/s",
            Self::Deliveries => "deliveries/s",
            Self::AckP50 => "ack p50, ms",
            Self::AckP99 => "ack p99, ms",
            Self::AckP999 => "ack p99.9, ms",
            Self::DeliveryP50 => "delivery p50, ms",
            Self::DeliveryP99 => "delivery p99, ms",
            Self::DeliveryP999 => "delivery p99.9, ms",
            Self::Connects => "connects/s",
            Self::HandshakeP99 => "handshake p99, ms",
            Self::SocketKib => "memory per socket, KiB",
            Self::IdleCores => "cores while idle",
            Self::HeardP99 => "contacts hear, p99, ms",
            Self::PresenceMicros => "server CPU each time, µs",
            Self::SendMicros => "server CPU per send, µs",
            Self::ServerCores => "server, cores",
            Self::LoadCores => "load, cores",
            Self::ServerMib => "server, MiB resident",
        }
    }

    /// A value of it, for people.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Sends
            | Self::Deliveries
            | Self::Connects
            | Self::ServerMib
            | Self::PresenceMicros
            | Self::SendMicros => count(value),
            Self::SocketKib => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        }
    }

    /// All figures that a report has.
    fn all(report: &Report) -> Vec<(Self, f64)> {
        let mut figures = Vec::new();
        if let Some(traffic) = &report.traffic {
            figures.extend([
                (Self::Sends, traffic.sends_per_second),
                (Self::Deliveries, traffic.deliveries_per_second),
                (Self::AckP50, traffic.ack.p50),
                (Self::AckP99, traffic.ack.p99),
                (Self::AckP999, traffic.ack.p999),
                (Self::DeliveryP50, traffic.delivery.p50),
                (Self::DeliveryP99, traffic.delivery.p99),
                (Self::DeliveryP999, traffic.delivery.p999),
            ]);
        }
        if let Some(connecting) = &report.connecting {
            figures.extend([
                (Self::Connects, connecting.connects_per_second),
                (Self::HandshakeP99, connecting.handshake.p99),
            ]);
            figures.extend(connecting.bytes_per_socket.map(|bytes| (Self::SocketKib, bytes / 1024.0)));
            figures.extend(connecting.idle_cores.map(|cores| (Self::IdleCores, cores)));
        }
        if let Some(presence) = &report.presence {
            figures.push((Self::HeardP99, presence.heard.p99));
            figures.extend(presence.cpu_micros.map(|micros| (Self::PresenceMicros, micros)));
        }
        if let (Some(server), Some(traffic)) = (&report.server, &report.traffic)
            && traffic.sends_per_second > 0.0
        {
            figures.push((Self::SendMicros, server.cores * 1_000_000.0 / traffic.sends_per_second));
        }
        if let Some(server) = &report.server {
            figures.extend([(Self::ServerCores, server.cores), (Self::ServerMib, server.resident_mib)]);
        }
        figures.extend(report.load.map(|load| (Self::LoadCores, load.cores)));
        figures
    }
}

/// The middle of some values, and their range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (lowest, highest) = (*sorted.first()?, *sorted.last()?);
        let upper = sorted[sorted.len() / 2];
        let lower = sorted[(sorted.len() - 1) / 2];
        Some(Self { median: f64::midpoint(lower, upper), lowest, highest })
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    values: BTreeMap<(&'static str, Figure, Kind), Vec<f64>>,
    growth: BTreeMap<&'static str, Vec<Growth>>,
    faults: Vec<String>,
}

impl Results {
    /// Adds a report.
    pub(super) fn add(&mut self, measurement: &Measurement, contender: &Contender, report: Report) {
        for (figure, value) in Figure::all(&report) {
            self.values.entry((measurement.name, figure, contender.kind)).or_default().push(value);
        }
        if report.faults.any() {
            let first = report.first_failure.as_deref().unwrap_or_default();
            self.faults.push(format!("{}, {contender}: {:?} {first}", measurement.name, report.faults));
        }
        if !report.growth.is_empty() {
            self.growth.insert(measurement.name, report.growth);
        }
    }

    /// The figures of a measurement, in their order.
    pub(super) fn figures(&self, measurement: &str) -> Vec<Figure> {
        let mut figures: Vec<Figure> =
            self.values.keys().filter(|(name, ..)| *name == measurement).map(|(_, figure, _)| *figure).collect();
        figures.dedup();
        figures
    }

    /// The values of one figure.
    pub(super) fn spread(&self, measurement: &'static str, figure: Figure, kind: Kind) -> Option<Spread> {
        Spread::of(self.values.get(&(measurement, figure, kind))?)
    }

    /// Half of what the baseline sent at most, as asked of both.
    pub(super) fn half_of_baseline(&self, measurement: &'static str) -> Option<u64> {
        let sends = self.spread(measurement, Figure::Sends, Kind::Baseline)?.median;
        // A rate is a whole number well inside of what fits.
        format!("{:.0}", sends / 2.0).parse().ok().filter(|rate| *rate > 0)
    }

    /// How a measurement grew; nothing where it did not.
    pub(super) fn growth(&self, measurement: &str) -> &[Growth] {
        self.growth.get(measurement).map_or(&[], Vec::as_slice)
    }

    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    pub(super) fn any_faults(&self) -> bool {
        !self.faults.is_empty()
    }
}

/// A report in a few words.
pub(super) fn headline(report: &Report) -> String {
    let mut words: Vec<String> = Vec::new();
    for (figure, value) in Figure::all(report) {
        use Figure::{AckP99, Connects, Deliveries, HeardP99, LoadCores, Sends, ServerCores, ServerMib, SocketKib};
        if matches!(
            figure,
            Sends | Deliveries | AckP99 | Connects | SocketKib | HeardP99 | ServerCores | LoadCores | ServerMib
        ) {
            words.push(format!("{} {}", figure.name(), figure.show(value)));
        }
    }
    words.extend(report.growth.last().map(|Growth { messages, .. }| format!("{messages} messages")));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, lowest: 1.0, highest: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0]), Some(Spread { median: 2.5, lowest: 1.0, highest: 4.0 }));
    }
}
