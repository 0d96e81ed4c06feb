//! Which origins may call, on answers, errors and preflights.

use crate::support::Api;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use parlance_rest::{Origins, cors};
use tower::ServiceExt;

const ALLOWED: &str = "http://localhost:3000, https://chat.example.com";

async fn ask(origins: &str, method: Method, uri: &str, origin: Option<&str>) -> (StatusCode, HeaderMap) {
    let origins: Origins = origins.parse().expect("valid origins");
    let app = Api::new().await.router.layer(cors(&origins));
    let mut request = Request::builder().method(method.clone()).uri(uri).header("authorization", "alice");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    if method == Method::OPTIONS {
        request = request.header("access-control-request-method", "PATCH");
        request = request.header("access-control-request-headers", "authorization,content-type");
    }
    let response = app.oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    (response.status(), response.headers().clone())
}

fn cors_headers(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(axum::http::HeaderName::as_str).filter(|name| name.starts_with("access-control-")).collect()
}

#[tokio::test]
async fn allowed_origins_get_credentials_on_errors_too() {
    for origin in ["http://localhost:3000", "https://chat.example.com"] {
        for (uri, status) in [("/api/v1/users/me", 200), ("/api/v1/users/nobody", 404), ("/nowhere", 404)] {
            let (answered, headers) = ask(ALLOWED, Method::GET, uri, Some(origin)).await;
            assert_eq!(answered.as_u16(), status);
            assert_eq!(headers["access-control-allow-origin"], origin);
            assert_eq!(headers["access-control-allow-credentials"], "true");
            assert!(
                headers["access-control-expose-headers"].to_str().is_ok_and(|names| names.contains("x-request-id"))
            );
            assert_eq!(headers["vary"], "origin");
        }
        let (status, headers) = ask(ALLOWED, Method::OPTIONS, "/api/v1/users/me", Some(origin)).await;
        assert_eq!(status, 200);
        assert_eq!(headers["access-control-allow-origin"], origin);
        let list = |name: &str| headers[name].to_str().expect("text").to_ascii_lowercase();
        assert!(
            ["get", "post", "put", "patch", "delete"].iter().all(|m| list("access-control-allow-methods").contains(m))
        );
        assert!(
            ["authorization", "content-type", "x-dialect"]
                .iter()
                .all(|name| list("access-control-allow-headers").contains(name))
        );
    }
}

#[tokio::test]
async fn everybody_else_gets_no_cors_header() {
    let strangers = ["https://evil.example", "http://localhost:3001", "https://chat.example.com.evil.example", "null"];
    for (origins, origin) in strangers.iter().map(|origin| (ALLOWED, *origin)).chain([("", "http://localhost:3000")]) {
        for method in [Method::GET, Method::OPTIONS] {
            let (_, headers) = ask(origins, method, "/api/v1/users/me", Some(origin)).await;
            assert_eq!(cors_headers(&headers), Vec::<&str>::new(), "{origin}");
        }
    }
    let (status, headers) = ask(ALLOWED, Method::GET, "/api/v1/users/me", None).await;
    assert_eq!((status.as_u16(), cors_headers(&headers)), (200, Vec::new()));
}
