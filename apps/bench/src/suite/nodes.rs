//! One node against several that are one server: the same load on the same machine, so what differs is what it costs that
//! words go from node to node. Sockets take turns on the nodes. What the database and the link use is not counted.

use std::process::ExitCode;

use super::contender::Contender;
use super::load;
use crate::arguments::NodesArguments;
use crate::failure::Failure;
use crate::report::{Report, Traffic};
use crate::table;

/// Runs a scenario against each number of nodes, and prints a line for each.
pub(crate) fn nodes(wanted: &NodesArguments) -> Result<ExitCode, Failure> {
    let contender = Contender::parlance(&wanted.server).on_postgres(&wanted.postgres);
    let setting = if wanted.link.starts_with("redis") { "REDIS_URL" } else { "NATS_URL" };
    let mut sound = true;
    println!("{:<6}{:>12}{:>14}{:>8}{:>16}", "nodes", "sends/s", "deliveries/s", "cores", "CPU/delivery");
    for count in &wanted.nodes {
        let linked = [(setting, wanted.link.as_str())];
        let settings = if *count > 1 { &linked[..] } else { &[] };
        let servers = contender.start_nodes(*count, settings)?;
        let report = load(&servers, None, &wanted.scenario)?;
        println!("{}", line(*count, &report));
        if report.faults.any() {
            sound = false;
            table::print(&report);
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(count: usize, report: &Report) -> String {
    let Some(Traffic { sends_per_second: sends, deliveries_per_second: deliveries, .. }) = report.traffic else {
        return format!("{count:<6}no messages in this scenario");
    };
    let cores = report.server.map_or(0.0, |usage| usage.cores);
    let micros = if deliveries > 0.0 { cores * 1_000_000.0 / deliveries } else { 0.0 };
    format!("{count:<6}{sends:>12.0}{deliveries:>14.0}{cores:>8.2}{micros:>13.1} µs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Usage;

    #[test]
    fn a_delivery_costs_what_all_nodes_used_together() {
        let traffic = Traffic { sends_per_second: 500.0, deliveries_per_second: 10_000.0, ..Traffic::default() };
        let server = Some(Usage { cores: 1.5, resident_mib: 0.0 });
        let report = Report { traffic: Some(traffic), server, ..Report::default() };
        let words: Vec<String> = line(2, &report).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["2", "500", "10000", "1.50", "150.0", "µs"]);
        assert!(line(1, &Report::default()).contains("no messages"));
    }
}
