//! Whole suites. `run` starts Parlance and the baseline in turn, each on a core of its own and the load on another, runs
//! every measurement against each, several times, and writes the report with medians and spread. `smoke` only looks
//! for faults, `trial` runs one scenario, `nodes` runs one against one node and several. Each measurement has a fresh server, and is a process of its own: this binary, with `--json`.

mod chart;
mod contender;
mod document;
mod machine;
mod nodes;
mod plan;
mod results;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use contender::{Contender, Started};
use machine::Machine;
pub(crate) use nodes::nodes;
use plan::{Beside, Course, Measurement};
use results::Results;

use crate::arguments::{SmokeArguments, SuiteArguments, TrialArguments};
use crate::failure::Failure;
use crate::report::Report;
use crate::table;

/// The secret of servers that only ever listen on loopback, for the time of a measurement.
const SECRET: &str = "a secret for the time of a measurement";

/// Measures everything and writes the report.
pub(crate) fn run(wanted: &SuiteArguments) -> Result<ExitCode, Failure> {
    let mut results = Results::default();
    let plan = plan::measurements(wanted);
    let machine = Machine::look()?;
    let repeats = wanted.repeats.max(1);
    for repeat in 1..=repeats {
        // What is measured once takes longest, and comes last.
        let due = |measurement: &&Measurement| repeat == repeats || measurement.course == Course::Repeated;
        for measurement in plan.iter().filter(due) {
            for contender in contenders(wanted, measurement)? {
                let Some(rate) = rate(&results, measurement) else { continue };
                let report = measure(wanted, &contender, measurement, rate)?;
                eprintln!(
                    "{repeat}/{} {} {}: {}",
                    wanted.repeats,
                    measurement.name,
                    contender,
                    results::headline(&report)
                );
                results.add(measurement, &contender, report);
            }
            // Whoever ends it early keeps what was measured.
            document::write(wanted, &plan, &results, &machine)?;
        }
    }
    eprintln!("written: {}", wanted.output.display());
    Ok(if results.any_faults() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Who takes part in a measurement.
fn contenders(wanted: &SuiteArguments, measurement: &Measurement) -> Result<Vec<Contender>, Failure> {
    let storage = |contender: Contender| match (&wanted.postgres, measurement.postgres) {
        (Some(url), true) => contender.on_postgres(url),
        _ => contender,
    };
    let mut all = vec![Contender::parlance(&wanted.server)];
    if measurement.beside != Beside::Nobody {
        all.push(Contender::baseline(&wanted.baseline));
    }
    if measurement.beside == Beside::Both {
        all.push(Contender::bare(own()?));
    }
    Ok(all.into_iter().map(storage).collect())
}

/// Messages a second to ask for: none, or half of what the baseline did at most; `None` when it was not measured.
fn rate(results: &Results, measurement: &Measurement) -> Option<u64> {
    match measurement.half_of {
        None => Some(0),
        Some(closed) => results.half_of_baseline(closed),
    }
}

fn measure(
    wanted: &SuiteArguments,
    contender: &Contender,
    measurement: &Measurement,
    rate: u64,
) -> Result<Report, Failure> {
    let pinned = measurement.course != Course::Unpinned;
    let server_core = pinned.then_some(wanted.server_core);
    let load_core = pinned.then_some(wanted.load_core);
    let server = contender.start(server_core, &measurement.settings)?;
    let mut arguments = measurement.arguments.clone();
    if rate > 0 {
        arguments.extend(["--rate".to_owned(), rate.to_string()]);
    }
    load(&[server], load_core, &arguments)
}

fn own() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::new("the load tool does not find itself", error))
}

/// Runs this binary against the nodes of a server, and reads its report.
fn load(servers: &[Started], core: Option<usize>, arguments: &[String]) -> Result<Report, Failure> {
    let all = |of: &dyn Fn(&Started) -> String| servers.iter().map(of).collect::<Vec<_>>().join(",");
    let output = contender::pinned(&own()?, core)
        .args(arguments)
        .args([
            "--json",
            "--url",
            &all(&|server| server.url.clone()),
            "--pid",
            &all(&|server| server.pid().to_string()),
        ])
        .env("ACCESS_TOKEN_SECRET", SECRET)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new("the load tool does not start", error))?;
    let line = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&line).map_err(|error| Failure::new(format!("no report of {}", arguments.join(" ")), error))
}

/// Runs every scenario briefly against one server after the other.
pub(crate) fn smoke(wanted: &SmokeArguments) -> Result<ExitCode, Failure> {
    let contender = Contender::parlance(&wanted.server);
    let mut sound = true;
    for arguments in plan::smoke() {
        let server = contender.start(None, &[("PRESENCE_GRACE", "10ms")])?;
        let report = load(&[server], None, &arguments)?;
        sound &= !report.faults.any();
        let verdict = if report.faults.any() {
            format!("{:?} {}", report.faults, report.first_failure.as_deref().unwrap_or_default())
        } else {
            "nothing lost".to_owned()
        };
        println!("{:<9}{:<14}{verdict}; {}", report.scenario, report.dialect, results::headline(&report));
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one scenario against a server of its own, and prints what it found.
pub(crate) fn trial(wanted: &TrialArguments) -> Result<ExitCode, Failure> {
    let server = Contender::parlance(&wanted.server).start(None, &[])?;
    let report = load(&[server], None, &wanted.scenario)?;
    table::print(&report);
    Ok(if report.faults.any() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The first line that a command prints; empty when it cannot be run.
fn first_line(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
