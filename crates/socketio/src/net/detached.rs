//! Requests that outlive their connection's buffer. The library keeps the first request of a session for as long as
//! the session lives, and its path and headers are slices of the 16 KiB that hyper read them into: an idle socket would
//! hold all of that. What is kept here is copied, and it is only what the handshake needs.

use axum::extract::{OriginalUri, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_KEY};
use axum::http::{HeaderMap, HeaderValue, Uri};

/// The headers that the library (0.17 of its engine) or the handshake looks at; what is about the connection, hyper has
/// carried out.
const KEPT: [HeaderName; 3] = [AUTHORIZATION, CONTENT_TYPE, SEC_WEBSOCKET_KEY];

/// How many of them a request has at most. Most sessions keep that of a WebSocket, which has one or two.
const MOST: usize = 2;

/// The same request on memory of its own, with the headers that matter.
pub(crate) fn detached(mut request: Request) -> Request {
    let mut headers = HeaderMap::with_capacity(MOST);
    for name in KEPT {
        let value = request.headers().get(&name).map(|value| HeaderValue::from_bytes(value.as_bytes()));
        if let Some(Ok(value)) = value {
            headers.insert(name, value);
        }
    }
    *request.headers_mut() = headers;
    if let Ok(uri) = Uri::try_from(request.uri().to_string()) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().remove::<OriginalUri>();
    request
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};

    use super::*;

    #[test]
    fn a_detached_request_lets_go_of_what_it_was_read_into() {
        let read = Bytes::from_static(b"/socket.io/?EIO=4&transport=polling Bearer token cookie");
        let read = Bytes::from(read.to_vec());
        let uri = Uri::from_maybe_shared(read.slice(..35)).unwrap();
        let mut request = Request::get(uri.clone()).body(Body::empty()).unwrap();
        let value = |range| HeaderValue::from_maybe_shared(read.slice(range)).unwrap();
        request.headers_mut().insert(AUTHORIZATION, value(36..48));
        request.headers_mut().insert("cookie", value(49..55));
        request.extensions_mut().insert(OriginalUri(uri.clone()));
        drop(uri);
        let request = detached(request);
        assert!(read.is_unique());
        assert_eq!(request.uri(), "/socket.io/?EIO=4&transport=polling");
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer token");
        assert_eq!(request.headers().len(), 1);
    }
}
