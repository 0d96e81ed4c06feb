//! The binary `parlance`: reads the command line and runs one command. What was asked for goes to stdout, everything
//! else to stderr. Exit codes: 0 done, 1 failed while running, 2 the command line or the configuration cannot be used
//! (one line says what and where it came from).

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
