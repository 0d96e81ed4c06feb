//! The document of the routes, that of the events, and a page for both over HTTP. The page is three files of this crate that load nothing from anywhere else.

use std::sync::{Arc, LazyLock, OnceLock};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use parlance_dialects::{Dialects, asyncapi};

use crate::RestState;

use super::openapi;

/// The page runs and loads what is its own, and talks to this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static ROUTES: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi().to_string()));

/// The routes of the documents, of which the one about routes has two addresses, and of their page.
pub(crate) fn routes(dialects: &Dialects) -> Router<Arc<RestState>> {
    let document = || async { file("application/json", ROUTES.clone()) };
    // What is said depends on the server. Made when it is first asked for.
    let (dialects, made) = (dialects.clone(), Arc::new(OnceLock::new()));
    let events = move || {
        let document: &Bytes = made.get_or_init(|| asyncapi(&dialects).to_string().into());
        std::future::ready(file("application/json", document.clone()))
    };
    let page = || async { file("text/html; charset=utf-8", Bytes::from_static(include_bytes!("page/index.html"))) };
    let script =
        || async { file("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("page/page.js"))) };
    let style = || async { file("text/css; charset=utf-8", Bytes::from_static(include_bytes!("page/page.css"))) };
    Router::new()
        .route("/openapi.json", get(document))
        .route("/api/openapi.json", get(document))
        .route("/asyncapi.json", get(events))
        .route("/docs", get(page))
        .route("/docs/page.js", get(script))
        .route("/docs/page.css", get(style))
}

fn file(content_type: &'static str, bytes: Bytes) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = ([(header::CONTENT_TYPE, content_type)], bytes).into_response();
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
