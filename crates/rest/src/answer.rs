//! The envelope of `rest.md`: what every answer of the API looks like. Payloads of messages, users and
//! conversations arrive as JSON text from the dialects and are copied in as they are.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlance_domain::Error;
use parlance_domain::model::Page;
use schemars::JsonSchema;
use serde::Serialize;

use crate::description::{Describe, Operation};
use crate::errors::Refusal;

/// What a handler comes to.
pub(crate) type Answered<T> = Result<Answer<T>, Refusal>;

/// A success.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    status: StatusCode,
    message: &'static str,
    data: T,
}

impl<T> Answer<T> {
    /// 200 with this data.
    pub(crate) fn ok(message: &'static str, data: T) -> Self {
        Self { status: StatusCode::OK, message, data }
    }

    /// 201 with this data.
    pub(crate) fn created(message: &'static str, data: T) -> Self {
        Self { status: StatusCode::CREATED, message, data }
    }
}

/// What every answer looks like that is no refusal.
#[derive(JsonSchema, Serialize)]
#[schemars(inline)]
pub(crate) struct Envelope<'a, T> {
    #[schemars(extend("const" = true))]
    success: bool,
    message: &'static str,
    data: &'a T,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        json(self.status, &Envelope { success: true, message: self.message, data: &self.data })
    }
}

impl<T: JsonSchema + 'static> Describe for Answer<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.data::<T>();
    }
}

/// Where the next page begins (contract: `pagination`).
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    has_more: bool,
    /// The `cursor` of the next page; `null` at the end.
    next_cursor: Option<String>,
}

impl Pagination {
    pub(crate) fn of<T, C: ToString>(page: &Page<T, C>) -> Self {
        Self { has_more: page.next.is_some(), next_cursor: page.next.as_ref().map(ToString::to_string) }
    }
}

/// A whole body of the contract's shape.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let content_type = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, content_type)], bytes).into_response()
        }
        Err(error) => Refusal::from(Error::internal(error)).into_response(),
    }
}
