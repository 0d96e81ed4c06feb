//! The one table from domain errors to the contract's codes and texts (`errors.md`), for both transports; HTTP
//! statuses are REST's. The matches have no wildcard: an error that is not placed here does not compile.

use std::borrow::Cow;
use std::time::Duration;

use parlance_domain::Error;
use parlance_domain::error::Attempt;

/// What a client was doing; words the failures that are nobody's fault but ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Sending a message.
    Send,
    /// Joining a conversation.
    Join,
    /// Marking messages as read.
    MarkRead,
    /// Anything else.
    Other,
}

/// The code of an error.
pub fn code(error: &Error) -> &'static str {
    match error {
        Error::TokenRequired => "TOKEN_REQUIRED",
        Error::InvalidToken => "INVALID_TOKEN",
        Error::InvalidApiKey => "INVALID_API_KEY",
        Error::UnknownBearer | Error::UserNotFound => "USER_NOT_FOUND",
        Error::Validation { .. } => "VALIDATION_FAILED",
        Error::ConversationNotFound => "CONVERSATION_NOT_FOUND",
        Error::MessageNotFound => "MESSAGE_NOT_FOUND",
        Error::NotParticipant(_) => "NOT_PARTICIPANT",
        Error::Forbidden(_) => "FORBIDDEN",
        Error::BlockedByYou => "BLOCKED_BY_YOU",
        Error::Blocked => "BLOCKED",
        Error::AudioNotAllowed => "AUDIO_NOT_ALLOWED",
        Error::UnsupportedMedia(_) => "UNSUPPORTED_MEDIA",
        Error::PayloadTooLarge(_) => "PAYLOAD_TOO_LARGE",
        Error::RateLimited { .. } => "RATE_LIMITED",
        Error::NotFound(_) => "NOT_FOUND",
        Error::Conflict(_) => "CONFLICT",
        Error::Unavailable(_) => "UNAVAILABLE",
        Error::Internal(_) => "INTERNAL",
    }
}

/// What a client is told. Nothing of what an error carries for the log is in it.
pub fn message(error: &Error, operation: Operation) -> Cow<'_, str> {
    Cow::Borrowed(match error {
        Error::TokenRequired => "Authentication error: Token required",
        Error::InvalidToken => "Authentication error: Invalid token",
        Error::UnknownBearer => "Authentication error: User not found",
        Error::InvalidApiKey => "Invalid API key",
        Error::UserNotFound => "User not found",
        Error::Validation { field, message } => return Cow::Owned(format!("{field} {message}")),
        Error::ConversationNotFound => "Conversation not found",
        Error::MessageNotFound => "Message not found",
        Error::NotParticipant(Attempt::Join) => "Not authorized to join this conversation",
        Error::NotParticipant(Attempt::Send) => "Not authorized to send message",
        Error::NotParticipant(Attempt::Access) => "Not authorized to access this conversation",
        Error::BlockedByYou => "You cannot send messages to a blocked user",
        Error::Blocked => "Action not available",
        Error::AudioNotAllowed => "Audio messages are not allowed",
        Error::UnsupportedMedia(found) => return Cow::Owned(format!("Unsupported media type: {found}")),
        Error::PayloadTooLarge(limit) => return Cow::Owned(format!("Payload too large: {limit}")),
        Error::RateLimited { .. } => "Too many requests",
        Error::Forbidden(text) | Error::NotFound(text) | Error::Conflict(text) => text,
        Error::Unavailable(_) => "Service temporarily unavailable",
        Error::Internal(_) => match operation {
            Operation::Send => "Failed to send message",
            Operation::Join => "Failed to join conversation",
            Operation::MarkRead => "Failed to mark messages as read",
            Operation::Other => "Internal error",
        },
    })
}

/// When to try again, in whole milliseconds, at least 1: the `retryAfterMs` of acks and `error` events.
pub fn retry_after_ms(error: &Error) -> Option<u64> {
    let Error::RateLimited { retry_after } = error else { return None };
    let rounded_up = retry_after.saturating_add(Duration::from_nanos(999_999));
    Some(u64::try_from(rounded_up.as_millis()).unwrap_or(u64::MAX).max(1))
}
