//! What operators and load balancers ask, without a token: whether the process is up, whether it can work,
//! and what is measured.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::join_all;
use serde::Serialize;

use crate::answer::{Answer, json};
use crate::state::Probe;
use crate::{Exposition, Rest, RestState};

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
pub(crate) struct StatusData {
    status: &'static str,
}

pub(crate) async fn health() -> Answer<StatusData> {
    Answer::ok("The process is up", StatusData { status: "ok" })
}

/// The process works, and what it works without.
#[derive(Serialize)]
struct DegradedData {
    status: &'static str,
    without: Vec<&'static str>,
}

#[derive(Serialize)]
struct NotReady {
    success: bool,
    message: String,
    code: &'static str,
}

pub(crate) async fn readiness(State(rest): Rest) -> Response {
    let asked = rest.probes.iter().map(|probe| async move {
        let answer = tokio::time::timeout(PATIENCE, probe.answers()).await;
        if answer == Ok(true) { None } else { Some(&**probe) }
    });
    let silent: Vec<&dyn Probe> = join_all(asked).await.into_iter().flatten().collect();
    if silent.is_empty() {
        return Answer::ok("Ready", StatusData { status: "ok" }).into_response();
    }
    let (needed, missed): (Vec<&dyn Probe>, Vec<&dyn Probe>) = silent.into_iter().partition(|probe| probe.is_needed());
    if needed.is_empty() {
        let without = missed.iter().map(|probe| probe.name()).collect();
        return Answer::ok("Ready, but not whole", DegradedData { status: "degraded", without }).into_response();
    }
    let names: Vec<&str> = needed.iter().map(|probe| probe.name()).collect();
    let message = format!("No answer from {}", names.join(", "));
    json(StatusCode::SERVICE_UNAVAILABLE, &NotReady { success: false, message, code: "UNAVAILABLE" })
}

/// The content type of the text format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The route at which Prometheus reads what is measured.
pub(crate) fn exposition(exposition: &Exposition) -> Router<Arc<RestState>> {
    let exposition = Arc::clone(exposition);
    let answer = move || std::future::ready(([(header::CONTENT_TYPE, EXPOSITION)], exposition()));
    Router::new().route("/metrics", get(answer))
}
