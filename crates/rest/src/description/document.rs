//! The whole document, as OpenAPI 3.1. It is about every route that there can be; which of them a server has is a
//! matter of its configuration.

use serde_json::{Map, Value, json};

use super::operation::{Operation, Schemas};
use super::refusals;

const ABOUT: &str = "Answers come in an envelope: `success`, `message` and `data`, or `success`, `message`, `code` and, \
    where a field was wrong, `errors`. Messages, people and notifications have the shape of a dialect, which `dialect` \
    or the header `X-Dialect` chooses; `talentbridge` if neither does.";

/// The name of the scheme for people.
pub(crate) const TOKEN: &str = "token";
/// The name of the scheme for a product's backend.
pub(super) const KEY: &str = "key";

/// The HTTP API, described: OpenAPI 3.1.
pub fn openapi() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for route in &crate::everything().described {
        let operation = Operation::of(route, &mut schemas);
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method] = operation;
        if !tags.contains(&route.tag) {
            tags.push(route.tag);
        }
    }
    let responses = refusals::components(&mut schemas.written);
    let mut components = schemas.read.take_definitions(true);
    components.extend(schemas.written.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Parlance", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "tags": tags.into_iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "headers": {
                "RequestId": {
                    "description": "The request's name, as the log has it: what came in this header, or a new one.",
                    "schema": {"type": "string"},
                },
                "RetryAfter": {
                    "description": "In how many seconds the same request will be let in.",
                    "schema": {"type": "integer", "minimum": 1},
                },
            },
            "securitySchemes": {
                TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A user's access token. The word `Bearer` may be left out.",
                },
                KEY: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Api-Key",
                    "description": "A key of `SERVER_API_KEYS`, for a product's own backend.",
                },
            },
        },
    })
}
