//! The HTTP API: the query of every route that reads one, and multipart bodies. Whatever comes is answered, in the
//! envelope, and never as an error of the server's own.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::Value;
use tower::ServiceExt;

use crate::world::{run, world};

/// Routes that read a query.
const QUERIED: [&str; 6] = [
    "/api/v1/chat/conversations",
    "/api/v1/chat/messages/search",
    "/api/v1/chat/messages/all/000000000000000000000001",
    "/api/v1/chat/conversations/000000000000000000000001/changes",
    "/api/v1/notifications",
    "/api/v1/users",
];

const BOUNDARY: &str = "x";

/// The first byte picks a route, the rest is its query.
pub fn query(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Ok(query) = std::str::from_utf8(rest) else { return };
    let route = QUERIED[usize::from(*choice) % QUERIED.len()];
    let request = Request::get(format!("{route}?{query}")).header(header::AUTHORIZATION, "fuzz");
    // What is no address is refused before it gets to us.
    if let Ok(request) = request.body(Body::empty()) {
        answered(request);
    }
}

/// A multipart body whose boundary is `x`, to the two kinds of routes that take one.
pub fn multipart(data: &[u8]) {
    for route in ["/api/v1/media/upload", "/api/v1/chat/messages/file"] {
        let request = Request::post(route)
            .header(header::AUTHORIZATION, "fuzz")
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
        if let Ok(request) = request.body(Body::from(data.to_vec())) {
            answered(request);
        }
    }
}

#[expect(clippy::expect_used, reason = "what may not be is what the fuzzer looks for")]
fn answered(request: Request<Body>) {
    let world = world().expect("a world");
    let (status, body) = run(async {
        let Ok(response) = world.api.clone().oneshot(request).await;
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
    });
    assert!(!status.is_server_error(), "{status}");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["success"], Value::Bool(status.is_success()), "the envelope says what the status says");
}
