//! The binary `parlance`: reads the command line and runs one command. What was asked for goes to stdout, everything
//! else to stderr. Exit codes: 0 done, 1 failed while running, 2 the command line or the configuration cannot be used
//! (one line says what and where it came from).

mod cli;

use std::process::ExitCode;

/// A message makes many small values that live shortly, in Rust as in SQLite, on threads that hand them to each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
