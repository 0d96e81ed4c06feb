//! The one place where the database's errors become the ports'. What matters to a caller is whether anything
//! happened: only a commit can leave that open.

use parlance_domain::Error;
use parlance_domain::ports::StorageError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The database did, before the commit.
    #[error(transparent)]
    Database(#[from] redb::Error),
    /// The commit did: it may be on disk or not.
    #[error(transparent)]
    Commit(redb::CommitError),
    /// A document is not one of this release.
    #[error("a stored document cannot be read")]
    Record(#[from] serde_json::Error),
    /// What must be there is not: the caller's slip, or a damaged file.
    #[error("{0}")]
    Broken(String),
    /// The thread that worked on it has ended.
    #[error(transparent)]
    Ended(tokio::task::JoinError),
}

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Database(redb::Error::Corrupted(_)) | Failed::Record(_) | Failed::Broken(_) => {
                Self::Corrupt { source: Box::new(failed) }
            }
            Failed::Database(_) => Self::Unavailable { source: Box::new(failed) },
            Failed::Commit(_) | Failed::Ended(_) => Self::UnknownOutcome { source: Box::new(failed) },
        }
    }
}

impl From<redb::TransactionError> for Failed {
    fn from(error: redb::TransactionError) -> Self {
        Self::Database(error.into())
    }
}

impl From<redb::TableError> for Failed {
    fn from(error: redb::TableError) -> Self {
        Self::Database(error.into())
    }
}

impl From<redb::StorageError> for Failed {
    fn from(error: redb::StorageError) -> Self {
        Self::Database(error.into())
    }
}

/// Why a change stops: a rule refuses it, which is an answer, or the storage fails.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Error),
    Failed(Failed),
}

impl From<Error> for Stop {
    fn from(refusal: Error) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: Into<Failed>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The answer of a change that may be refused. Changes ask before they write, so a refusal leaves nothing behind.
pub(crate) fn answered<T>(outcome: Result<T, Stop>) -> Result<Result<T, Error>, Failed> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
        Err(Stop::Failed(failed)) => Err(failed),
    }
}
