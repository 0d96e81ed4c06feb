//! In whose shape messages and users are answered: `?dialect=`, else `X-Dialect`, else `talentbridge`.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use parlance_dialects::{AnyDialect, Dialect, UnknownDialect};
use parlance_domain::Error;
use serde_json::json;

use super::query::given;
use crate::RestState;
use crate::description::{Describe, Operation};
use crate::errors::Refusal;

/// The dialect of the answer.
pub(crate) struct Shape(pub(crate) AnyDialect);

impl FromRequestParts<Arc<RestState>> for Shape {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, rest: &Arc<RestState>) -> Result<Self, Refusal> {
        let query = given(&parts.uri).into_iter().find_map(|(name, value)| (name == "dialect").then_some(value));
        let header = parts.headers.get("x-dialect").map(|name| String::from_utf8_lossy(name.as_bytes()));
        let Some(name) = query.as_deref().or(header.as_deref()) else {
            return Ok(Self(Dialect::Talentbridge.into()));
        };
        Ok(Self(rest.settings.dialects.find(name.trim()).map_err(unknown)?))
    }
}

impl Describe for Shape {
    fn describe(operation: &mut Operation<'_>) {
        let names = json!({"type": "string", "enum": Dialect::ALL.map(Dialect::name)});
        operation.parameter(
            "query",
            "dialect",
            "Whose shapes the answer has; `talentbridge` if it is not said.",
            &names,
        );
        operation.parameter("header", "X-Dialect", "The same; `dialect` counts first.", &names);
        operation.refuse(&[400]);
    }
}

fn unknown(UnknownDialect(name): UnknownDialect) -> Error {
    const SHOWN_CHARS: usize = 50;
    Error::validation("dialect", format!("{} is unknown", name.chars().take(SHOWN_CHARS).collect::<String>()))
}
