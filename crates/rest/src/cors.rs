//! Which web pages of other origins may call (contract: `rest.md`, CORS). Allowed origins get the CORS
//! headers with credentials, on errors too; for all others, and where nothing is configured, the layer is
//! as if it were not there. The application puts it outside Socket.IO, which would answer preflights itself.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, Request, Response};
use futures::future::Either;
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, Cors, CorsLayer, ResponseFuture};

use crate::frame::REQUEST_ID;

/// How long a browser may remember a preflight's answer.
const MAX_AGE: Duration = Duration::from_mins(10);
const DIALECT: HeaderName = HeaderName::from_static("x-dialect");

/// Not an origin: must be `scheme://host` or `scheme://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin such as https://chat.example.com (all origins cannot be allowed at once)")]
pub struct InvalidOrigin(pub String);

/// The origins of `CORS_ORIGIN`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Arc<BTreeSet<HeaderValue>>);

/// Reads a comma-separated list; a blank one allows nobody.
impl FromStr for Origins {
    type Err = InvalidOrigin;

    fn from_str(list: &str) -> Result<Self, InvalidOrigin> {
        let origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        origins.map(origin).collect::<Result<BTreeSet<_>, _>>().map(|origins| Self(Arc::new(origins)))
    }
}

impl Origins {
    /// Whether nobody is on the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one is on the list.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }
}

/// The list as it was read.
impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins: Vec<_> = self.0.iter().filter_map(|origin| origin.to_str().ok()).collect();
        f.write_str(&origins.join(","))
    }
}

fn origin(text: &str) -> Result<HeaderValue, InvalidOrigin> {
    let invalid = || InvalidOrigin(text.to_owned());
    // As browsers write it: in lower case, without a slash at the end.
    let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, host) = origin.split_once("://").ok_or_else(invalid)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if scheme.is_empty()
        || host.is_empty()
        || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        || !host.chars().all(allowed)
    {
        return Err(invalid());
    }
    HeaderValue::from_str(&origin).map_err(|_| invalid())
}

/// The layer for these origins.
pub fn cors(origins: &Origins) -> CorsGate {
    let headers = CorsLayer::new()
        .allow_origin(origins.0.iter().cloned().collect::<Vec<_>>())
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::list([header::AUTHORIZATION, header::CONTENT_TYPE, DIALECT, REQUEST_ID]))
        .expose_headers([REQUEST_ID, header::RETRY_AFTER])
        .max_age(MAX_AGE);
    CorsGate { origins: origins.clone(), headers }
}

/// See [`cors()`].
#[derive(Debug, Clone)]
pub struct CorsGate {
    origins: Origins,
    headers: CorsLayer,
}

impl<S: Clone> Layer<S> for CorsGate {
    type Service = CorsGated<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CorsGated { origins: self.origins.clone(), allowed: self.headers.layer(inner.clone()), plain: inner }
    }
}

/// A service behind [`cors()`]: the library's CORS answers some headers to every origin, so strangers go past it.
#[derive(Debug, Clone)]
pub struct CorsGated<S> {
    origins: Origins,
    allowed: Cors<S>,
    plain: S,
}

impl<S, B, R: Default> Service<Request<B>> for CorsGated<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<ResponseFuture<S::Future>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.allowed.poll_ready(cx))?;
        self.plain.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let allowed = request.headers().get(header::ORIGIN).is_some_and(|origin| self.origins.allow(origin));
        if allowed { Either::Left(self.allowed.call(request)) } else { Either::Right(self.plain.call(request)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_origins_is_read_as_browsers_write_them() {
        let list: Origins = " http://localhost:3000, HTTPS://Chat.Example.com/ ,,".parse().expect("valid");
        let origins: Vec<_> = list.0.iter().map(|origin| origin.to_str().expect("text")).collect();
        assert_eq!(origins, ["http://localhost:3000", "https://chat.example.com"]);
        assert_eq!(list.to_string().parse(), Ok(list));
        assert_eq!("".parse(), Ok(Origins::default()));
        for bad in ["*", "localhost:3000", "https://", "://x", "https://x/path", "https://x y", "null"] {
            assert_eq!(bad.parse::<Origins>(), Err(InvalidOrigin(bad.to_owned())));
        }
    }
}
