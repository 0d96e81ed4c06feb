//! Why a run could not be made; what it says is one line. That a run was made and messages were lost is no failure of
//! this kind: the report says it, and the exit code.

use std::fmt::Display;

/// A run that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    /// What was being done, and what came in between.
    pub(crate) fn new(what: impl Display, cause: impl Display) -> Self {
        Self(format!("{what}: {cause}"))
    }

    /// A failure without another one behind it.
    pub(crate) fn plain(what: impl Display) -> Self {
        Self(what.to_string())
    }
}
