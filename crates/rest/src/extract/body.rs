//! The JSON body of a request as a struct. No body is an empty object, so that routes whose fields are all optional can
//! be called without one. The content type is not looked at: nothing else is accepted.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use parlance_domain::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::fields;
use crate::RestState;
use crate::description::{Describe, Operation};
use crate::errors::Refusal;

/// The content type of bodies, as clients are told.
pub(crate) const JSON: &str = "application/json";

/// The fields of a body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<RestState>> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, rest: &Arc<RestState>) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, rest).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Error::PayloadTooLarge(format!("a body may have {} bytes", rest.settings.max_body_bytes))
            }
            _ => Error::validation("body", "could not be read"),
        })?;
        Ok(Self(fields::read(&object(&bytes)?)?))
    }
}

impl<T: JsonSchema> Describe for Body<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.body::<T>(JSON);
        operation.refuse(&[400, 413]);
    }
}

fn object(bytes: &[u8]) -> Result<Value> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(Value::Object(fields)),
        _ => Err(Error::validation("body", "must be a JSON object")),
    }
}

/// Fields that a dialect's decoder reads; `Shape` describes them.
#[derive(Debug)]
pub(crate) struct Encoded<Shape>(pub(crate) Value, PhantomData<fn() -> Shape>);

impl<'de, Shape> Deserialize<'de> for Encoded<Shape> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer)?, PhantomData))
    }
}

impl<Shape: JsonSchema> JsonSchema for Encoded<Shape> {
    fn inline_schema() -> bool {
        Shape::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Shape::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Shape::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Shape::json_schema(generator)
    }
}

/// Reads a field that can be left out, which keeps something, or be `null`, which removes it.
#[expect(clippy::option_option, reason = "left out, null and a text are three things to say")]
pub(crate) fn clearable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
