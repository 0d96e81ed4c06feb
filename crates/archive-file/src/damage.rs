//! What is wrong with a file, and where; and how the system's errors are told.

use std::io;
use std::path::Path;

use parlance_domain::ports::StorageError;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A line is not what was written.
    #[error("line {line}, field `{field}`: {problem}")]
    Line {
        /// Which line, from 1.
        line: u64,
        /// Which field of it, as `record.message.seq`; `.` is the whole line.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The last line is missing: an export was interrupted, or the file was cut off.
    #[error(
        "line {line}, field `record.end`: the file ends before its last line; it was cut off, or is an unfinished export"
    )]
    Truncated {
        /// The line that would be the next.
        line: u64,
    },
}

impl Damage {
    pub(crate) fn line(line: u64, field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Line { line, field: field.into(), problem: problem.into() }
    }
}

impl From<Damage> for StorageError {
    fn from(damage: Damage) -> Self {
        Self::Corrupt { source: Box::new(damage) }
    }
}

/// The system does not let us.
pub(crate) fn unavailable(path: &Path, error: &io::Error) -> StorageError {
    StorageError::Unavailable { source: format!("{}: {error}", path.display()).into() }
}
