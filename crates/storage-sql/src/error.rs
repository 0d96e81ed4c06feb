//! The one place where a driver's error becomes the port's. What matters to the caller is whether
//! anything happened: only a commit can leave that open.

use std::error::Error;

use parlance_domain::ports::StorageError;
use sea_orm::sqlx::Error as DriverError;
use sea_orm::{DbErr, RuntimeErr};

/// A row that this release cannot have written.
#[derive(Debug, thiserror::Error)]
#[error("the stored {0} is not valid")]
pub(crate) struct BadRow(pub(crate) &'static str);

/// Why a call failed, and at which point.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// A statement did, before the commit: nothing happened.
    #[error(transparent)]
    Statement(#[from] DbErr),
    /// The commit did.
    #[error(transparent)]
    Commit(DbErr),
    /// What came back makes no sense.
    #[error(transparent)]
    Row(#[from] BadRow),
}

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Statement(error) if is_transient(&error) => Self::Unavailable { source: Box::new(error) },
            Failed::Statement(error) => Self::Corrupt { source: Box::new(error) },
            Failed::Commit(error) => Self::UnknownOutcome { source: Box::new(error) },
            Failed::Row(error) => Self::Corrupt { source: Box::new(error) },
        }
    }
}

/// Whether the same call may succeed later: no connection was free, another process holds the file, the
/// disk is full or does not answer.
fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => match cause {
            RuntimeErr::SqlxError(error) => match error.as_ref() {
                DriverError::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
                DriverError::Io(_)
                | DriverError::PoolTimedOut
                | DriverError::PoolClosed
                | DriverError::WorkerCrashed => true,
                _ => false,
            },
            RuntimeErr::Internal(_) => false,
        },
        _ => false,
    }
}

/// SQLite's primary result code is the low byte of the extended one.
fn is_transient_code(code: &str) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const NOMEM: u32 = 7;
    const READONLY: u32 = 8;
    const INTERRUPT: u32 = 9;
    const IOERR: u32 = 10;
    const FULL: u32 = 13;
    const CANTOPEN: u32 = 14;
    const PROTOCOL: u32 = 15;
    code.parse::<u32>().is_ok_and(|code| {
        matches!(code & 0xff, BUSY | LOCKED | NOMEM | READONLY | INTERRUPT | IOERR | FULL | CANTOPEN | PROTOCOL)
    })
}

/// What lies at the bottom of an error, as one line.
pub(crate) fn root_cause(error: &DbErr) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string().lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_file_is_worth_another_try_and_a_broken_rule_is_not() {
        for (code, transient) in
            [("5", true), ("517", true), ("13", true), ("10", true), ("2067", false), ("11", false)]
        {
            assert_eq!(is_transient_code(code), transient, "{code}");
        }
    }

    #[test]
    fn only_a_commit_leaves_the_outcome_open() {
        let error = || DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        assert!(matches!(Failed::Statement(error()).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::Commit(error()).into(), StorageError::UnknownOutcome { .. }));
        let unreadable = || DbErr::Type("x".to_owned());
        assert!(matches!(Failed::Statement(unreadable()).into(), StorageError::Corrupt { .. }));
        assert!(matches!(Failed::Row(BadRow("role")).into(), StorageError::Corrupt { .. }));
    }
}
