//! `parlance-bench`: puts a chat server under load the way its clients would, counts what comes back, and says whether
//! anything was lost, doubled or out of order. Each file of `scenarios` is one kind of load, `suite` runs them against
//! servers that it starts itself. Everything is bounded in time and number; only loopback is loaded unless a flag says
//! otherwise.

mod arguments;
mod aside;
mod bare;
mod client;
mod crowd;
mod failure;
mod letter;
mod line;
mod pace;
mod packet;
mod people;
mod process;
mod progress;
mod report;
mod rest;
mod run;
mod scenarios;
mod sequence;
mod socket;
mod suite;
mod swell;
mod table;
mod tally;
mod target;
mod vocabulary;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    match carry_out(Arguments::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("parlance-bench: {failure}");
            ExitCode::from(2)
        }
    }
}

fn carry_out(arguments: Arguments) -> Result<ExitCode, Failure> {
    process::raise_open_files();
    match arguments.command {
        Command::Suite(wanted) => suite::run(&wanted),
        Command::Smoke(wanted) => suite::smoke(&wanted),
        Command::Trial(wanted) => suite::trial(&wanted),
        Command::Nodes(wanted) => suite::nodes(&wanted),
        Command::Bare(wanted) => bare::serve(&wanted).map(|()| ExitCode::SUCCESS),
        Command::Load(scenario) => {
            let load = scenario.load();
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(load.threads)
                .enable_all()
                .build()
                .map_err(|error| Failure::new("no runtime", error))?;
            let report = runtime.block_on(scenarios::run(&scenario))?;
            // What is still connected is left to the end of the process: closing ten thousand sockets in order is no
            // part of the measurement.
            runtime.shutdown_background();
            if load.json {
                report.print_json()?;
            } else {
                table::print(&report);
            }
            Ok(if report.faults.any() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}
