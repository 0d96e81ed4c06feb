//! What can go wrong, as a client may see it: one variant per row of the contract's table of errors,
//! and no catch-all. Codes, texts and HTTP statuses belong to the transports; storages have an error of
//! their own (`ports::StorageError`), which becomes `Unavailable` or `Internal` here.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::ports::StorageError;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case was refused or failed. Nothing has happened, save with `Unavailable` after a write, where
/// the outcome may be unknown: a send with a `clientMessageId` can be repeated safely.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No token was given.
    #[error("token required")]
    TokenRequired,
    /// The token is malformed, wrongly signed, expired, or not for this server.
    #[error("invalid token")]
    InvalidToken,
    /// The bearer of a valid token is not in the directory.
    #[error("unknown bearer")]
    UnknownBearer,
    /// No key of the server API, or none that is known.
    #[error("invalid API key")]
    InvalidApiKey,
    /// No such user.
    #[error("user not found")]
    UserNotFound,
    /// A field is missing, has the wrong type or breaks a limit.
    #[error("{field}: {message}")]
    Validation {
        /// The field, event or setting.
        field: Cow<'static, str>,
        /// What is wrong with it.
        message: Cow<'static, str>,
    },
    /// No such conversation.
    #[error("conversation not found")]
    ConversationNotFound,
    /// No such message, or not for the caller to see.
    #[error("message not found")]
    MessageNotFound,
    /// The caller is not in the conversation.
    #[error("not a participant ({0:?})")]
    NotParticipant(Attempt),
    /// A role is missing, or it is someone else's.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// The caller blocks the other person.
    #[error("blocked by the caller")]
    BlockedByYou,
    /// The other person blocks the caller.
    #[error("blocked by the other")]
    Blocked,
    /// Audio messages are refused.
    #[error("audio is not allowed")]
    AudioNotAllowed,
    /// A medium of this type is refused.
    #[error("unsupported media type {0}")]
    UnsupportedMedia(String),
    /// More than a limit allows; says which.
    #[error("payload too large: {0}")]
    PayloadTooLarge(String),
    /// Too fast.
    #[error("rate limited for {retry_after:?}")]
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
    /// Something else that is not there; says what.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// What is there forbids it; says why.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// Storage or cluster does not answer in time.
    #[error("unavailable")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A bug, or a damaged store; details only in the log.
    #[error("internal error")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// What somebody outside a conversation tried to do in it; the contract words each refusal in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Joining its room.
    Join,
    /// Sending to it.
    Send,
    /// Anything else.
    Access,
}

impl Error {
    /// A validation error for one field.
    pub fn validation(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Validation { field: field.into(), message: message.into() }
    }

    /// A failure that is nobody's fault but ours.
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Arc::new(source))
    }

    /// What it says, and what its causes say, for the log: a client is not told.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable { .. } | StorageError::UnknownOutcome { .. } => {
                Self::Unavailable(Arc::new(error))
            }
            StorageError::Corrupt { .. } => Self::Internal(Arc::new(error)),
        }
    }
}

/// Errors are equal when a client could not tell them apart.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.to_string() == other.to_string()
    }
}
