//! `/api/v1/notifications/unsubscribe`: where the links lead that mails have. Whoever has such a link has had the mail, so
//! nothing else is asked for. Looking changes nothing, since programs look at links before people do; the button, and the
//! one click of mail programs (RFC 8058), do. Answers are pages, not the API's envelope.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parlance_domain::model::{PreferencesChange, UserId};

use crate::errors::Refusal;
use crate::{Rest, RestState};

const PATH: &str = "/api/v1/notifications/unsubscribe";

/// The pages load nothing, run nothing, and their button leads back to them.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const ASKED: &str = "<p>Do you want no more e-mail of what you have missed?</p>\
    <form method=\"post\"><button name=\"List-Unsubscribe\" value=\"One-Click\">No more e-mail</button></form>";
const DONE: &str = "<p>You get no more e-mail. In your notification settings you can switch it on again.</p>";
const UNKNOWN: &str = "<p>This link is not valid. In your notification settings you can switch e-mail off.</p>";

pub(crate) fn routes() -> Router<Arc<RestState>> {
    Router::new().route(PATH, get(ask).post(unsubscribe))
}

async fn ask(State(rest): Rest, RawQuery(query): RawQuery) -> Response {
    match bearer(&rest, query.as_deref()) {
        Some(_) => page(StatusCode::OK, ASKED),
        None => page(StatusCode::NOT_FOUND, UNKNOWN),
    }
}

async fn unsubscribe(State(rest): Rest, RawQuery(query): RawQuery) -> Response {
    let Some(user) = bearer(&rest, query.as_deref()) else { return page(StatusCode::NOT_FOUND, UNKNOWN) };
    let no_more = PreferencesChange { email: Some(false), ..PreferencesChange::default() };
    match rest.services.notifying.prefer(&user, no_more).await {
        Ok(_) => page(StatusCode::OK, DONE),
        Err(error) => Refusal::from(error).into_response(),
    }
}

/// Whose link it is.
fn bearer(rest: &RestState, query: Option<&str>) -> Option<UserId> {
    let token = query?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    rest.unsubscribe_links.as_ref()?.find(token)
}

fn page(status: StatusCode, says: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>E-mail</title>{says}</html>\n"
    );
    (status, HEADERS, page).into_response()
}
