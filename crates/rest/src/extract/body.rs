//! The JSON body of a request, read field by field. No body is an empty object, so that routes whose fields
//! are all optional can be called without one. The content type is not looked at: nothing else is accepted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use parlance_domain::model::{InvalidId, ProfileChange, Timestamp, UserId};
use parlance_domain::{Error, Result};
use serde_json::{Map, Value};

use crate::RestState;
use crate::errors::Refusal;

/// The fields of a body.
#[derive(Debug)]
pub(crate) struct Body(Map<String, Value>);

impl FromRequest<Arc<RestState>> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, rest: &Arc<RestState>) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, rest).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Error::PayloadTooLarge(format!("a body may have {} bytes", rest.settings.max_body_bytes))
            }
            _ => Error::validation("body", "could not be read"),
        })?;
        Ok(Self::read(&bytes)?)
    }
}

impl Body {
    fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Error::validation("body", "must be a JSON object")),
        }
    }

    /// A field that is neither absent nor `null`.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// Whether a field is there, also as `null`.
    pub(crate) fn names(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// A text that may be absent.
    pub(crate) fn optional_text(&self, field: &'static str) -> Result<Option<&str>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::validation(field, "must be a string")),
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, field: &'static str) -> Result<&str> {
        self.optional_text(field)?.ok_or(Error::validation(field, "is required"))
    }

    /// A moment, in RFC 3339, that may be absent.
    pub(crate) fn optional_moment(&self, field: &'static str) -> Result<Option<Timestamp>> {
        let wrong = |_| Error::validation(field, "must be a moment such as 2026-11-21T01:02:03Z");
        let read = |text: &str| text.parse::<jiff::Timestamp>().map_err(wrong);
        Ok(self.optional_text(field)?.map(read).transpose()?.map(|at| Timestamp::from_millis(at.as_millisecond())))
    }

    /// A yes or no that may be absent.
    pub(crate) fn optional_flag(&self, field: &'static str) -> Result<Option<bool>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Error::validation(field, "must be true or false")),
        }
    }

    /// Any JSON that may be absent, as text.
    pub(crate) fn json(&self, field: &str) -> Option<String> {
        self.get(field).map(Value::to_string)
    }

    /// `fullName` and `profilePicture`: what they leave out is kept, and `null` removes the picture.
    pub(crate) fn profile(&self) -> Result<ProfileChange> {
        let picture = self.optional_text("profilePicture")?.map(str::to_owned);
        Ok(ProfileChange {
            name: self.optional_text("fullName")?.map(str::to_owned),
            picture: self.names("profilePicture").then_some(picture),
        })
    }

    /// The id of a user that must be there.
    pub(crate) fn user(&self, field: &'static str) -> Result<UserId> {
        user_id(field, self.text(field)?)
    }

    /// A list of user ids that must be there.
    pub(crate) fn users(&self, field: &'static str) -> Result<Vec<UserId>> {
        let wrong = || Error::validation(field, "must be a list of user ids");
        let Some(Value::Array(users)) = self.get(field) else { return Err(wrong()) };
        let texts = users.iter().map(|user| user.as_str().ok_or_else(wrong));
        texts.map(|text| user_id(field, text?)).collect()
    }

    /// Sets a field, whatever it was.
    pub(crate) fn set(&mut self, field: &'static str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    /// The whole body, for a dialect's decoder.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

fn user_id(field: &'static str, text: &str) -> Result<UserId> {
    text.parse().map_err(|error: InvalidId| Error::validation(field, error.to_string()))
}
