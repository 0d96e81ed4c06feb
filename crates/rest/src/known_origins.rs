//! Which web pages may open a WebSocket. Browsers ask nobody before they open one to another origin, so that CORS does
//! not hold for them: where origins are configured, a WebSocket of a page from elsewhere is refused before the
//! protocol sees it. Clients that are no browsers send no `Origin` and are let through: tokens are what keeps people
//! out, this keeps pages from using what a visitor's browser has.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::Origins;

/// `routes`, where a WebSocket is for pages of these origins and of the server's own. With no origins: for any page.
pub fn known_origins(origins: &Origins, routes: Router) -> Router {
    if origins.is_empty() { routes } else { routes.layer(from_fn_with_state(origins.clone(), check)) }
}

async fn check(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    if is_websocket(&request) && !is_known(&origins, request.headers()) {
        // As the protocol's own servers say it.
        let body = r#"{"code":4,"message":"Forbidden"}"#;
        return (StatusCode::FORBIDDEN, [("content-type", "application/json")], body).into_response();
    }
    next.run(request).await
}

fn is_websocket(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "transport=websocket"))
}

fn is_known(origins: &Origins, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = || Some(origin.to_str().ok()?.split_once("://")?.1);
    origins.allow(origin) || host.is_some_and(|host| own().is_some_and(|own| own.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn status(origins: &str, query: &str, headers: &[(&str, &str)]) -> u16 {
        let routes = Router::new().route("/socket.io/", get(|| async { "hello" }));
        let request = Request::get(format!("/socket.io/?{query}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let routes = known_origins(&origins.parse().unwrap(), routes);
        routes.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    const OURS: &str = "https://app.example,http://localhost:3000";
    const WEBSOCKET: &str = "EIO=4&transport=websocket";

    #[tokio::test]
    async fn a_page_from_elsewhere_opens_no_websocket() {
        for origin in
            ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example", "", "x"]
        {
            assert_eq!(status(OURS, WEBSOCKET, &[("origin", origin), ("host", "chat.example")]).await, 403, "{origin}");
        }
    }

    #[tokio::test]
    async fn known_pages_own_pages_and_other_clients_do() {
        let host = ("host", "chat.example:4000");
        for origin in
            ["https://app.example", "http://localhost:3000", "https://chat.example:4000", "https://CHAT.example:4000"]
        {
            assert_eq!(status(OURS, WEBSOCKET, &[("origin", origin), host]).await, 200, "{origin}");
        }
        assert_eq!(status(OURS, WEBSOCKET, &[host]).await, 200, "no browser");
    }

    #[tokio::test]
    async fn polling_is_for_cors_and_without_a_list_nothing_is_checked() {
        let evil = [("origin", "https://evil.example"), ("host", "chat.example")];
        assert_eq!(status(OURS, "EIO=4&transport=polling", &evil).await, 200);
        assert_eq!(status("", WEBSOCKET, &evil).await, 200);
    }
}
