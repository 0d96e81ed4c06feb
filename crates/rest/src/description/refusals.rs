//! What is answered to whoever is refused: one component of the document for each status, with the codes and texts
//! that the table of errors has for it.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use crate::errors::{Failure, Refusal};

/// Points to the component of a status.
pub(super) fn reference(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{}", name(status))})
}

/// All components, by their names.
pub(super) fn components(written: &mut SchemaGenerator) -> Value {
    let mut by_status: BTreeMap<u16, Vec<(&'static str, String)>> = BTreeMap::new();
    for refusal in Refusal::examples() {
        by_status.entry(refusal.status().as_u16()).or_default().push((refusal.code(), refusal.message().into_owned()));
    }
    let failure = written.subschema_for::<Failure<'static>>().to_value();
    by_status.into_iter().map(|(status, rows)| (name(status), component(status, &rows, &failure))).collect()
}

fn component(status: u16, rows: &[(&'static str, String)], failure: &Value) -> Value {
    let mut codes: Vec<&str> = rows.iter().map(|(code, _)| *code).collect();
    codes.dedup();
    let examples: BTreeMap<String, Value> = rows
        .iter()
        .enumerate()
        .map(|(place, (code, message))| {
            (format!("{:02} {code}", place + 1), json!({"value": {"success": false, "message": message, "code": code}}))
        })
        .collect();
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    if status == 429 {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    json!({
        "description": codes.join(", "),
        "headers": headers,
        "content": {"application/json": {
            "schema": {"allOf": [failure, {"properties": {"code": {"enum": codes}}}]},
            "examples": examples,
        }},
    })
}

/// What the component of a status is called.
fn name(status: u16) -> String {
    let status = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    status.unwrap_or_default().replace(' ', "")
}
