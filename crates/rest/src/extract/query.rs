//! The query of a request, read field by field. Of a repeated field the first counts; an empty one counts as
//! not given, which is what forms and clients with an empty cursor send.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use parlance_domain::{Error, Result};

/// The longest text to search for, in characters.
const MAX_SEARCH_CHARS: usize = 200;

/// The fields of a query.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

impl Query {
    /// The fields of this address. Broken escapes are read as replacement characters, so there is nothing to refuse.
    pub(super) fn of(uri: &Uri) -> Self {
        let fields = axum::extract::Query::try_from_uri(uri);
        Self(fields.map(|axum::extract::Query(fields)| fields).unwrap_or_default())
    }

    /// The text of a field.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let value = self.0.iter().find_map(|(name, value)| (name == field).then_some(value.as_str()));
        value.filter(|value| !value.is_empty())
    }

    /// A text to search for.
    pub(crate) fn search(&self, field: &'static str) -> Result<Option<&str>> {
        let text = self.text(field).map(str::trim).filter(|text| !text.is_empty());
        if text.is_some_and(|text| text.chars().count() > MAX_SEARCH_CHARS || text.contains('\0')) {
            return Err(Error::validation(field, "must have at most 200 characters and no NUL"));
        }
        Ok(text)
    }

    /// How many items are asked for, from 1 to `max`.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize> {
        match self.parse("limit", "must be a number")? {
            None => Ok(default),
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(Error::validation("limit", format!("must be from 1 to {max}"))),
        }
    }

    /// Whether something is asked for; no if it is not said.
    pub(crate) fn flag(&self, field: &'static str) -> Result<bool> {
        match self.text(field) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Error::validation(field, "must be true or false")),
        }
    }

    /// A field of its own kind; `says` what it must be.
    pub(crate) fn parse<T: FromStr>(&self, field: &'static str, says: &'static str) -> Result<Option<T>> {
        self.text(field).map(|text| text.parse().map_err(|_| Error::validation(field, says))).transpose()
    }
}
