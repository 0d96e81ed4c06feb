//! The web client's files, from the folder that its build leaves: the page at `/` with its service worker, and under
//! `/assets` what has its content's hash in its name. Nothing outside these places is looked for, so the API's own answers
//! to unknown routes stay as they are. Compressed copies that lie beside a file are sent to those who take them.

use std::io;
use std::path::Path;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::services::{ServeDir, ServeFile};

/// What the client may do: run and load what is its own, show pictures and films of ours and of `https:` (profile
/// pictures), talk to this server. Nobody else's page may frame it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data: https:; media-src 'self' blob: https:; connect-src 'self'; font-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), display-capture=(self)"),
];

/// The page names its files by their hashes, so it is asked for each time and they never are again.
const FRESH: &str = "no-cache";
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Serves the client that was built into `folder`.
///
/// # Errors
/// Where there is no `index.html` in it that can be read.
pub async fn web_client(folder: &Path) -> io::Result<Router> {
    let page = folder.join("index.html");
    if let Err(error) = tokio::fs::File::open(&page).await {
        let problem = format!("no built web client is in {} (index.html: {error})", folder.display());
        return Err(io::Error::new(error.kind(), problem));
    }
    let file = |name: &str| ServeFile::new(folder.join(name)).precompressed_br().precompressed_gzip();
    let assets = ServeDir::new(folder.join("assets"))
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let pages = Router::new()
        .route_service("/", file("index.html"))
        .route_service("/favicon.svg", file("favicon.svg"))
        // What runs for the page while it is closed may do so for what lies beside or below it.
        .route_service("/sw.js", file("sw.js"))
        .layer(map_response(|response: Response| async { with_headers(response, FRESH) }));
    let assets = Router::new()
        .nest_service("/assets", assets)
        .layer(map_response(|response: Response| async { with_headers(response, FOR_GOOD) }));
    Ok(pages.merge(assets))
}

fn with_headers(mut response: Response, caching: &'static str) -> Response {
    // That a file is not there may change with the next build.
    let caching = if response.status().is_client_error() { "no-store" } else { caching };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
