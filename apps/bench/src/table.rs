//! The report for people: one figure a line, with its unit.

use crate::process::Holdings;
use crate::report::{Beside, Connecting, Faults, Growth, Latency, Presence, Report, Soak, Traffic, Usage};

/// Prints a report.
pub(crate) fn print(report: &Report) {
    for (name, value) in lines(report) {
        println!("{name:<22}{value}");
    }
}

fn lines(report: &Report) -> Vec<(String, String)> {
    let Report { scenario, dialect, sockets, conversations, seconds, rate, faults, .. } = report;
    let pace = if *rate == 0 { "closed loop".to_owned() } else { format!("{rate} messages/s asked for") };
    let mut lines = vec![(
        scenario.clone(),
        format!("{dialect}, {sockets} sockets, {conversations} conversations, {seconds:.1} s, {pace}"),
    )];
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    if let Some(Traffic { sends_per_second, deliveries_per_second, ack, delivery, other }) = &report.traffic {
        line("sends/s", count(*sends_per_second));
        line("deliveries/s", count(*deliveries_per_second));
        if let Some(server) = report.server.filter(|_| *sends_per_second > 0.0) {
            line("server CPU per send", format!("{:.1} µs", server.cores * 1_000_000.0 / sends_per_second));
        }
        line("ack", latency(ack));
        line("delivery", latency(delivery));
        if let Some(other) = other {
            line("other calls", latency(other));
        }
    }
    if let Some(Connecting { connects_per_second, handshake, bytes_per_socket, idle_cores }) = &report.connecting {
        line("connects/s", count(*connects_per_second));
        line("handshake", latency(handshake));
        if let Some(bytes) = bytes_per_socket {
            line("memory per socket", format!("{:.1} KiB", bytes / 1024.0));
        }
        if let Some(cores) = idle_cores {
            line("idle", format!("{cores:.2} cores"));
        }
    }
    if let Some(Presence { bystanders, contacts, heard, cpu_micros }) = &report.presence {
        line("presence", format!("{contacts} contacts, {bystanders} others online"));
        line("heard", latency(heard));
        if let Some(micros) = cpu_micros {
            line("server CPU", format!("{micros:.0} µs for one coming and going"));
        }
    }
    for Growth { messages, calls } in &report.growth {
        line("messages", messages.to_string());
        for (name, took) in calls {
            line(&format!("  {name}"), latency(took));
        }
    }
    for Beside { what, ack, delivery, settled_after, resident_mib } in &report.beside {
        line("beside", what.clone());
        line("  ack", latency(ack));
        line("  delivery", latency(delivery));
        if let Some(seconds) = settled_after {
            line("  settled after", format!("{seconds:.1} s"));
        }
        if let Some([before, most, after]) = resident_mib {
            line("  server", format!("{before:.0} MiB before, {most:.0} at most, {after:.0} after"));
        }
    }
    if let Some(Soak { mib_per_minute, resident_mib: [first, last], held: [before, after], group_changes, uploads }) =
        &report.soak
    {
        line("memory", format!("{first:.1} to {last:.1} MiB, {mib_per_minute:+.2} MiB/min"));
        for (name, held) in [("held before", before), ("held after", after)] {
            let Holdings { descriptors, threads } = held;
            line(name, format!("{descriptors} descriptors, {threads} threads"));
        }
        line("churn", format!("{group_changes} group changes, {uploads} uploads"));
    }
    for (name, usage) in [("server", &report.server), ("load", &report.load)] {
        if let Some(Usage { cores, resident_mib }) = usage {
            line(name, format!("{cores:.2} cores, {resident_mib:.0} MiB resident"));
        }
    }
    let Faults { lost, duplicated, out_of_order, failed, closed, unsent } = faults;
    line(
        "faults",
        format!(
            "{lost} lost, {duplicated} duplicated, {out_of_order} out of order, {failed} failed, {closed} connections \
             ended, {unsent} not sent"
        ),
    );
    if let Some(failure) = &report.first_failure {
        lines.push(("first failure".to_owned(), failure.clone()));
    }
    lines
}

/// A number a person can read.
pub(crate) fn count(number: f64) -> String {
    if number < 100.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn latency(latency: &Latency) -> String {
    let Latency { count, p50, p99, p999, max } = latency;
    format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.1} ms ({count})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(7.25), "7.2");
        assert_eq!(count(123.4), "123");
        assert_eq!(count(1_234_567.0), "1,234,567");
    }
}
