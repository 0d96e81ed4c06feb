//! Refusals and failures as HTTP answers (contract: `errors.md`). The status of each error stands in one
//! exhaustive match; codes and texts are the dialects', so that both transports say the same.
//!
//! A handler's refusal travels to `frame` as it is and is written there, where the request's id is known.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlance_dialects::errors::{self, Operation};
use parlance_domain::Error;
use parlance_domain::error::Attempt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::json;

/// Why a request is not answered with data.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// A use case refused or failed while doing this.
    Failed(Error, Operation),
    /// The route exists, with other methods.
    MethodNotAllowed,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error, Operation::Other)
    }
}

/// Leaves the refusal with an empty answer; `frame` writes it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a request was refused.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure<'a> {
    #[schemars(extend("const" = false))]
    success: bool,
    /// For people.
    message: Cow<'a, str>,
    /// For programs.
    code: &'static str,
    /// The field that was wrong, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<[FieldError<'a>; 1]>,
    /// Where the failure is the server's own: the name by which its log has the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct FieldError<'a> {
    field: &'a str,
    message: &'a str,
}

impl Refusal {
    /// The answer in the envelope. Only a bug shows the request's id, by which the log has its cause.
    pub(crate) fn write(&self, request_id: &str) -> Response {
        let (code, message) = (self.code(), self.message());
        match self {
            Self::Failed(error, _) => {
                let errors = match error {
                    Error::Validation { field, message } => Some([FieldError { field, message }]),
                    _ => None,
                };
                let body = Failure {
                    success: false,
                    message,
                    code,
                    errors,
                    request_id: matches!(error, Error::Internal(_)).then_some(request_id),
                };
                let mut response = json(self.status(), &body);
                add_headers(error, response.headers_mut());
                response
            }
            Self::MethodNotAllowed => {
                let body = Failure { success: false, message, code, errors: None, request_id: None };
                json(self.status(), &body)
            }
        }
    }

    /// The status of its answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Failed(error, _) => status(error),
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// What the client is told.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Failed(error, operation) => errors::message(error, *operation),
            Self::MethodNotAllowed => Cow::Borrowed("Method not allowed"),
        }
    }

    /// What it is called.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Failed(error, _) => errors::code(error),
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
        }
    }

    /// One refusal of each kind, as the description of the API shows them.
    pub(crate) fn examples() -> Vec<Self> {
        let cause = || Arc::new(io::Error::other("an example"));
        let errors = [
            Error::validation("text", "is required"),
            Error::TokenRequired,
            Error::InvalidToken,
            Error::UnknownBearer,
            Error::InvalidApiKey,
            Error::NotParticipant(Attempt::Access),
            Error::NotParticipant(Attempt::Send),
            Error::Forbidden("Only the owner can give roles"),
            Error::BlockedByYou,
            Error::Blocked,
            Error::UserNotFound,
            Error::ConversationNotFound,
            Error::MessageNotFound,
            Error::NotFound("Notification not found"),
            Error::Conflict("The group is full"),
            Error::PayloadTooLarge("a body may have 1048576 bytes".to_owned()),
            Error::AudioNotAllowed,
            Error::UnsupportedMedia("image/svg+xml".to_owned()),
            Error::RateLimited { retry_after: Duration::from_secs(1) },
            Error::Internal(cause()),
            Error::Unavailable(cause()),
        ];
        errors.map(Self::from).into_iter().chain([Self::MethodNotAllowed]).collect()
    }

    /// Tells the log what clients are not told.
    pub(crate) fn log(&self) {
        match self {
            Self::Failed(error @ Error::Internal(_), _) => tracing::error!(cause = error.in_full(), "internal error"),
            Self::Failed(error @ Error::Unavailable(_), _) => tracing::warn!(cause = error.in_full(), "unavailable"),
            Self::Failed(error, _) => tracing::debug!(%error, "refused"),
            Self::MethodNotAllowed => {}
        }
    }
}

/// The status of each row of the contract's table.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::TokenRequired | Error::InvalidToken | Error::UnknownBearer | Error::InvalidApiKey => {
            StatusCode::UNAUTHORIZED
        }
        Error::Validation { .. } => StatusCode::BAD_REQUEST,
        Error::UserNotFound | Error::ConversationNotFound | Error::MessageNotFound | Error::NotFound(_) => {
            StatusCode::NOT_FOUND
        }
        Error::NotParticipant(_) | Error::Forbidden(_) | Error::BlockedByYou | Error::Blocked => StatusCode::FORBIDDEN,
        Error::AudioNotAllowed | Error::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn add_headers(error: &Error, headers: &mut HeaderMap) {
    match error {
        Error::TokenRequired | Error::InvalidToken | Error::UnknownBearer => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Whole seconds, rounded up: a client that comes back at that moment is let in.
        Error::RateLimited { retry_after } => {
            let seconds = retry_after.as_millis().div_ceil(1000).max(1);
            let value = HeaderValue::from_str(&seconds.to_string());
            headers.extend(value.ok().map(|value| (header::RETRY_AFTER, value)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn every_row() -> [(Error, u16, &'static str); 20] {
        let cause = || Arc::new(io::Error::other("x"));
        [
            (Error::TokenRequired, 401, "TOKEN_REQUIRED"),
            (Error::InvalidToken, 401, "INVALID_TOKEN"),
            (Error::UnknownBearer, 401, "USER_NOT_FOUND"),
            (Error::InvalidApiKey, 401, "INVALID_API_KEY"),
            (Error::UserNotFound, 404, "USER_NOT_FOUND"),
            (Error::validation("x", "y"), 400, "VALIDATION_FAILED"),
            (Error::ConversationNotFound, 404, "CONVERSATION_NOT_FOUND"),
            (Error::MessageNotFound, 404, "MESSAGE_NOT_FOUND"),
            (Error::NotParticipant(Attempt::Send), 403, "NOT_PARTICIPANT"),
            (Error::Forbidden("x"), 403, "FORBIDDEN"),
            (Error::BlockedByYou, 403, "BLOCKED_BY_YOU"),
            (Error::Blocked, 403, "BLOCKED"),
            (Error::AudioNotAllowed, 415, "AUDIO_NOT_ALLOWED"),
            (Error::UnsupportedMedia("x".into()), 415, "UNSUPPORTED_MEDIA"),
            (Error::PayloadTooLarge("x".into()), 413, "PAYLOAD_TOO_LARGE"),
            (Error::RateLimited { retry_after: Duration::from_millis(1200) }, 429, "RATE_LIMITED"),
            (Error::NotFound("x"), 404, "NOT_FOUND"),
            (Error::Conflict("x"), 409, "CONFLICT"),
            (Error::Unavailable(cause()), 503, "UNAVAILABLE"),
            (Error::Internal(cause()), 500, "INTERNAL"),
        ]
    }

    #[test]
    fn every_row_of_the_contract_has_its_status() {
        for (error, status, code) in every_row() {
            assert_eq!(super::status(&error).as_u16(), status, "{error}");
            assert_eq!(errors::code(&error), code, "{error}");
        }
    }

    #[test]
    fn every_row_is_among_the_examples() {
        let rows = |refusals: Vec<Refusal>| -> BTreeSet<_> {
            refusals.iter().map(|refusal| (refusal.status().as_u16(), refusal.code())).collect()
        };
        let table = every_row().map(|(error, ..)| Refusal::from(error));
        assert_eq!(rows(Refusal::examples()), rows(table.into_iter().chain([Refusal::MethodNotAllowed]).collect()));
    }

    #[test]
    fn a_limited_caller_hears_when_to_come_back_in_whole_seconds() {
        let refusal = Refusal::from(Error::RateLimited { retry_after: Duration::from_millis(1200) });
        let response = refusal.write("r");
        assert_eq!(response.headers().get(header::RETRY_AFTER), Some(&HeaderValue::from_static("2")));
    }

    #[tokio::test]
    async fn a_bug_is_worded_by_what_was_done_and_names_its_request() {
        let cause = std::io::Error::other("table users is missing");
        let response = Refusal::Failed(Error::internal(cause), Operation::Send).write("r7");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let expected = serde_json::json!({
            "success": false, "message": "Failed to send message", "code": "INTERNAL", "requestId": "r7",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn the_log_gets_every_cause() {
        let outer = std::io::Error::other(std::io::Error::other("disk full"));
        assert!(Error::internal(outer).in_full().ends_with("disk full"));
    }
}
