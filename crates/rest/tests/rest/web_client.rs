//! The web client beside the API: which files go out, how they are kept, and that nothing else changes.

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use parlance_rest::web_client;
use tempfile::TempDir;
use tower::ServiceExt;

fn built() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    std::fs::create_dir(folder.path().join("assets")).expect("a folder");
    write("index.html", "<!doctype html>page");
    write("favicon.svg", "<svg/>");
    write("sw.js", "worker");
    write("secret.txt", "not for anybody");
    write("assets/index-1a2b.js", "script");
    write("assets/index-1a2b.js.br", "brotli");
    folder
}

async fn get(client: &Router, path: &str, encodings: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).header("accept-encoding", encodings).body(Body::empty()).expect("a request");
    let (parts, body) = client.clone().oneshot(request).await.expect("an answer").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_page_is_asked_for_each_time_and_its_files_never_again() {
    let folder = built();
    let client = web_client(folder.path()).await.expect("a client");
    let (status, headers, body) = get(&client, "/", "").await;
    assert_eq!((status, body.as_str()), (200, "<!doctype html>page"));
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["cache-control"], "no-cache");
    let (status, headers, body) = get(&client, "/sw.js", "").await;
    assert_eq!((status, body.as_str()), (200, "worker"));
    assert_eq!(
        (&headers["content-type"], &headers["cache-control"]),
        (&"text/javascript".parse().expect("a type"), &"no-cache".parse().expect("a value"))
    );
    let (status, headers, body) = get(&client, "/assets/index-1a2b.js", "").await;
    assert_eq!((status, body.as_str()), (200, "script"));
    assert_eq!(headers["content-type"], "text/javascript");
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(get(&client, "/favicon.svg", "").await.0, 200);
}

#[tokio::test]
async fn compressed_copies_go_to_those_who_take_them() {
    let folder = built();
    let client = web_client(folder.path()).await.expect("a client");
    let (_, headers, body) = get(&client, "/assets/index-1a2b.js", "gzip, br").await;
    assert_eq!((&headers["content-encoding"], body.as_str()), (&"br".parse().expect("a value"), "brotli"));
    let (_, headers, _) = get(&client, "/", "gzip, br").await;
    assert!(!headers.contains_key("content-encoding"), "there is no copy of the page");
}

#[tokio::test]
async fn every_answer_says_what_the_page_may_do() {
    let folder = built();
    let client = web_client(folder.path()).await.expect("a client");
    for path in ["/", "/assets/index-1a2b.js", "/assets/gone.js"] {
        let (_, headers, _) = get(&client, path, "").await;
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn nothing_but_the_build_goes_out() {
    let folder = built();
    let client = web_client(folder.path()).await.expect("a client");
    for path in ["/secret.txt", "/index.html", "/assets/../secret.txt", "/assets/%2e%2e/secret.txt", "/assets/gone.js"]
    {
        let (status, headers, body) = get(&client, path, "").await;
        assert_eq!((status, body.as_str()), (404, ""), "{path}");
        assert!(headers.get("cache-control").is_none_or(|value| value == "no-store"), "{path}");
    }
}

#[tokio::test]
async fn a_folder_without_a_page_is_refused_by_its_name() {
    let problem = web_client(Path::new("/nowhere/dist")).await.expect_err("no client").to_string();
    assert!(problem.starts_with("no built web client is in /nowhere/dist (index.html: "), "{problem}");
}
