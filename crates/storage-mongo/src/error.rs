//! The one place where a driver's error becomes the port's. What matters to the caller is whether anything
//! happened: only a commit can leave that open.

use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, WriteFailure};
use parlance_domain::ports::StorageError;

/// A unique index has the key already.
pub(crate) const DUPLICATE_KEY: i32 = 11_000;
/// Another transaction has changed a document first.
const WRITE_CONFLICT: i32 = 112;
/// Codes of the server after which the same call may succeed: it is going down, has just become primary, has no
/// room on its disk or no time.
const TRANSIENT: [i32; 18] =
    [6, 7, 24, 50, 89, 91, 133, 134, 189, 202, 251, 262, 9001, 10_107, 11_600, 11_602, 13_435, 14_031];

/// A document that this release cannot have written.
#[derive(Debug, thiserror::Error)]
#[error("the stored {0} is not valid")]
pub(crate) struct BadDocument(pub(crate) &'static str);

/// A call took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("no answer within the time that a call may take")]
pub(crate) struct TimedOut;

/// Why a call failed, and at which point.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// A command did, before the commit: nothing happened.
    #[error(transparent)]
    Command(#[from] Error),
    /// A statement was refused inside a transaction, which is void by that.
    #[error("a write was refused with code {code}: {message}")]
    Write {
        /// The server's code.
        code: i32,
        /// What the server says.
        message: String,
    },
    /// The commit failed, or what follows it.
    #[error("{0}")]
    Commit(#[source] Box<Failed>),
    /// Time was up before the commit: nothing happened.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// Time was up during the commit.
    #[error(transparent)]
    TimedOutInCommit(TimedOut),
    /// Somebody else came first, and has done so until time was up. Nothing happened.
    #[error("others were always faster: {0}")]
    Conflict(&'static str),
    /// What came back makes no sense, or what was asked for cannot be.
    #[error(transparent)]
    Document(#[from] BadDocument),
}

impl Failed {
    /// Whether the same attempt may succeed at once: nothing of it happened, since somebody else came first.
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Command(error) => {
                (error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !is_of_the_network(error))
                    || matches!(code(error), Some(WRITE_CONFLICT | DUPLICATE_KEY))
            }
            Self::Write { code, .. } => matches!(*code, WRITE_CONFLICT | DUPLICATE_KEY),
            Self::Commit(_) | Self::TimedOut(_) | Self::TimedOutInCommit(_) | Self::Document(_) => false,
        }
    }
}

impl Failed {
    /// Whether the server has found that another transaction came first.
    pub(crate) fn is_write_conflict(&self) -> bool {
        matches!(self, Self::Command(error) if code(error) == Some(WRITE_CONFLICT))
    }

    /// The same failure, of a change that may have happened.
    pub(crate) fn in_commit(self) -> Self {
        Self::Commit(Box::new(self))
    }

    /// Whether the change may have happened.
    pub(crate) fn is_in_commit(&self) -> bool {
        matches!(self, Self::Commit(_) | Self::TimedOutInCommit(_))
    }

    /// Whether no server has answered, so that a transaction may be open still.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Command(error) => is_of_the_network(error),
            Self::Commit(cause) => cause.is_of_the_network(),
            _ => false,
        }
    }

    /// Whether a connection broke before the commit: another one may be good.
    pub(crate) fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Command(error) if matches!(*error.kind, ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. }))
    }
}

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Command(error) if is_transient(&error) => Self::Unavailable { source: Box::new(error) },
            Failed::Command(error) => Self::Corrupt { source: Box::new(error) },
            Failed::TimedOut(error) => Self::Unavailable { source: Box::new(error) },
            Failed::Conflict(_) => Self::Unavailable { source: Box::new(failed) },
            Failed::Write { code, .. } if is_transient_code(code) => Self::Unavailable { source: Box::new(failed) },
            Failed::Write { .. } => Self::Corrupt { source: Box::new(failed) },
            Failed::Commit(cause) => Self::UnknownOutcome { source: cause },
            Failed::TimedOutInCommit(error) => Self::UnknownOutcome { source: Box::new(error) },
            Failed::Document(error) => Self::Corrupt { source: Box::new(error) },
        }
    }
}

/// Whether the same call may succeed later.
fn is_transient(error: &Error) -> bool {
    is_of_the_network(error)
        || error.contains_label(TRANSIENT_TRANSACTION_ERROR)
        || code(error).is_some_and(is_transient_code)
}

fn is_transient_code(code: i32) -> bool {
    code == WRITE_CONFLICT || TRANSIENT.contains(&code)
}

/// Whether no server answered.
fn is_of_the_network(error: &Error) -> bool {
    matches!(
        *error.kind,
        ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Shutdown
    )
}

/// The server's code of an error.
fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(error) => error.write_errors.as_ref()?.first().map(|error| error.code),
        _ => None,
    }
}

/// Whether a unique index refused.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// An error as one line.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io() -> Error {
        std::io::Error::other("cut").into()
    }

    #[test]
    fn only_a_commit_leaves_the_outcome_open() {
        assert!(matches!(Failed::Command(io()).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::Command(io()).in_commit().into(), StorageError::UnknownOutcome { .. }));
        assert!(matches!(Failed::TimedOut(TimedOut).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::TimedOutInCommit(TimedOut).into(), StorageError::UnknownOutcome { .. }));
        assert!(matches!(Failed::Conflict("x").into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::Document(BadDocument("role")).into(), StorageError::Corrupt { .. }));
    }

    #[test]
    fn a_broken_connection_is_no_conflict() {
        assert!(!Failed::Command(io()).is_conflict(), "the server may be gone for longer");
        assert!(Failed::Conflict("x").is_conflict());
    }
}
