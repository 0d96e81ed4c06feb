//! The contract's table of errors, row by row: codes, and the texts that it fixes. The HTTP statuses are REST's.

use std::collections::BTreeSet;
use std::time::Duration;

use parlance_dialects::errors::{self, Operation};
use parlance_domain::Error;
use parlance_domain::error::Attempt;

fn internal() -> Error {
    Error::internal(std::io::Error::other("SELECT secret FROM /etc/passwd"))
}

fn unavailable() -> Error {
    Error::Unavailable(std::sync::Arc::new(std::io::Error::other("10.0.0.5:5432 refused")))
}

/// The rows of `errors.md`.
fn rows() -> Vec<(&'static str, Error, Operation, &'static str)> {
    use Operation::{Join, MarkRead, Other, Send};
    let limited = Error::RateLimited { retry_after: Duration::from_secs(1) };
    vec![
        ("TOKEN_REQUIRED", Error::TokenRequired, Other, "Authentication error: Token required"),
        ("INVALID_TOKEN", Error::InvalidToken, Other, "Authentication error: Invalid token"),
        ("USER_NOT_FOUND", Error::UnknownBearer, Other, "Authentication error: User not found"),
        ("USER_NOT_FOUND", Error::UserNotFound, Other, "User not found"),
        ("VALIDATION_FAILED", Error::validation("text", "is required"), Send, "text is required"),
        ("CONVERSATION_NOT_FOUND", Error::ConversationNotFound, Join, "Conversation not found"),
        ("MESSAGE_NOT_FOUND", Error::MessageNotFound, Other, "Message not found"),
        ("NOT_PARTICIPANT", Error::NotParticipant(Attempt::Join), Join, "Not authorized to join this conversation"),
        ("NOT_PARTICIPANT", Error::NotParticipant(Attempt::Send), Send, "Not authorized to send message"),
        (
            "NOT_PARTICIPANT",
            Error::NotParticipant(Attempt::Access),
            Other,
            "Not authorized to access this conversation",
        ),
        ("FORBIDDEN", Error::Forbidden("Only the owner can give roles"), Other, "Only the owner can give roles"),
        ("BLOCKED_BY_YOU", Error::BlockedByYou, Send, "You cannot send messages to a blocked user"),
        ("BLOCKED", Error::Blocked, Send, "Action not available"),
        ("AUDIO_NOT_ALLOWED", Error::AudioNotAllowed, Send, "Audio messages are not allowed"),
        ("UNSUPPORTED_MEDIA", Error::UnsupportedMedia("text/html".into()), Other, "Unsupported media type: text/html"),
        ("PAYLOAD_TOO_LARGE", Error::PayloadTooLarge("20 MiB".into()), Other, "Payload too large: 20 MiB"),
        ("RATE_LIMITED", limited, Send, "Too many requests"),
        ("NOT_FOUND", Error::NotFound("Route not found"), Other, "Route not found"),
        ("CONFLICT", Error::Conflict("The group is full"), Other, "The group is full"),
        ("UNAVAILABLE", unavailable(), Send, "Service temporarily unavailable"),
        ("INTERNAL", internal(), Send, "Failed to send message"),
        ("INTERNAL", internal(), Join, "Failed to join conversation"),
        ("INTERNAL", internal(), MarkRead, "Failed to mark messages as read"),
        ("INTERNAL", internal(), Other, "Internal error"),
    ]
}

#[test]
fn every_row_has_its_code_and_its_text() {
    for (code, error, operation, text) in rows() {
        assert_eq!(errors::code(&error), code);
        assert_eq!(errors::message(&error, operation), text, "{code}");
    }
}

#[test]
fn no_code_of_the_contract_is_left_out() {
    // The server API answers INVALID_API_KEY by itself: no use case fails with it.
    let contract = "TOKEN_REQUIRED INVALID_TOKEN USER_NOT_FOUND VALIDATION_FAILED CONVERSATION_NOT_FOUND \
                    MESSAGE_NOT_FOUND NOT_PARTICIPANT FORBIDDEN BLOCKED_BY_YOU BLOCKED AUDIO_NOT_ALLOWED \
                    UNSUPPORTED_MEDIA PAYLOAD_TOO_LARGE RATE_LIMITED NOT_FOUND CONFLICT UNAVAILABLE INTERNAL";
    let codes: BTreeSet<_> = rows().iter().map(|(_, error, ..)| errors::code(error)).collect();
    assert_eq!(codes, contract.split_whitespace().collect());
}

#[test]
fn only_what_is_limited_says_when_to_come_back_and_never_too_early() {
    let after = |retry_after| errors::retry_after_ms(&Error::RateLimited { retry_after });
    assert_eq!(after(Duration::from_millis(250)), Some(250));
    assert_eq!(after(Duration::from_micros(250_001)), Some(251));
    assert_eq!(after(Duration::ZERO), Some(1));
    assert_eq!(after(Duration::MAX), Some(u64::MAX));
    assert_eq!(errors::retry_after_ms(&Error::Blocked), None);
}
