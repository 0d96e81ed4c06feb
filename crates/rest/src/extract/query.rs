//! The query of a request as a struct. Of a repeated field the first counts; an empty one counts as not given, which is
//! what forms and clients with an empty cursor send.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fields;
use crate::description::{Describe, Operation};
use crate::errors::Refusal;

/// The fields of a query. Each value is a text.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let fields = given(&parts.uri).into_iter().map(|(name, value)| (name, Value::String(value)));
        Ok(Self(fields::read(&Value::Object(fields.collect::<Map<_, _>>()))?))
    }
}

impl<T: JsonSchema> Describe for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.query::<T>();
        operation.refuse(&[400]);
    }
}

/// The fields that are given, each once. Broken escapes are read as replacement characters, so there is nothing to
/// refuse.
pub(super) fn given(uri: &Uri) -> Vec<(String, String)> {
    let read = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in read.map(|axum::extract::Query(fields)| fields).unwrap_or_default() {
        if !fields.iter().any(|(known, _)| *known == name) {
            fields.push((name, value));
        }
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields
}
