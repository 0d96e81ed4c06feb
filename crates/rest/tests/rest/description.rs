//! The description of the API: it is what the repository has checked in, it names every route and none besides, and what
//! it points to is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::support::{Api, ROUTES};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use parlance_domain::ports::{ApiCaller, ApiKeys};
use parlance_domain::services::Provisioning;
use parlance_rest::openapi;
use serde_json::Value;
use tower::ServiceExt;

/// Writes the checked-in file anew instead of comparing with it.
const REWRITE: &str = "REWRITE_API_DOCS";

#[test]
fn the_checked_in_document_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&openapi()).expect("JSON"));
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &made).expect("a file that can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/openapi.json differs from the code: {REWRITE}=1 cargo test -p parlance-rest description"
    );
}

struct Nobody;

impl ApiKeys for Nobody {
    fn find(&self, _: &str) -> Option<ApiCaller> {
        None
    }
}

/// An API with all routes that there can be.
fn whole() -> Api {
    Api::with(Provisioning::FromToken, |state| {
        state.api_keys = Some(Arc::new(Nobody));
        state.exposition = Some(Arc::new(String::new));
    })
}

fn described() -> BTreeSet<(String, String)> {
    let document = openapi();
    let paths = document["paths"].as_object().expect("paths").clone();
    let methods = |operations: &Value| operations.as_object().expect("operations").keys().cloned().collect::<Vec<_>>();
    paths.iter().flat_map(|(path, all)| methods(all).into_iter().map(move |method| (method, path.clone()))).collect()
}

/// Where the document and its page are; they are no part of the API.
const OWN: [&str; 6] =
    ["/openapi.json", "/api/openapi.json", "/asyncapi.json", "/docs", "/docs/page.js", "/docs/page.css"];

#[tokio::test]
async fn every_route_of_the_router_is_described_and_none_besides() {
    let described_paths: BTreeSet<String> = described().into_iter().map(|(_, path)| path).collect();
    // The router lists its routes nowhere but in its debug output.
    let listed = format!("{:?}", whole().router);
    let routes: BTreeSet<String> = listed
        .split('"')
        .filter(|part| part.starts_with('/') && !part.contains("{*"))
        // What answers for everything else.
        .filter(|part| *part != "/")
        .filter(|part| !OWN.contains(part))
        .map(str::to_owned)
        .collect();
    assert_eq!(routes, described_paths);
}

#[tokio::test]
async fn every_method_of_a_route_is_described_and_none_besides() {
    let api = whole();
    let described = described();
    let paths: BTreeSet<&String> = described.iter().map(|(_, path)| path).collect();
    for path in paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            let uri = path.replace(['{', '}'], "");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(uri).body(Body::empty());
            let answer = api.router.clone().oneshot(request.expect("a request")).await.expect("infallible");
            let there = answer.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(there, described.contains(&(method.to_owned(), path.clone())), "{method} {path}");
        }
    }
}

#[test]
fn the_routes_that_the_tests_call_are_described() {
    let shape = |path: &str| -> String {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    let described: BTreeSet<_> = described().into_iter().map(|(method, path)| (method, shape(&path))).collect();
    for (method, path) in ROUTES {
        assert!(described.contains(&(method.to_lowercase(), shape(path))), "{method} {path}");
    }
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn what_it_points_to_is_there_and_what_is_there_is_pointed_to() {
    let document = openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let place = reference.strip_prefix('#').expect("a place in the document");
        assert!(document.pointer(place).is_some(), "{reference}");
    }
    for part in ["schemas", "responses", "headers"] {
        for name in document["components"][part].as_object().expect("components").keys() {
            // Every route has the methods that are described: nobody who keeps to the document hears this.
            let unreachable = name == "MethodNotAllowed";
            assert!(unreachable || found.contains(format!("#/components/{part}/{name}").as_str()), "{part}/{name}");
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_say_who_may_call_them() {
    let document = openapi();
    let mut names = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(names.insert(operation["operationId"].as_str().expect("a name").to_owned()), "{method} {path}");
            let scheme = match operation["security"].as_array().expect("a list").as_slice() {
                [] => None,
                [scheme] => scheme.as_object().and_then(|scheme| scheme.keys().next().map(String::as_str)),
                _ => panic!("{method} {path} has several"),
            };
            let expected = match path.as_str() {
                path if path.starts_with("/api/v1/server/") => Some("key"),
                path if path.starts_with("/api/") => Some("token"),
                _ => None,
            };
            assert_eq!(scheme, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_served_unless_they_are_switched_off() {
    let api = Api::with(Provisioning::FromToken, |_| ());
    for path in OWN {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = api.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{path}: {policy}");
    }
    let request = Request::get("/openapi.json").body(Body::empty()).expect("a request");
    assert_eq!(api.send(request).await.body, openapi());
    let closed = Api::with(Provisioning::FromToken, |state| state.settings.documents = false);
    for path in OWN {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        closed.send(request).await.refused(404, "NOT_FOUND");
    }
}
