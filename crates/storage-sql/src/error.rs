//! The one place where a driver's error becomes the port's. What matters to the caller is whether
//! anything happened: only a commit can leave that open.

use std::error::Error;

use parlance_domain::ports::StorageError;
use sea_orm::{DbErr, RuntimeErr};
use sqlx::Error as DriverError;
use sqlx::postgres::PgDatabaseError;

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
    /// A prepared statement did, before the commit: nothing happened.
    #[error(transparent)]
    Prepared(#[from] rusqlite::Error),
    /// The commit of what prepared statements wrote did.
    #[error(transparent)]
    PreparedCommit(rusqlite::Error),
    /// Nobody answers, whatever was asked last.
    #[error("the database does not answer")]
    Late,
    /// What came back makes no sense.
    #[error(transparent)]
    Row(#[from] BadRow),
}

/// What makes a call that failed succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Doing it again: another transaction was in its way.
    Repeat,
    /// Doing it over another connection: this one is dead.
    Reconnect,
}

impl Failed {
    /// What helps, if nothing happened and something does.
    pub(crate) fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Statement(error) => remedy(error),
            // The server has answered that it rolled back.
            Self::Commit(error) => remedy(error).filter(|remedy| *remedy == Remedy::Repeat),
            Self::Prepared(_) | Self::PreparedCommit(_) | Self::Late | Self::Row(_) => None,
        }
    }
}

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Commit(error) if remedy(&error) != Some(Remedy::Repeat) => {
                Self::UnknownOutcome { source: Box::new(error) }
            }
            Failed::Statement(error) | Failed::Commit(error) if is_transient(&error) => {
                Self::Unavailable { source: Box::new(error) }
            }
            Failed::Statement(error) | Failed::Commit(error) => Self::Corrupt { source: Box::new(error) },
            Failed::Prepared(error) if is_transient_prepared(&error) => Self::Unavailable { source: Box::new(error) },
            Failed::Prepared(error) => Self::Corrupt { source: Box::new(error) },
            Failed::PreparedCommit(error) => Self::UnknownOutcome { source: Box::new(error) },
            Failed::Late => Self::UnknownOutcome { source: Box::new(failed) },
            Failed::Row(error) => Self::Corrupt { source: Box::new(error) },
        }
    }
}

/// What the driver says at the bottom of an error.
fn driver(error: &DbErr) -> Option<&DriverError> {
    match error {
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => match cause {
            RuntimeErr::SqlxError(error) => Some(error.as_ref()),
            RuntimeErr::Internal(_) => None,
        },
        _ => None,
    }
}

/// Whether the same call may succeed later: no connection was free, another process holds the file, the server is
/// going down, the disk is full or does not answer.
fn is_transient(error: &DbErr) -> bool {
    // Whatever keeps us from having a connection: without one, nothing happens.
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    match driver(error) {
        Some(DriverError::Database(error)) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<PgDatabaseError>().is_some() {
                is_transient_state(&code)
            } else {
                code.parse().is_ok_and(is_transient_code)
            }
        }
        Some(DriverError::Io(_) | DriverError::PoolTimedOut | DriverError::PoolClosed | DriverError::WorkerCrashed) => {
            true
        }
        _ => false,
    }
}

fn remedy(error: &DbErr) -> Option<Remedy> {
    match driver(error)? {
        DriverError::Io(_) => Some(Remedy::Reconnect),
        DriverError::Database(error) => {
            let state = error.try_downcast_ref::<PgDatabaseError>()?.code();
            match state {
                // Serialization failure, deadlock.
                "40001" | "40P01" => Some(Remedy::Repeat),
                // The server ends this session: it shuts down, has crashed, or was told to.
                "57P01" | "57P02" | "57P05" | "25P03" => Some(Remedy::Reconnect),
                _ if state.starts_with("08") => Some(Remedy::Reconnect),
                _ => None,
            }
        }
        _ => None,
    }
}

/// SQLSTATEs by their class (PostgreSQL's appendix A) where all of it is passing.
fn is_transient_state(state: &str) -> bool {
    // A standby takes no writes; a session that idled in a transaction is ended; a lock was not to be had.
    const SINGLE: [&str; 3] = ["25006", "25P03", "55P03"];
    // Connections, rollbacks, resources, interventions of the operator, input and output of the server.
    const CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];
    SINGLE.contains(&state) || CLASSES.iter().any(|class| state.starts_with(class))
}

/// SQLite's result code where somebody else holds the file.
const BUSY: i32 = 5;

/// SQLite's primary result code is the low byte of the extended one.
fn is_transient_code(code: i32) -> bool {
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const INTERRUPT: i32 = 9;
    const IOERR: i32 = 10;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    matches!(code & 0xff, BUSY | LOCKED | NOMEM | READONLY | INTERRUPT | IOERR | FULL | CANTOPEN | PROTOCOL)
}

/// Whether somebody else holds the SQLite file.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    let Some(DriverError::Database(error)) = driver(error) else { return false };
    error.code().and_then(|code| code.parse().ok()).is_some_and(|code: i32| code & 0xff == BUSY)
}

fn is_transient_prepared(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| is_transient_code(error.extended_code))
}

/// No connection was to be had: nothing happened.
pub(crate) fn not_acquired(error: DriverError) -> Failed {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
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
        for (code, transient) in [(5, true), (517, true), (13, true), (10, true), (2067, false), (11, false)] {
            assert_eq!(is_transient_code(code), transient, "{code}");
        }
    }

    #[test]
    fn a_server_that_goes_down_is_worth_another_try_and_a_broken_rule_is_not() {
        for (state, transient) in [
            ("40001", true),
            ("40P01", true),
            ("53300", true),
            ("57P01", true),
            ("57014", true),
            ("08006", true),
            ("23505", false),
            ("42P01", false),
            ("22021", false),
        ] {
            assert_eq!(is_transient_state(state), transient, "{state}");
        }
    }

    #[test]
    fn a_dead_connection_is_replaced_before_the_commit_and_never_after_it() {
        let dead = || {
            let error = DriverError::Io(std::io::ErrorKind::ConnectionReset.into());
            DbErr::Exec(RuntimeErr::SqlxError(error.into()))
        };
        assert_eq!(Failed::Statement(dead()).remedy(), Some(Remedy::Reconnect));
        assert_eq!(Failed::Commit(dead()).remedy(), None);
        assert!(matches!(Failed::Statement(dead()).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::Commit(dead()).into(), StorageError::UnknownOutcome { .. }));
        assert!(matches!(Failed::Late.into(), StorageError::UnknownOutcome { .. }));
    }

    #[test]
    fn only_a_commit_leaves_the_outcome_open() {
        let error = || DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        assert!(matches!(Failed::Statement(error()).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::Commit(error()).into(), StorageError::UnknownOutcome { .. }));
        let unreadable = || DbErr::Type("x".to_owned());
        assert!(matches!(Failed::Statement(unreadable()).into(), StorageError::Corrupt { .. }));
        assert!(matches!(Failed::Row(BadRow("role")).into(), StorageError::Corrupt { .. }));
        let full = || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None);
        assert!(matches!(Failed::Prepared(full()).into(), StorageError::Unavailable { .. }));
        assert!(matches!(Failed::PreparedCommit(full()).into(), StorageError::UnknownOutcome { .. }));
        let nothing = rusqlite::Error::QueryReturnedNoRows;
        assert!(matches!(Failed::Prepared(nothing).into(), StorageError::Corrupt { .. }));
    }
}
