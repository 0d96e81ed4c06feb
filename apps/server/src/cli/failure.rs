//! How a command ends that does not succeed: one line on stderr and an exit code.

use std::fmt::Display;
use std::process::ExitCode;

use parlance_server::config::ConfigError;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The help or the version was asked for: printed, and not a failure to the caller.
    Shown(clap::Error),
    /// The command line cannot be understood.
    Usage(String),
    /// The configuration cannot be used.
    Config(ConfigError),
    /// Something went wrong on the way.
    Running(String),
}

impl Failure {
    pub(super) fn running(error: impl Display) -> Self {
        Self::Running(error.to_string())
    }

    /// Says what is wrong, and with which code to exit.
    pub(crate) fn report(self) -> ExitCode {
        let (line, code) = match self {
            Self::Shown(help) => return if help.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
            Self::Usage(line) => (line, 2),
            Self::Config(error) => (error.to_string(), 2),
            Self::Running(line) => (line, 1),
        };
        eprintln!("parlance: {line}");
        ExitCode::from(code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}
