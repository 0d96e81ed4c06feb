//! `/media/…`: open to everybody who has the link, which nobody can guess. The name in it must be the medium's: a
//! link with another name would let anybody show our content under a name of theirs.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use parlance_domain::Error;
use serde_json::json;

use super::serve::{Asked, Outgoing, Served};
use crate::description::Operation;
use crate::errors::Refusal;
use crate::extract::Params;
use crate::{Rest, RestState};

const NOT_FOUND: Error = Error::NotFound("Medium not found");

pub(super) async fn original(
    State(rest): Rest,
    method: Method,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let medium = rest.uploading.find(params.medium()?).await?;
    if medium.filename != params.name() {
        return Err(NOT_FOUND.into());
    }
    send(&rest, &Served::original(&medium), &method, &headers).await
}

pub(super) async fn thumbnail(
    State(rest): Rest,
    method: Method,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let medium = rest.uploading.find(params.medium()?).await?;
    let name = medium.thumbnail_url("").and_then(|url| url.rsplit_once('/').map(|(_, name)| name.to_owned()));
    let served = Served::thumbnail(&medium).filter(|_| name.as_deref() == Some(params.name())).ok_or(NOT_FOUND)?;
    send(&rest, &served, &method, &headers).await
}

/// What conditions and ranges can come to.
pub(super) fn answers(operation: &mut Operation<'_>) {
    let bytes = json!({"*/*": {"schema": {"type": "string", "format": "binary"}}});
    operation.answer_with(200, &bytes);
    operation.answer_with(206, &bytes);
    operation.answer_with(304, &json!({}));
    operation.answer_with(416, &json!({}));
}

async fn send(
    rest: &RestState,
    served: &Served<'_>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let joined = |name| {
        let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let range = if method == Method::GET { joined(header::RANGE) } else { None };
    let (none_match, if_range) = (joined(header::IF_NONE_MATCH), joined(header::IF_RANGE));
    let asked = Asked { range: range.as_deref(), if_none_match: none_match.as_deref(), if_range: if_range.as_deref() };
    let outgoing = Outgoing::decide(served, &asked);
    let body = match outgoing.bytes() {
        Some(range) => {
            let chunks = rest.uploading.read(outgoing.key, range).await?;
            if method == Method::HEAD { Body::empty() } else { Body::from_stream(chunks) }
        }
        None => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(outgoing.status).map_err(Error::internal)?;
    for (name, value) in &outgoing.headers {
        let value = HeaderValue::from_str(value).map_err(Error::internal)?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}
