//! What is wrong with a configuration, always as one line that names the setting and where it came from.
//! No variant carries the value of a secret. `main` prints it and exits with code 2.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The setting's own default.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable of the setting's name.
    Environment,
    /// A flag on the command line.
    Flag,
    /// The program that embeds the server.
    Program,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("command line"),
            Self::Program => f.write_str("program"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting has a value that cannot be used.
    #[error("{name} ({origin}): {problem}")]
    Value {
        /// The setting's name.
        name: &'static str,
        /// Who set it.
        origin: Origin,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting that has no default was not given.
    #[error("{name} is not set: {problem}")]
    Missing {
        /// The setting's name.
        name: &'static str,
        /// What to do about it.
        problem: &'static str,
    },
    /// The file has a key that is no setting.
    #[error("{}: unknown setting `{key}`{hint}", .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// A similar setting, as ` (did you mean …?)`, or nothing.
        hint: String,
    },
    /// The file cannot be read, or is not TOML.
    #[error("configuration file {}: {problem}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl ConfigError {
    /// A file that cannot be used. `problem` is made one line.
    pub(super) fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: one_line(problem) }
    }
}

/// The first line of a text that others wrote, such as a driver's.
pub(crate) fn one_line(text: impl fmt::Display) -> String {
    let text = text.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
