//! What surrounds every request: its id, its span in the log, its time-out, the net under panics, and the
//! one place where refusals are written.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::histogram;
use parlance_domain::{Error, trace};
use tokio::time::Instant;
use tower_http::timeout::DeadlineBody;
use tracing::{Instrument, Span};

use crate::RestState;
use crate::errors::Refusal;

/// The header that names a request, in both directions.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_BYTES: usize = 128;

/// A handler took longer than a request may.
#[derive(Debug, thiserror::Error)]
#[error("the request took too long")]
struct TimedOut;

/// A handler panicked; the panic hook has told the log where.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

/// What surrounds the requests of some routes: the state, and how long they may take.
#[derive(Clone)]
pub(crate) struct Framing {
    pub(crate) rest: Arc<RestState>,
    pub(crate) patience: Duration,
}

pub(crate) async fn frame(State(Framing { rest, patience }): State<Framing>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers()).unwrap_or_else(|| rest.ids.next_id().to_string());
    // The pattern of the route, not the path: user ids stay out of the log.
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str()).to_owned();
    let (method, began) = (request.method().clone(), Instant::now());
    let traced = begin_trace(&rest, request.headers(), &method, &route, &id);
    let request_span = || tracing::info_span!("rest.request", request_id = id, %method, route = route.as_str());
    let logged = traced.in_scope(request_span);
    let response = answer(patience, request, next, &id, &traced).instrument(logged).instrument(traced.clone()).await;
    traced.record("http.response.status_code", i64::from(response.status().as_u16()));
    measure(&method, route, response.status(), began.elapsed());
    response
}

/// The span of a request in a trace: the caller's, if it has begun one, else one of its own.
fn begin_trace(rest: &RestState, headers: &HeaderMap, method: &Method, route: &str, id: &str) -> Span {
    macro_rules! span {
        ($target:expr) => {
            tracing::info_span!(
                target: $target,
                "rest.request.answer",
                otel.kind = "server",
                otel.name = format_args!("{} {route}", word(method)),
                http.request.method = word(method),
                http.route = route,
                http.response.status_code = tracing::field::Empty,
                request_id = id,
            )
        };
    }
    let Some(traces) = &rest.traces else { return Span::none() };
    match traces.is_recorded(headers) {
        None => span!(trace::ROOT),
        Some(false) => Span::none(),
        Some(true) => {
            let span = span!(trace::CONTINUED);
            traces.go_on(headers, &span);
            span
        }
    }
}

/// A method. Whatever a client makes up has one name, or lists of them would grow.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// Measures a request (docs/metrics.md).
fn measure(method: &Method, route: String, status: StatusCode, took: Duration) {
    let route = if route.is_empty() { "unknown".to_owned() } else { route };
    let status = status.as_u16().to_string();
    histogram!("parlance_http_request_seconds", "method" => word(method), "route" => route, "status" => status)
        .record(took);
}

async fn answer(patience: Duration, request: Request, next: Next, id: &str, traced: &Span) -> Response {
    // A body that trickles would keep that task, which nobody waits for any more. It ends before the request does, so
    // that the answer says what was wrong.
    let request = request.map(|body| Body::new(DeadlineBody::new(patience.mul_f32(0.75), body)));
    // In a task of its own: a client that goes away in the middle must not cut a handler off between what it stored
    // and what it tells others.
    let handled = tokio::spawn(next.run(request).in_current_span().instrument(traced.clone()));
    let mut response = match tokio::time::timeout(patience, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Refusal::from(Error::internal(Panicked)).into_response(),
        Err(_) => Refusal::from(Error::Unavailable(Arc::new(TimedOut))).into_response(),
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        refusal.log();
        response = refusal.write(id);
    }
    tracing::debug!(status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(id).ok().map(|id| (REQUEST_ID, id)));
    // What somebody wrote to somebody is nobody's to keep on the way.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// An id that is safe to write into a log.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(&byte);
    let fits = (1..=MAX_REQUEST_ID_BYTES).contains(&id.len());
    (fits && id.bytes().all(sane)).then(|| id.to_owned())
}

pub(crate) async fn unknown_route() -> Refusal {
    Error::NotFound("Route not found").into()
}

pub(crate) async fn unknown_method() -> Refusal {
    Refusal::MethodNotAllowed
}
